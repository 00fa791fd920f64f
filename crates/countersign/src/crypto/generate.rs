//! New keys, and the public half of a private one.

use aws_lc_rs::encoding::{AsBigEndian as _, AsDer as _, Curve25519SeedBin, EcPrivateKeyBin};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, PqdsaKeyPair, RsaKeyPair};
use zeroize::Zeroizing;

use super::{ecdsa_signing, ml_dsa_rejected, ml_dsa_signing};
use crate::error::Error;
use crate::jwa::{Algorithm, Curve, Family};
use crate::jwk::der;
use crate::jwk::parts::{KeyParts, Secret};

const FAILED: Error = Error::Crypto {
    doing: "generating a key",
};

/// A new key for `algorithm`. `rsa_bits` counts only for RSA: 2048, 3072, 4096 or 8192.
pub(crate) fn generate(algorithm: Algorithm, rsa_bits: usize) -> Result<KeyParts, Error> {
    match algorithm.family() {
        Family::Hmac => {
            let bytes = algorithm.secret_min_bytes().unwrap_or(64);
            let mut secret = Zeroizing::new(vec![0; bytes]);
            SystemRandom::new().fill(&mut secret).map_err(|_| FAILED)?;
            Ok(KeyParts::Oct(secret))
        }
        Family::RsaPkcs1 | Family::RsaPss => generate_rsa(rsa_bits),
        Family::Ecdsa => {
            let curve = algorithm.curve().ok_or(FAILED)?;
            let pair = EcdsaKeyPair::generate(ecdsa_signing(curve)).map_err(|_| FAILED)?;
            let scalar: EcPrivateKeyBin<'_> =
                pair.private_key().as_be_bytes().map_err(|_| FAILED)?;
            let (x, y) = split_point(pair.public_key().as_ref(), curve).ok_or(FAILED)?;
            Ok(KeyParts::Ec {
                curve,
                x,
                y,
                d: Some(Zeroizing::new(scalar.as_ref().to_vec())),
            })
        }
        Family::EdDsa => {
            let pair = Ed25519KeyPair::generate().map_err(|_| FAILED)?;
            let seed: Curve25519SeedBin<'_> = pair
                .seed()
                .and_then(|seed| seed.as_be_bytes())
                .map_err(|_| FAILED)?;
            let x = pair.public_key().as_ref().to_vec();
            Ok(KeyParts::Ed25519 {
                x,
                d: Some(Zeroizing::new(seed.as_ref().to_vec())),
            })
        }
        Family::MlDsa => {
            // The key is its seed (RFC 9964 §3): 32 random bytes, from which the library makes the rest.
            let mut seed = Zeroizing::new(vec![0; 32]);
            SystemRandom::new().fill(&mut seed).map_err(|_| FAILED)?;
            let public = ml_dsa_public_from_seed(algorithm, &seed)?;
            Ok(KeyParts::Akp {
                algorithm,
                public,
                seed: Some(seed),
            })
        }
    }
}

fn generate_rsa(bits: usize) -> Result<KeyParts, Error> {
    let size = match bits {
        2048 => KeySize::Rsa2048,
        3072 => KeySize::Rsa3072,
        4096 => KeySize::Rsa4096,
        8192 => KeySize::Rsa8192,
        _ => {
            return Err(Error::key_unfit(format!(
                "RSA keys are made with 2048, 3072, 4096 or 8192 bits, not {bits}"
            )));
        }
    };
    let pair = RsaKeyPair::generate(size).map_err(|_| FAILED)?;
    let document = pair.as_der().map_err(|_| FAILED)?;
    der::from_pkcs8(document.as_ref())
}

/// The point that belongs to a private scalar.
pub(crate) fn ec_public_from_private(
    curve: Curve,
    pkcs8: &[u8],
) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let unusable = || {
        Error::key_unfit(format!(
            "the EC private key is out of range for {}",
            curve.name()
        ))
    };
    let pair =
        EcdsaKeyPair::from_private_key_der(ecdsa_signing(curve), pkcs8).map_err(|_| unusable())?;
    split_point(pair.public_key().as_ref(), curve).ok_or_else(unusable)
}

/// The public key that belongs to a seed of 32 bytes.
pub(crate) fn ed25519_public_from_seed(seed: &Secret) -> Result<Vec<u8>, Error> {
    Ed25519KeyPair::from_seed_unchecked(seed)
        .map(|pair| pair.public_key().as_ref().to_vec())
        .map_err(|_| {
            Error::key_format(format!(
                "an Ed25519 private key has 32 bytes, this one {}",
                seed.len()
            ))
        })
}

/// The public key that belongs to a seed of 32 bytes.
pub(crate) fn ml_dsa_public_from_seed(algorithm: Algorithm, seed: &[u8]) -> Result<Vec<u8>, Error> {
    let signing = ml_dsa_signing(algorithm).ok_or_else(|| ml_dsa_rejected(algorithm))?;
    PqdsaKeyPair::from_seed(signing, seed)
        .map(|pair| pair.public_key().as_ref().to_vec())
        .map_err(|_| ml_dsa_rejected(algorithm))
}

/// The public key that belongs to an expanded private key (FIPS 204 §4).
pub(crate) fn ml_dsa_public_from_expanded(
    algorithm: Algorithm,
    expanded: &[u8],
) -> Result<Vec<u8>, Error> {
    let signing = ml_dsa_signing(algorithm).ok_or_else(|| ml_dsa_rejected(algorithm))?;
    PqdsaKeyPair::from_raw_private_key(signing, expanded)
        .map(|pair| pair.public_key().as_ref().to_vec())
        .map_err(|_| ml_dsa_rejected(algorithm))
}

/// Splits an uncompressed point of SEC 1 §2.3.3 into its coordinates.
fn split_point(point: &[u8], curve: Curve) -> Option<(Vec<u8>, Vec<u8>)> {
    let coordinates = point.strip_prefix(&[4])?;
    let (x, y) = coordinates.split_at_checked(curve.field_bytes())?;
    (x.len() == y.len()).then(|| (x.to_vec(), y.to_vec()))
}
