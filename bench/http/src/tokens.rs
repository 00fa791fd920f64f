//! The same claims under each algorithm, in a thousand tokens: a service has more than one customer.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use countersign::{Algorithm, ClaimsSet, SigningKey, Timestamp};
use serde::Serialize;

use crate::Outcome;

pub const ISS: &str = "https://id.example";
pub const AUD: &str = "orders-api";

/// How many tokens are in use at once.
pub const TOKENS: usize = 1_000;

/// The algorithms that are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alg(pub Algorithm);

pub const ALGORITHMS: [Alg; 4] =
    [Alg(Algorithm::HS256), Alg(Algorithm::RS256), Alg(Algorithm::ES256), Alg(Algorithm::EdDSA)];

impl FromStr for Alg {
    type Err = countersign::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        name.parse().map(Self)
    }
}

impl Serialize for Alg {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name())
    }
}

impl fmt::Display for Alg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Keys are made anew by each service, which writes its tokens down for `wrk`.
pub fn key(algorithm: Alg) -> Outcome<SigningKey> {
    Ok(SigningKey::generate(algorithm.0)?.with_key_id("2026-11"))
}

pub fn tokens(key: &SigningKey) -> Outcome<Vec<String>> {
    let now = Timestamp::from(SystemTime::now());
    (0..TOKENS)
        .map(|number| {
            let claims = ClaimsSet::new(ISS, AUD)
                .subject(format!("0198c0de-7e57-7000-8000-{number:012x}"))
                .jwt_id(format!("{number:022}"))
                .not_before(now)
                .expires_in(now, Duration::from_secs(24 * 60 * 60))
                .claim("scope", "openid orders:read orders:write")?
                .claim("roles", vec!["user", "admin"])?;
            Ok(key.sign(&claims)?)
        })
        .collect()
}
