//! `countersign key public`: the half of a key that may be published.

use std::path::PathBuf;

use clap::Args;
use countersign::KeyFormat;

use super::form::{self, Form, Source, Writable};
use crate::exit::{Exit, Failure};

/// The flags of `key public`.
#[derive(Debug, Args)]
pub(crate) struct Public {
    #[command(flatten)]
    source: Source,
    /// How to write it [default: jwk for a JWK, else pem].
    #[arg(long, value_enum)]
    format: Option<Form>,
    /// The kid of the JWK [default: the key's own].
    #[arg(long, allow_hyphen_values = true)]
    kid: Option<String>,
    /// The file to make [default: standard output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Public {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let imported = self.source.load()?;
        let form = self.format.unwrap_or(match imported.format {
            KeyFormat::Jwk => Form::Jwk,
            _ => Form::Pem,
        });
        let octets = Writable::new(imported, self.source.alg, self.kid)?.public(form)?;
        form::write(self.out.as_deref(), &octets)
    }
}
