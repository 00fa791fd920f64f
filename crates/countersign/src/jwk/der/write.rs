//! Keys in DER, written: PKCS#8 (RFC 5958; ML-DSA by RFC 9881) and SPKI (RFC 5280 §4.1).

use der::asn1::{AnyRef, BitStringRef, OctetStringRef, UintRef};
use der::{Decode as _, Encode as _};
use pkcs8::PrivateKeyInfoRef;
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use zeroize::Zeroizing;

use super::{oid, pss};
use crate::error::Error;
use crate::jwk::parts::{KeyParts, RsaPrivate, RsaScheme, Secret};

/// A private key as PKCS#8.
pub(crate) fn to_pkcs8(parts: &KeyParts) -> Result<Secret, Error> {
    let key = match parts {
        KeyParts::Rsa {
            n,
            e,
            private: Some(private),
            ..
        } => pkcs1_private(n, e, private)?,
        KeyParts::Ec {
            x, y, d: Some(d), ..
        } => {
            let point = [&[4], x.as_slice(), y].concat();
            let key = sec1::EcPrivateKey {
                private_key: d,
                parameters: None,
                public_key: Some(&point),
            };
            Zeroizing::new(key.to_der().map_err(|_| unwritable())?)
        }
        KeyParts::Ed25519 { d: Some(d), .. } => {
            let seed = OctetStringRef::new(d).map_err(|_| unwritable())?;
            Zeroizing::new(seed.to_der().map_err(|_| unwritable())?)
        }
        // The seed alone, in its own context tag (RFC 9881 §6).
        KeyParts::Akp {
            seed: Some(seed), ..
        } => Zeroizing::new([&[0x80, 0x20], seed.as_slice()].concat()),
        _ => {
            return Err(Error::key_unfit(format!(
                "this is {}; PKCS#8 holds private keys",
                parts.describe()
            )));
        }
    };
    let key = OctetStringRef::new(&key).map_err(|_| unwritable())?;
    let pss = pss_parameters(parts);
    let algorithm = algorithm_of(parts, pss.as_deref())?;
    PrivateKeyInfoRef::new(algorithm, key)
        .to_der()
        .map(Zeroizing::new)
        .map_err(|_| unwritable())
}

/// A public key as SPKI.
pub(crate) fn to_spki(parts: &KeyParts) -> Result<Vec<u8>, Error> {
    let key = match parts {
        KeyParts::Rsa { n, e, .. } => pkcs1::RsaPublicKeyRef {
            modulus: UintRef::new(n).map_err(|_| unwritable())?,
            public_exponent: UintRef::new(e).map_err(|_| unwritable())?,
        }
        .to_der()
        .map_err(|_| unwritable())?,
        KeyParts::Ec { x, y, .. } => [&[4], x.as_slice(), y].concat(),
        KeyParts::Ed25519 { x, .. } => x.clone(),
        KeyParts::Akp { public, .. } => public.clone(),
        KeyParts::Oct(_) => return Err(Error::key_unfit("a shared secret has no public half")),
    };
    let pss = pss_parameters(parts);
    let info = SubjectPublicKeyInfoRef {
        algorithm: algorithm_of(parts, pss.as_deref())?,
        subject_public_key: BitStringRef::from_bytes(&key).map_err(|_| unwritable())?,
    };
    info.to_der().map_err(|_| unwritable())
}

fn pkcs1_private(n: &[u8], e: &[u8], private: &RsaPrivate) -> Result<Secret, Error> {
    fn number(octets: &[u8]) -> Result<UintRef<'_>, Error> {
        UintRef::new(octets).map_err(|_| unwritable())
    }
    let key = pkcs1::RsaPrivateKeyRef {
        modulus: number(n)?,
        public_exponent: number(e)?,
        private_exponent: number(&private.d)?,
        prime1: number(&private.p)?,
        prime2: number(&private.q)?,
        exponent1: number(&private.dp)?,
        exponent2: number(&private.dq)?,
        coefficient: number(&private.qi)?,
        other_prime_infos: None,
    };
    key.to_der().map(Zeroizing::new).map_err(|_| unwritable())
}

/// The parameters of an RSA key that is for PSS with one hash.
fn pss_parameters(parts: &KeyParts) -> Option<Vec<u8>> {
    match parts {
        KeyParts::Rsa {
            scheme: RsaScheme::Pss(algorithm),
            ..
        } => pss::parameters(*algorithm),
        _ => None,
    }
}

fn algorithm_of<'p>(
    parts: &KeyParts,
    pss: Option<&'p [u8]>,
) -> Result<AlgorithmIdentifierRef<'p>, Error> {
    Ok(match parts {
        KeyParts::Rsa {
            scheme: RsaScheme::Pss(_),
            ..
        } => AlgorithmIdentifierRef {
            oid: oid::RSASSA_PSS,
            parameters: match pss {
                Some(parameters) => Some(AnyRef::from_der(parameters).map_err(|_| unwritable())?),
                None => None,
            },
        },
        KeyParts::Rsa { .. } => AlgorithmIdentifierRef {
            oid: oid::RSA,
            parameters: Some(AnyRef::NULL),
        },
        KeyParts::Ec { curve, .. } => AlgorithmIdentifierRef {
            oid: oid::EC,
            parameters: Some(oid::of_curve(*curve).into()),
        },
        KeyParts::Akp { algorithm, .. } => AlgorithmIdentifierRef {
            oid: oid::of_ml_dsa(*algorithm).ok_or_else(unwritable)?,
            parameters: None,
        },
        KeyParts::Ed25519 { .. } => AlgorithmIdentifierRef {
            oid: oid::ED25519,
            parameters: None,
        },
        KeyParts::Oct(_) => {
            return Err(Error::key_unfit(
                "a shared secret has no PEM form; write it as a JWK",
            ));
        }
    })
}

const fn unwritable() -> Error {
    Error::Crypto {
        doing: "writing a key",
    }
}
