//! `countersign key convert`: the same key in another form.

use std::path::PathBuf;

use clap::Args;
use countersign::KeyFormat;

use super::form::{self, Form, Source, Writable};
use crate::exit::{Exit, Failure};
use crate::output;

/// The flags of `key convert`. A private key stays private; a certificate gives its public key.
#[derive(Debug, Args)]
pub(crate) struct Convert {
    #[command(flatten)]
    source: Source,
    /// How to write it [default: pem for the JWK of a key pair, else jwk].
    #[arg(long, value_enum)]
    format: Option<Form>,
    /// The kid of the JWK [default: the key's own].
    #[arg(long, allow_hyphen_values = true)]
    kid: Option<String>,
    /// The file to make, with mode 0600 [default: standard output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Convert {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let imported = self.source.load()?;
        let (format, secret) = (
            imported.format,
            imported.jwk.algorithm().is_ok_and(|alg| alg.is_symmetric()),
        );
        let form = self.format.unwrap_or(match format {
            KeyFormat::Jwk if !secret => Form::Pem,
            _ => Form::Jwk,
        });
        let octets = Writable::new(imported, self.source.alg, self.kid)?.whole(form)?;
        if format == KeyFormat::EncryptedPkcs8 {
            output::warning("the key was encrypted and is written without a password");
        }
        form::write(self.out.as_deref(), &octets)
    }
}
