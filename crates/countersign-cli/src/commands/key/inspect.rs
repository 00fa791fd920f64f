//! `countersign key inspect`: what a file holds, without any number of the key.

use clap::Args;
use countersign::{Algorithm, ImportedKey};
use serde::Serialize;
use serde_json::Value;

use super::form::Source;
use super::verdict::{Fit, verdict};
use crate::answer::{self, Verdict};
use crate::exit::{Exit, Failure};
use crate::output;

/// The flags of `key inspect`.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    #[command(flatten)]
    source: Source,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        answer::end(self.json, Verdict::Usable, self.outcome())
    }

    fn outcome(&self) -> Result<Exit, Failure> {
        let imported = self.source.load()?;
        let seen = Seen::new(&imported, self.source.alg)?;
        if self.json {
            output::json(&seen)?;
        } else {
            seen.print()?;
        }
        Ok(Exit::Done)
    }
}

/// What there is to say of a key.
#[derive(Serialize)]
struct Seen {
    key: String,
    format: String,
    pem: bool,
    private: bool,
    kty: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alg: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    /// Not of a shared secret: it would help to guess it.
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbprint: Option<String>,
    usable: bool,
    #[serde(flatten)]
    usability: Usability,
}

/// What the key is good for, or why it is good for nothing.
#[derive(Serialize)]
#[serde(untagged)]
enum Usability {
    Usable(Fit),
    Unusable { code: &'static str, message: String },
}

impl Usability {
    fn of(imported: &ImportedKey, alg: Option<Algorithm>) -> Self {
        match verdict(imported, alg) {
            Ok(fit) => Self::Usable(fit),
            Err(failure) => Self::Unusable {
                code: failure.code(),
                message: failure.reason(),
            },
        }
    }
}

impl Seen {
    fn new(imported: &ImportedKey, alg: Option<Algorithm>) -> Result<Self, Failure> {
        let jwk = &imported.jwk;
        let usability = Usability::of(imported, alg);
        let members: Value =
            serde_json::from_str(&jwk.to_json()).map_err(|error| Failure::new(Exit::Key, error))?;
        let text = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
        Ok(Self {
            key: imported.to_string(),
            format: imported.format.to_string(),
            pem: imported.pem,
            private: jwk.is_private(),
            kty: jwk.kty(),
            crv: text("crv"),
            alg: jwk.algorithm().ok().map(|alg| alg.name()),
            kid: jwk.key_id().map(str::to_owned),
            thumbprint: (jwk.kty() != "oct").then(|| jwk.thumbprint().to_string()),
            usable: matches!(usability, Usability::Usable(_)),
            usability,
        })
    }

    fn print(&self) -> Result<(), Failure> {
        output::line(&self.key)?;
        let rows = [
            ("alg", self.alg),
            ("kid", self.kid.as_deref()),
            ("thumbprint", self.thumbprint.as_deref()),
        ];
        for (name, value) in rows {
            if let Some(value) = value {
                output::line(&format!("{name:11} {}", output::plain(value)))?;
            }
        }
        let (name, words) = match &self.usability {
            Usability::Usable(fit) => ("usable", fit.words()),
            Usability::Unusable { message, .. } => ("unusable", message.clone()),
        };
        output::line(&format!("{name:11} {words}"))
    }
}
