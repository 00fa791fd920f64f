//! Claims as they should not be, and some that look odd and are good.

use super::Category;

pub fn categories() -> impl Iterator<Item = (&'static str, Category)> {
    let clock = CLOCK.into_iter().map(|(name, texts)| (name, Category::Clock(texts)));
    CLAIMS.into_iter().map(|(name, texts)| (name, Category::Claims(texts))).chain(clock)
}

const CLAIMS: [(&str, &[&str]); 27] = [
    (
        "claims: a member twice",
        &[
            r#"{$ALL,"exp":1}"#,
            r#"{"exp":1,$ALL}"#,
            r#"{"iss":"https://evil.example",$ALL}"#,
            r#"{$ALL,"sub":"ada","s\u0075b":"eve"}"#,
            r#"{$ALL,"own":{"role":"user","role":"admin"}}"#,
        ],
    ),
    ("claims: no object", &[r#""text""#, "null", "1", "[]", "[1,2]"]),
    (
        "claims: an array in the order of a struct",
        &[r#"[4102444800,0,"ada","https://id.example","orders-api"]"#],
    ),
    (
        "claims: no JSON",
        &[
            "{$ALL,}",
            "{$ALL} {}",
            "{$ALL}x",
            "{$ALL/*x*/}",
            "{$ALL,'a':1}",
            "{$ALL,a:1}",
            "{$ALL,\"a\":01}",
            "{$ALL,\"a\":\"\t\"}",
            "",
        ],
    ),
    ("claims: NaN or Infinity", &[r#"{$ALL,"a":NaN}"#, r#"{$ALL,"a":Infinity}"#, r#"{$ALL,"a":-Infinity}"#]),
    ("claims: byte order mark", &["\u{feff}{$ALL}"]),
    ("claims: half a surrogate pair", &[r#"{$ALL,"a":"\ud834"}"#, r#"{$ALL,"\udd1e":1}"#]),
    ("claims: a number beyond a double", &[r#"{$ALL,"a":1e999}"#, r#"{$ALL,"a":-1e999}"#]),
    (
        "claims: an integer beyond 64 bits",
        &[r#"{$ALL,"a":18446744073709551616}"#, r#"{$ALL,"a":123456789012345678901234567890}"#],
    ),
    (
        "exp: of the wrong type",
        &[
            r#"{$ISS,$AUD,"exp":"4102444800"}"#,
            r#"{$ISS,$AUD,"exp":[4102444800]}"#,
            r#"{$ISS,$AUD,"exp":{}}"#,
            r#"{$ISS,$AUD,"exp":""}"#,
        ],
    ),
    ("exp: null", &[r#"{$ISS,$AUD,"exp":null}"#]),
    ("exp: true", &[r#"{$ISS,$AUD,"exp":true}"#]),
    (
        "exp: a fraction or an exponent",
        &[r#"{$ISS,$AUD,"exp":4102444800.5}"#, r#"{$ISS,$AUD,"exp":4.1024448e9}"#],
    ),
    (
        "exp: out of range",
        &[
            r#"{$ISS,$AUD,"exp":4102444800000}"#,
            r#"{$ISS,$AUD,"exp":1e300}"#,
            r#"{$ISS,$AUD,"exp":18446744073709551615}"#,
            r#"{$ISS,$AUD,"exp":253402300800}"#,
        ],
    ),
    (
        "exp: negative or zero",
        &[r#"{$ISS,$AUD,"exp":-1}"#, r#"{$ISS,$AUD,"exp":0}"#, r#"{$ISS,$AUD,"exp":-1e300}"#],
    ),
    ("exp: long past", &[r#"{$ISS,$AUD,"exp":1000000000}"#, r#"{$ISS,$AUD,"exp":1}"#]),
    (
        "nbf: of the wrong type",
        &[r#"{$ALL,"nbf":"1"}"#, r#"{$ALL,"nbf":[1]}"#, r#"{$ALL,"nbf":{}}"#, r#"{$ALL,"nbf":"0 "}"#],
    ),
    ("nbf: null, true or negative", &[r#"{$ALL,"nbf":null}"#, r#"{$ALL,"nbf":true}"#, r#"{$ALL,"nbf":-1}"#]),
    ("nbf: far ahead", &[r#"{$ALL,"nbf":4102444799}"#, r#"{$ALL,"nbf":4102444799.5}"#]),
    (
        "iat: of the wrong type",
        &[
            r#"{$ALL,"iat":"1"}"#,
            r#"{$ALL,"iat":null}"#,
            r#"{$ALL,"iat":[1]}"#,
            r#"{$ALL,"iat":{}}"#,
            r#"{$ALL,"iat":-1}"#,
        ],
    ),
    ("iat: far ahead", &[r#"{$ALL,"iat":4102444700}"#]),
    (
        "sub or jti: of the wrong type",
        &[
            r#"{$ALL,"sub":1}"#,
            r#"{$ALL,"sub":null}"#,
            r#"{$ALL,"sub":["ada"]}"#,
            r#"{$ALL,"jti":7}"#,
            r#"{$ALL,"jti":{}}"#,
        ],
    ),
    (
        "iss: missing, another, or in another spelling",
        &[
            "{$AUD,$EXP}",
            r#"{$AUD,$EXP,"iss":"https://evil.example"}"#,
            r#"{$AUD,$EXP,"iss":"https://id.example/"}"#,
            r#"{$AUD,$EXP,"iss":"HTTPS://ID.EXAMPLE"}"#,
            r#"{$AUD,$EXP,"iss":"https://id.exampl"}"#,
            r#"{$AUD,$EXP,"iss":""}"#,
            r#"{$AUD,$EXP,"iss":null}"#,
            r#"{$AUD,$EXP,"iss":{"https://id.example":1}}"#,
        ],
    ),
    (
        "iss: an array",
        &[
            r#"{$AUD,$EXP,"iss":["https://id.example"]}"#,
            r#"{$AUD,$EXP,"iss":["https://evil.example","https://id.example"]}"#,
        ],
    ),
    (
        "aud: missing, another, or in another spelling",
        &[
            "{$ISS,$EXP}",
            r#"{$ISS,$EXP,"aud":"billing-api"}"#,
            r#"{$ISS,$EXP,"aud":"Orders-API"}"#,
            r#"{$ISS,$EXP,"aud":"orders-api/"}"#,
            r#"{$ISS,$EXP,"aud":["billing-api","orders"]}"#,
            r#"{$ISS,$EXP,"aud":[]}"#,
            r#"{$ISS,$EXP,"aud":null}"#,
            r#"{$ISS,$EXP,"aud":{"orders-api":true}}"#,
            "{$ISS,$AUD}",
        ],
    ),
    (
        "aud: an array with what is no string",
        &[r#"{$ISS,$EXP,"aud":["orders-api",1]}"#, r#"{$ISS,$EXP,"aud":[null,"orders-api"]}"#],
    ),
    (
        "claims: of another kind of token",
        &[
            r#"{$ALL,"nonce":"n-0S6"}"#,
            r#"{$ALL,"at_hash":"AA"}"#,
            r#"{$ALL,"events":{"http://schemas.openid.net/event/backchannel-logout":{}}}"#,
            r#"{$ALL,"cnf":{"jkt":"AA"}}"#,
        ],
    ),
];

const CLOCK: [(&str, &[&str]); 3] = [
    (
        "exp: about now",
        &[
            r#"{$ISS,$AUD,"exp":$NOW}"#,
            r#"{$ISS,$AUD,"exp":$NOW.5}"#,
            r#"{$ISS,$AUD,"exp":$NOW.0}"#,
            r#"{$ISS,$AUD,"exp":1795359844}"#,
            r#"{$ISS,$AUD,"exp":1795359844.5}"#,
            r#"{$ISS,$AUD,"exp":1795359846}"#,
        ],
    ),
    (
        "nbf: about now",
        &[
            r#"{$ALL,"nbf":$NOW}"#,
            r#"{$ALL,"nbf":1795359844}"#,
            r#"{$ALL,"nbf":1795359846}"#,
            r#"{$ALL,"nbf":$NOW.5}"#,
        ],
    ),
    (
        "iat: a little ahead",
        &[r#"{$ALL,"iat":1795359875}"#, r#"{$ALL,"iat":1795359846}"#, r#"{$ALL,"iat":1795359876}"#],
    ),
];
