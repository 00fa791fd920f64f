//! Countersign, as a caller calls it. Each flavour stands in one function: whoever changes the library's way in changes
//! it here, and the timed, the counted and the growing runs follow.

use countersign::{
    Algorithm, JwkSet, NoClaims, Policy, SigningHeader, SigningKey, Timestamp, Verified, Verifier,
};
use harness::data::{self, Borrowed, Owned};
use serde::de::DeserializeOwned;

pub use countersign::Scratch;

/// Claims borrowed from the scratch into the caller's type.
pub fn borrowed(verifier: &Verifier, scratch: &mut Scratch, token: &str, now: Timestamp) {
    let verified = verifier.verify_in::<Borrowed<'_>>(scratch, token, now).expect("the token is good");
    std::hint::black_box(&verified);
}

/// The same claims as text, to see that they are right before they are timed.
pub fn borrowed_text(verifier: &Verifier, scratch: &mut Scratch, token: &str, now: Timestamp) -> String {
    let verified = verifier.verify_in::<Borrowed<'_>>(scratch, token, now).expect("the token is good");
    serde_json::to_string(verified.claims()).expect("claims can be written")
}

/// The registered claims alone.
pub fn registered(verifier: &Verifier, scratch: &mut Scratch, token: &str, now: Timestamp) {
    let verified = verifier.verify_in::<NoClaims>(scratch, token, now).expect("the token is good");
    std::hint::black_box(&verified);
}

/// Claims that the caller keeps.
pub fn owned<C: DeserializeOwned>(verifier: &Verifier, token: &str, now: Timestamp) -> C {
    let verified: Verified<C> = verifier.verify(token, now).expect("the token is good");
    verified.into_claims()
}

/// A token in a buffer that is used again.
pub fn sign(key: &SigningKey, buffer: &mut String, claims: &Owned) {
    key.sign_into(&SigningHeader::new(), claims, buffer).expect("the claims are good");
    std::hint::black_box(buffer);
}

/// A service's verifier: one key under its name, one issuer, one audience.
pub fn verifier(alg: &str) -> Verifier {
    Verifier::new(JwkSet::new([signing_key(alg).verifying_key()]), policy())
}

pub fn policy() -> Policy {
    Policy::new(data::ISSUER, data::AUDIENCE)
}

pub fn signing_key(alg: &str) -> SigningKey {
    let algorithm: Algorithm = alg.parse().expect("the algorithm is known");
    let key = match data::pem(alg) {
        Some(pem) => SigningKey::from_pem(algorithm, pem.private),
        None => SigningKey::from_secret(algorithm, data::SECRET),
    };
    key.expect("the key is good").with_key_id(data::KID)
}
