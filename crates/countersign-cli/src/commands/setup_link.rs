//! `countersign setup-link`: a new one-time code for the first administrator, while there is none.

use clap::Args;
use countersign_server::offline;

use super::data_folder::DataFolder;
use crate::exit::{Exit, Failure};
use crate::output;

/// The flags of `setup-link`.
#[derive(Debug, Args)]
pub(crate) struct SetupLink {
    #[command(flatten)]
    folder: DataFolder,
}

impl SetupLink {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let link = self
            .folder
            .with(async |settings| offline::setup_link(&settings).await)?;
        output::line(&format!("{}  code {}", link.url, link.code))?;
        output::note("the code makes the first administrator, once, within an hour");
        Ok(Exit::Done)
    }
}
