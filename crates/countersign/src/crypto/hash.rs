//! The hashes that bind one token to another.

use aws_lc_rs::digest;

use crate::jwa::Algorithm;

/// The left half of the hash of `octets`, with the hash function of `algorithm` (OpenID Connect Core §3.1.3.6).
///
/// Ed25519 hashes with SHA-512. `None` for ML-DSA, for which nobody has defined it.
pub(crate) fn left_half(algorithm: Algorithm, octets: &[u8]) -> Option<Vec<u8>> {
    let hash = match algorithm {
        Algorithm::HS256
        | Algorithm::RS256
        | Algorithm::PS256
        | Algorithm::ES256
        | Algorithm::ES256K => &digest::SHA256,
        Algorithm::HS384 | Algorithm::RS384 | Algorithm::PS384 | Algorithm::ES384 => {
            &digest::SHA384
        }
        Algorithm::HS512
        | Algorithm::RS512
        | Algorithm::PS512
        | Algorithm::ES512
        | Algorithm::EdDSA => &digest::SHA512,
        Algorithm::MlDsa44 | Algorithm::MlDsa65 | Algorithm::MlDsa87 => return None,
    };
    let digest = digest::digest(hash, octets);
    let half = digest.as_ref().len().checked_div(2)?;
    digest.as_ref().get(..half).map(<[u8]>::to_vec)
}
