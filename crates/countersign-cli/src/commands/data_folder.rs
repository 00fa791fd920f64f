//! `--data DIR` of the commands that work on a data folder, whether or not a server runs on it.

use std::path::PathBuf;

use clap::Args;
use countersign_server::{Flags, Settings};

use crate::exit::{Exit, Failure};

/// Which data folder.
#[derive(Debug, Args)]
pub(crate) struct DataFolder {
    /// The data folder of the server [default: ./countersign-data; env: COUNTERSIGN_DATA].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The configuration file [default: ./countersign.toml, when it exists; env: COUNTERSIGN_CONFIG].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl DataFolder {
    /// Loads the settings and runs `work` on them.
    pub(crate) fn with<T>(
        &self,
        work: impl AsyncFnOnce(Settings) -> Result<T, countersign_server::Error>,
    ) -> Result<T, Failure> {
        let flags = Flags {
            data: self.data.clone(),
            config: self.config.clone(),
            ..Flags::default()
        };
        let settings = Settings::load(flags, environment())?;
        runtime()?.block_on(work(settings)).map_err(Failure::from)
    }
}

/// The environment, less what is not text.
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// How often, in turns, a thread looks for what other threads have woken: the database's above all. Left to itself it would
/// take many turns of its own first, and each step of a refresh would wait for whatever strangers have sent meanwhile.
/// What is under way goes before what has just come.
const TURNS: u32 = 2;

/// The async runtime.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all().global_queue_interval(TURNS);
    runtime.build().map_err(|error| {
        Failure::new(
            Exit::Server,
            anyhow::Error::new(error).context("cannot start the runtime"),
        )
    })
}
