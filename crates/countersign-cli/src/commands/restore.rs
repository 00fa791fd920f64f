//! `countersign restore`: a copy in the place of the database of a data folder.

use std::path::PathBuf;

use clap::Args;
use countersign_server::offline;

use super::data_folder::DataFolder;
use crate::exit::{Exit, Failure};
use crate::output;

/// The flags of `restore`.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The copy, as `countersign backup` made it; it stays where it is.
    file: PathBuf,
    #[command(flatten)]
    folder: DataFolder,
}

impl Restore {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let restored = self
            .folder
            .with(async |settings| offline::restore(&settings, &self.file).await)?;
        output::line(&format!("restored {}", self.file.display()))?;
        if let Some(aside) = restored.set_aside {
            output::note(&format!(
                "the database that was there is {} now; delete it when it is of no more use",
                aside.display()
            ));
        }
        if !restored.key_fits {
            output::warning(
                "the key-encryption key of this data folder is missing or does not open the keys of this copy: put the one in place that belongs to it before you start the server",
            );
        }
        output::note(
            "log-outs, disabled accounts and changed passwords and roles of after the copy are undone; `countersign sessions revoke --all` makes everybody log in again",
        );
        Ok(Exit::Done)
    }
}
