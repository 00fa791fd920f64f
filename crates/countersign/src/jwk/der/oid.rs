//! The object identifiers of keys (RFC 8017 §A.1, RFC 5480 §2, RFC 8410 §3, RFC 9881 §2, SEC 2 §A.2).

use der::oid::ObjectIdentifier;

use crate::error::Error;
use crate::jwa::{Algorithm, Curve};

/// rsaEncryption.
pub(super) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// id-RSASSA-PSS.
pub(super) const RSASSA_PSS: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
/// id-ecPublicKey.
pub(super) const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// id-Ed25519.
pub(super) const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const SECP256K1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.10");

/// The name of a curve.
pub(super) const fn of_curve(curve: Curve) -> &'static ObjectIdentifier {
    match curve {
        Curve::P256 => &P256,
        Curve::P384 => &P384,
        Curve::P521 => &P521,
        Curve::Secp256k1 => &SECP256K1,
    }
}

/// The curve of a name.
pub(super) fn curve(oid: ObjectIdentifier) -> Result<Curve, Error> {
    Curve::ALL.into_iter().find(|curve| *of_curve(*curve) == oid).ok_or_else(|| {
        Error::key_format(format!(
            "this EC key is on a curve not known here (object identifier {oid}); P-256, P-384, P-521 and secp256k1 are"
        ))
    })
}

const ML_DSA: [(Algorithm, ObjectIdentifier); 3] = [
    (
        Algorithm::MlDsa44,
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.17"),
    ),
    (
        Algorithm::MlDsa65,
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.18"),
    ),
    (
        Algorithm::MlDsa87,
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.19"),
    ),
];

/// The ML-DSA of a name.
pub(super) fn ml_dsa(oid: ObjectIdentifier) -> Option<Algorithm> {
    ML_DSA
        .into_iter()
        .find_map(|(algorithm, name)| (name == oid).then_some(algorithm))
}

/// The name of an ML-DSA.
pub(super) fn of_ml_dsa(algorithm: Algorithm) -> Option<ObjectIdentifier> {
    ML_DSA
        .into_iter()
        .find_map(|(own, name)| (own == algorithm).then_some(name))
}
