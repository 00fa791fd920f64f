//! DPoP proofs: a request signed with the sender's own key (RFC 9449 §4).
//!
//! The one place where a key out of a token's header is used, and what it proves is only that the sender holds it: trust
//! comes from the access token that names its thumbprint ([`Policy::bound_to`]). So this is an interface of its own, and a
//! proof passes no other.

mod htu;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) use htu::normal_form;

use super::explain::Report;
use super::policy::{Hidden, Policy};
use super::verified::Verified;
use crate::base64url;
use crate::crypto;
use crate::error::{Error, Malformed};
use crate::jwa::Algorithm;
use crate::jwk::{Jwk, SigningKey, Thumbprint, VerifyingKey};
use crate::jws::{self, Header, Unverified};
use crate::time::Timestamp;

/// How far back a proof's `iat` may lie, where the caller says nothing else.
const MAX_AGE: Duration = Duration::from_secs(60);

/// The members of RFC 7517 and RFC 7518 §6 that only a private or secret key has, and `priv` of RFC 9964.
const PRIVATE_MEMBERS: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// The claims of a DPoP proof (RFC 9449 §4.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DpopClaims {
    /// Its own name, never used twice.
    pub jti: String,
    /// The method of the request.
    pub htm: String,
    /// The URI of the request, without query and fragment.
    pub htu: String,
    /// When it was made, in seconds since the epoch.
    #[serde(deserialize_with = "super::numeric_date::time")]
    pub iat: i64,
    /// The hash of the access token that is sent with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ath: Option<String>,
    /// What the server asked to be repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
}

impl DpopClaims {
    /// The claims of a proof for one request.
    pub fn new(
        htm: impl Into<String>,
        htu: impl Into<String>,
        jti: impl Into<String>,
        now: Timestamp,
    ) -> Self {
        Self {
            jti: jti.into(),
            htm: htm.into(),
            htu: htu.into(),
            iat: now.unix_secs(),
            ath: None,
            nonce: None,
        }
    }

    /// The same claims, with the hash of the access token that is sent with the proof.
    #[must_use]
    pub fn access_token(self, token: &str) -> Self {
        Self {
            ath: Some(token_hash(token)),
            ..self
        }
    }

    /// The signed proof, with `typ: dpop+jwt` and the public half of the key in `jwk`.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] for a shared secret, [`Error::ClaimsUnwritable`], [`Error::JwsUnwritable`] where the proof would
    /// be larger than is read, and [`Error::Crypto`].
    pub fn sign(&self, key: &SigningKey) -> Result<String, Error> {
        let jwk = key
            .verifying_key()
            .without_key_id()
            .to_public_jwk()
            .ok_or_else(|| {
                Error::key_unfit("this is a shared secret; a DPoP proof needs a key pair")
            })?;
        let header = json!({"typ": "dpop+jwt", "alg": key.alg_name(), "jwk": jwk});
        let claims = serde_json::to_vec(self).map_err(|error| Error::ClaimsUnwritable {
            reason: error.to_string(),
        })?;
        jws::compact(key, &header.to_string(), &claims)
    }
}

/// A proof whose signature, method, URI and time have been verified. Nothing but [`DpopVerifier::verify`] makes one.
///
/// ```compile_fail
/// let forged = countersign::DpopProof { proof: todo!(), key: todo!() };
/// ```
#[derive(Clone, Debug)]
pub struct DpopProof {
    proof: Verified<DpopClaims>,
    key: Thumbprint,
}

impl DpopProof {
    /// The key that the sender holds; the access token has to name it, see [`Policy::bound_to`].
    #[must_use]
    pub const fn key(&self) -> Thumbprint {
        self.key
    }

    /// The claims. That `jti` is new is the caller's to check, within the time that proofs are taken (RFC 9449 §11.1).
    #[must_use]
    pub const fn claims(&self) -> &DpopClaims {
        self.proof.claims()
    }
}

