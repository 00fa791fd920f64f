//! Keys in DER, read: PKCS#8 (RFC 5958), SPKI and X.509 certificates (RFC 5280 §4.1), PKCS#1 (RFC 8017 §A.1), SEC1
//! (RFC 5915); what is encrypted is in `encrypted`, writing in `write`.

mod encrypted;
mod oid;
mod pss;
mod write;

use der::asn1::{BitStringRef, OctetStringRef, UintRef};
use der::{Decode as _, Encode as _};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use zeroize::Zeroizing;

pub(crate) use encrypted::from_encrypted;
pub(crate) use write::{to_pkcs8, to_spki};

use super::import::KeyFormat;
use crate::crypto;
use crate::error::Error;
use crate::jwa::{Algorithm, Curve};
use crate::jwk::parts::{KeyParts, RsaPrivate, RsaScheme};

/// Reads a document of any format, told apart by its structure.
///
/// # Errors
/// [`Error::KeyFormat`] where it has none of them, [`Error::KeyEncrypted`] where it needs a password.
pub(crate) fn parse(der: &[u8], password: Option<&[u8]>) -> Result<(KeyFormat, KeyParts), Error> {
    type Reader = fn(&[u8]) -> Result<KeyParts, Error>;
    check_size(der)?;
    if EncryptedPrivateKeyInfoRef::try_from(der).is_ok() {
        return from_encrypted(der, password).map(|parts| (KeyFormat::EncryptedPkcs8, parts));
    }
    let formats: [(KeyFormat, bool, Reader); 6] = [
        (
            KeyFormat::Pkcs8,
            PrivateKeyInfoRef::from_der(der).is_ok(),
            from_pkcs8,
        ),
        (
            KeyFormat::Spki,
            SubjectPublicKeyInfoRef::from_der(der).is_ok(),
            from_spki,
        ),
        (
            KeyFormat::Certificate,
            x509_cert::Certificate::from_der(der).is_ok(),
            from_certificate,
        ),
        (
            KeyFormat::Sec1,
            sec1::EcPrivateKey::from_der(der).is_ok(),
            from_sec1_document,
        ),
        (
            KeyFormat::Pkcs1,
            pkcs1::RsaPrivateKeyRef::from_der(der).is_ok(),
            from_pkcs1_private,
        ),
        (
            KeyFormat::Pkcs1,
            pkcs1::RsaPublicKeyRef::from_der(der).is_ok(),
            from_pkcs1_public,
        ),
    ];
    let (format, _, read) = formats.into_iter().find(|(_, fits, _)| *fits).ok_or_else(|| {
        Error::key_format("these octets are no DER document of a key: not PKCS#8, PKCS#1, SEC1, SPKI or X.509")
    })?;
    read(der).map(|parts| (format, parts))
}

/// The largest file of a key that is looked at: far more than any key or certificate has.
const MAX_KEY_BYTES: usize = 64 * 1024;

/// Refuses a file that is too large to hold one key.
pub(crate) fn check_size(file: &[u8]) -> Result<(), Error> {
    if file.len() <= MAX_KEY_BYTES {
        return Ok(());
    }
    Err(Error::key_format(format!(
        "this file has more than {MAX_KEY_BYTES} bytes: it holds something else than one key"
    )))
}

/// Reads the public key of a certificate. Its chain, dates and names are not looked at: whoever trusts the file trusts
/// the key in it.
pub(crate) fn from_certificate(der: &[u8]) -> Result<KeyParts, Error> {
    let malformed = || malformed("an X.509 certificate");
    let certificate = x509_cert::Certificate::from_der(der).map_err(|_| malformed())?;
    let info = certificate.tbs_certificate().subject_public_key_info();
    from_spki(&info.to_der().map_err(|_| malformed())?)
}

/// Reads the public key of the first of several certificates, each of which is issued by the next one.
pub(crate) fn from_chain(documents: &[&[u8]]) -> Result<KeyParts, Error> {
    let certificates = documents
        .iter()
        .map(|der| x509_cert::Certificate::from_der(der))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| malformed("a chain of X.509 certificates"))?;
    let is_chain = certificates.windows(2).all(|pair| match pair {
        [one, next] => one.tbs_certificate().issuer() == next.tbs_certificate().subject(),
        _ => false,
    });
    if !is_chain {
        return Err(Error::key_format(format!(
            "these are {} certificates, and not one chain in which each is issued by the next; give the one whose key is meant",
            documents.len()
        )));
    }
    documents.first().map_or_else(
        || Err(malformed("a certificate")),
        |der| from_certificate(der),
    )
}

/// Reads an EC private key that stands alone (RFC 5915).
pub(crate) fn from_sec1_document(der: &[u8]) -> Result<KeyParts, Error> {
    from_sec1(der, None, None, der)
}

