//! `countersign inspect`: the page that takes tokens apart, on this machine alone and without a database.

use std::fmt::Write as _;
use std::net::SocketAddr;

use clap::Args;
use countersign_server::start_inspector;

use super::data_folder::runtime;
use super::serve::signals;
use crate::exit::{Exit, Failure};
use crate::{output, token_input};

/// The flags of `inspect`.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// The address of this machine to listen on; port 0 lets the system choose.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The token to begin with; `-` reads it from standard input.
    token: Option<String>,
}

impl Inspect {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let token = match &self.token {
            Some(token) => Some(token_input::read(Some(token), false)?),
            None => None,
        };
        runtime()?.block_on(inspect(self.listen, token.as_deref().map(String::as_str)))
    }
}

async fn inspect(listen: SocketAddr, token: Option<&str>) -> Result<Exit, Failure> {
    let stop = signals::stop().map_err(|error| {
        Failure::new(
            Exit::Server,
            anyhow::Error::new(error).context("cannot listen for signals"),
        )
    })?;
    let inspector = start_inspector(listen).await?;
    // Behind the `#`, a browser keeps it to itself.
    let fragment = token.map(|token| format!("#token={}", escaped(token)));
    output::line(&format!(
        "{}{}",
        inspector.url(),
        fragment.unwrap_or_default()
    ))?;
    output::note(
        "open it in a browser on this machine; nothing is stored or sent on; stop with Ctrl-C",
    );
    inspector.run(stop).await?;
    Ok(Exit::Done)
}

/// What is no part of a token is written as a URL needs it (RFC 3986 §2.1).
fn escaped(token: &str) -> String {
    let mut text = String::new();
    for byte in token.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_stays_as_it_is_and_everything_else_is_escaped() {
        assert_eq!(escaped("eyJ.a-b_c.~"), "eyJ.a-b_c.~");
        assert_eq!(escaped("a b#é"), "a%20b%23%C3%A9");
    }
}
