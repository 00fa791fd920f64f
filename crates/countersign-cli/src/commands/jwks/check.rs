//! `countersign jwks check`: does every key of a set work, and may the set be published?

use clap::Args;
use serde::Serialize;

use super::rows::{self, Row};
use crate::answer::{self, Verdict};
use crate::exit::{Exit, Failure};
use crate::key_spec::KeySpec;
use crate::output;

/// The flags of `jwks check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The JWK Set: a file, `-`, env:NAME or b64:…
    #[arg(value_name = "FILE")]
    spec: KeySpec,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        answer::end(self.json, Verdict::Usable, self.outcome())
    }

    fn outcome(&self) -> Result<Exit, Failure> {
        let keys = rows::read(&self.spec)?;
        let usable = !keys.is_empty() && keys.iter().all(|row| row.usable);
        if self.json {
            output::json(&Checked { usable, keys })?;
        } else {
            report(&keys)?;
        }
        Ok(if usable { Exit::Done } else { Exit::Key })
    }
}

fn report(keys: &[Row]) -> Result<(), Failure> {
    let usable = keys.iter().filter(|row| row.usable).count();
    output::line(&format!("usable: {usable} of {}", keys.len()))?;
    for row in keys.iter().filter(|row| !row.usable) {
        output::line(&row.line())?;
    }
    for row in keys {
        if row.private {
            output::warning(&format!(
                "key {} is private: whoever reads the set can sign with it, so do not publish it",
                row.number
            ));
        }
        if row.alg_assumed {
            output::warning(&format!(
                "key {} names no alg and is taken for RS256: name the one that it is for",
                row.number
            ));
        }
        if row.kid.is_none() && keys.len() > 1 {
            output::warning(&format!(
                "key {} has no kid: a token cannot point at it",
                row.number
            ));
        }
    }
    Ok(())
}

/// What `--json` prints.
#[derive(Serialize)]
struct Checked {
    usable: bool,
    keys: Vec<Row>,
}
