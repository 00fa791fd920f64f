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
        if link.is_assumed {
            output::note(
                "the address is assumed: nothing in the data folder says where its server is; name it with COUNTERSIGN_PUBLIC_URL",
            );
        }
        output::note(
            "the code makes the first administrator, once, within an hour; one that was printed before is void",
        );
        Ok(Exit::Done)
    }
}
