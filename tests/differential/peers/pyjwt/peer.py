"""PyJWT: `verify` reads tokens and writes what it says of them, `sign` reads keys and writes tokens."""

import json
import sys
from functools import cache
from pathlib import Path

import jwt

sys.path.insert(0, str(Path(__file__).parent.parent))
from claims import claims, header


@cache
def key_of(jwk: str) -> jwt.PyJWK:
    return jwt.PyJWK.from_json(jwk)


def verify(row: dict) -> dict:
    # It reads the clock and cannot be told the time.
    if row["clock"]:
        return {"id": row["id"], "accepted": None}
    key = key_of(json.dumps(row["key"]))
    expected = {"algorithms": [row["alg"]], "issuer": row["iss"], "audience": row["aud"]}
    try:
        read = jwt.decode(row["token"], key, options={"require": ["exp", "iss", "aud"]}, **expected)
    except Exception as error:
        return {"id": row["id"], "accepted": False, "error": f"{type(error).__name__}: {error}"}
    return {"id": row["id"], "accepted": True, "claims": read if row["ours"] == "ok" else None}


def sign(at: int, key: dict) -> dict:
    token = jwt.encode(claims_ := claims(at), key_of(json.dumps(key["private"])), key["alg"], header(at))
    return {"alg": key["alg"], "token": token, "claims": claims_}


lines = [json.loads(line) for line in sys.stdin]
if sys.argv[1:] == ["verify"]:
    written = (verify(row) for row in lines)
else:
    written = (sign(at, lines[at % len(lines)]) for at in range(1000))
for line in written:
    print(json.dumps(line))
