//! A verification that explains itself: every step, what it found, what it expected, the rule and the remedy.

mod describe;

use std::fmt;

use serde::Serialize;

use super::policy::Policy;
use super::verify::{CHECKS, Evidence};
use crate::error::Error;
use crate::jwk::{JwkSet, VerifyingKey};
use crate::jws::Unverified;
use crate::time::Timestamp;

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Outcome {
    /// The rule holds.
    Passed,
    /// The rule is broken: the token is refused.
    Failed,
    /// The rule could not be looked at, because an earlier step left nothing to look at.
    Skipped,
}

/// One step of a verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Step {
    /// Its place, from 1.
    pub number: usize,
    /// Its stable name: `syntax`, `header`, `key`, `algorithm`, `signature`, `typ`, `claims`, `iss`, …
    pub name: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// One clause for people. It may quote the token, escaped and cut short.
    pub summary: String,
    /// What the token holds, escaped and cut short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// What the policy or the key asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// Where the rule stands.
    pub rfc: &'static str,
    /// The code of the error, where the step failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// What to do about it, where the step failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// What a verification saw, step by step.
///
/// The steps are those of [`Verifier::verify`](crate::Verifier::verify), run by the same list; the first that failed is
/// the error that `verify` returns. `Display` writes the ladder that the command prints.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Whether every step passed.
    pub valid: bool,
    /// The steps, in order.
    pub steps: Vec<Step>,
    #[serde(skip)]
    error: Option<Error>,
}

impl Report {
    pub(crate) fn of(token: &str, keys: &JwkSet, policy: &Policy, now: Timestamp) -> Self {
        let mut report = Self {
            valid: false,
            steps: Vec::new(),
            error: None,
        };
        match Unverified::parse(token) {
            Ok(parsed) => report.parsed(token, &parsed, keys, policy, now),
            Err(error) => {
                report.failed(describe::syntax_failed(&error), error);
                report.push_skipped(describe::header_skipped());
                report.push_skipped(describe::key_skipped());
                report.skip_checks();
            }
        }
        report.valid = report.error.is_none();
        report
    }

    fn parsed(
        &mut self,
        token: &str,
        parsed: &Unverified<'_>,
        keys: &JwkSet,
        policy: &Policy,
        now: Timestamp,
    ) {
        self.push(describe::syntax_passed(token));
        self.push(describe::header_passed(parsed.header()));
        match keys.find(parsed.header()) {
            Ok(key) => {
                self.push(describe::key_found(key, keys));
                self.checks(parsed, key, policy, now);
            }
            Err(error) => {
                self.failed(describe::key_failed(&error, parsed.header(), keys), error);
                self.skip_checks();
            }
        }
    }

    fn checks(
        &mut self,
        parsed: &Unverified<'_>,
        key: &VerifyingKey,
        policy: &Policy,
        now: Timestamp,
    ) {
        let evidence = Evidence::new(parsed, key, policy, now);
        let unreadable = evidence.payload().err();
        for check in &CHECKS {
            match (check.run)(&evidence) {
                Ok(()) => self.push_if_asked(describe::passed(check.name, &evidence)),
                // A payload that cannot be read fails the step that reads it; the steps after it have nothing to look at.
                Err(error)
                    if unreadable.as_ref() == Some(&error)
                        && !describe::reads_payload(check.name) =>
                {
                    self.push_skipped(describe::skipped(check.name));
                }
                Err(error) => self.failed(describe::failed(check.name, &evidence, &error), error),
            }
        }
    }

    fn skip_checks(&mut self) {
        for check in &CHECKS {
            self.push_skipped(describe::skipped(check.name));
        }
    }

    fn push(&mut self, step: Step) {
        let number = self.steps.len().saturating_add(1);
        self.steps.push(Step { number, ..step });
    }

    fn push_if_asked(&mut self, step: Option<Step>) {
        if let Some(step) = step {
            self.push(step);
        }
    }

    fn push_skipped(&mut self, step: Step) {
        self.push(Step {
            outcome: Outcome::Skipped,
            ..step
        });
    }

    fn failed(&mut self, step: Step, error: Error) {
        self.push(Step {
            outcome: Outcome::Failed,
            code: Some(error.code()),
            ..step
        });
        self.error.get_or_insert(error);
    }

    /// The error that `verify` returns: that of the first step that failed.
    #[must_use]
    pub const fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// How many steps failed.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.steps
            .iter()
            .filter(|step| step.outcome == Outcome::Failed)
            .count()
    }
}

/// The width of the summaries, so that the rules stand in a column of their own.
const SUMMARY_WIDTH: usize = 76;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in self
            .steps
            .iter()
            .filter(|step| step.outcome != Outcome::Skipped)
        {
            let mark = if step.outcome == Outcome::Passed {
                '✓'
            } else {
                '✗'
            };
            writeln!(
                f,
                "{:2} {mark} {:SUMMARY_WIDTH$} {}",
                step.number, step.summary, step.rfc
            )?;
            if let Some(fix) = &step.fix {
                writeln!(f, "     {fix}")?;
            }
        }
        let skipped = self
            .steps
            .iter()
            .filter(|step| step.outcome == Outcome::Skipped)
            .count();
        if skipped > 0 {
            writeln!(f, "     {skipped} steps could not be looked at")?;
        }
        match (&self.error, self.failures().saturating_sub(1)) {
            (None, _) => f.write_str("valid"),
            (Some(error), 0) => write!(f, "refused: {}", error.code()),
            (Some(error), more) => write!(f, "refused: {} (and {more} more)", error.code()),
        }
    }
}
