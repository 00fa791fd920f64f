//! The only code that names the cryptographic library: prepared keys that sign and verify, and key generation.
//!
//! Everything here takes [`KeyParts`] that `jwk/strength.rs` has looked at, and one algorithm; the library checks again
//! what only it can check (points on their curve, private halves that fit the public ones, consistent CRT parameters).

mod generate;
mod hash;

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPairComponents as RsaKeyPairComponents;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, ParsedPublicKey,
    PqdsaKeyPair, PqdsaSigningAlgorithm, PqdsaVerificationAlgorithm, RsaEncoding, RsaKeyPair,
    RsaParameters, RsaPublicKeyComponents, VerificationAlgorithm,
};
use aws_lc_rs::{digest, hmac};

pub(crate) use generate::{
    ec_public_from_private, ed25519_public_from_seed, generate, ml_dsa_public_from_expanded,
    ml_dsa_public_from_seed,
};
pub(crate) use hash::left_half;

use crate::error::Error;
use crate::jwa::{Algorithm, Curve};
use crate::jwk::parts::{KeyParts, RsaPrivate};

/// A private key or secret, parsed once.
pub(crate) enum Signer {
    Hmac(Box<hmac::Key>),
    Rsa {
        pair: RsaKeyPair,
        padding: &'static dyn RsaEncoding,
    },
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    MlDsa(Box<PqdsaKeyPair>),
}

/// A public key or secret, parsed once.
pub(crate) enum Checker {
    Hmac(Box<hmac::Key>),
    Public {
        key: ParsedPublicKey,
        signature_bytes: Option<usize>,
    },
}

impl Signer {
    /// Prepares the private half of `parts` for `algorithm`.
    pub(crate) fn new(algorithm: Algorithm, parts: &KeyParts) -> Result<Self, Error> {
        match parts {
            KeyParts::Oct(secret) => hmac_key(algorithm, secret).map(Box::new).map(Self::Hmac),
            KeyParts::Rsa {
                n,
                e,
                private: Some(private),
                ..
            } => {
                let padding = rsa_padding(algorithm).ok_or_else(|| unfit(algorithm, parts))?;
                let pair = rsa_pair(n, e, private)?;
                Ok(Self::Rsa { pair, padding })
            }
            KeyParts::Ec {
                curve,
                x,
                y,
                d: Some(d),
            } => EcdsaKeyPair::from_private_key_and_public_key(
                ecdsa_signing(*curve),
                d,
                &sec1_point(x, y),
            )
            .map(Self::Ecdsa)
            .map_err(|_| ec_rejected(*curve)),
            KeyParts::Ed25519 { x, d: Some(seed) } => {
                Ed25519KeyPair::from_seed_and_public_key(seed, x)
                    .map(Self::Ed25519)
                    .map_err(|_| {
                        Error::key_unfit(
                            "the private Ed25519 key does not belong to the public one beside it",
                        )
                    })
            }
            KeyParts::Akp {
                algorithm,
                public,
                seed: Some(seed),
            } => ml_dsa_pair(*algorithm, public, seed)
                .map(Box::new)
                .map(Self::MlDsa),
            _ => Err(Error::key_unfit(format!(
                "this is {}; signing needs a private key",
                parts.describe()
            ))),
        }
    }

    /// The signature over `input`, in the form that JWS wants (RFC 7518 §3).
    pub(crate) fn sign(&self, input: &[u8]) -> Result<Signature, Error> {
        let failed = |_| Error::Crypto { doing: "signing" };
        match self {
            Self::Hmac(key) => Ok(Signature::of(hmac::sign(key, input).as_ref())),
            Self::Rsa { pair, padding } => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*padding, &SystemRandom::new(), input, &mut signature)
                    .map_err(failed)?;
                Ok(Signature::Long(signature))
            }
            Self::Ecdsa(pair) => pair
                .sign(&SystemRandom::new(), input)
                .map(|signature| Signature::of(signature.as_ref()))
                .map_err(failed),
            Self::Ed25519(pair) => pair
                .try_sign(input)
                .map(|signature| Signature::of(signature.as_ref()))
                .map_err(failed),
            Self::MlDsa(pair) => {
                let mut signature = vec![0; pair.algorithm().signature_len()];
                pair.sign(input, &mut signature).map_err(failed)?;
                Ok(Signature::Long(signature))
            }
        }
    }
}

