//! `countersign key check`: is this key strong and whole, and what is it good for?

use clap::Args;
use serde::Serialize;

use super::form::Source;
use super::verdict::{Fit, verdict};
use crate::answer::{self, Verdict};
use crate::exit::{Exit, Failure};
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
        answer::end(self.json, Verdict::Usable, self.outcome())
    }

    fn outcome(&self) -> Result<Exit, Failure> {
        let imported = self.source.load()?;
        let fit = verdict(&imported, self.source.alg)?;
        if self.json {
            output::json(&Good {
                usable: true,
                key: imported.to_string(),
                fit,
            })?;
        } else {
            output::line(&format!("{imported} {}", fit.words()))?;
        }
        Ok(Exit::Done)
    }
}

/// What `--json` prints for a key that is good.
#[derive(Serialize)]
struct Good {
    usable: bool,
    key: String,
    #[serde(flatten)]
    fit: Fit,
}
