//! A verification that explains itself: every step, what it found, what it expected, the rule and the remedy.

mod checks;
mod conclusion;
mod further;
mod ladder;
mod opening;
mod rules;
mod words;

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::dpop::{DpopClaims, DpopVerifier};
use super::issuers::Issuers;
use super::policy::Policy;
use super::verifier::Verifier;
use super::verify::{CHECKS, CheckName, Evidence, Tree};
use crate::error::Error;
use crate::json;
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
    /// Whether the signature had held when this step was taken. Where not, anybody can have written what it quotes.
    pub verified: bool,
    /// One clause for people. It may quote the token, escaped and cut short.
    pub summary: String,
    /// What the token holds, escaped and cut short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// What the policy or the key asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// How far the time that the token names lies ahead of now, in seconds; below zero where it has passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_difference_secs: Option<i64>,
    /// The keys that were considered, in the step that finds the key.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<ConsideredKey>,
    /// The rule in words.
    pub rule: &'static str,
    /// Where the rule stands.
    pub rfc: &'static str,
    /// The code of the error, where the step failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// What to do about it, where the step failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The summary without any value of the token, where it has one.
    #[serde(skip)]
    redacted: Option<String>,
    /// Whether it is of a check beyond the list.
    #[serde(skip)]
    further: bool,
}

/// A key of the verifier's that was considered for a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ConsideredKey {
    /// Its `kid`, escaped and cut short; `None` where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// Its algorithm; `None` for a key that is unusable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alg: Option<&'static str>,
    /// Why it was not taken; `None` for the key that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// What a verification saw, step by step.
///
/// The steps are those of [`Verifier::verify`](crate::Verifier::verify), run by the same list; the first that failed is
/// the error that `verify` returns. `Display` writes the ladder that the command prints, a line for each step and more for
/// one that failed; `{:#}` writes of every step what was found, what was expected and the rule. `Debug` shows of the error
/// its code alone, so that a redacted report stays redacted.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Whether every step passed.
    pub valid: bool,
    /// The claims that nothing was asked of: `iss` and `aud`, where the policy takes any value, so that nobody has looked who
    /// issued the token, or for whom; `exp`, where there is none and none has to be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unchecked: Vec<&'static str>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    #[serde(skip)]
    error: Option<Error>,
    #[serde(skip)]
    signature_held: bool,
}

impl Report {
    pub(crate) fn of(token: &str, verifier: &Verifier, now: Timestamp) -> Self {
        let limit = verifier.policy().max_token_bytes;
        Self::write(token, limit, |report, parsed| match parsed {
            Some(parsed) => report.with_keys(parsed, verifier.keys(), verifier.policy(), now),
            None => report.nothing_more(Some(verifier.keys()), Some(verifier.policy())),
        })
    }

    pub(crate) fn of_issuers(token: &str, issuers: &Issuers, now: Timestamp) -> Self {
        Self::write(token, issuers.limit_for(token), |report, parsed| {
            let Some(parsed) = parsed else {
                return report.nothing_more(None, None);
            };
            match issuers.select(parsed) {
                Ok(verifier) => {
                    report.push(opening::issuer_selected(verifier.policy(), issuers));
                    report.with_keys(parsed, verifier.keys(), verifier.policy(), now);
                }
                Err(error) => {
                    report.failed(opening::issuer_failed(&error, parsed, issuers), error);
                    report.nothing_more(None, None);
                }
            }
        })
    }

    pub(crate) fn of_proof(proof: &str, verifier: &DpopVerifier, now: Timestamp) -> Self {
        let policy = verifier.policy();
        Self::write(proof, policy.max_token_bytes, |report, parsed| {
            let Some(parsed) = parsed else {
                return report.nothing_more(None, Some(policy));
            };
            match verifier.embedded_key(parsed.header()) {
                Ok(key) => {
                    report.push(opening::embedded_key(&key));
                    if report.checks(parsed, Some(&key), policy, now) {
                        report.shape::<DpopClaims>(parsed);
                    }
                }
                Err(error) => {
                    report.failed(opening::embedded_key_failed(&error), error);
                    report.skip_checks(Some(policy));
                }
            }
        })
    }

