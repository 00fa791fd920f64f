//! RSA keys that are for PSS alone: what their parameters say of the hash (RFC 8017 §A.2.3, RFC 4055 §3.1).

use der::asn1::AnyRef;
use der::oid::ObjectIdentifier;
use der::{Decode as _, Encode as _};
use pkcs1::{RsaPssParamsOwned, RsaPssParamsRef, TrailerField};
use spki::{AlgorithmIdentifier, AlgorithmIdentifierRef};

use crate::error::Error;
use crate::jwa::Algorithm;
use crate::jwk::parts::RsaScheme;

/// id-mgf1.
const MGF1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.8");

/// The hash of each algorithm, and its length in bytes, which is that of the salt (RFC 7518 §3.5).
const HASHES: [(Algorithm, ObjectIdentifier, u8); 3] = [
    (
        Algorithm::PS256,
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1"),
        32,
    ),
    (
        Algorithm::PS384,
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2"),
        48,
    ),
    (
        Algorithm::PS512,
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3"),
        64,
    ),
];

/// Reads the parameters. Without them, the key is for PSS with any hash; with them, for one, and the salt that they name
/// is the shortest (RFC 4055 §3.1).
pub(super) fn scheme(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<RsaScheme, Error> {
    let Some(parameters) = algorithm.parameters else {
        return Ok(RsaScheme::Pss(None));
    };
    let parameters: RsaPssParamsOwned = parameters
        .to_der()
        .and_then(|der| RsaPssParamsOwned::from_der(&der))
        .map_err(|_| unreadable())?;
    let hash = parameters.hash.oid;
    let mask = parameters.mask_gen.parameters.map(|mask| mask.oid);
    let fitting = HASHES.iter().find(|(_, oid, longest)| {
        *oid == hash
            && parameters.mask_gen.oid == MGF1
            && mask == Some(*oid)
            && parameters.salt_len <= *longest
    });
    match fitting {
        Some((algorithm, ..)) => Ok(RsaScheme::Pss(Some(*algorithm))),
        None => Err(Error::key_unfit(
            "this RSA-PSS key is for a hash, a mask or a salt that none of PS256, PS384 and PS512 has",
        )),
    }
}

/// Writes the parameters: none where the key is for any hash.
pub(super) fn parameters(algorithm: Option<Algorithm>) -> Option<Vec<u8>> {
    let (_, oid, salt_len) = HASHES
        .into_iter()
        .find(|(own, ..)| Some(*own) == algorithm)?;
    let hash = AlgorithmIdentifierRef {
        oid,
        parameters: Some(AnyRef::NULL),
    };
    let parameters = RsaPssParamsRef {
        hash,
        mask_gen: AlgorithmIdentifier {
            oid: MGF1,
            parameters: Some(hash),
        },
        salt_len,
        trailer_field: TrailerField::BC,
    };
    parameters.to_der().ok()
}

fn unreadable() -> Error {
    Error::key_format("this should be an RSA-PSS key, but its parameters are malformed")
}
