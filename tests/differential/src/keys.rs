//! One key for each algorithm, new in every run, and raw signatures with them: over any text, however malformed.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign::{Algorithm, Jwk, Policy, SigningKey, Verifier};
use serde_json::{Value, json};

use crate::row::{AUD, ISS};

pub const ALGORITHMS: [Algorithm; 8] = [
    Algorithm::HS256,
    Algorithm::HS384,
    Algorithm::HS512,
    Algorithm::RS256,
    Algorithm::PS256,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

pub fn base64url(octets: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

pub struct Key {
    pub alg: Algorithm,
    pub key: SigningKey,
    raw: Raw,
    verifier: Verifier,
}

enum Raw {
    Hmac(Box<hmac::Key>),
    Rsa(RsaKeyPair, &'static dyn signature::RsaEncoding),
    /// The second pair writes DER.
    Ecdsa(EcdsaKeyPair, EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Key {
    /// A new key without a name, so that no peer has to compare one.
    pub fn generate(alg: Algorithm) -> Self {
        Self::of(SigningKey::generate(alg).expect("a key").without_key_id())
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    pub fn from_json(line: &Value) -> Self {
        let jwk = Jwk::parse(line["private"].to_string().as_bytes()).expect("a JWK");
        Self::of(SigningKey::from_jwk(&jwk).expect("a private JWK"))
    }

    fn of(key: SigningKey) -> Self {
        let alg = key.algorithm();
        let verifier = Verifier::new(key.verifying_key(), Policy::new(ISS, AUD));
        Self { alg, raw: Raw::of(&key), key, verifier }
    }

    /// A line for the peers: `alg`, the `private` JWK and, for a key pair, its PEM.
    pub fn to_json(&self) -> Value {
        let jwk: Value = serde_json::from_str(&self.key.to_jwk().to_json()).expect("a JWK is JSON");
        json!({"alg": self.alg.name(), "private": jwk, "pem": self.key.to_pem().ok().map(|pem| pem.to_string())})
    }

    /// One that stays, and remembers the headers of the tokens that passed.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The JWK to verify with.
    pub fn verifying_jwk(&self) -> Value {
        let jwk = match self.key.verifying_key().to_public_jwk() {
            Some(public) => public.to_json(),
            None => self.key.to_jwk().to_json().to_string(),
        };
        serde_json::from_str(&jwk).expect("a JWK is JSON")
    }

    /// A compact token of exactly these two texts.
    pub fn token_of(&self, header: &str, payload: &str) -> String {
        let signing_input = format!("{header}.{payload}");
        let signature = base64url(self.signature(signing_input.as_bytes()));
        format!("{signing_input}.{signature}")
    }

    pub fn signature(&self, input: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.raw {
            Raw::Hmac(key) => hmac::sign(key, input).as_ref().to_vec(),
            Raw::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, input, &mut signature).expect("a signature");
                signature
            }
            Raw::Ecdsa(pair, _) => pair.sign(&random, input).expect("a signature").as_ref().to_vec(),
            Raw::Ed25519(pair) => pair.sign(input).as_ref().to_vec(),
        }
    }

    /// The DER form of an ECDSA signature, which is none in a token.
    pub fn der_signature(&self, input: &[u8]) -> Option<Vec<u8>> {
        match &self.raw {
            Raw::Ecdsa(_, pair) => {
                Some(pair.sign(&SystemRandom::new(), input).expect("a signature").as_ref().to_vec())
            }
            _ => None,
        }
    }
}

impl Raw {
    fn of(key: &SigningKey) -> Self {
        let der = || key.to_der().expect("a key pair has a DER form");
        let rsa = |encoding| Self::Rsa(RsaKeyPair::from_pkcs8(&der()).expect("RSA"), encoding);
        let ecdsa = |fixed, asn1| {
            let pair = |form| EcdsaKeyPair::from_pkcs8(form, &der()).expect("EC");
            Self::Ecdsa(pair(fixed), pair(asn1))
        };
        match key.algorithm() {
            Algorithm::RS256 => rsa(&signature::RSA_PKCS1_SHA256),
            Algorithm::PS256 => rsa(&signature::RSA_PSS_SHA256),
            Algorithm::ES256 => {
                ecdsa(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, &signature::ECDSA_P256_SHA256_ASN1_SIGNING)
            }
            Algorithm::ES384 => {
                ecdsa(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, &signature::ECDSA_P384_SHA384_ASN1_SIGNING)
            }
            Algorithm::EdDSA => Self::Ed25519(Ed25519KeyPair::from_pkcs8(&der()).expect("Ed25519")),
            other => Self::Hmac(Box::new(hmac::Key::new(hmac_of(other), &secret(key)))),
        }
    }
}

pub fn hmac_of(alg: Algorithm) -> hmac::Algorithm {
    match alg {
        Algorithm::HS384 => hmac::HMAC_SHA384,
        Algorithm::HS512 => hmac::HMAC_SHA512,
        _ => hmac::HMAC_SHA256,
    }
}

/// The octets of a shared secret.
pub fn secret(key: &SigningKey) -> Vec<u8> {
    let jwk: Value = serde_json::from_str(&key.to_jwk().to_json()).expect("a JWK is JSON");
    URL_SAFE_NO_PAD.decode(jwk["k"].as_str().unwrap_or_default()).expect("base64url")
}
