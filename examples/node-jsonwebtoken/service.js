// An Express service whose /profile needs an access token of Countersign, checked with jsonwebtoken.
import { readFileSync } from "node:fs";
import express from "express";
import jwt from "jsonwebtoken";
import { JwksClient } from "jwks-rsa";

const { ALG, ISSUER, AUDIENCE, JWKS_URL, SECRET, KEY_FILE } = process.env;

// The issuer's public keys, fetched once and again when it signs with a new one; HS256 shares a secret instead.
const jwks = new JwksClient({ jwksUri: JWKS_URL ?? "" });
const published = (header, done) =>
  jwks.getSigningKey(header.kid, (error, key) => done(error, key?.getPublicKey()));
const key = ALG === "HS256" ? SECRET : published;

// The expectations stand here; the token's header decides nothing.
const expected = { algorithms: [ALG], issuer: ISSUER, audience: AUDIENCE, complete: true };

function authenticate(request, response, next) {
  const [scheme, token] = (request.get("authorization") ?? "").split(" ");
  if (scheme.toLowerCase() !== "bearer" || !token) {
    return response.status(401).json({ message: "No token provided" });
  }
  jwt.verify(token, key, expected, (error, verified) => {
    if (error || verified.header.typ !== "at+jwt" || !verified.payload.exp) {
      return response.status(401).json({ message: "Invalid token" });
    }
    request.user = verified.payload;
    next();
  });
}

function serve() {
  const app = express();
  app.get("/profile", authenticate, (request, response) => {
    response.json({ message: `Welcome, ${request.user.sub}`, user: request.user });
  });
  const server = app.listen(0, "127.0.0.1", () => {
    console.log(`listening ${server.address().port}`);
  });
}

function sign() {
  const own = ALG === "HS256" ? SECRET : readFileSync(KEY_FILE);
  const options = { algorithm: ALG, issuer: ISSUER, audience: AUDIENCE, subject: "ada", expiresIn: "10m" };
  console.log(jwt.sign({ from: "jsonwebtoken" }, own, options));
}

process.argv[2] === "sign" ? sign() : serve();
