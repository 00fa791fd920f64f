"""The claims and headers that both Python peers sign."""

import random

CHOICE = random.Random(1)


def claims(at: int) -> dict:
    aud = "orders-api" if at % 2 == 0 else ["billing-api", "orders-api"]
    own = [at, -0.5, None, True, {"deep": 'a"\\\n\u20ac', "text": chr(CHOICE.randrange(0x20, 0xD000))}]
    subject = f"Ada Łukasz {at} \U0001f600"
    named = {"iss": "https://id.example", "aud": aud, "exp": 4102444800 + at + 0.5 * (at % 2), "iat": 1500000000}
    return {**named, "sub": subject, "nested": {"own": own}}


def header(at: int) -> dict:
    named = {"kid": f"key-{at}"} if at % 5 == 0 else {}
    return {**named, "trace": at}
