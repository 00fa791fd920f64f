//! What the tests share: one time, one issuer, one audience, and tokens written by hand.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign::{Algorithm, ClaimsSet, Error, Policy, SigningKey, Timestamp, Verified, Verifier};
use serde_json::{Value, json};

pub(crate) const ISS: &str = "https://id.example";
pub(crate) const AUD: &str = "orders-api";
pub(crate) const NOW: Timestamp = Timestamp::from_unix_secs(1_795_359_845);

/// A secret that no rule finds weak, long enough for every HMAC.
pub(crate) const SECRET: &[u8] =
    b"k7Qx0vYw2mNfT4uZ9aLpR8cHsJ3eBgDi_W1oV5tXqS6jKyEzC-hAnMbFrUdGlPO8x";

pub(crate) fn policy() -> Policy {
    Policy::new(ISS, AUD)
}

pub(crate) fn claims() -> ClaimsSet {
    ClaimsSet::new(ISS, AUD)
        .subject("ada")
        .expires_in(NOW, Duration::from_mins(10))
}

pub(crate) fn claims_json() -> Value {
    json!({"iss": ISS, "aud": AUD, "sub": "ada", "iat": NOW.unix_secs(), "exp": NOW.unix_secs() + 600})
}

/// The usual claims, some replaced; null takes one away.
pub(crate) fn claims_with(changes: Value) -> Value {
    let mut claims = claims_json();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

pub(crate) fn b64(octets: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

pub(crate) fn unb64(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// A key whose tokens can also be written octet by octet.
pub(crate) fn hmac_key() -> SigningKey {
    SigningKey::from_secret(Algorithm::HS256, &SECRET[..32]).unwrap()
}

/// A token of exactly these octets, with a MAC that holds.
pub(crate) fn mac(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    mac_text(&format!("{}.{}", b64(header), b64(payload)))
}

/// The MAC over any text, however malformed.
pub(crate) fn mac_text(signing_input: &str) -> String {
    use aws_lc_rs::hmac;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &SECRET[..32]);
    format!(
        "{signing_input}.{}",
        b64(hmac::sign(&key, signing_input.as_bytes()))
    )
}

pub(crate) fn verify(token: &str) -> Result<Verified<Value>, Error> {
    verify_with(policy(), token)
}

pub(crate) fn verify_with(policy: Policy, token: &str) -> Result<Verified<Value>, Error> {
    Verifier::new(hmac_key().verifying_key(), policy).verify(token, NOW)
}

/// The code of a refusal; `ok` where there is none.
pub(crate) fn code<T>(outcome: Result<T, Error>) -> &'static str {
    outcome.map_or_else(|error| error.code(), |_| "ok")
}
