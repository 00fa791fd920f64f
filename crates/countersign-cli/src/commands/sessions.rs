//! `countersign sessions`: the sessions of a data folder.

use clap::{Args, Subcommand};
use countersign_server::offline;

use super::data_folder::DataFolder;
use crate::exit::{Exit, Failure};
use crate::output;

/// What to do with sessions.
#[derive(Debug, Subcommand)]
pub(crate) enum Sessions {
    /// End sessions: after an older copy of the database was restored, or when tokens have leaked.
    Revoke(Revoke),
}

/// The flags of `sessions revoke`.
#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// Every session of everybody: they all have to log in again.
    #[arg(long, required = true)]
    all: bool,
    #[command(flatten)]
    folder: DataFolder,
}

impl Sessions {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::Revoke(revoke) => revoke.run(),
        }
    }
}

impl Revoke {
    fn run(self) -> Result<Exit, Failure> {
        let ended = self
            .folder
            .with(async |settings| offline::revoke_sessions(&settings).await)?;
        output::line(&format!("{ended} sessions ended"))?;
        Ok(Exit::Done)
    }
}
