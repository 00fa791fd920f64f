//! `countersign jwks list`: which keys a set holds.

use clap::Args;
use serde::Serialize;

use super::rows::{self, Row};
use crate::answer::{self, Verdict};
use crate::exit::{Exit, Failure};
use crate::key_spec::KeySpec;
use crate::output;

/// The flags of `jwks list`.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// The JWK Set: a file, `-`, env:NAME or b64:…
    #[arg(value_name = "FILE")]
    spec: KeySpec,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

impl List {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        answer::end(self.json, Verdict::None, self.outcome())
    }

    fn outcome(&self) -> Result<Exit, Failure> {
        let keys = rows::read(&self.spec)?;
        if self.json {
            output::json(&Listed { keys })?;
        } else {
            for row in &keys {
                output::line(&row.line())?;
            }
        }
        Ok(Exit::Done)
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Listed {
    keys: Vec<Row>,
}
