//! Headers as they should not be, and some that look odd and are good.

use super::Category;

pub fn categories() -> impl Iterator<Item = (&'static str, Category)> {
    HEADERS.into_iter().map(|(name, texts)| (name, Category::Headers(texts)))
}

const HEADERS: [(&str, &[&str]); 20] = [
    (
        "header: a member twice",
        &[
            r#"{"alg":"none","alg":"$ALG"}"#,
            r#"{"alg":"$ALG","typ":"at+jwt","typ":"JWT"}"#,
            r#"{"alg":"$ALG","x":1,"x":1}"#,
            r#"{"alg":"$ALG","\u0061lg":"$ALG"}"#,
            r#"{"alg":"$ALG","x":{"y":1,"y":2}}"#,
        ],
    ),
    ("header: no object", &[r#"["$ALG"]"#, r#""$ALG""#, "null", "1", "true"]),
    (
        "header: no JSON",
        &[
            r#"{"alg":"$ALG",}"#,
            r#"{"alg":"$ALG"} x"#,
            r#"{'alg':'$ALG'}"#,
            r#"{"alg":"$ALG"/**/}"#,
            r#"{"alg":"$ALG"}{}"#,
            "",
            "{",
            r#"{"alg":"$ALG","x":01}"#,
        ],
    ),
    ("header: NaN or Infinity", &[r#"{"alg":"$ALG","x":NaN}"#, r#"{"alg":"$ALG","x":-Infinity}"#]),
    ("header: byte order mark", &["\u{feff}{\"alg\":\"$ALG\"}"]),
    (
        "header: kid of the wrong type",
        &[r#"{"alg":"$ALG","kid":1}"#, r#"{"alg":"$ALG","kid":["a"]}"#, r#"{"alg":"$ALG","kid":{}}"#],
    ),
    (
        "header: typ or cty of the wrong type",
        &[r#"{"alg":"$ALG","typ":1}"#, r#"{"alg":"$ALG","typ":["JWT"]}"#, r#"{"alg":"$ALG","cty":{}}"#],
    ),
    (
        "header: jku, x5u, jwk or x5c of the wrong type",
        &[
            r#"{"alg":"$ALG","jku":1}"#,
            r#"{"alg":"$ALG","x5u":[]}"#,
            r#"{"alg":"$ALG","jwk":"x"}"#,
            r#"{"alg":"$ALG","x5c":"x"}"#,
        ],
    ),
    (
        "header: alg of the wrong type",
        &[r#"{"alg":["$ALG"]}"#, r#"{"alg":1}"#, r#"{"alg":null}"#, r#"{"alg":{"$ALG":1}}"#],
    ),
    (
        "header: alg missing or in another spelling",
        &["{}", r#"{"Alg":"$ALG"}"#, r#"{"alg ":"$ALG"}"#, r#"{"alg":""}"#],
    ),
    (
        "header: a member is null",
        &[r#"{"alg":"$ALG","kid":null}"#, r#"{"alg":"$ALG","typ":null}"#, r#"{"alg":"$ALG","jku":null}"#],
    ),
    (
        "crit: an unknown extension",
        &[
            r#"{"alg":"$ALG","crit":["x"],"x":1}"#,
            r#"{"alg":"$ALG","crit":["b64","exp"],"b64":true,"exp":1}"#,
        ],
    ),
    (
        "crit: malformed",
        &[
            r#"{"alg":"$ALG","crit":[]}"#,
            r#"{"alg":"$ALG","crit":"b64","b64":true}"#,
            r#"{"alg":"$ALG","crit":{}}"#,
            r#"{"alg":"$ALG","crit":[1]}"#,
            r#"{"alg":"$ALG","crit":null}"#,
        ],
    ),
    (
        "crit: names an absent member",
        &[r#"{"alg":"$ALG","crit":["b64"]}"#, r#"{"alg":"$ALG","crit":["nowhere"]}"#],
    ),
    (
        "crit: names a member of the RFC",
        &[r#"{"alg":"$ALG","crit":["alg"]}"#, r#"{"alg":"$ALG","typ":"JWT","crit":["typ"]}"#],
    ),
    ("crit: a name twice", &[r#"{"alg":"$ALG","b64":true,"crit":["b64","b64"]}"#]),
    (
        "b64: true, with and without crit",
        &[r#"{"alg":"$ALG","b64":true,"crit":["b64"]}"#, r#"{"alg":"$ALG","b64":true}"#],
    ),
    (
        "b64: no boolean",
        &[r#"{"alg":"$ALG","b64":"false"}"#, r#"{"alg":"$ALG","b64":0}"#, r#"{"alg":"$ALG","b64":null}"#],
    ),
    (
        "typ: of another kind of token",
        &[
            r#"{"alg":"$ALG","typ":"at+jwt"}"#,
            r#"{"alg":"$ALG","typ":"secevent+jwt"}"#,
            r#"{"alg":"$ALG","typ":"logout+jwt"}"#,
            r#"{"alg":"$ALG","typ":"dpop+jwt"}"#,
            r#"{"alg":"$ALG","typ":"JOSE"}"#,
            r#"{"alg":"$ALG","typ":""}"#,
            r#"{"alg":"$ALG","typ":"JWT "}"#,
        ],
    ),
    (
        "header: members that are never used",
        &[
            r#"{"alg":"$ALG","jku":"https://attacker.example/jwks.json"}"#,
            r#"{"alg":"$ALG","x5u":"file:///etc/passwd"}"#,
            r#"{"alg":"$ALG","x5c":["AA=="],"x5t":"AA","x5t#S256":"AA"}"#,
            r#"{"alg":"$ALG","kid":"../../../dev/null"}"#,
            r#"{"alg":"$ALG","kid":"x' OR 1=1 --"}"#,
            r#"{"alg":"$ALG","kid":"\u0000\r\nSet-Cookie: a=b"}"#,
            r#"{"alg":"$ALG","kid":""}"#,
        ],
    ),
];