/// Reads a PKCS#8 private key (RFC 5958).
pub(crate) fn from_pkcs8(der: &[u8]) -> Result<KeyParts, Error> {
    let info = PrivateKeyInfoRef::from_der(der).map_err(|_| malformed("a PKCS#8 private key"))?;
    let key = info.private_key.as_bytes();
    let whole = |public: BitStringRef<'_>| public.as_bytes().map(<[u8]>::to_vec);
    let public = match info.public_key {
        Some(public) => Some(whole(public).ok_or_else(|| malformed("a PKCS#8 private key"))?),
        None => None,
    };
    let public = public.as_deref();
    let parts = match info.algorithm.oid {
        oid::RSA => from_pkcs1_private(key),
        oid::RSASSA_PSS => {
            let scheme = pss::scheme(&info.algorithm)?;
            from_pkcs1_private(key).map(|parts| parts.for_scheme(scheme))
        }
        oid::EC => from_sec1(key, Some(named_curve(&info.algorithm)?), public, der),
        oid::ED25519 => {
            no_parameters(&info.algorithm)?;
            let seed = <&OctetStringRef>::from_der(key)
                .map_err(|_| malformed("an Ed25519 private key"))?;
            let seed = Zeroizing::new(seed.as_bytes().to_vec());
            let x = crypto::ed25519_public_from_seed(&seed)?;
            Ok(KeyParts::Ed25519 { x, d: Some(seed) })
        }
        other => match oid::ml_dsa(other) {
            Some(algorithm) => {
                no_parameters(&info.algorithm)?;
                from_ml_dsa_private(algorithm, key)
            }
            None => Err(unknown(other)),
        },
    }?;
    // RFC 5958 §2: the public key beside a private one is its own.
    if public.is_some_and(|public| parts.public_octets().is_some_and(|own| own != public)) {
        return Err(Error::key_unfit(
            "the private key does not belong to the public one beside it",
        ));
    }
    Ok(parts)
}

/// Reads the private key of RFC 9881 §6: the seed, alone or beside the expanded key, which alone is not enough
/// (RFC 9964 §3 knows only the seed).
fn from_ml_dsa_private(algorithm: Algorithm, key: &[u8]) -> Result<KeyParts, Error> {
    let no_seed = || {
        Error::key_format(
            "this ML-DSA private key does not hold its seed of 32 bytes, and nothing else is used here",
        )
    };
    let both = Vec::<&OctetStringRef>::from_der(key).ok();
    let (seed, expanded) = match (key, both.as_deref()) {
        ([0x80, 0x20, seed @ ..], _) => (seed, None),
        (_, Some([seed, expanded])) => (seed.as_bytes(), Some(expanded.as_bytes())),
        _ => return Err(no_seed()),
    };
    if seed.len() != 32 {
        return Err(no_seed());
    }
    let public = crypto::ml_dsa_public_from_seed(algorithm, seed)?;
    // RFC 9881 §6: where both are given, they must be one key.
    if let Some(expanded) = expanded
        && crypto::ml_dsa_public_from_expanded(algorithm, expanded)? != public
    {
        return Err(Error::key_unfit(
            "the seed and the expanded key of this ML-DSA private key are two keys",
        ));
    }
    Ok(KeyParts::Akp {
        algorithm,
        public,
        seed: Some(Zeroizing::new(seed.to_vec())),
    })
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
        oid::RSASSA_PSS => {
            let scheme = pss::scheme(&info.algorithm)?;
            from_pkcs1_public(key).map(|parts| parts.for_scheme(scheme))
        }
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
        oid::ED25519 if key.len() == 32 => {
            no_parameters(&info.algorithm)?;
            Ok(KeyParts::Ed25519 {
                x: key.to_vec(),
                d: None,
            })
        }
        oid::ED25519 => Err(malformed("an Ed25519 public key")),
        other => match oid::ml_dsa(other) {
            Some(algorithm) if info.algorithm.parameters.is_some() => {
                Err(malformed(algorithm.name()))
            }
            Some(algorithm) => Ok(KeyParts::Akp {
                algorithm,
                public: key.to_vec(),
                seed: None,
            }),
            None => Err(unknown(other)),
        },
    }
}

/// Reads an RSA private key (RFC 8017 §A.1.2).
pub(crate) fn from_pkcs1_private(der: &[u8]) -> Result<KeyParts, Error> {
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
        scheme: RsaScheme::Any,
    })
}

/// Reads an RSA public key (RFC 8017 §A.1.1).
pub(crate) fn from_pkcs1_public(der: &[u8]) -> Result<KeyParts, Error> {
    let key = pkcs1::RsaPublicKeyRef::from_der(der)
        .map_err(|_| malformed("an RSA public key (PKCS#1)"))?;
    Ok(KeyParts::Rsa {
        n: key.modulus.as_bytes().to_vec(),
        e: key.public_exponent.as_bytes().to_vec(),
        private: None,
        scheme: RsaScheme::Any,
    })
}

/// Reads an EC private key (RFC 5915). The curve stands inside, or `outer` brings it; the point stands inside, or
/// `beside` it, or the crypto library works it out from `document`.
fn from_sec1(
    der: &[u8],
    outer: Option<Curve>,
    beside: Option<&[u8]>,
    document: &[u8],
) -> Result<KeyParts, Error> {
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
    let (x, y) = match key.public_key.or(beside) {
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

/// RFC 8410 §3, RFC 9881 §2: these algorithms have no parameters, not even NULL.
fn no_parameters(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<(), Error> {
    match algorithm.parameters {
        None => Ok(()),
        Some(_) => Err(malformed("a key whose algorithm has no parameters")),
    }
}

fn malformed(what: &str) -> Error {
    Error::key_format(format!("this should be {what}, but its DER is malformed"))
}

fn unknown(oid: der::oid::ObjectIdentifier) -> Error {
    Error::key_format(format!(
        "this is a key of a kind not known here (object identifier {oid}); RSA, EC, Ed25519 and ML-DSA are"
    ))
}
