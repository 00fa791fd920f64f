//! `--json`: exactly one object on standard output, however the command ends.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::exit::{Exit, Failure};
use crate::output;

/// Which member of the object says how it went: false where the command fails.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict {
    /// `valid`, of a token or a JWS.
    Valid,
    /// `usable`, of a key or a set of keys.
    Usable,
    /// `verified`, where a command never verifies.
    Verified,
    /// The command gives no verdict.
    None,
}

impl Verdict {
    /// The verdict of the command that these arguments begin with.
    fn of(arguments: &[String]) -> Self {
        let mut words = arguments.iter().filter(|word| !word.starts_with('-'));
        let mut word = || words.next().map_or("", String::as_str);
        match (word(), word()) {
            ("verify", _) | ("jws", "verify") => Self::Valid,
            ("decode" | "lint", _) => Self::Verified,
            ("key", "inspect" | "check") | ("jwks", "check") => Self::Usable,
            _ => Self::None,
        }
    }

    const fn member(self) -> Option<&'static str> {
        match self {
            Self::Valid => Some("valid"),
            Self::Usable => Some("usable"),
            Self::Verified => Some("verified"),
            Self::None => None,
        }
    }
}

/// Ends a command: with `--json`, a failure is an object on standard output instead of a line on standard error.
pub(crate) fn end(
    json: bool,
    verdict: Verdict,
    outcome: Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    match outcome {
        Err(failure) if json => {
            output::json(&Failed {
                verdict,
                code: failure.code(),
                message: &failure.to_string(),
            })?;
            Ok(failure.exit())
        }
        outcome => outcome,
    }
}

/// The longest argument that is said again where it is not understood, in bytes; no token is as short, nor a good secret.
const SAID_AGAIN: usize = 30;

/// A message about these arguments without those that may be a token, a secret or a key, each with the value behind `=`.
pub(crate) fn without_tokens(message: String, arguments: &[String]) -> String {
    let values = arguments.iter().filter_map(|word| word.split_once('='));
    let words = arguments.iter().map(String::as_str);
    let long = words.chain(values.map(|(_, value)| value));
    long.filter(|word| word.len() > SAID_AGAIN)
        .fold(message, |message, word| {
            message.replace(word, "(not shown: it may be a token)")
        })
}

/// The object for a command line, without the name of the program, that could not be read, by the message of whatever read
/// it.
pub(crate) fn misused(arguments: &[String], message: &str) -> Result<(), Failure> {
    output::json(&Failed {
        verdict: Verdict::of(arguments),
        code: "usage",
        message: &on_one_line(message),
    })
}

/// What is wrong on one line, without the help that follows it.
fn on_one_line(message: &str) -> String {
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let mut line = String::new();
    for part in message.lines().map(str::trim) {
        if part.starts_with("Usage:") || part.starts_with("For more information") {
            break;
        }
        if part.is_empty() {
            continue;
        }
        let between = match line.chars().last() {
            None => "",
            Some(':') => " ",
            Some(_) if part.starts_with('[') => " ",
            Some(_) => ", ",
        };
        line = format!("{line}{between}{part}");
    }
    line
}

struct Failed<'a> {
    verdict: Verdict,
    code: &'static str,
    message: &'a str,
}

impl Serialize for Failed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        if let Some(member) = self.verdict.member() {
            members.serialize_entry(member, &false)?;
        }
        members.serialize_entry("code", self.code)?;
        members.serialize_entry("message", self.message)?;
        members.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_comes_first_and_is_never_true() {
        let failed = |verdict| {
            let failed = Failed {
                verdict,
                code: "io",
                message: "cannot read x",
            };
            serde_json::to_string(&failed).unwrap()
        };
        assert_eq!(
            failed(Verdict::Valid),
            r#"{"valid":false,"code":"io","message":"cannot read x"}"#
        );
        assert_eq!(
            failed(Verdict::None),
            r#"{"code":"io","message":"cannot read x"}"#
        );
        assert!(failed(Verdict::Usable).starts_with(r#"{"usable":false,"#));
        assert!(failed(Verdict::Verified).starts_with(r#"{"verified":false,"#));
    }

    #[test]
    fn a_message_of_several_lines_becomes_one_that_leaves_nothing_out() {
        for (message, line) in [
            (
                "error: these were not provided:\n  --key <SPEC>\n  <FILE>\n\nUsage: x\n\nFor more information, try",
                "these were not provided: --key <SPEC>, <FILE>",
            ),
            (
                "error: invalid value 'x' for '<SHELL>'\n  [possible values: bash]\n\nFor more information, try",
                "invalid value 'x' for '<SHELL>' [possible values: bash]",
            ),
            (
                "error: unexpected argument '--x' found\n\n  tip: there is '--y'\n\nUsage: x",
                "unexpected argument '--x' found, tip: there is '--y'",
            ),
        ] {
            assert_eq!(on_one_line(message), line);
        }
    }

    #[test]
    fn what_may_be_a_token_is_not_said_again_and_what_is_short_is() {
        let token = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLCJleHAiOjEzMDA4MTkzODB9.c2ln";
        let arguments = [
            token.to_owned(),
            format!("--at={token}"),
            "verfy".to_owned(),
        ];
        let message = format!("'{token}' for '--at={token}', no command 'verfy'");
        let hidden = "(not shown: it may be a token)";
        assert_eq!(
            without_tokens(message, &arguments),
            format!("'{hidden}' for '--at={hidden}', no command 'verfy'")
        );
    }

    #[test]
    fn a_failure_without_json_stays_one() {
        let outcome = || Err(Failure::usage("a flag is missing"));
        assert!(end(false, Verdict::Valid, outcome()).is_err());
        assert_eq!(end(true, Verdict::Valid, outcome()).ok(), Some(Exit::Usage));
    }
}
