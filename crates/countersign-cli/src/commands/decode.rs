//! `countersign decode`: what a token says. It proves nothing, and says so.

use clap::Args;
use countersign::dangerous;
use serde::Serialize;
use serde_json::Value;

use crate::answer::{self, Verdict};
use crate::exit::{Exit, Failure};
use crate::{exact_number, output, token_input};

/// The flags of `decode`.
#[derive(Debug, Args)]
pub(crate) struct Decode {
    /// One JSON object with the header and the claims, all of it on standard output.
    #[arg(long)]
    json: bool,
    /// The token; `-` or nothing reads it from standard input.
    token: Option<String>,
}

impl Decode {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        answer::end(self.json, Verdict::Verified, self.outcome())
    }

    fn outcome(&self) -> Result<Exit, Failure> {
        let token = token_input::read(self.token.as_deref(), false)?;
        let decoded = dangerous::decode_unverified(&token)?;
        output::warning("NOT VERIFIED: anybody can write this; `countersign verify` checks it");
        if let Some(rounded) = exact_number::warning(&token) {
            output::warning(&rounded);
        }
        if self.json {
            output::json(&Decoded {
                verified: false,
                header: decoded.header.to_value(),
                claims: decoded.claims,
            })?;
        } else {
            output::note(&format!(
                "header: {}",
                output::inert(&decoded.header.to_value().to_string())
            ));
            output::pretty_json(&decoded.claims)?;
        }
        Ok(Exit::Done)
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Decoded {
    verified: bool,
    header: Value,
    claims: Value,
}
