//! `countersign keys`: the signing keys of a data folder.

use clap::{Args, Subcommand};
use countersign_server::offline;

use super::data_folder::DataFolder;
use crate::exit::{Exit, Failure};
use crate::output;

/// What to do with the signing keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Have new tokens signed with another key, before the schedule would. A running server follows within a minute.
    Rotate(Rotate),
}

/// The flags of `keys rotate`.
#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// The keys have leaked: withdraw them all, so that no access token that was signed before counts any more.
    #[arg(long)]
    leaked: bool,
    #[command(flatten)]
    folder: DataFolder,
}

impl Keys {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::Rotate(rotate) => rotate.run(),
        }
    }
}

impl Rotate {
    fn run(self) -> Result<Exit, Failure> {
        let rotated = self.folder.with(async |settings| {
            if self.leaked {
                offline::withdraw_keys(&settings).await
            } else {
                offline::rotate_keys(&settings).await
            }
        })?;
        let end = if self.leaked { "withdrawn" } else { "ended" };
        for kid in &rotated.ended {
            output::line(&format!("{end}\t{kid}"))?;
        }
        for kid in &rotated.signing {
            output::line(&format!("signs\t{kid}"))?;
        }
        if rotated.signing.is_empty() {
            output::warning(
                "no key stood by: the server makes new ones within a minute, or when it is started",
            );
        }
        if self.leaked {
            output::warning(
                "other services believe the old keys until they fetch the new ones: five minutes, a day where they cannot reach this server; if the database has leaked too, `countersign sessions revoke --all` ends what its refresh tokens could be made of",
            );
        }
        Ok(Exit::Done)
    }
}
