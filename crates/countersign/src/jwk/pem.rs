//! Keys in PEM and DER (RFC 7468, RFC 5958, RFC 5280 §4.1, RFC 8017 §A.1, RFC 5915), read and written.
//!
//! An import says what it saw: the text's label and the key inside it decide, and a private key where a public one was
//! asked for is named as such.

mod oid;

use der::asn1::{AnyRef, BitStringRef, OctetStringRef, UintRef};
use der::{Decode as _, Encode as _};
use pem_rfc7468::LineEnding;
use pkcs8::PrivateKeyInfoRef;
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use zeroize::Zeroizing;

use crate::crypto;
use crate::error::Error;
use crate::jwa::Curve;
use crate::jwk::parts::{KeyParts, RsaPrivate, Secret};

/// Reads the one key of a PEM document: PKCS#8, SPKI, PKCS#1 or SEC1.
///
/// # Errors
/// [`Error::KeyFormat`] that says what the document holds instead.
pub(crate) fn parse(text: &str) -> Result<KeyParts, Error> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let (label, der) = pem_rfc7468::decode_vec(text.as_bytes()).map_err(|_| {
        Error::key_format("this is no PEM document (`-----BEGIN …-----`, base64, `-----END …-----`) with one key in it")
    })?;
    let der = Zeroizing::new(der);
    match label {
        "PRIVATE KEY" => from_pkcs8(&der),
        "PUBLIC KEY" => from_spki(&der),
        "RSA PRIVATE KEY" => from_pkcs1_private(&der),
        "RSA PUBLIC KEY" => from_pkcs1_public(&der),
        "EC PRIVATE KEY" => from_sec1(&der, None, &der),
        "ENCRYPTED PRIVATE KEY" => Err(Error::key_format(
            "this is an encrypted private key (PKCS#8); decrypt it first: openssl pkey -in FILE",
        )),
        "CERTIFICATE" => Err(Error::key_format(
            "this is an X.509 certificate; take its public key: openssl x509 -pubkey -noout -in FILE",
        )),
        _ => Err(Error::key_format(
            "this PEM document holds neither a private nor a public key",
        )),
    }
}

/// Reads a PKCS#8 private key (RFC 5958).
pub(crate) fn from_pkcs8(der: &[u8]) -> Result<KeyParts, Error> {
    let info = PrivateKeyInfoRef::from_der(der).map_err(|_| malformed("a PKCS#8 private key"))?;
    let key = info.private_key.as_bytes();
    match info.algorithm.oid {
        oid::RSA => from_pkcs1_private(key),
        oid::EC => from_sec1(key, Some(named_curve(&info.algorithm)?), der),
        oid::ED25519 => {
            let seed = <&OctetStringRef>::from_der(key)
                .map_err(|_| malformed("an Ed25519 private key"))?;
            let seed = Zeroizing::new(seed.as_bytes().to_vec());
            let x = crypto::ed25519_public_from_seed(&seed)?;
            if info
                .public_key
                .and_then(|key| key.as_bytes())
                .is_some_and(|public| public != x)
            {
                return Err(Error::key_unfit(
                    "the private Ed25519 key does not belong to the public one beside it",
                ));
            }
            Ok(KeyParts::Ed25519 { x, d: Some(seed) })
        }
        other => Err(unknown(other)),
    }
}

/// Reads a public key (SubjectPublicKeyInfo, RFC 5280 §4.1).
pub(crate) fn from_spki(der: &[u8]) -> Result<KeyParts, Error> {
    let info =
        SubjectPublicKeyInfoRef::from_der(der).map_err(|_| malformed("a public key (SPKI)"))?;
    let key = info
        .subject_public_key
        .as_bytes()
        .ok_or_else(|| malformed("a public key (SPKI)"))?;
    match info.algorithm.oid {
        oid::RSA => from_pkcs1_public(key),
        oid::EC => {
            let curve = named_curve(&info.algorithm)?;
            let (x, y) = point(key, curve)?;
            Ok(KeyParts::Ec {
                curve,
                x,
                y,
                d: None,
            })
        }
        oid::ED25519 if key.len() == 32 => Ok(KeyParts::Ed25519 {
            x: key.to_vec(),
            d: None,
        }),
        oid::ED25519 => Err(malformed("an Ed25519 public key")),
        other => Err(unknown(other)),
    }
}

/// Reads an RSA private key (RFC 8017 §A.1.2).
fn from_pkcs1_private(der: &[u8]) -> Result<KeyParts, Error> {
    let key = pkcs1::RsaPrivateKeyRef::from_der(der)
        .map_err(|_| malformed("an RSA private key (PKCS#1)"))?;
    if key.other_prime_infos.is_some() {
        return Err(Error::key_unfit(
            "this RSA key has more than two primes; make one with two",
        ));
    }
    let secret = |number: UintRef<'_>| Zeroizing::new(number.as_bytes().to_vec());
    Ok(KeyParts::Rsa {
        n: key.modulus.as_bytes().to_vec(),
        e: key.public_exponent.as_bytes().to_vec(),
        private: Some(RsaPrivate {
            d: secret(key.private_exponent),
            p: secret(key.prime1),
            q: secret(key.prime2),
            dp: secret(key.exponent1),
            dq: secret(key.exponent2),
            qi: secret(key.coefficient),
        }),
    })
}

