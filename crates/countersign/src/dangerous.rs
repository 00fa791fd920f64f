//! What is sometimes needed and must never decide anything.

use serde_json::Value;

use crate::error::{Error, Part};
use crate::json;
use crate::jws::{Header, Unverified};

/// A token of which nothing is verified: anybody can have written it.
#[derive(Clone, Debug)]
pub struct UnverifiedToken {
    /// The header.
    pub header: Header,
    /// The payload's JSON object.
    pub claims: Value,
}

/// Reads a token without verifying it, for tools that show tokens to people.
///
/// # Errors
/// [`Error::Malformed`], [`Error::Critical`] and [`Error::UnencodedPayload`], as in [`Unverified::parse`].
pub fn decode_unverified(token: &str) -> Result<UnverifiedToken, Error> {
    let parsed = Unverified::parse(token)?;
    let claims = Value::Object(json::parse_object(parsed.payload(), Part::Payload)?);
    Ok(UnverifiedToken {
        header: parsed.into_header(),
        claims,
    })
}
