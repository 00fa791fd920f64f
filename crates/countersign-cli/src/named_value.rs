//! `NAME=TEXT` and `NAME=JSON` on the command line.

use countersign::{SigningHeader, parse_strict};
use serde_json::Value;

use crate::exact_number;
use crate::exit::Failure;

/// A name and text.
pub(crate) fn parse_text(text: &str) -> Result<(String, Value), String> {
    let (name, value) = split(text, "NAME=TEXT")?;
    Ok((name, value.into()))
}

/// A member of a header, in words for the command line where it is not the caller's to set.
pub(crate) fn header_member(
    header: SigningHeader,
    (name, value): &(String, Value),
) -> Result<SigningHeader, Failure> {
    header.param(name, value.clone()).map_err(|error| {
        let whose = match name.as_str() {
            "alg" => "the key says it, or --alg",
            "kid" => "the key says it, or --kid",
            "typ" => "--typ sets it",
            "b64" | "crit" => "--unencoded of `jws sign` sets it",
            _ => "no verifier should take a key or a rule from a header",
        };
        let code = error.code();
        Failure::usage(format!("--header does not set `{name}`: {whose}")).with_code(code)
    })
}

/// A claim that is text: not one of the times, which are numbers (RFC 7519 §4.1.4 to §4.1.6).
pub(crate) fn parse_text_claim(text: &str) -> Result<(String, Value), String> {
    let (name, value) = parse_text(text)?;
    let flag = match name.as_str() {
        "exp" => ", or --expires-in DURATION",
        "nbf" => ", or --not-before TIME",
        "iat" => "",
        _ => return Ok((name, value)),
    };
    Err(format!(
        "{name} is a number, of seconds since 1970: give it with --claim-json {name}=SECONDS{flag}"
    ))
}

/// A name and any JSON value, as strict as a file of claims.
pub(crate) fn parse_json(text: &str) -> Result<(String, Value), String> {
    let (name, value) = split(text, "NAME=JSON")?;
    let json = parse_strict(value.as_bytes()).map_err(|error| {
        format!("{error}; the value has to be JSON: text goes with --claim, or in quotation marks")
    })?;
    exact_number::check(value)?;
    Ok((name, json))
}

fn split<'t>(text: &'t str, expected: &str) -> Result<(String, &'t str), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value)),
        _ => Err(format!("expected {expected}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_equals_sign_ends_the_name() {
        assert_eq!(parse_text("a=b=c"), Ok(("a".to_owned(), "b=c".into())));
        assert_eq!(parse_json("a=[1]"), Ok(("a".to_owned(), vec![1].into())));
    }

    #[test]
    fn rejects_times_as_text_claims_and_names_the_flag_that_takes_them() {
        for (text, flag) in [
            ("exp=soon", "--expires-in"),
            ("nbf=1795359600", "--not-before"),
            ("iat=x", "--claim-json iat="),
        ] {
            assert!(parse_text_claim(text).unwrap_err().contains(flag), "{text}");
        }
        assert!(parse_text_claim("exp").is_err());
        assert!(parse_text_claim("expires=soon").is_ok());
    }

    #[test]
    fn rejects_what_has_no_name_or_no_value() {
        for text in ["", "a", "=b"] {
            assert!(parse_text(text).is_err(), "{text:?}");
        }
        assert!(parse_json("a=b").is_err());
    }

    #[test]
    fn rejects_members_that_stand_twice_and_numbers_that_would_be_signed_as_others() {
        for (text, problem) in [
            (r#"a={"b":1,"b":2}"#, "twice"),
            ("a=18446744073709551616", "column 1"),
            ("a=[0.1234567890123456789]", "column 2"),
        ] {
            assert!(parse_json(text).unwrap_err().contains(problem), "{text}");
        }
        assert!(parse_json("a=18446744073709551615").is_ok());
    }
}
