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

/// The object for a command line that could not be read, by the message of whatever read it.
pub(crate) fn misused(message: &str) -> Result<(), Failure> {
    let line = message.lines().next().unwrap_or_default();
    output::json(&Failed {
        verdict: Verdict::None,
        code: "usage",
        message: line.strip_prefix("error: ").unwrap_or(line),
    })
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
    fn a_failure_without_json_stays_one() {
        let outcome = || Err(Failure::usage("a flag is missing"));
        assert!(end(false, Verdict::Valid, outcome()).is_err());
        assert_eq!(end(true, Verdict::Valid, outcome()).ok(), Some(Exit::Usage));
    }
}
