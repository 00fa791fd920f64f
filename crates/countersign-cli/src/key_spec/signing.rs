//! The key to sign with.

use countersign::{Algorithm, SigningKey};

use super::{KeySpec, Material, decide, refused, undecided_secret, unusable};
use crate::exit::Failure;
use crate::key_password::KeyPassword;

/// Loads the one key that `spec` names; `alg` has to agree with the key's own algorithm, or decide where it has none.
pub(crate) fn signing_key(
    spec: &KeySpec,
    alg: Option<Algorithm>,
    password: &KeyPassword,
) -> Result<SigningKey, Failure> {
    match spec.load(password)? {
        Material::Key(imported) => {
            let alg = decide(&imported, alg)?;
            SigningKey::from_jwk_as(&imported.jwk, alg).map_err(|error| refused(&imported, error))
        }
        Material::JwkSet(_) => Err(Failure::key(
            "a JWK Set holds several keys: give the one JWK to sign with",
        )),
        Material::Secret(secret) => {
            let alg = alg.ok_or_else(undecided_secret)?;
            SigningKey::from_secret(alg, &secret).map_err(unusable)
        }
    }
}
