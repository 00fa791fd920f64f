//! The verdict in one word and one sentence: what the page says loudest.

use countersign::{Error, Malformed, Outcome, Part, Report, Step};
use serde::Serialize;

use super::fault::Fault;
use super::key::KeyProblem;
use super::signature_holds;
use crate::pasted::Other;

/// What became of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Valid,
    /// Nobody can say: there is no key to verify with.
    Unverified,
    Forged,
    Expired,
    NotYet,
    /// Genuine, and ended before its time by who issued it.
    TakenBack,
    /// Genuine, as far as can be seen, and not to be taken here.
    Refused,
    Broken,
    Encrypted,
}

/// The one word, and a sentence.
#[derive(Serialize)]
pub(crate) struct Verdict {
    pub(super) kind: Kind,
    pub(crate) title: &'static str,
    pub(crate) text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<&'static str>,
}

impl Verdict {
    /// What the style knows it by.
    pub(crate) const fn class(&self) -> &'static str {
        match self.kind {
            Kind::Valid => "is-valid",
            Kind::Unverified => "is-unverified",
            Kind::Forged => "is-forged",
            Kind::Expired => "is-expired",
            Kind::NotYet => "is-not-yet",
            Kind::TakenBack => "is-taken-back",
            Kind::Refused => "is-refused",
            Kind::Broken => "is-broken",
            Kind::Encrypted => "is-encrypted",
        }
    }

    pub(super) fn of(
        report: &Report,
        has_key: bool,
        names_status: bool,
        problem: Option<&KeyProblem>,
    ) -> Self {
        let Some(error) = report.error() else {
            let status =
                "Its status list was not looked at: whether it was taken back is not known.";
            return Self::valid(report, if names_status { status } else { "" });
        };
        let (kind, title) = word(error, has_key);
        if kind == Kind::Unverified {
            return Self::without_key(report, problem);
        }
        let summary = first_failed(report, |_| true).map_or("", |step| &step.summary);
        let text = match lacks_exp(error) {
            // Claims are looked at behind the signature, which has held then.
            true => format!("The signature holds, but {summary}. {ENDLESS}"),
            false => sentence(summary),
        };
        Self {
            kind,
            title,
            text,
            code: Some(error.code()),
        }
    }

    /// What was looked at and what was not, in the words of the engine, and a sentence on what it cannot know.
    pub(super) fn valid(report: &Report, more: &str) -> Self {
        let text = sentence(&report.conclusion().unwrap_or_default());
        Self {
            kind: Kind::Valid,
            title: "Valid",
            text: format!("{text} {more}").trim_end().to_owned(),
            code: None,
        }
    }

    /// With one more sentence.
    pub(super) fn and(mut self, sentence: Option<&str>) -> Self {
        if let Some(sentence) = sentence {
            self.text.push(' ');
            self.text.push_str(sentence);
        }
        self
    }

    /// With the place where the syntax breaks. It belongs to the sentence of its own error and to no other: a verdict about
    /// something else gets that one too.
    pub(super) fn with_fault(self, fault: Option<&(Fault, Error)>) -> Self {
        let Some((fault, error)) = fault else {
            return self;
        };
        let place = fault.words();
        if self.kind == Kind::Broken {
            return self.and(Some(&place));
        }
        self.and(Some(&format!("{} {place}", sentence(&error.to_string()))))
    }

    /// A payload that is another token is no broken one, where the header says that it is one (RFC 7519 §5.2).
    pub(super) fn of_nested(self, report: &Report) -> Self {
        let about_signature = match signature_holds(report) {
            true => "The signature around it holds.",
            false => "Whether the signature around it holds, a key tells.",
        };
        Self {
            kind: Kind::Unverified,
            title: "Nested",
            text: format!(
                "Nothing is broken: the payload is another token, as `cty` says, and that one has the claims. Take it apart by itself. {about_signature}"
            ),
            ..self
        }
    }

    /// Whether nothing is wrong but that the payload is no claims set.
    pub(super) fn is_about_the_payload(&self, error: &Error) -> bool {
        let payload = Malformed::Json {
            part: Part::Payload,
            line: 1,
            column: 1,
        };
        self.kind == Kind::Broken && *error == Error::Malformed(payload)
    }

    pub(super) fn taken_back(text: &str, code: &'static str) -> Self {
        Self {
            kind: Kind::TakenBack,
            title: "Taken back",
            text: text.to_owned(),
            code: Some(code),
        }
    }

    /// What the token says of itself may settle it before there is a key.
    fn without_key(report: &Report, problem: Option<&KeyProblem>) -> Self {
        let step = first_failed(report, |step| step.name != "key");
        let code = step.and_then(|step| step.code);
        let (kind, title) = match code {
            Some(code) if code.starts_with("malformed") => (Kind::Broken, "Broken"),
            Some("token_expired" | "token_too_old") => (Kind::Expired, "Expired, and not verified"),
            Some("token_not_yet_valid" | "issued_in_future") => {
                (Kind::NotYet, "Not yet valid, and not verified")
            }
            _ => (Kind::Unverified, "Not verified"),
        };
        let why = match problem {
            Some(problem) => format!("The key cannot be used: {}.", problem.message),
            None => "There is no key yet: anybody can have written this. Give the secret or the public key below, and its signature is checked.".to_owned(),
        };
        Self {
            kind,
            title,
            text: match (kind, step) {
                // What nobody can read is not worth a key, and where it breaks comes next.
                (Kind::Broken, Some(step)) => sentence(&step.summary),
                (_, Some(step)) => format!("{} {why}", sentence(&step.summary)),
                (_, None) => why,
            },
            code: report.error().map(Error::code),
        }
    }

    /// Five parts alone make no encrypted token: its header names how (RFC 7516 §4.1.2).
    pub(super) fn of_parts(self, names_enc: bool) -> Self {
        if self.kind != Kind::Encrypted || names_enc {
            return self;
        }
        Self {
            kind: Kind::Broken,
            title: "Broken",
            text: "It has five parts, as an encrypted token does, and no header that says so in `enc`: a signed token has three.".to_owned(),
            ..self
        }
    }

    /// What is no token.
    pub(super) fn of_other(other: &Other) -> Self {
        Self {
            kind: if other.is_secret {
                Kind::Refused
            } else {
                Kind::Unverified
            },
            title: other.title,
            text: other.text.to_owned(),
            code: Some(other.code),
        }
    }

    /// A policy that contradicts itself verifies nothing.
    pub(super) fn of_policy(problem: &Error) -> Self {
        Self {
            kind: Kind::Unverified,
            title: "Not verified",
            text: sentence(&problem.to_string()),
            code: Some(problem.code()),
        }
    }
}

