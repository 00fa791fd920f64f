//! The keys of a JWK Set one by one: which can be used, and why the others cannot.

use countersign::{Algorithm, Error, ImportedKey, JwkSet, VerifyingKey, parse_strict};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::unusable;
use crate::exit::Failure;
use crate::output::plain;

/// One key of a set.
pub(crate) struct Member {
    /// Its place, from 1.
    pub(crate) number: usize,
    pub(crate) kid: Option<String>,
    /// What it is, where it can be read.
    pub(crate) imported: Option<ImportedKey>,
    /// How it verifies within its set, or why it does not.
    pub(crate) outcome: Result<VerifyingKey, Error>,
}

impl Member {
    /// What people call it: its kid, else its place.
    pub(crate) fn name(&self) -> String {
        match &self.kid {
            Some(kid) => plain(kid),
            None => format!("number {} (without kid)", self.number),
        }
    }
}

/// Every key of the set, in order. `alg` decides for those that do not say their algorithm and could be for it.
pub(crate) fn members(octets: &[u8], alg: Option<Algorithm>) -> Result<Vec<Member>, Failure> {
    let octets = match alg {
        Some(alg) => with_alg(octets, alg),
        None => Zeroizing::new(octets.to_vec()),
    };
    let set = JwkSet::parse(&octets).map_err(unusable)?;
    let members: Map<String, Value> = parse_strict(&octets).map_err(unusable)?;
    let keys = members.get("keys").and_then(Value::as_array);
    let mut usable = set.keys();
    let mut found = Vec::new();
    for (index, key) in keys.into_iter().flatten().enumerate() {
        // The keys that are not unusable are the usable ones, in the same order.
        let outcome = match set.unusable().iter().find(|one| one.index == index) {
            Some(one) => Err(one.reason.clone()),
            None => usable.next().cloned().ok_or(Error::KeyNotFound),
        };
        let json = Zeroizing::new(key.to_string());
        found.push(Member {
            number: index.saturating_add(1),
            kid: key.get("kid").and_then(Value::as_str).map(str::to_owned),
            imported: ImportedKey::read(json.as_bytes()).ok(),
            outcome,
        });
    }
    Ok(found)
}

/// The set, in which the keys that do not say their algorithm and could be for `alg` are for `alg`.
pub(super) fn with_alg(octets: &[u8], alg: Algorithm) -> Zeroizing<Vec<u8>> {
    let Ok(mut set) = parse_strict::<Map<String, Value>>(octets) else {
        return Zeroizing::new(octets.to_vec());
    };
    let keys = set.get_mut("keys").and_then(Value::as_array_mut);
    for key in keys.into_iter().flatten().filter_map(Value::as_object_mut) {
        if key.get("kty").and_then(Value::as_str) == Some(alg.kty()) && alg_is_open(alg) {
            key.entry("alg").or_insert_with(|| alg.name().into());
        }
    }
    Zeroizing::new(Value::Object(set).to_string().into_bytes())
}

/// Whether keys of this kind fit several algorithms: all others say theirs by their curve.
fn alg_is_open(alg: Algorithm) -> bool {
    matches!(alg.kty(), "RSA" | "oct")
}
