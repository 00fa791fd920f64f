//! `countersign backup`: a copy of the database of a data folder.

use std::path::PathBuf;

use clap::Args;
use countersign_server::offline;

use super::data_folder::DataFolder;
use crate::exit::{Exit, Failure};
use crate::output;

/// The flags of `backup`.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The file to make; one that exists is not overwritten.
    file: PathBuf,
    #[command(flatten)]
    folder: DataFolder,
}

impl Backup {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let made = self
            .folder
            .with(async |settings| offline::backup(&settings, &self.file).await)?;
        output::line(&format!(
            "{}: {} bytes, whole",
            self.file.display(),
            made.bytes
        ))?;
        output::note(
            "it holds e-mail addresses and password hashes: keep it where nobody else reads it",
        );
        let key = made.key.map_or_else(
            || "the key-encryption key".to_owned(),
            |key| format!("the key-encryption key {}", key.display()),
        );
        output::note(&format!(
            "{key} is not in it: keep a copy of that too, and in another place; neither is of use without the other"
        ));
        Ok(Exit::Done)
    }
}
