"""PyJWT: measure.py WORK. It lists its items, then answers each line `op alg` with a few rounds: the nanoseconds of one
operation of each, the reference, which is `cryptography` (and `hmac` for HS256), and the library."""

import hmac
import json
import platform
import sys
import time
from importlib.metadata import version

import cryptography
import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from jwt.utils import base64url_decode

BATCH_NANOS = 200_000

with open(sys.argv[1], encoding="utf-8") as file:
    WORK = json.load(file)
SECRET = bytes.fromhex(WORK["secret"])


def references(alg, public, private, text, signature):
    """The two operations of `cryptography` over a signing input, as PyJWT's own keys would need them."""
    if alg == "HS256":

        def check():
            assert hmac.compare_digest(hmac.digest(SECRET, text, "sha256"), signature)

        return check, lambda: hmac.digest(SECRET, text, "sha256")
    if alg == "EdDSA":
        return lambda: public.verify(signature, text), lambda: private.sign(text)
    if alg in ("ES256", "ES384"):
        scheme = ec.ECDSA(hashes.SHA256() if alg == "ES256" else hashes.SHA384())
        half = len(signature) // 2
        numbers = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
        der = utils.encode_dss_signature(*numbers)
        return lambda: public.verify(der, text, scheme), lambda: private.sign(text, scheme)
    pad = padding.PKCS1v15() if alg == "RS256" else padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    sha = hashes.SHA256()
    return lambda: public.verify(signature, text, pad, sha), lambda: private.sign(text, pad, sha)


def operations(work):
    """Pairs of reference and library, by operation."""
    alg, token, key = work["alg"], work["token"], work["key"]
    public = load_pem_public_key(key["public"].encode()) if key else SECRET
    private = load_pem_private_key(key["private"].encode(), None) if key else SECRET
    text, _, signature = token.rpartition(".")
    check, make = references(alg, public, private, text.encode(), base64url_decode(signature))
    claims, headers = WORK["claims"], {"kid": WORK["kid"]}
    options = {"algorithms": [alg], "audience": WORK["aud"], "issuer": WORK["iss"]}

    def verify():
        return jwt.decode(token, public, **options)

    def sign():
        return jwt.encode(claims, private, algorithm=alg, headers=headers)

    assert verify() == claims and jwt.decode(sign(), public, **options) == claims
    return {"verify": (check, verify), "sign": (make, sign)}


def run(operation, times):
    begun = time.perf_counter_ns()
    for _ in range(times):
        operation()
    return (time.perf_counter_ns() - begun) / times


def say(what):
    print(json.dumps(what), flush=True)


def main():
    groups, items = {}, []
    for work in WORK["algorithms"]:
        alg = work["alg"]
        for op, pair in operations(work).items():
            groups[f"{op} {alg}"] = [
                (operation, max(1, min(10_000, round(BATCH_NANOS / run(operation, 20))))) for operation in pair
            ]
            item = {"op": op, "alg": alg, "allocations": None}
            items.append({**item, "who": "cryptography", "claims": None, "raw": True})
            items.append({**item, "who": "PyJWT", "claims": "owned" if op == "verify" else None, "raw": False})
    python = f"Python {platform.python_version()}"
    crypto = f"cryptography {cryptography.__version__}"
    say({"versions": [python, crypto, f"PyJWT {version('PyJWT')}"], "items": items})
    for line in sys.stdin:
        measured = groups[line.strip()]
        say([one_round(measured, number % 2 == 1) for number in range(4)])


def one_round(measured, backwards):
    times = [0.0] * len(measured)
    order = range(len(measured))
    for index in reversed(order) if backwards else order:
        operation, batch = measured[index]
        run(operation, batch)
        times[index] = run(operation, batch)
    return times


main()
