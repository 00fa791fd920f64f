//! `countersign key`: make keys, look at them, write them in another form.

mod check;
mod convert;
mod form;
mod generate;
mod inspect;
mod public;
mod thumbprint;
mod verdict;

use clap::Subcommand;

use crate::exit::{Exit, Failure};

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make a new key; the private key goes to standard output or a file.
    Generate(generate::Generate),
    /// Write the public half of a key.
    Public(public::Public),
    /// Write a key in another form: JWK, PEM or DER.
    Convert(convert::Convert),
    /// Print the thumbprint of a key (RFC 7638), which makes a good kid.
    Thumbprint(thumbprint::PrintThumbprint),
    /// Say what a file holds, and whether it can be used: kind, form, algorithm, kid, thumbprint; never a secret.
    Inspect(inspect::Inspect),
    /// Check that a key is strong and whole, and say for which algorithms; exit code 3 where it is not.
    Check(check::Check),
}

impl Key {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::Generate(generate) => generate.run(),
            Self::Public(public) => public.run(),
            Self::Convert(convert) => convert.run(),
            Self::Thumbprint(thumbprint) => thumbprint.run(),
            Self::Inspect(inspect) => inspect.run(),
            Self::Check(check) => check.run(),
        }
    }
}
