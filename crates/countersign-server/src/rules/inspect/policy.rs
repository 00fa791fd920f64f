//! The policy as the fields of a page say it; what is empty is waived, in words.

use std::time::Duration;

use countersign::{Error, Policy};
use serde::Deserialize;

/// What the page's fields say.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PolicyText {
    /// Empty: whoever issued it.
    iss: String,
    /// Empty: whomever it is for.
    aud: Vec<String>,
    /// Empty: none named, JWT or at+jwt.
    typ: String,
    leeway_secs: u64,
    /// Whether a token without `exp` is taken.
    pub(super) allow_no_exp: bool,
}

impl PolicyText {
    /// Of the fields of a form, in which audiences are separated by spaces or commas.
    pub(crate) fn new(iss: &str, aud: &str, typ: &str, leeway_secs: u64) -> Self {
        let aud = aud.split([' ', ',']).filter(|one| !one.is_empty());
        Self {
            iss: iss.trim().to_owned(),
            aud: aud.map(str::to_owned).collect(),
            typ: typ.trim().to_owned(),
            leeway_secs,
            allow_no_exp: false,
        }
    }

    /// A token without `exp` is taken too.
    pub(crate) fn with_endless(self, allow_no_exp: bool) -> Self {
        Self {
            allow_no_exp,
            ..self
        }
    }

    pub(super) fn iss(&self) -> Option<&str> {
        Some(self.iss.as_str()).filter(|iss| !iss.is_empty())
    }

    pub(super) fn aud(&self) -> &[String] {
        &self.aud
    }

    pub(super) fn typ(&self) -> Option<&str> {
        Some(self.typ.as_str()).filter(|typ| !typ.is_empty())
    }

    pub(super) const fn leeway_secs(&self) -> u64 {
        self.leeway_secs
    }

    pub(super) fn build(&self) -> Result<Policy, Error> {
        let policy = match self.iss.as_str() {
            "" => Policy::builder().any_issuer(),
            iss => Policy::builder().issuer(iss),
        };
        let policy = match self.aud.as_slice() {
            [] => policy.any_audience(),
            several => several
                .iter()
                .fold(policy, |policy, aud| policy.audience(aud)),
        };
        let policy = match self.typ.as_str() {
            "" => policy.plain_or_access_token(),
            typ => policy.typ(typ.to_owned()),
        };
        let policy = if self.allow_no_exp {
            policy.without_expiry()
        } else {
            policy
        };
        policy.leeway(Duration::from_secs(self.leeway_secs)).build()
    }
}
