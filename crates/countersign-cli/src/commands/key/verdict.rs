//! What a key is good for, or why it is good for nothing.

use countersign::{Algorithm, ImportedKey, SigningKey, VerifyingKey};
use serde::Serialize;

use crate::exit::Failure;
use crate::key_spec::{refused, verifying_key};

/// A key that can be used.
#[derive(Serialize)]
pub(super) struct Fit {
    /// Whether it signs, or only verifies.
    pub(super) signs: bool,
    /// For what; at least one.
    pub(super) algorithms: Vec<&'static str>,
}

impl Fit {
    /// `signs and verifies ES256`
    pub(super) fn words(&self) -> String {
        let does = if self.signs {
            "signs and verifies"
        } else {
            "verifies"
        };
        format!("{does} {}", self.algorithms.join(", "))
    }
}

/// Looks at the key for every algorithm, or for the one that was asked for.
pub(super) fn verdict(imported: &ImportedKey, alg: Option<Algorithm>) -> Result<Fit, Failure> {
    let wanted = alg.as_slice();
    let candidates = if wanted.is_empty() {
        Algorithm::ALL
    } else {
        wanted
    };
    let fits = |alg: &&Algorithm| VerifyingKey::from_jwk_as(&imported.jwk, **alg).is_ok();
    let algorithms: Vec<&Algorithm> = candidates.iter().filter(fits).collect();
    let Some(first) = algorithms.first() else {
        return Err(why_unfit(imported, alg));
    };
    let signs = imported.jwk.is_private();
    if signs {
        SigningKey::from_jwk_as(&imported.jwk, **first)
            .map_err(|error| refused(imported, error))?;
    }
    Ok(Fit {
        signs,
        algorithms: algorithms.iter().map(|alg| alg.name()).collect(),
    })
}

/// Why no algorithm takes the key.
fn why_unfit(imported: &ImportedKey, alg: Option<Algorithm>) -> Failure {
    match verifying_key(imported, alg) {
        Err(failure) => failure,
        Ok(_) => Failure::key("no algorithm takes this key"),
    }
}