/// Verifies the DPoP proof of one request (RFC 9449 §4.3).
///
/// ```
/// # fn main() -> Result<(), countersign::Error> {
/// use std::time::SystemTime;
/// use countersign::{Algorithm, DpopClaims, DpopVerifier, SigningKey, Timestamp};
/// let now = Timestamp::from(SystemTime::now());
/// let key = SigningKey::generate(Algorithm::ES256)?;
/// let proof = DpopClaims::new("GET", "https://api.example/orders", "e1j3V", now).access_token("at").sign(&key)?;
///
/// let request = DpopVerifier::new("GET", "https://api.example/orders?page=2").access_token("at");
/// assert_eq!(request.verify(&proof, now)?.key(), key.thumbprint());
/// assert!(DpopVerifier::new("POST", "https://api.example/orders").verify(&proof, now).is_err());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct DpopVerifier {
    policy: Policy,
}

impl DpopVerifier {
    /// A proof for a request of this method to this URI, made at most 60 s ago. Query and fragment do not count, and both
    /// URIs are brought into one form before they are compared (RFC 3986 §6.2.2 and §6.2.3, dot segments excepted).
    #[must_use]
    pub fn new(htm: impl Into<String>, htu: &str) -> Self {
        let mut policy = Policy::dpop_proof();
        policy.exact.push(("htm", Hidden(htm.into())));
        policy.target = Some(normal_form(htu));
        policy.max_token_age = Some(MAX_AGE);
        Self { policy }
    }

    /// Expects that the proof was made for this access token, which came with it: a resource server always says so
    /// (RFC 9449 §7.1).
    #[must_use]
    pub fn access_token(self, token: &str) -> Self {
        self.exact("ath", token_hash(token))
    }

    /// Expects this `nonce`, which the server gave out (RFC 9449 §8, §9).
    #[must_use]
    pub fn nonce(self, nonce: impl Into<String>) -> Self {
        self.exact("nonce", nonce.into())
    }

    /// Takes only proofs of this algorithm; called again, of one of several (RFC 9449 §4.3, step 5). Without a call, of every
    /// asymmetric one.
    #[must_use]
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.policy.algorithms.push(algorithm);
        self
    }

    fn exact(mut self, claim: &'static str, value: String) -> Self {
        self.policy.exact.push((claim, Hidden(value)));
        self
    }

    /// How far back `iat` may lie: 60 s by default.
    #[must_use]
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.policy.max_token_age = Some(age);
        self
    }

    /// Verifies a proof at the time `now`.
    ///
    /// # Errors
    /// Those of [`Unverified::parse`]; [`Error::TypeMismatch`] for another kind of token; [`Error::Malformed`] where `jwk`
    /// is missing, private, or no public key for `alg`; then those of [`Unverified::verify`].
    pub fn verify(&self, proof: &str, now: Timestamp) -> Result<DpopProof, Error> {
        let parsed = Unverified::parse(proof)?;
        let key = self.embedded_key(parsed.header())?;
        Ok(DpopProof {
            proof: parsed.verify(&key, &self.policy, now)?,
            key: key.thumbprint(),
        })
    }

    /// Runs every step and says what each found; never stops at the first failure.
    #[must_use]
    pub fn explain(&self, proof: &str, now: Timestamp) -> Report {
        Report::of_proof(proof, self, now)
    }

    pub(crate) const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The key in `jwk`, of a header that says that it is a proof's (RFC 9449 §4.3, steps 4 to 7).
    pub(crate) fn embedded_key(&self, header: &Header) -> Result<VerifyingKey, Error> {
        let wrong = |name, problem| Error::from(Malformed::Member { name, problem });
        if !header.typ_is("dpop+jwt") {
            return Err(Error::TypeMismatch {
                expected: self.policy.kinds.describe(),
            });
        }
        let algorithm = header.algorithm()?;
        if algorithm.is_symmetric() {
            return Err(wrong(
                "alg",
                "is symmetric, and a proof is signed with a private key",
            ));
        }
        let Some(Value::Object(members)) = header.get("jwk") else {
            return Err(wrong("jwk", "is missing"));
        };
        if PRIVATE_MEMBERS
            .iter()
            .any(|name| members.contains_key(*name))
        {
            return Err(wrong("jwk", "holds a private key"));
        }
        Jwk::from_members(members)
            .and_then(|jwk| VerifyingKey::from_jwk_as(&jwk, algorithm))
            .map_err(|_| wrong("jwk", "is no public key for `alg`"))
    }
}

/// `ath` (RFC 9449 §4.2): the hash of the access token's text.
fn token_hash(token: &str) -> String {
    base64url::encode(crypto::sha256(token.as_bytes()))
}
