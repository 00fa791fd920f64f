//! `countersign key thumbprint`: the name that a key gives itself (RFC 7638, RFC 9278).

use clap::Args;
use serde::Serialize;

use super::form::Source;
use crate::answer::{self, Verdict};
use crate::exit::{Exit, Failure};
use crate::output;

/// The flags of `key thumbprint`.
#[derive(Debug, Args)]
pub(crate) struct PrintThumbprint {
    #[command(flatten)]
    source: Source,
    /// Print the URI of RFC 9278.
    #[arg(long, conflicts_with = "json")]
    uri: bool,
    /// One JSON object with both.
    #[arg(long)]
    json: bool,
}

impl PrintThumbprint {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        answer::end(self.json, Verdict::None, self.outcome())
    }

    fn outcome(&self) -> Result<Exit, Failure> {
        let imported = self.source.load()?;
        if imported.jwk.kty() == "oct" {
            output::warning("the thumbprint of a shared secret helps to guess it: keep it secret");
        }
        let thumbprint = imported.jwk.thumbprint();
        if self.json {
            output::json(&Printed {
                thumbprint: thumbprint.to_string(),
                uri: thumbprint.to_uri(),
            })?;
        } else if self.uri {
            output::line(&thumbprint.to_uri())?;
        } else {
            output::line(&thumbprint.to_string())?;
        }
        Ok(Exit::Done)
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Printed {
    thumbprint: String,
    uri: String,
}
