//! The claims to sign: one JSON object, as strict as that of a token: no member stands twice, at any depth, and no number
//! becomes another one.

use std::io::{self, IsTerminal as _};

use anyhow::Context;
use countersign::parse_strict;
use serde_json::{Map, Value};

use crate::exit::{Exit, Failure};
use crate::{exact_number, input};

/// Reads CLAIMS.json, or standard input for `-`. Without an argument, what a pipe brings counts too: claims that were
/// piped in are not lost; nothing at all is an empty object.
pub(crate) fn read(
    argument: Option<&str>,
    key_is_stdin: bool,
) -> Result<Map<String, Value>, Failure> {
    match argument {
        None if key_is_stdin || io::stdin().is_terminal() => Ok(Map::new()),
        None => match input::stdin()?.trim_ascii() {
            [] => Ok(Map::new()),
            piped => parse(piped),
        },
        Some("-") if key_is_stdin => Err(Failure::usage(
            "only one of the key and the claims can be read from standard input: give the other as a file",
        )),
        Some("-") => parse(&input::stdin()?),
        Some(path) => parse(&input::file(path.as_ref())?),
    }
}

fn parse(bytes: &[u8]) -> Result<Map<String, Value>, Failure> {
    let value = parse_strict(bytes)
        .context("the claims are not one JSON object")
        .map_err(|error| Failure::new(Exit::Usage, error))?;
    let kind = match value {
        Value::Object(claims) => {
            exact_number::check(&input::text(bytes, "the file of claims")?).map_err(|problem| {
                Failure::usage(format!("the claims cannot be signed: {problem}"))
            })?;
            return Ok(claims);
        }
        Value::Array(_) => "a list",
        Value::String(_) => "a text",
        Value::Number(_) => "a number",
        Value::Bool(_) => "true or false",
        Value::Null => "null",
    };
    Err(Failure::usage(format!(
        "the claims are {kind}; a JWT needs an object"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_an_object() {
        assert_eq!(parse(br#"{"sub":"ada","n":1}"#).unwrap().len(), 2);
    }

    #[test]
    fn rejects_duplicate_members_and_what_is_no_object() {
        for text in [
            r#"{"sub":"ada","sub":"eve"}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            "[]",
            "1",
            "",
            "{} {}",
        ] {
            assert_eq!(
                parse(text.as_bytes()).unwrap_err().exit(),
                Exit::Usage,
                "{text}"
            );
        }
    }

    #[test]
    fn rejects_a_number_that_would_be_signed_as_another_one() {
        for (text, place) in [
            (
                r#"{"n":123456789012345678901234567890}"#,
                "line 1, column 6",
            ),
            (
                "{\"a\":[\n{\"b\":0.1234567890123456789}]}",
                "line 2, column 6",
            ),
        ] {
            let failure = parse(text.as_bytes()).unwrap_err();
            assert_eq!(failure.exit(), Exit::Usage);
            assert!(failure.to_string().contains(place), "{failure}");
        }
    }

    #[test]
    fn what_is_no_object_is_called_by_the_name_of_json() {
        for (text, kind) in [
            ("[]", "a list"),
            ("\"a\"", "a text"),
            ("1", "a number"),
            ("null", "null"),
        ] {
            assert_eq!(
                parse(text.as_bytes()).unwrap_err().to_string(),
                format!("the claims are {kind}; a JWT needs an object")
            );
        }
    }
}
