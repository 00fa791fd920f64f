// A service whose /profile needs an access token of Countersign, checked with jose.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRemoteJWKSet, importPKCS8, jwtVerify, SignJWT } from "jose";

const { ALG, ISSUER, AUDIENCE, JWKS_URL, SECRET, KEY_FILE } = process.env;
const secret = new TextEncoder().encode(SECRET);

// The issuer's public keys, fetched once and again when it signs with a new one; HS256 shares a secret instead.
const key = ALG === "HS256" ? secret : createRemoteJWKSet(new URL(JWKS_URL ?? "http://127.0.0.1/"));

// The expectations stand here; the token's header decides nothing.
const expected = {
  algorithms: [ALG],
  issuer: ISSUER,
  audience: AUDIENCE,
  typ: "at+jwt",
  requiredClaims: ["sub", "exp"],
};

function answer(response, status, body) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function profile(request, response) {
  const [scheme, token] = (request.headers.authorization ?? "").split(" ");
  if (scheme.toLowerCase() !== "bearer" || !token) {
    return answer(response, 401, { message: "No token provided" });
  }
  try {
    const { payload } = await jwtVerify(token, key, expected);
    answer(response, 200, { message: `Welcome, ${payload.sub}`, user: payload });
  } catch {
    answer(response, 401, { message: "Invalid token" });
  }
}

function serve() {
  const server = createServer((request, response) =>
    request.url === "/profile" ? profile(request, response) : answer(response, 404, { message: "Not found" }),
  );
  server.listen(0, "127.0.0.1", () => console.log(`listening ${server.address().port}`));
}

async function sign() {
  const own = ALG === "HS256" ? secret : await importPKCS8(readFileSync(KEY_FILE, "utf8"), ALG);
  const token = new SignJWT({ from: "jose" }).setProtectedHeader({ alg: ALG, typ: "JWT" });
  token.setIssuer(ISSUER).setAudience(AUDIENCE).setSubject("ada").setIssuedAt().setExpirationTime("10m");
  console.log(await token.sign(own));
}

await (process.argv[2] === "sign" ? sign() : serve());
