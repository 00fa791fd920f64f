//! The signature of a token and nothing else: what no check can do without, and no check may stop at.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm,
};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign::{Algorithm, SigningKey};

use crate::Outcome;
use crate::tokens::Alg;

/// The longest signature, that of a 2,048 bit RSA key.
const LONGEST: usize = 256;

/// A key, parsed beforehand.
pub enum Alone {
    Hmac(hmac::Key),
    Public(ParsedPublicKey),
}

impl Alone {
    pub fn new(algorithm: Alg, key: &SigningKey) -> Outcome<Self> {
        let verifying: &'static dyn VerificationAlgorithm = match algorithm.0 {
            Algorithm::HS256 => {
                let jwk: serde_json::Value = serde_json::from_str(&key.to_jwk().to_json())?;
                let secret = URL_SAFE_NO_PAD.decode(jwk["k"].as_str().unwrap_or_default())?;
                return Ok(Self::Hmac(hmac::Key::new(hmac::HMAC_SHA256, &secret)));
            }
            Algorithm::RS256 => &RSA_PKCS1_2048_8192_SHA256,
            Algorithm::ES256 => &ECDSA_P256_SHA256_FIXED,
            Algorithm::EdDSA => &ED25519,
            other => return Err(format!("{other} is not measured").into()),
        };
        let der = key.verifying_key().to_der()?;
        Ok(Self::Public(ParsedPublicKey::new(verifying, der).map_err(|_| "the key is not taken")?))
    }

    /// Whether the signature of a request's token holds.
    pub fn holds(&self, headers: &HeaderMap) -> bool {
        let token = headers.get(AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        let Some((input, text)) = token.and_then(split) else { return false };
        let mut signature = [0; LONGEST];
        let Ok(length) = URL_SAFE_NO_PAD.decode_slice(text, &mut signature) else { return false };
        match self {
            Self::Hmac(key) => hmac::verify(key, input, &signature[..length]).is_ok(),
            Self::Public(key) => key.verify_sig(input, &signature[..length]).is_ok(),
        }
    }
}

/// What is signed, and the signature.
fn split(token: &[u8]) -> Option<(&[u8], &[u8])> {
    let dot = token.iter().rposition(|byte| *byte == b'.')?;
    Some((&token[..dot], &token[dot + 1..]))
}
