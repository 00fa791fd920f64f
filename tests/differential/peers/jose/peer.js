// jose: `verify` reads tokens and writes what it says of them, `sign` reads keys and writes tokens.
import { readFileSync } from "node:fs";
import { importJWK, jwtVerify, SignJWT } from "jose";

const keys = new Map();
async function keyOf(jwk) {
  const text = JSON.stringify(jwk);
  if (!keys.has(text)) keys.set(text, await importJWK(jwk));
  return keys.get(text);
}

async function verify(row) {
  const expected = {
    algorithms: [row.alg],
    issuer: row.iss,
    audience: row.aud,
    requiredClaims: ["exp"],
    currentDate: new Date(row.now * 1000),
  };
  try {
    const { payload } = await jwtVerify(row.token, await keyOf(row.key), expected);
    return { id: row.id, accepted: true, claims: row.ours === "ok" ? payload : null };
  } catch (error) {
    return { id: row.id, accepted: false, error: `${error.code ?? error.name}: ${error.message}` };
  }
}

async function sign(at, key) {
  const claims = {
    iss: "https://id.example",
    aud: at % 2 === 0 ? "orders-api" : ["billing-api", "orders-api"],
    exp: 4102444800 + at + 0.5 * (at % 2),
    iat: 1500000000,
    sub: `Ada Łukasz ${at} \u{1f600}`,
    nested: { own: [at, -0.5, null, true, { deep: 'a"\\\n\u20ac', large: Number.MAX_SAFE_INTEGER }] },
  };
  const header = { alg: key.alg, trace: at };
  if (at % 3 > 0) header.typ = "JWT";
  if (at % 5 === 0) header.kid = `key-${at}`;
  const token = await new SignJWT(claims).setProtectedHeader(header).sign(await keyOf(key.private));
  return { alg: key.alg, token, claims };
}

const lines = readFileSync(0, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));
const written = [];
if (process.argv[2] === "verify") {
  for (const row of lines) written.push(await verify(row));
} else {
  for (let at = 0; at < 1000; at++) written.push(await sign(at, lines[at % lines.length]));
}
process.stdout.write(written.map((line) => JSON.stringify(line) + "\n").join(""));
