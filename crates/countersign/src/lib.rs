//! JSON Web Tokens in Rust: typed keys, one strict verification path, errors that explain themselves.
//!
//! - A key has exactly one algorithm; a token's header can only agree with it. Algorithm confusion is no mistake that can
//!   be made, and `none` does not exist.
//! - A [`Policy`] names who may issue and for whom. What it leaves out, it leaves out in words.
//! - A [`Verified`] is made by nothing but a verification: a function that takes one needs no check of its own.
//! - No I/O, no clock, no async: `now` is an argument.
//!
//! ```
//! # fn main() -> Result<(), countersign::Error> {
//! use std::time::{Duration, SystemTime};
//! use countersign::{Algorithm, ClaimsSet, Policy, SigningKey, Timestamp, Verifier};
//!
//! let now = Timestamp::from(SystemTime::now());
//! let key = SigningKey::generate(Algorithm::ES256)?;
//! let token = key.sign(&ClaimsSet::new("https://id.example", "orders-api").expires_in(now, Duration::from_mins(10)))?;
//!
//! let policy = Policy::new("https://id.example", "orders-api");
//! let claims = Verifier::new(key.verifying_key(), policy).verify::<serde_json::Value>(&token, now)?;
//! assert_eq!(claims.registered().iss(), Some("https://id.example"));
//! # Ok(()) }
//! ```

mod base64url;
mod cache;
mod crypto;
pub mod dangerous;
mod error;
mod json;
mod jwa;
mod jwk;
mod jws;
mod jwt;
mod status_list;
mod time;

pub use cache::{Cached, TokenCache};
pub use error::{Blame, Critical, Error, Malformed, Part, WeakKey};
pub use json::{MAX_DEPTH, parse_strict};
pub use jwa::{Algorithm, Family};
pub use jwk::{
    ImportedKey, Jwk, JwkSet, KeyFormat, MAX_JWKS_BYTES, MAX_KEYS, MAX_SECRET_BYTES, PublicJwk,
    SigningHeader, SigningKey, Thumbprint, UnusableKey, VerifyingKey,
};
pub use jws::{
    Header, Jws, JwsBuilder, JwsSigner, MAX_HEADER_BYTES, MAX_JWS_BYTES, MAX_SIGNATURES,
    MAX_TOKEN_BYTES, Unverified, VerifiedJws, VerifiedSignature,
};
pub use jwt::{
    AccessToken, Audience, ClaimsSet, ClientAssertion, ConsideredKey, DpopClaims, DpopProof,
    DpopVerifier, IdToken, Issuers, LogoutToken, MAX_LEEWAY, NoClaims, Outcome, Policy,
    PolicyBuilder, RegisteredClaims, Report, Scratch, StatusListToken, Step, Verified, VerifiedRef,
    Verifier,
};
pub use status_list::{
    EncodedStatusList, MAX_STATUS_LIST_BYTES, Status, StatusBits, StatusList, StatusReference,
};
pub use time::Timestamp;
