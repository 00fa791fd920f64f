//! `countersign man`: the manual, as `man` reads it.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, CommandFactory};
use clap_mangen::Man;

use crate::cli::Cli;
use crate::exit::{Exit, Failure};
use crate::output;

/// The flags of `man`.
#[derive(Debug, Args)]
pub(crate) struct Manual {
    /// Write a page for every subcommand into this folder, made where there is none, instead of the first page to standard output.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Manual {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match &self.out {
            Some(folder) => std::fs::create_dir_all(folder)
                .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
                .with_context(|| format!("cannot write the manual to {}", folder.display()))
                .map_err(|error| Failure::new(Exit::Storage, error))?,
            None => {
                let mut page = Vec::new();
                Man::new(Cli::command())
                    .render(&mut page)
                    .map_err(|error| Failure::new(Exit::Storage, error))?;
                output::bytes(&page)?;
            }
        }
        Ok(Exit::Done)
    }
}