/// What people see who try the token of an example.
const ENDLESS: &str = "It would be good for ever, to whoever finds it, and is refused unless that is wanted: to have it taken, tick “A token without exp, too” under “What is expected”.";

fn lacks_exp(error: &Error) -> bool {
    matches!(error, Error::ClaimMissing { claim } if *claim == "exp")
}

/// The word for an error.
fn word(error: &Error, has_key: bool) -> (Kind, &'static str) {
    match error {
        Error::Malformed(Malformed::Encrypted) => (Kind::Encrypted, "Encrypted"),
        Error::Malformed(_) => (Kind::Broken, "Broken"),
        Error::Unsecured => (Kind::Forged, "Not signed"),
        Error::AlgorithmMismatch { .. } | Error::AlgorithmUnknown | Error::SignatureInvalid => {
            (Kind::Forged, "Forged, or another key")
        }
        Error::KeyNotFound | Error::KeyAmbiguous { .. } if !has_key => {
            (Kind::Unverified, "Not verified")
        }
        Error::KeyNotFound | Error::KeyAmbiguous { .. } => (Kind::Refused, "No key fits"),
        Error::Expired { .. } | Error::TooOld { .. } => (Kind::Expired, "Expired"),
        Error::NotYetValid { .. } | Error::IssuedInFuture { .. } => (Kind::NotYet, "Not yet valid"),
        _ => (Kind::Refused, "Refused"),
    }
}

fn first_failed(report: &Report, is_asked: impl Fn(&Step) -> bool) -> Option<&Step> {
    let mut failed = report
        .steps
        .iter()
        .filter(|step| step.outcome == Outcome::Failed);
    failed.find(|step| is_asked(step))
}

/// A clause of the engine as a sentence.
fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    match letters.next() {
        // A claim's name is spelled as it is.
        Some(first) if !clause.starts_with(['`', '"']) && is_word(clause) => {
            format!("{}{}.", first.to_uppercase(), letters.as_str())
        }
        _ => format!("{clause}."),
    }
}

/// Whether a clause begins with a word of the language, and not with the name of a claim or a header member.
fn is_word(clause: &str) -> bool {
    let first = clause.split(' ').next().unwrap_or_default();
    ![
        "alg", "kid", "typ", "iss", "aud", "sub", "exp", "nbf", "iat", "azp", "cnf", "crit", "jwk",
    ]
    .contains(&first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_becomes_a_sentence_and_names_stay_as_they_are_spelled() {
        for (clause, expected) in [
            (
                "the signature does not hold",
                "The signature does not hold.",
            ),
            ("exp passed 2 s ago", "exp passed 2 s ago."),
            ("`crit` is empty", "`crit` is empty."),
        ] {
            assert_eq!(sentence(clause), expected);
        }
    }
}
