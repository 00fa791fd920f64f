// Programs that verify this very token, as short as they may be: key, issuer, audience and algorithm are all named.

import { button, copyButton, fill, place } from "./dom.js";

/** @import { Facts } from "./types.js" */

/** Text as a literal that JavaScript, Python and Go read alike. @param {string} text */
function literal(text) {
  return JSON.stringify(text).replace(/[^ -~]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Rust spells such letters otherwise. @param {string} text */
function rust(text) {
  return literal(text).replace(/\\u([0-9a-f]{4})/g, "\\u{$1}");
}

/** @param {string} text */
function shell(text) {
  return `'${text.replace(/'/g, `'\\''`).replace(/[\x00-\x1f\x7f]/g, "?")}'`;
}

/** @type {Record<string, (facts: Facts, pick: (secret: string, pem: string, set: string) => string) => string>} */
const LANGUAGES = {
  Rust: ({ token, alg, iss, aud, jwks }, pick) => {
    const name = alg.replace(/-/g, "_");
    return `use std::time::SystemTime;

use countersign::{${pick("Algorithm, ", "Algorithm, ", "JwkSet, ")}Policy, Timestamp, Verifier${pick(", VerifyingKey", ", VerifyingKey", "")}};

fn main() -> Result<(), Box<dyn std::error::Error>> {
${pick("", "", `    // curl -s ${jwks} -o jwks.json\n`)}    let key = ${pick(
      `VerifyingKey::from_secret(Algorithm::${name}, std::env::var("SECRET")?)`,
      `VerifyingKey::from_pem(Algorithm::${name}, &std::fs::read_to_string("key.pem")?)`,
      `JwkSet::parse(&std::fs::read("jwks.json")?)`,
    )}?;
    let policy = Policy::builder().issuer(${rust(iss)}).audience(${rust(aud)}).plain_or_access_token().build()?;
    let token = ${rust(token)};
    let verified = Verifier::new(key, policy).verify::<serde_json::Value>(token, Timestamp::from(SystemTime::now()))?;
    println!("{}", verified.claims());
    Ok(())
}
`;
  },
  Node: ({ token, alg, iss, aud, jwks }, pick) => `${pick("", 'import { readFileSync } from "node:fs";\n', "")}import { ${pick("", "importSPKI, ", "createRemoteJWKSet, ")}jwtVerify } from "jose";

const key = ${pick(
    "new TextEncoder().encode(process.env.SECRET)",
    `await importSPKI(readFileSync("key.pem", "utf8"), ${literal(alg)})`,
    `createRemoteJWKSet(new URL(${literal(jwks)}))`,
  )};
const token = ${literal(token)};
const { payload } = await jwtVerify(token, key, {
  issuer: ${literal(iss)},
  audience: ${literal(aud)},
  algorithms: [${literal(alg)}],
  requiredClaims: ["exp"],
});
console.log(payload);
`,
  Python: ({ token, alg, iss, aud, jwks }, pick) => `${pick("import os\n", "", "")}import jwt

token = ${literal(token)}
key = ${pick('os.environ["SECRET"]', 'open("key.pem").read()', `jwt.PyJWKClient(${literal(jwks)}).get_signing_key_from_jwt(token).key`)}
claims = jwt.decode(
    token,
    key,
    algorithms=[${literal(alg)}],
    issuer=${literal(iss)},
    audience=${literal(aud)},
    options={"require": ["exp"]},
)
print(claims)
`,
  Go: ({ token, alg, iss, aud, jwks }, pick) => {
    const kind = /^(RS|PS)/.test(alg) ? "RSA" : alg.startsWith("Ed") ? "Ed" : "EC";
    const check = "	if err != nil {\n		panic(err)\n	}\n";
    return `package main

import (
	"fmt"
${pick('	"os"\n\n', '	"os"\n\n', '\n	"github.com/MicahParks/keyfunc/v3"\n')}	"github.com/golang-jwt/jwt/v5"
)

func main() {
${pick(
      '	key := []byte(os.Getenv("SECRET"))\n',
      `	pem, err := os.ReadFile("key.pem")\n${check}	key, err := jwt.Parse${kind}PublicKeyFromPEM(pem)\n${check}`,
      `	keys, err := keyfunc.NewDefault([]string{${literal(jwks)}})\n${check}`,
    )}	find := ${pick("", "", "keys.Keyfunc") || "func(*jwt.Token) (any, error) { return key, nil }"}
	token, err := jwt.Parse(${literal(token)}, find,
		jwt.WithValidMethods([]string{${literal(alg)}}),
		jwt.WithIssuer(${literal(iss)}),
		jwt.WithAudience(${literal(aud)}),
		jwt.WithExpirationRequired(),
	)
${check}	fmt.Println(token.Claims)
}
`;
  },
  curl: ({ token, alg, iss, aud, jwks }, pick) => `TOKEN=${shell(token)}

# Every step, here:
${pick("", "", `curl -s ${shell(jwks)} -o jwks.json\n`)}countersign verify --explain --key ${pick(`env:SECRET --alg ${alg}`, `key.pem --alg ${alg}`, "jwks.json")} \\
  --iss ${shell(iss)} --aud ${shell(aud)} "$TOKEN"

# What your service says to it:
curl -i https://service.example/ -H "authorization: Bearer $TOKEN"
`,
};

const tabs = Object.keys(LANGUAGES).map((name) => button("small", () => choose(name), name));
let chosen = "Rust";
/** @type {() => Facts} */
let known;

/** @param {() => Facts} facts */
export function code(facts) {
  known = facts;
  fill(place("languages"), tabs, copyButton(() => place("program").textContent ?? ""));
}

/** @param {string} name */
function choose(name) {
  chosen = name;
  program();
}

export function program() {
  for (const tab of tabs) tab.setAttribute("aria-pressed", String(tab.textContent === chosen));
  const facts = known();
  const at = facts.form === "pem" ? 1 : ["jwk", "jwks", "issuer"].includes(facts.form) ? 2 : 0;
  fill(place("program"), LANGUAGES[chosen]?.(facts, (...all) => all[at] ?? ""));
}
