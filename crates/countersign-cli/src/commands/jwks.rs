//! `countersign jwks`: JWK Sets, to publish and to look at (RFC 7517 §5).

mod add;
mod check;
mod list;
mod rows;

use clap::Subcommand;

use crate::exit::{Exit, Failure};

/// What to do with a JWK Set.
#[derive(Debug, Subcommand)]
pub(crate) enum Jwks {
    /// Add the public half of keys to a set; the file is made when it does not exist.
    Add(add::Add),
    /// List the keys of a set: kid, algorithm, kind.
    List(list::List),
    /// Check that every key of a set can be used; exit code 3 where one cannot.
    Check(check::Check),
}

impl Jwks {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::Add(add) => add.run(),
            Self::List(list) => list.run(),
            Self::Check(check) => check.run(),
        }
    }
}
