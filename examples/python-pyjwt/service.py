"""A service whose /profile needs an access token of Countersign, checked with PyJWT."""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jwt

ALG, ISSUER, AUDIENCE = (os.environ[name] for name in ("ALG", "ISSUER", "AUDIENCE"))

# The issuer's public keys, fetched once and again when it signs with a new one; HS256 shares a secret instead.
JWKS = jwt.PyJWKClient(os.environ.get("JWKS_URL", ""))


def verify(token: str) -> dict:
    """The claims of a good token. The expectations stand here; the token's header decides nothing."""
    key = os.environ["SECRET"] if ALG == "HS256" else JWKS.get_signing_key_from_jwt(token).key
    needed = {"require": ["exp", "iss", "aud", "sub"]}
    verified = jwt.decode_complete(token, key, algorithms=[ALG], issuer=ISSUER, audience=AUDIENCE, options=needed)
    if verified["header"].get("typ") != "at+jwt":
        raise jwt.InvalidTokenError("not an access token")
    return verified["payload"]


class Service(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path != "/profile":
            return self.answer(404, {"message": "Not found"})
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return self.answer(401, {"message": "No token provided"})
        try:
            user = verify(token)
        except jwt.PyJWTError:
            return self.answer(401, {"message": "Invalid token"})
        self.answer(200, {"message": f"Welcome, {user['sub']}", "user": user})

    def answer(self, status: int, body: dict) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


if sys.argv[1:] == ["sign"]:
    own = os.environ["SECRET"] if ALG == "HS256" else Path(os.environ["KEY_FILE"]).read_text()
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": int(time.time()) + 600, "from": "PyJWT"}
    print(jwt.encode(claims, own, algorithm=ALG))
else:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    print(f"listening {server.server_port}", flush=True)
    server.serve_forever()
