"""joserfc: `verify` reads tokens and writes what it says of them, `sign` reads keys and writes tokens."""

import json
import sys
from functools import cache
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import import_key
from joserfc.jws import JWSRegistry

sys.path.insert(0, str(Path(__file__).parent.parent))
from claims import claims, header


@cache
def key_of(jwk: str):
    return import_key(json.loads(jwk))


def headers(algorithms: list[str]) -> JWSRegistry:
    """Header members of one's own are allowed, as in the other libraries."""
    return JWSRegistry(algorithms=algorithms, strict_check_header=False)


def verify(row: dict) -> dict:
    expected = {"iss": {"essential": True, "value": row["iss"]}, "aud": {"essential": True, "value": row["aud"]}}
    claims_registry = jwt.JWTClaimsRegistry(now=row["now"], exp={"essential": True}, **expected)
    try:
        token = jwt.decode(row["token"], key_of(json.dumps(row["key"])), registry=headers([row["alg"]]))
        claims_registry.validate(token.claims)
    except Exception as error:
        return {"id": row["id"], "accepted": False, "error": f"{type(error).__name__}: {error}"}
    return {"id": row["id"], "accepted": True, "claims": token.claims if row["ours"] == "ok" else None}


def sign(at: int, key: dict) -> dict:
    named = {"alg": key["alg"], **header(at)}
    own = key_of(json.dumps(key["private"]))
    token = jwt.encode(named, claims_ := claims(at), own, registry=headers([key["alg"]]))
    return {"alg": key["alg"], "token": token, "claims": claims_}


lines = [json.loads(line) for line in sys.stdin]
if sys.argv[1:] == ["verify"]:
    written = (verify(row) for row in lines)
else:
    written = (sign(at, lines[at % len(lines)]) for at in range(1000))
for line in written:
    print(json.dumps(line))
