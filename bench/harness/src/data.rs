//! The work: one claims object of 266 bytes, one token of it for each algorithm, fixed keys.

use serde::{Deserialize, Serialize};

/// The algorithms, in the order of the tables.
pub const ALGORITHMS: [&str; 6] = ["HS256", "RS256", "PS256", "ES256", "ES384", "EdDSA"];

pub const ISSUER: &str = "https://id.example.com";
pub const AUDIENCE: &str = "orders-api";
pub const KID: &str = "2026-11";

/// The claims as they stand in every token: nobody's clock is before 2023 or after 2099.
pub const CLAIMS: &str = r#"{"iss":"https://id.example.com","sub":"5f3c1b8e-7d2a-4c60-9e41-0b6f2a8d9c17","aud":"orders-api","exp":4102444800,"iat":1700000000,"nbf":1700000000,"jti":"b1946ac9-2d3e-4f50-8a67-c1d2e3f40516","scope":"orders:read orders:write profile","roles":["admin","dispatcher"]}"#;
const _: () = assert!(CLAIMS.len() == 266);

/// A moment between `nbf` and `exp`, for what is told the time.
pub const NOW: i64 = 1_800_000_000;

pub const SECRET: &[u8] = b"\x9d\x1e\x53\xc7\x08\xb2\x6f\xea\x41\x35\xd0\x7c\x96\x2b\xf8\x14\
    \xa5\x60\xcd\x39\x82\xee\x17\x4b\xf1\x5a\x0d\x73\xbc\x28\x94\x66";

/// A pair of PEM texts, PKCS#8 and SPKI: those of the library's own tests.
#[derive(Clone, Copy, Debug)]
pub struct Pem {
    pub private: &'static str,
    pub public: &'static str,
}

macro_rules! pem {
    ($name:literal) => {
        Pem {
            private: include_str!(concat!(
                "../../../crates/countersign/tests/data/keys/",
                $name,
                "-pkcs8.pem"
            )),
            public: include_str!(concat!("../../../crates/countersign/tests/data/keys/", $name, "-spki.pem")),
        }
    };
}

/// The key pair of an algorithm; none for HS256.
pub fn pem(alg: &str) -> Option<Pem> {
    match alg {
        "RS256" | "PS256" => Some(pem!("rsa")),
        "ES256" => Some(pem!("p256")),
        "ES384" => Some(pem!("p384")),
        "EdDSA" => Some(pem!("ed25519")),
        _ => None,
    }
}

/// The token of an algorithm, from `data/tokens.txt`: one line each, the algorithm's name in front.
pub fn token(alg: &str) -> &'static str {
    include_str!("../../data/tokens.txt")
        .lines()
        .find_map(|line| line.strip_prefix(alg)?.strip_prefix(' '))
        .expect("there is a token for every algorithm")
}

/// The claims of a caller who keeps them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owned {
    pub iss: String,
    pub sub: String,
    pub aud: String,
    pub exp: i64,
    pub iat: i64,
    pub nbf: i64,
    pub jti: String,
    pub scope: String,
    pub roles: Vec<String>,
}

impl Owned {
    pub fn new() -> Self {
        serde_json::from_str(CLAIMS).expect("the claims are these")
    }

    /// Ends the process where claims are not the ones of the token: what is fast and wrong is not measured.
    pub fn check(&self) {
        assert_eq!(self, &Self::new(), "the claims are those of the token");
    }
}

impl Default for Owned {
    fn default() -> Self {
        Self::new()
    }
}

/// The same, borrowed from wherever the payload was decoded to. Two roles fit without a list on the heap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Borrowed<'s> {
    pub iss: &'s str,
    pub sub: &'s str,
    pub aud: &'s str,
    pub exp: i64,
    pub iat: i64,
    pub nbf: i64,
    pub jti: &'s str,
    pub scope: &'s str,
    #[serde(borrow)]
    pub roles: [&'s str; 2],
}
