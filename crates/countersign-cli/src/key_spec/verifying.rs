//! The keys to verify with: one key, several, or a set.

use countersign::{Algorithm, Error, ImportedKey, JwkSet, VerifyingKey};

use super::set::with_alg;
use super::{KeySpec, Material, decide, refused, undecided_secret, unusable};
use crate::exit::{Exit, Failure};
use crate::key_password::KeyPassword;
use crate::output;

/// Loads what `specs` name as one set. A private key serves with its public half.
///
/// Of several keys, the `kid` of a token picks; without one, the only key that fits.
pub(crate) fn verifying_keys(
    specs: &[KeySpec],
    alg: Option<Algorithm>,
    password: &KeyPassword,
) -> Result<JwkSet, Failure> {
    if specs.iter().filter(|spec| spec.is_stdin()).count() > 1 {
        return Err(Failure::usage(
            "only one key can be read from standard input: give the others as files",
        ));
    }
    if let [spec] = specs {
        return load(spec, alg, password);
    }
    let mut keys: Vec<VerifyingKey> = Vec::new();
    for spec in specs {
        for key in load(spec, alg, password)?.keys() {
            // A key that is named twice, as itself and in a set, is one.
            if !keys.iter().any(|known| is_same(known, key)) {
                keys.push(key.clone());
            }
        }
    }
    Ok(JwkSet::new(keys))
}

/// The public half of a key, or the secret, under `alg` or its own algorithm.
pub(crate) fn verifying_key(
    imported: &ImportedKey,
    alg: Option<Algorithm>,
) -> Result<VerifyingKey, Failure> {
    let alg = decide(imported, alg)?;
    VerifyingKey::from_jwk_as(&imported.jwk, alg).map_err(|error| refused(imported, error))
}

fn is_same(one: &VerifyingKey, other: &VerifyingKey) -> bool {
    let names = |key: &VerifyingKey| (key.algorithm(), key.key_id().map(str::to_owned));
    names(one) == names(other) && one.thumbprint() == other.thumbprint()
}

/// Why a token is refused, in the words of the command line. `alone`: one key was given, and no set.
pub(crate) fn said(error: &Error, alone: bool) -> String {
    match error {
        Error::AlgorithmAssumed { .. } => format!("{error}; --alg chooses it"),
        Error::KeyNotFound if alone => {
            "the one key that was given does not fit the `kid` and `alg` of the token".to_owned()
        }
        _ => error.to_string(),
    }
}

fn load(spec: &KeySpec, alg: Option<Algorithm>, password: &KeyPassword) -> Result<JwkSet, Failure> {
    let key = match spec.load(password)? {
        Material::JwkSet(octets) if spec.is_url() => {
            return from_set(&octets, alg, JwkSet::parse_published);
        }
        Material::JwkSet(octets) => return from_set(&octets, alg, JwkSet::parse),
        Material::Key(imported) => verifying_key(&imported, alg)?,
        Material::Secret(secret) => {
            let alg = alg.ok_or_else(undecided_secret)?;
            VerifyingKey::from_secret(alg, &secret).map_err(unusable)?
        }
    };
    Ok(JwkSet::from(key))
}

/// The keys of a set that can be used, for `alg` where one is asked for.
pub(super) fn from_set(
    octets: &[u8],
    alg: Option<Algorithm>,
    parse: fn(&[u8]) -> Result<JwkSet, Error>,
) -> Result<JwkSet, Failure> {
    let set = match alg {
        Some(alg) => parse(&with_alg(octets, alg)),
        None => parse(octets),
    };
    let set = set.map_err(unusable)?;
    let unusable_keys = set.unusable().to_vec();
    for key in &unusable_keys {
        output::warning(&format!(
            "key {} of the set is left out: {}",
            key.index.saturating_add(1),
            key.reason
        ));
    }
    let set = match alg {
        Some(alg) => JwkSet::new(set.keys().filter(|key| key.algorithm() == alg).cloned()),
        None => set,
    };
    if !set.has_usable_key() {
        let alg = alg.map(|alg| format!(" for {alg}")).unwrap_or_default();
        let none = format!("the JWK Set holds no usable key{alg}");
        return Err(match unusable_keys.first() {
            Some(key) => Failure::new(
                Exit::Key,
                anyhow::Error::new(key.reason.clone()).context(none),
            ),
            None => Failure::key(none),
        });
    }
    Ok(set)
}
