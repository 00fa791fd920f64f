//! `countersign lint`: what a token should not say, or should.
//!
//! It reads a token and verifies nothing: it is for whoever issues tokens, to look at their own.

mod claims;
mod header;
mod names;
mod times;

use clap::Args;
use countersign::{Timestamp, dangerous};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::answer::{self, Verdict};
use crate::exit::{Exit, Failure};
use crate::time::{now, parse_moment};
use crate::{exact_number, output, token_input};

/// The longest token that fits beside everything else into the headers of common servers, in bytes.
const COMFORTABLE_BYTES: usize = 4096;

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

/// Something to mend, by a stable code.
#[derive(Debug, Serialize, PartialEq, Eq)]
struct Finding {
    code: &'static str,
    /// The member of the header or the claim, a dot between the names of nested ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<String>,
    message: String,
}

impl Finding {
    fn of(code: &'static str, member: &str, message: impl Into<String>) -> Self {
        Self {
            code,
            member: Some(member.to_owned()),
            message: message.into(),
        }
    }
}

impl Lint {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        answer::end(self.json, Verdict::Verified, self.outcome())
    }

    fn outcome(&self) -> Result<Exit, Failure> {
        let token = token_input::read(self.token.as_deref(), false)?;
        let decoded = dangerous::decode_unverified(&token)?;
        let findings = findings(
            &token,
            &decoded.header.to_value(),
            &decoded.claims,
            self.at.unwrap_or_else(now),
        );
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

fn findings(token: &str, header: &Value, claims: &Value, now: Timestamp) -> Vec<Finding> {
    let empty = Map::new();
    let header = header.as_object().unwrap_or(&empty);
    let claims = claims.as_object().unwrap_or(&empty);
    let mut findings = header::findings(header);
    findings.extend(names::findings(header, "header."));
    findings.extend(names::findings(claims, ""));
    findings.extend(claims::findings(claims, &header::kind(header)));
    findings.extend(times::findings(claims, now));
    if let Some(message) = exact_number::warning(token) {
        findings.push(Finding {
            code: "number_rounded",
            member: None,
            message,
        });
    }
    if token.len() > COMFORTABLE_BYTES {
        findings.push(Finding {
            code: "large",
            member: None,
            message: format!(
                "the token has {} bytes: with more than {COMFORTABLE_BYTES}, servers refuse the headers it stands in",
                token.len()
            ),
        });
    }
    findings
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