    fn write(
        token: &str,
        limit: usize,
        rest: impl for<'t> FnOnce(&mut Self, Option<&Unverified<'t>>),
    ) -> Self {
        let mut report = Self {
            valid: false,
            unchecked: Vec::new(),
            steps: Vec::new(),
            error: None,
            signature_held: false,
        };
        match Unverified::parse_within(token, limit) {
            Ok(parsed) => {
                report.push(opening::syntax_passed(token, limit));
                report.push(opening::header_passed(parsed.header()));
                rest(&mut report, Some(&parsed));
            }
            Err(error) => {
                report.failed(opening::syntax_failed(token, limit, &error), error);
                report.skipped(opening::header());
                rest(&mut report, None);
            }
        }
        report.valid = report.error.is_none();
        report
    }

    fn with_keys(
        &mut self,
        parsed: &Unverified<'_>,
        keys: &JwkSet,
        policy: &Policy,
        now: Timestamp,
    ) {
        match keys.find(parsed.header()) {
            Ok(key) => {
                self.push(opening::key_found(key, parsed.header(), keys));
                self.checks(parsed, Some(key), policy, now);
            }
            Err(error) => {
                self.failed(opening::key_failed(&error, parsed.header(), keys), error);
                // What the token says of itself is worth a look all the same: it may be of no use with any key.
                self.checks(parsed, None, policy, now);
            }
        }
    }

    /// Whether the payload could be read.
    fn checks(
        &mut self,
        parsed: &Unverified<'_>,
        key: Option<&VerifyingKey>,
        policy: &Policy,
        now: Timestamp,
    ) -> bool {
        let tree = Tree::new();
        let evidence = Evidence::new(parsed.parts(), key, policy, now, &tree);
        let unreadable = evidence.payload().err();
        let is_endless = evidence
            .payload()
            .is_ok_and(|payload| payload.registered.exp().is_none());
        self.unchecked = conclusion::unchecked(policy, is_endless);
        for check in &CHECKS {
            if key.is_none() && check.name.needs_key() {
                self.skip(check.name, Some(policy));
                continue;
            }
            match (check.run)(&evidence) {
                Ok(()) => {
                    self.signature_held |= check.name == CheckName::Signature;
                    if let Some(step) = checks::passed(check.name, &evidence) {
                        self.push(step);
                    }
                }
                // A payload that cannot be read fails the step that reads it; the steps after it have nothing to look at.
                Err(error)
                    if unreadable.as_ref() == Some(&error) && check.name != CheckName::Claims =>
                {
                    self.skip(check.name, Some(policy));
                }
                Err(error) => self.failed(checks::failed(check.name, &evidence, &error), error),
            }
        }
        unreadable.is_none()
    }

    /// The last thing that `verify` does, where the type of the claims is known.
    fn shape<C: DeserializeOwned>(&mut self, parsed: &Unverified<'_>) {
        if let Err(error) = json::read_again::<C>(parsed.payload()) {
            self.failed(checks::misshapen(&error), error);
        }
    }

    fn nothing_more(&mut self, keys: Option<&JwkSet>, policy: Option<&Policy>) {
        self.skipped(opening::key_skipped(keys));
        self.skip_checks(policy);
    }

    fn skip_checks(&mut self, policy: Option<&Policy>) {
        for check in &CHECKS {
            self.skip(check.name, policy);
        }
    }

    fn skip(&mut self, name: CheckName, policy: Option<&Policy>) {
        if let Some(step) = checks::skipped(name, policy) {
            self.skipped(step);
        }
    }

    fn push(&mut self, step: Step) {
        let number = self.steps.len().saturating_add(1);
        let verified = self.signature_held;
        self.steps.push(Step {
            number,
            verified,
            ..step
        });
    }

    fn skipped(&mut self, step: Step) {
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
        self.count(Outcome::Failed)
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.steps
            .iter()
            .filter(|step| step.outcome == outcome)
            .count()
    }

    /// The same report for logs: `found`, the clock differences and every quotation are taken out, so that nothing is left
    /// of what the token says. What the verifier's own policy and keys say stays, and so does [`error`](Self::error), which
    /// may name a time of the token.
    #[must_use]
    pub fn redacted(mut self) -> Self {
        for step in &mut self.steps {
            step.found = None;
            step.clock_difference_secs = None;
            if let Some(summary) = step.redacted.take() {
                step.summary = summary;
            }
        }
        self
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("valid", &self.valid)
            .field("unchecked", &self.unchecked)
            .field("steps", &self.steps)
            .field("code", &self.error.as_ref().map(Error::code))
            .finish_non_exhaustive()
    }
}

/// A step that passed, whose summary quotes nothing.
fn step(
    name: &'static str,
    rule: &'static str,
    rfc: &'static str,
    summary: impl Into<String>,
) -> Step {
    Step {
        number: 0,
        name,
        outcome: Outcome::Passed,
        verified: false,
        summary: summary.into(),
        found: None,
        expected: None,
        clock_difference_secs: None,
        keys: Vec::new(),
        rule,
        rfc,
        code: None,
        fix: None,
        redacted: None,
        further: false,
    }
}

impl Step {
    /// Says `summary`, which quotes the token; what was said so far is left for logs.
    fn quoting(self, summary: String) -> Self {
        Self {
            redacted: Some(self.summary),
            summary,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jwa::Algorithm;
    use crate::jwk::SigningKey;

    #[test]
    fn claims_that_do_not_fit_the_type_of_a_proof_fail_its_report_as_they_fail_verify() {
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let now = Timestamp::from_unix_secs(1_795_359_845);
        let proof = DpopClaims::new("GET", "https://api.example/orders", "1", now)
            .sign(&key)
            .unwrap();
        let parsed = Unverified::parse(&proof).unwrap();
        let (key, policy) = (key.verifying_key(), Policy::dpop_proof());
        let mut report = Report::write(&proof, proof.len(), |_, _| {});
        report.shape::<DpopClaims>(&parsed);
        assert_eq!(report.error(), None);
        report.shape::<Vec<u8>>(&parsed);
        let verified = parsed.verify::<Vec<u8>>(&key, &policy, now);
        assert_eq!(report.error(), verified.err().as_ref());
        assert_eq!(report.error().map(Error::code), Some("claims_shape"));
    }
}
