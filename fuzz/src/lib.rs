//! What the fuzz targets share: one key, one policy, one time, and a bound on memory.

pub mod encrypted;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign::{Algorithm, Policy, Timestamp, Verifier, VerifyingKey};
use serde_json::Value;

pub const ISS: &str = "https://id.example";
pub const AUD: &str = "orders-api";
pub const NOW: Timestamp = Timestamp::from_unix_secs(1_795_359_845);

/// The secret of every token here: it is no secret, so that the fuzzer's own octets reach what lies behind a signature.
pub const SECRET: &[u8] = b"k7Qx0vYw2mNfT4uZ9aLpR8cHsJ3eBgDi";

/// What a call may hold at once whatever its input: the values that any document may hold, a report.
const FREE_BYTES: u64 = 1024 * 1024;

/// And for each byte of its input beyond that.
const BYTES_PER_BYTE: u64 = 8;

pub fn key() -> VerifyingKey {
    VerifyingKey::from_secret(Algorithm::HS256, SECRET).expect("a strong secret")
}

pub fn verifier() -> Verifier {
    Verifier::new(key(), Policy::new(ISS, AUD))
}

pub fn base64url(octets: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

/// A compact token of exactly this header and payload, with a MAC that holds.
pub fn signed(header: &[u8], payload: &[u8]) -> String {
    signed_text(&format!("{}.{}", base64url(header), base64url(payload)))
}

/// The MAC over any text, however malformed.
pub fn signed_text(signing_input: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
    let mac = hmac::sign(&key, signing_input.as_bytes());
    format!("{signing_input}.{}", base64url(mac))
}

/// Verifies and explains, and checks that the two agree.
///
/// # Panics
/// Where they do not, or where a report would bring control characters to a terminal.
pub fn verify_and_explain(
    verifier: &Verifier,
    token: &str,
) -> Result<countersign::Verified<Value>, countersign::Error> {
    let outcome = verifier.verify::<Value>(token, NOW);
    let report = verifier.explain(token, NOW);
    assert_eq!(report.valid, outcome.is_ok());
    assert_eq!(report.error(), outcome.as_ref().err());
    assert_eq!(report.failures() == 0, outcome.is_ok());
    let shown = report.to_string();
    let control = |letter: char| letter.is_control() && letter != '\n';
    assert!(!shown.contains(control), "{shown:?}");
    serde_json::to_string(&report).expect("a report is JSON");
    serde_json::to_string(&report.redacted()).expect("a redacted report is JSON");
    outcome
}

/// Runs `look` over an input of `bytes` bytes and checks that it does not hold memory out of proportion, nor keeps any.
///
/// # Panics
/// Where it does.
pub fn within_memory<T>(bytes: usize, look: impl FnOnce() -> T) {
    let used = allocation_counter::measure(|| drop(look()));
    let limit = FREE_BYTES + BYTES_PER_BYTE * bytes as u64;
    assert!(used.bytes_max <= limit, "{bytes} bytes: {used:?}");
    assert_eq!(used.bytes_current, 0, "{bytes} bytes: {used:?}");
}
