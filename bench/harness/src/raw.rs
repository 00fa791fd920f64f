//! The reference: aws-lc-rs with a parsed key, over a signing input and a signature that are decoded already.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED,
    ECDSA_P384_SHA384_FIXED_SIGNING, ED25519, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256,
    RsaEncoding, RsaKeyPair, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::data;

/// A key that verifies.
#[derive(Debug)]
pub enum Verifier {
    Hmac(Box<hmac::Key>),
    Public(ParsedPublicKey),
}

impl Verifier {
    pub fn new(alg: &str) -> Self {
        let algorithm: &'static dyn VerificationAlgorithm = match alg {
            "HS256" => return Self::Hmac(Box::new(hmac_key())),
            "RS256" => &RSA_PKCS1_2048_8192_SHA256,
            "PS256" => &RSA_PSS_2048_8192_SHA256,
            "ES256" => &ECDSA_P256_SHA256_FIXED,
            "ES384" => &ECDSA_P384_SHA384_FIXED,
            "EdDSA" => &ED25519,
            _ => panic!("{alg} is not measured"),
        };
        let pem = data::pem(alg).expect("every other algorithm has a pair");
        Self::Public(ParsedPublicKey::new(algorithm, der(pem.public)).expect("the key is good"))
    }

    pub fn verify(&self, input: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Hmac(key) => hmac::verify(key, input, signature).is_ok(),
            Self::Public(key) => key.verify_sig(input, signature).is_ok(),
        }
    }
}

/// A key that signs.
#[derive(Debug)]
pub enum Signer {
    Hmac(Box<hmac::Key>),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Signer {
    pub fn new(alg: &str) -> Self {
        let key = || der(data::pem(alg).expect("every other algorithm has a pair").private);
        let rsa = || RsaKeyPair::from_pkcs8(&key()).expect("the key is good");
        let ecdsa = |algorithm: &'static EcdsaSigningAlgorithm| {
            EcdsaKeyPair::from_pkcs8(algorithm, &key()).expect("the key is good")
        };
        match alg {
            "HS256" => Self::Hmac(Box::new(hmac_key())),
            "RS256" => Self::Rsa(rsa(), &RSA_PKCS1_SHA256),
            "PS256" => Self::Rsa(rsa(), &RSA_PSS_SHA256),
            "ES256" => Self::Ecdsa(ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING)),
            "ES384" => Self::Ecdsa(ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING)),
            "EdDSA" => {
                Self::Ed25519(Ed25519KeyPair::from_pkcs8_maybe_unchecked(&key()).expect("the key is good"))
            }
            _ => panic!("{alg} is not measured"),
        }
    }

    /// Writes the signature and says how long it is.
    pub fn sign(&self, input: &[u8], signature: &mut [u8; 256]) -> usize {
        match self {
            Self::Hmac(key) => copy(hmac::sign(key, input).as_ref(), signature),
            Self::Rsa(pair, padding) => {
                pair.sign(*padding, &SystemRandom::new(), input, signature).expect("the key signs");
                signature.len()
            }
            Self::Ecdsa(pair) => {
                let made = pair.sign(&SystemRandom::new(), input).expect("the key signs");
                copy(made.as_ref(), signature)
            }
            Self::Ed25519(pair) => copy(pair.sign(input).as_ref(), signature),
        }
    }
}

fn hmac_key() -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, data::SECRET)
}

fn copy(made: &[u8], signature: &mut [u8; 256]) -> usize {
    signature[..made.len()].copy_from_slice(made);
    made.len()
}

/// What a signature stands over, and the signature.
pub fn parts(token: &str) -> (&str, Vec<u8>) {
    let (input, signature) = token.rsplit_once('.').expect("a token has three parts");
    (input, URL_SAFE_NO_PAD.decode(signature).expect("the signature is base64url"))
}

/// The two references over the token of an algorithm.
pub fn verifying(alg: &str) -> impl FnMut() + 'static {
    let key = Verifier::new(alg);
    let (input, signature) = parts(data::token(alg));
    move || assert!(key.verify(input.as_bytes(), &signature))
}

pub fn signing(alg: &str) -> impl FnMut() + 'static {
    let key = Signer::new(alg);
    let (input, _) = parts(data::token(alg));
    let mut signature = [0; 256];
    move || {
        std::hint::black_box(key.sign(input.as_bytes(), &mut signature));
        std::hint::black_box(&signature);
    }
}

/// A token of any header and claims.
pub fn compact(alg: &str, header: &str, claims: &str) -> String {
    let mut token = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let mut signature = [0; 256];
    let bytes = Signer::new(alg).sign(token.as_bytes(), &mut signature);
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(&signature[..bytes]));
    token
}

fn der(pem: &str) -> Vec<u8> {
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(text).expect("the key is PEM")
}
