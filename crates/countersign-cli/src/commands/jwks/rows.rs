//! The keys of a set, one by one: which can be used, and why the others cannot.

use countersign::{Error, VerifyingKey};
use serde::Serialize;

use crate::exit::Failure;
use crate::key_password::KeyPassword;
use crate::key_spec::set::{self, Member};
use crate::key_spec::{KeySpec, Material};
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
    /// Whether the set does not say so, and the key is taken for what is usual.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) alg_assumed: bool,
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
        Material::Secret(_) => {
            let what = "this is no JWK Set: it has no array `keys`";
            Err(Failure::key(what).with_code("key_format"))
        }
    }
}

pub(super) fn rows(octets: &[u8]) -> Result<Vec<Row>, Failure> {
    let members = set::members(octets, None)?;
    Ok(members.into_iter().map(Row::from).collect())
}

impl From<Member> for Row {
    fn from(member: Member) -> Self {
        let (key, reason) = match member.outcome {
            Ok(key) => (Some(key), None),
            Err(reason) => (None, Some(reason)),
        };
        let imported = member.imported;
        Self {
            number: member.number,
            kid: member.kid,
            alg: key.as_ref().map(|key| key.algorithm().name()),
            alg_assumed: key
                .as_ref()
                .is_some_and(VerifyingKey::has_assumed_algorithm),
            key: imported.as_ref().map(ToString::to_string),
            private: imported.is_some_and(|imported| imported.jwk.is_private()),
            usable: key.is_some(),
            code: reason.as_ref().map(Error::code),
            reason: reason.map(|reason| reason.to_string()),
        }
    }
}