/// A signature or MAC, as JWS writes it.
pub(crate) enum Signature {
    Short { octets: [u8; SHORT], len: usize },
    Long(Vec<u8>),
}

/// The longest signature that needs no memory of its own: that of P-521.
const SHORT: usize = 132;

impl Signature {
    fn of(signature: &[u8]) -> Self {
        let mut octets = [0; SHORT];
        match octets.get_mut(..signature.len()) {
            Some(short) => {
                short.copy_from_slice(signature);
                Self::Short {
                    octets,
                    len: signature.len(),
                }
            }
            None => Self::Long(signature.to_vec()),
        }
    }
}

impl AsRef<[u8]> for Signature {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Short { octets, len } => octets.get(..*len).unwrap_or_default(),
            Self::Long(octets) => octets,
        }
    }
}

impl Checker {
    /// Prepares the public half of `parts` (or the shared secret) for `algorithm`.
    pub(crate) fn new(algorithm: Algorithm, parts: &KeyParts) -> Result<Self, Error> {
        let signature_bytes = match parts {
            KeyParts::Ec { curve, .. } => Some(curve.field_bytes().saturating_mul(2)),
            KeyParts::Ed25519 { .. } => Some(64),
            KeyParts::Akp { algorithm, .. } => {
                ml_dsa_signing(*algorithm).map(PqdsaSigningAlgorithm::signature_len)
            }
            KeyParts::Oct(_) | KeyParts::Rsa { .. } => None,
        };
        let key = match parts {
            KeyParts::Oct(secret) => {
                return hmac_key(algorithm, secret).map(Box::new).map(Self::Hmac);
            }
            KeyParts::Rsa { n, e, .. } => {
                let parameters =
                    rsa_parameters(algorithm).ok_or_else(|| unfit(algorithm, parts))?;
                RsaPublicKeyComponents { n, e }
                    .to_parsed_public_key(parameters)
                    .map_err(|_| Error::key_unfit("the RSA public key is not usable: its modulus or exponent is malformed"))?
            }
            KeyParts::Ec { curve, x, y, .. } => {
                ParsedPublicKey::new(ecdsa_verification(*curve), sec1_point(x, y))
                    .map_err(|_| ec_rejected(*curve))?
            }
            KeyParts::Ed25519 { x, .. } => ParsedPublicKey::new(&signature::ED25519, x)
                .map_err(|_| Error::key_unfit("the Ed25519 public key is no point of the curve"))?,
            KeyParts::Akp {
                algorithm, public, ..
            } => {
                let verification =
                    ml_dsa_verification(*algorithm).ok_or_else(|| unfit(*algorithm, parts))?;
                ParsedPublicKey::new(verification, public)
                    .map_err(|_| ml_dsa_rejected(*algorithm))?
            }
        };
        Ok(Self::Public {
            key,
            signature_bytes,
        })
    }

    /// Whether `signature` holds over `input`. MACs are compared in constant time, and only at full length.
    pub(crate) fn verify(&self, input: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Hmac(key) => hmac::verify(key, input, signature).is_ok(),
            Self::Public {
                key,
                signature_bytes,
            } => {
                signature_bytes.is_none_or(|bytes| bytes == signature.len())
                    && key.verify_sig(input, signature).is_ok()
            }
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer")
    }
}

impl fmt::Debug for Checker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Checker")
    }
}

/// SHA-256, for thumbprints (RFC 7638 §3).
pub(crate) fn sha256(octets: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, octets).as_ref());
    hash
}

/// The uncompressed point of SEC 1 §2.3.3.
fn sec1_point(x: &[u8], y: &[u8]) -> Vec<u8> {
    [&[4], x, y].concat()
}

fn unfit(algorithm: Algorithm, parts: &KeyParts) -> Error {
    Error::key_unfit(format!(
        "this is {}; {algorithm} needs a key of type {}",
        parts.describe(),
        algorithm.kty()
    ))
}

fn ec_rejected(curve: Curve) -> Error {
    Error::key_unfit(format!(
        "the EC key is not usable: its point is not on {}, or its private half does not belong to it",
        curve.name()
    ))
}

