//! The log: `tracing` events on standard error, filtered by COUNTERSIGN_LOG or RUST_LOG.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::exit::Failure;

const DEFAULT_FILTER: &str = "info,sqlx=warn";

/// Starts the log; from here on events are written.
pub(super) fn start() -> Result<(), Failure> {
    let (name, text) = ["COUNTERSIGN_LOG", "RUST_LOG"]
        .into_iter()
        .find_map(|name| {
            Some((
                name,
                std::env::var(name).ok().filter(|text| !text.is_empty())?,
            ))
        })
        .unwrap_or(("", DEFAULT_FILTER.to_owned()));
    let filter = EnvFilter::try_new(text).map_err(|error| {
        Failure::usage(format!(
            "{name} is no log filter ({error}): write for example info, or countersign_server=debug"
        ))
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && !no_color())
        .init();
    Ok(())
}

fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
