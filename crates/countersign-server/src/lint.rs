//! What a token should not say, or should: secrets and personal data in it, a life that is too long, missing claims.
//!
//! It reads a token and verifies nothing: it is for whoever issues tokens, to look at their own.

mod claims;
mod header;
mod names;
mod times;

use countersign::{Error, Timestamp, dangerous};
use serde::Serialize;
use serde_json::Map;

/// The longest token that fits beside everything else into the headers of common servers, in bytes.
const COMFORTABLE_BYTES: usize = 4096;

/// Something to mend, by a stable code.
#[derive(Debug, Serialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Its stable name.
    pub code: &'static str,
    /// The member of the header or the claim, a dot between the names of nested ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// What there is to say; after the member's name, where there is one.
    pub message: String,
}

impl Finding {
    /// One that is about no member.
    #[must_use]
    pub fn new(code: &'static str, message: String) -> Self {
        Self {
            code,
            member: None,
            message,
        }
    }

    fn of(code: &'static str, member: &str, message: impl Into<String>) -> Self {
        Self {
            code,
            member: Some(member.to_owned()),
            message: message.into(),
        }
    }
}

/// What there is to mend about a token, which counts from `now` where it has no `iat` and no `nbf`.
///
/// # Errors
/// Those of [`decode_unverified`](dangerous::decode_unverified).
pub fn findings(token: &str, now: Timestamp) -> Result<Vec<Finding>, Error> {
    let decoded = dangerous::decode_unverified(token)?;
    let (empty, header) = (Map::new(), decoded.header.to_value());
    let header = header.as_object().unwrap_or(&empty);
    let claims = decoded.claims.as_object().unwrap_or(&empty);
    let mut findings = header::findings(header);
    findings.extend(names::findings(header, "header."));
    findings.extend(names::findings(claims, ""));
    findings.extend(claims::findings(claims, &header::kind(header)));
    findings.extend(times::findings(claims, now));
    if token.len() > COMFORTABLE_BYTES {
        let message = format!(
            "the token has {} bytes: with more than {COMFORTABLE_BYTES}, servers refuse the headers it stands in",
            token.len()
        );
        findings.push(Finding::new("large", message));
    }
    Ok(findings)
}