fn hmac_key(algorithm: Algorithm, secret: &[u8]) -> Result<hmac::Key, Error> {
    let hash = match algorithm {
        Algorithm::HS256 => hmac::HMAC_SHA256,
        Algorithm::HS384 => hmac::HMAC_SHA384,
        Algorithm::HS512 => hmac::HMAC_SHA512,
        _ => {
            return Err(Error::key_unfit(format!(
                "this is a shared secret; {algorithm} needs a key pair"
            )));
        }
    };
    Ok(hmac::Key::new(hash, secret))
}

fn rsa_pair(n: &[u8], e: &[u8], private: &RsaPrivate) -> Result<RsaKeyPair, Error> {
    let components = RsaKeyPairComponents {
        public_key: RsaPublicKeyComponents { n, e },
        d: private.d.as_slice(),
        p: private.p.as_slice(),
        q: private.q.as_slice(),
        dP: private.dp.as_slice(),
        dQ: private.dq.as_slice(),
        qInv: private.qi.as_slice(),
    };
    RsaKeyPair::from_components(&components).map_err(|_| {
        Error::key_unfit(
            "the RSA private key is inconsistent: its private numbers do not fit its modulus",
        )
    })
}

const fn rsa_padding(algorithm: Algorithm) -> Option<&'static dyn RsaEncoding> {
    Some(match algorithm {
        Algorithm::RS256 => &signature::RSA_PKCS1_SHA256,
        Algorithm::RS384 => &signature::RSA_PKCS1_SHA384,
        Algorithm::RS512 => &signature::RSA_PKCS1_SHA512,
        Algorithm::PS256 => &signature::RSA_PSS_SHA256,
        Algorithm::PS384 => &signature::RSA_PSS_SHA384,
        Algorithm::PS512 => &signature::RSA_PSS_SHA512,
        _ => return None,
    })
}

const fn rsa_parameters(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

const fn ecdsa_signing(curve: Curve) -> &'static EcdsaSigningAlgorithm {
    match curve {
        Curve::P256 => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        Curve::P384 => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        Curve::P521 => &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
        Curve::Secp256k1 => &signature::ECDSA_P256K1_SHA256_FIXED_SIGNING,
    }
}

const fn ecdsa_verification(curve: Curve) -> &'static dyn VerificationAlgorithm {
    match curve {
        Curve::P256 => &signature::ECDSA_P256_SHA256_FIXED,
        Curve::P384 => &signature::ECDSA_P384_SHA384_FIXED,
        Curve::P521 => &signature::ECDSA_P521_SHA512_FIXED,
        Curve::Secp256k1 => &signature::ECDSA_P256K1_SHA256_FIXED,
    }
}

fn ml_dsa_pair(algorithm: Algorithm, public: &[u8], seed: &[u8]) -> Result<PqdsaKeyPair, Error> {
    let signing = ml_dsa_signing(algorithm).ok_or_else(|| ml_dsa_rejected(algorithm))?;
    let pair = PqdsaKeyPair::from_seed(signing, seed).map_err(|_| ml_dsa_rejected(algorithm))?;
    if pair.public_key().as_ref() != public {
        return Err(Error::key_unfit(format!(
            "the private {algorithm} key does not belong to the public one beside it"
        )));
    }
    Ok(pair)
}

fn ml_dsa_rejected(algorithm: Algorithm) -> Error {
    Error::key_unfit(format!(
        "the {algorithm} key is not usable: a seed has 32 bytes, and the public key a fixed size"
    ))
}

const fn ml_dsa_signing(algorithm: Algorithm) -> Option<&'static PqdsaSigningAlgorithm> {
    Some(match algorithm {
        Algorithm::MlDsa44 => &signature::ML_DSA_44_SIGNING,
        Algorithm::MlDsa65 => &signature::ML_DSA_65_SIGNING,
        Algorithm::MlDsa87 => &signature::ML_DSA_87_SIGNING,
        _ => return None,
    })
}

const fn ml_dsa_verification(algorithm: Algorithm) -> Option<&'static PqdsaVerificationAlgorithm> {
    Some(match algorithm {
        Algorithm::MlDsa44 => &signature::ML_DSA_44,
        Algorithm::MlDsa65 => &signature::ML_DSA_65,
        Algorithm::MlDsa87 => &signature::ML_DSA_87,
        _ => return None,
    })
}
