//! `countersign key check`: is this key strong and whole, and what is it good for?

use clap::Args;
use countersign::{Algorithm, ImportedKey, SigningKey, VerifyingKey};
use serde::Serialize;

use super::form::Source;
use crate::exit::{Exit, Failure};
use crate::key_spec::{refused, verifying_key};
use crate::output;

/// The flags of `key check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    source: Source,
    /// One JSON object, for a key that is good and for one that is not.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self.check() {
            Ok(good) if self.json => output::json(&good)?,
            Ok(good) => output::line(&format!(
                "{} {} {}",
                good.key,
                if good.signs {
                    "signs and verifies"
                } else {
                    "verifies"
                },
                good.algorithms.join(", ")
            ))?,
            Err(failure) if self.json && failure.exit() == Exit::Key => {
                output::json(&Bad {
                    usable: false,
                    code: failure.code(),
                    message: failure.to_string(),
                })?;
                return Ok(Exit::Key);
            }
            Err(failure) => return Err(failure),
        }
        Ok(Exit::Done)
    }

    fn check(&self) -> Result<Good, Failure> {
        let imported = self.source.load()?;
        let wanted = self.source.alg.as_slice();
        let candidates = if wanted.is_empty() {
            Algorithm::ALL
        } else {
            wanted
        };
        let fits = |alg: &&Algorithm| VerifyingKey::from_jwk_as(&imported.jwk, **alg).is_ok();
        let algorithms: Vec<&Algorithm> = candidates.iter().filter(fits).collect();
        let Some(first) = algorithms.first() else {
            return Err(why_unfit(&imported, self.source.alg));
        };
        let signs = imported.jwk.is_private();
        if signs {
            SigningKey::from_jwk_as(&imported.jwk, **first)
                .map_err(|error| refused(&imported, error))?;
        }
        Ok(Good {
            usable: true,
            key: imported.to_string(),
            signs,
            algorithms: algorithms.iter().map(|alg| alg.name()).collect(),
        })
    }
}

/// Why no algorithm takes the key.
fn why_unfit(imported: &ImportedKey, alg: Option<Algorithm>) -> Failure {
    match verifying_key(imported, alg) {
        Err(failure) => failure,
        Ok(_) => Failure::key("no algorithm takes this key"),
    }
}

/// What `--json` prints for a key that is good.
#[derive(Serialize)]
struct Good {
    usable: bool,
    key: String,
    signs: bool,
    algorithms: Vec<&'static str>,
}

/// What `--json` prints for a key that is not.
#[derive(Serialize)]
struct Bad {
    usable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    message: String,
}
