//! `countersign lint`: what a token should not say, or should.
//!
//! It reads a token and verifies nothing: it is for whoever issues tokens, to look at their own.

use clap::Args;
use countersign::Timestamp;
use countersign_server::lint::{self, Finding};
use serde::Serialize;

use crate::answer::{self, Verdict};
use crate::exit::{Exit, Failure};
use crate::time::{now, parse_moment};
use crate::{exact_number, output, token_input};

/// The flags of `lint`.
#[derive(Debug, Args)]
pub(crate) struct Lint {
    /// One JSON object.
    #[arg(long)]
    json: bool,
    /// The time from which a token without iat and nbf counts: RFC 3339 or epoch seconds [default: now].
    #[arg(long, value_name = "TIME", value_parser = parse_moment, allow_hyphen_values = true)]
    at: Option<Timestamp>,
    /// The token; `-` or nothing reads it from standard input.
    token: Option<String>,
}

impl Lint {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        answer::end(self.json, Verdict::Verified, self.outcome())
    }

    fn outcome(&self) -> Result<Exit, Failure> {
        let token = token_input::read(self.token.as_deref(), false)?;
        let mut findings = lint::findings(&token, self.at.unwrap_or_else(now))?;
        if let Some(message) = exact_number::warning(&token) {
            findings.push(Finding::new("number_rounded", message));
        }
        let clean = findings.is_empty();
        if self.json {
            output::json(&Linted {
                verified: false,
                findings,
            })?;
        } else {
            for finding in &findings {
                output::line(&line(finding))?;
            }
            if clean {
                output::note("nothing to mend; nothing is verified");
            }
        }
        Ok(if clean { Exit::Done } else { Exit::Refused })
    }
}

fn line(finding: &Finding) -> String {
    match &finding.member {
        Some(member) => format!(
            "{}: {} {}",
            finding.code,
            output::plain(member),
            finding.message
        ),
        None => format!("{}: {}", finding.code, finding.message),
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Linted {
    verified: bool,
    findings: Vec<Finding>,
}
