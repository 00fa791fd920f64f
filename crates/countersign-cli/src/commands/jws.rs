//! `countersign jws`: signatures over any octets (RFC 7515, RFC 7797).

mod sign;
mod verify;

use clap::Subcommand;

use crate::exit::{Exit, Failure};

/// What to do with octets and their signature.
#[derive(Debug, Subcommand)]
pub(crate) enum Jws {
    /// Sign a file; the signature goes to standard output.
    Sign(sign::Sign),
    /// Verify a signature; the octets that were signed go to standard output, whatever they are.
    Verify(verify::Verify),
}

impl Jws {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::Sign(sign) => sign.run(),
            Self::Verify(verify) => verify.run(),
        }
    }
}