/// Reads an RSA public key (RFC 8017 §A.1.1).
fn from_pkcs1_public(der: &[u8]) -> Result<KeyParts, Error> {
    let key = pkcs1::RsaPublicKeyRef::from_der(der)
        .map_err(|_| malformed("an RSA public key (PKCS#1)"))?;
    Ok(KeyParts::Rsa {
        n: key.modulus.as_bytes().to_vec(),
        e: key.public_exponent.as_bytes().to_vec(),
        private: None,
    })
}

/// Reads an EC private key (RFC 5915). The curve stands inside, or `outer` brings it; `document` is what the crypto
/// library reads where the point is left out.
fn from_sec1(der: &[u8], outer: Option<Curve>, document: &[u8]) -> Result<KeyParts, Error> {
    let key =
        sec1::EcPrivateKey::from_der(der).map_err(|_| malformed("an EC private key (SEC1)"))?;
    let inner = key
        .parameters
        .and_then(sec1::EcParameters::named_curve)
        .map(oid::curve)
        .transpose()?;
    let curve = match (outer, inner) {
        (Some(outer), Some(inner)) if outer != inner => {
            return Err(Error::key_unfit("this EC private key names two curves"));
        }
        (Some(curve), _) | (None, Some(curve)) => curve,
        (None, None) => {
            return Err(Error::key_format(
                "this EC private key (SEC1) names no curve",
            ));
        }
    };
    if key.private_key.len() != curve.field_bytes() {
        return Err(malformed("an EC private key (SEC1)"));
    }
    let (x, y) = match key.public_key {
        Some(public) => point(public, curve)?,
        None => crypto::ec_public_from_private(curve, document)?,
    };
    Ok(KeyParts::Ec {
        curve,
        x,
        y,
        d: Some(Zeroizing::new(key.private_key.to_vec())),
    })
}

/// Writes a private key as PKCS#8, in PEM.
pub(crate) fn to_pkcs8_pem(parts: &KeyParts) -> Result<Zeroizing<String>, Error> {
    let der = to_pkcs8(parts)?;
    pem_rfc7468::encode_string("PRIVATE KEY", LineEnding::LF, &der)
        .map(Zeroizing::new)
        .map_err(|_| unwritable())
}

/// Writes a public key as SPKI, in PEM.
pub(crate) fn to_spki_pem(parts: &KeyParts) -> Result<String, Error> {
    let der = to_spki(parts)?;
    pem_rfc7468::encode_string("PUBLIC KEY", LineEnding::LF, &der).map_err(|_| unwritable())
}

fn to_pkcs8(parts: &KeyParts) -> Result<Secret, Error> {
    let key = match parts {
        KeyParts::Rsa {
            n,
            e,
            private: Some(private),
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
        _ => {
            return Err(Error::key_unfit(format!(
                "this is {}; PKCS#8 holds private keys",
                parts.describe()
            )));
        }
    };
    let key = OctetStringRef::new(&key).map_err(|_| unwritable())?;
    let algorithm = algorithm_of(parts)?;
    PrivateKeyInfoRef::new(algorithm, key)
        .to_der()
        .map(Zeroizing::new)
        .map_err(|_| unwritable())
}

fn to_spki(parts: &KeyParts) -> Result<Vec<u8>, Error> {
    let key = match parts {
        KeyParts::Rsa { n, e, .. } => pkcs1::RsaPublicKeyRef {
            modulus: UintRef::new(n).map_err(|_| unwritable())?,
            public_exponent: UintRef::new(e).map_err(|_| unwritable())?,
        }
        .to_der()
        .map_err(|_| unwritable())?,
        KeyParts::Ec { x, y, .. } => [&[4], x.as_slice(), y].concat(),
        KeyParts::Ed25519 { x, .. } => x.clone(),
        KeyParts::Oct(_) => return Err(Error::key_unfit("a shared secret has no public half")),
    };
    let info = SubjectPublicKeyInfoRef {
        algorithm: algorithm_of(parts)?,
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

fn algorithm_of(parts: &KeyParts) -> Result<AlgorithmIdentifierRef<'static>, Error> {
    Ok(match parts {
        KeyParts::Rsa { .. } => AlgorithmIdentifierRef {
            oid: oid::RSA,
            parameters: Some(AnyRef::NULL),
        },
        KeyParts::Ec { curve, .. } => AlgorithmIdentifierRef {
            oid: oid::EC,
            parameters: Some(oid::of_curve(*curve).into()),
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

/// The coordinates of an uncompressed point (SEC 1 §2.3.3).
fn point(octets: &[u8], curve: Curve) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let coordinates = octets.strip_prefix(&[4]).ok_or_else(|| {
        Error::key_format("this EC key holds a compressed point; write it uncompressed: openssl ec -conv_form uncompressed")
    })?;
    match coordinates.split_at_checked(curve.field_bytes()) {
        Some((x, y)) if x.len() == y.len() => Ok((x.to_vec(), y.to_vec())),
        _ => Err(malformed("an EC public point")),
    }
}

fn named_curve(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<Curve, Error> {
    let named = algorithm.parameters_oid().map_err(|_| {
        Error::key_format("this EC key spells out its curve instead of naming one of P-256, P-384, P-521 and secp256k1")
    })?;
    oid::curve(named)
}

fn malformed(what: &str) -> Error {
    Error::key_format(format!("this should be {what}, but its DER is malformed"))
}

fn unknown(oid: der::oid::ObjectIdentifier) -> Error {
    Error::key_format(format!(
        "this is a key of a kind not known here (object identifier {oid}); RSA, EC and Ed25519 are"
    ))
}

const fn unwritable() -> Error {
    Error::Crypto {
        doing: "writing a key",
    }
}
