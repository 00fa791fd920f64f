//! The keys of a set, one by one: which can be used, and why the others cannot.

use countersign::{ImportedKey, JwkSet, parse_strict};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::exit::Failure;
use crate::key_password::KeyPassword;
use crate::key_spec::{KeySpec, Material, unusable};
use crate::output::plain;

/// One key of a set.
#[derive(Serialize)]
pub(super) struct Row {
    /// Its place, from 1.
    pub(super) number: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alg: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Whether it holds a private key or a secret, which no set that is published may.
    pub(super) private: bool,
    pub(super) usable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
}

impl Row {
    /// Tab between the columns: number, kid, algorithm, kind, and where it cannot be used, the reason.
    pub(super) fn line(&self) -> String {
        let kid = self.kid.as_deref().map_or("-".to_owned(), plain);
        let alg = self.alg.unwrap_or("-");
        let key = self.key.as_deref().unwrap_or("-");
        let mut line = format!("{}\t{kid}\t{alg}\t{key}", self.number);
        if let Some(reason) = &self.reason {
            line.push_str("\tunusable: ");
            line.push_str(reason);
        }
        line
    }
}

/// Reads the set that `spec` names.
pub(super) fn read(spec: &KeySpec) -> Result<Vec<Row>, Failure> {
    match spec.load(&KeyPassword::default())? {
        Material::JwkSet(octets) => rows(&octets),
        Material::Key(imported) => Err(Failure::key(format!(
            "this is {imported} and no JWK Set: `countersign key inspect` looks at keys"
        ))),
        Material::Secret(_) => Err(Failure::key("this is no JWK Set: it has no array `keys`")),
    }
}

pub(super) fn rows(octets: &[u8]) -> Result<Vec<Row>, Failure> {
    let set = JwkSet::parse(octets).map_err(unusable)?;
    let members: Map<String, Value> = parse_strict(octets).map_err(unusable)?;
    let keys = members.get("keys").and_then(Value::as_array);
    let mut usable = set.keys();
    let mut rows = Vec::new();
    for (index, key) in keys.into_iter().flatten().enumerate() {
        let imported = ImportedKey::read(key.to_string().as_bytes()).ok();
        let row = Row {
            number: index.saturating_add(1),
            kid: key.get("kid").and_then(Value::as_str).map(str::to_owned),
            alg: None,
            key: imported.as_ref().map(ToString::to_string),
            private: imported.is_some_and(|imported| imported.jwk.is_private()),
            usable: false,
            code: None,
            reason: None,
        };
        rows.push(match set.unusable().iter().find(|one| one.index == index) {
            Some(one) => Row {
                code: Some(one.reason.code()),
                reason: Some(one.reason.to_string()),
                ..row
            },
            None => Row {
                alg: usable.next().map(|key| key.algorithm().name()),
                usable: true,
                ..row
            },
        });
    }
    Ok(rows)
}
