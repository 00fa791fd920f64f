//! What there is to say about a token that somebody pasted: the report of the one engine, and where it can be pointed at.
//!
//! Nothing is decided here. [`Verifier::explain`] decides; this hands it the key and the policy in the forms that people
//! have them in, and puts beside its report what a page needs to point at: the place of a fault, the octets of the
//! signature, the verdict in one word.

mod experiments;
mod fault;
mod key;
mod names;
mod policy;
mod program;
mod published;
mod rate;
mod resign;
mod session;
mod shown;
mod taken;
mod verdict;

use countersign::{Error, JwkSet, Outcome, Report, Timestamp, Verifier, dangerous};
use serde::{Deserialize, Serialize};

use super::secret::Secret;
use crate::lint::{self, Finding};
use crate::pasted;

pub(crate) use experiments::{Attempt, Experiment, Forgery};
pub(crate) use key::{Form, KeyProblem, KeyText};
pub(crate) use policy::PolicyText;
pub(crate) use program::{Language, Program, Wanted};
pub(crate) use published::Published;
pub(crate) use rate::Rate;
pub(crate) use resign::{Edited, Resigned};
pub(crate) use session::Session;
pub(crate) use shown::{Shown, spelled};
pub(crate) use taken::{Opened, Taken};

use fault::Fault;
use key::{KeyFacts, Keys};
use verdict::Verdict;

/// What is asked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    pub(crate) token: Secret,
    #[serde(default)]
    pub(crate) key: Option<KeyText>,
    #[serde(default)]
    pub(crate) policy: PolicyText,
    /// The time to verify at, in epoch seconds; now by default.
    #[serde(default)]
    pub(crate) at: Option<i64>,
    /// Of several tokens in what was pasted, which, from 1; the first by default.
    #[serde(default)]
    pub(crate) pick: usize,
}

/// What is said.
#[derive(Serialize)]
pub(crate) struct Answer {
    pub(crate) verdict: Verdict,
    /// Whether it is about a token, and not about something else that was pasted.
    pub(crate) is_token: bool,
    /// What was taken out of what was pasted.
    pub(crate) pasted: Option<Taken>,
    pub(crate) report: Option<Report>,
    /// Where the syntax breaks.
    pub(crate) fault: Option<Fault>,
    pub(crate) signature: Option<Signature>,
    pub(crate) key: Option<KeyFacts>,
    pub(crate) key_problem: Option<KeyProblem>,
    /// What would have made the signature hold.
    pub(crate) hint: Option<String>,
    /// What its issuer might mend.
    pub(crate) findings: Vec<Finding>,
    /// The time that was verified at, and the time now, in epoch seconds.
    pub(crate) at: i64,
    pub(crate) now: i64,
    /// Whether somebody who finds this token could still use it, for all that it says itself.
    pub(crate) live: bool,
}

/// What was signed, and the signature.
#[derive(Serialize)]
pub(crate) struct Signature {
    /// How many bytes of the token, from its start, the signature is over.
    signed_bytes: usize,
    pub(crate) bytes: usize,
    pub(crate) hex: String,
}

/// The answer to a question, with the keys of an issuer where they were asked for and could be had.
pub(crate) fn examine(
    question: &Question,
    published: Option<Result<JwkSet, String>>,
    now: i64,
) -> Answer {
    let token = question.token.expose();
    let at = question.at.unwrap_or(now);
    let (keys, key_problem) = match Keys::read(question.key.as_ref(), published, token) {
        Ok(keys) => (keys, None),
        Err(problem) => (Keys::none(), Some(problem)),
    };
    let policy = match question.policy.build() {
        Ok(policy) => policy,
        Err(problem) => {
            return Answer::without_report(token, Verdict::of_policy(&problem), at, now);
        }
    };
    let verifier = Verifier::new(keys.set.clone(), policy);
    let mut report = verifier.explain(token, Timestamp::from_unix_secs(at));
    let has_key = keys.facts.is_some();
    if let Some(problem) = &key_problem {
        problem.tell(&mut report);
    } else if !has_key {
        key::tell_that_none_was_given(&mut report);
    }
    let has_status = names_status(token);
    let verdict = Verdict::of(&report, has_key, has_status, key_problem.as_ref());
    let mut verdict = verdict.of_parts(pasted::names_enc(token));
    let mut fault = fault(token, &report);
    if let Some((_, error)) = &fault
        && verdict.is_about_the_payload(error)
        && pasted::is_nested(token)
    {
        verdict = verdict.of_nested(&report);
        fault = None;
    }
    let hint = hint(question, &report, key_problem.is_none(), at);
    Answer {
        verdict: verdict.with_fault(fault.as_ref()).and(hint.as_deref()),
        is_token: true,
        pasted: None,
        fault: fault.map(|(fault, _)| fault),
        signature: Signature::of(token),
        hint,
        key: keys.facts,
        key_problem,
        at,
        now,
        live: is_live(token, now),
        findings: findings(token, at),
        report: Some(report),
    }
}

/// Where the syntax breaks and how, also where the error of the report is another: that of a key that was not given.
fn fault(token: &str, report: &Report) -> Option<(Fault, Error)> {
    let placed = |error: Error| Some((Fault::of(token, &error)?, error));
    let of_report = report.error().cloned().and_then(placed);
    of_report.or_else(|| placed(dangerous::decode_unverified(token).err()?))
}

impl Answer {
    fn without_report(token: &str, verdict: Verdict, at: i64, now: i64) -> Self {
        Self {
            verdict,
            is_token: true,
            pasted: None,
            report: None,
            fault: None,
            signature: Signature::of(token),
            key: None,
            key_problem: None,
            hint: None,
            at,
            now,
            live: is_live(token, now),
            findings: findings(token, at),
        }
    }
}

/// A token that cannot be read has worse to mend, and the report says what.
fn findings(token: &str, at: i64) -> Vec<Finding> {
    lint::findings(token, Timestamp::from_unix_secs(at)).unwrap_or_default()
}

impl Signature {
    fn of(token: &str) -> Option<Self> {
        let (input, text) = token.rsplit_once('.')?;
        let signature = super::secret::decode(text)?;
        (input.matches('.').count() == 1).then(|| Self {
            signed_bytes: input.len(),
            bytes: signature.len(),
            hex: signature.iter().map(|byte| format!("{byte:02x}")).collect(),
        })
    }
}

/// A secret is text to one person and base64 to the next: which reading of it would have made the signature hold?
fn hint(question: &Question, report: &Report, is_key_usable: bool, at: i64) -> Option<String> {
    if is_key_usable && report.error() != Some(&Error::SignatureInvalid) {
        return None;
    }
    let given = question.key.as_ref()?;
    given
        .other_readings()
        .into_iter()
        .find_map(|(words, other)| {
            let keys = Keys::read(Some(&other), None, question.token.expose()).ok()?;
            let verifier = Verifier::new(keys.set, question.policy.build().ok()?);
            let report = verifier.explain(question.token.expose(), Timestamp::from_unix_secs(at));
            signature_holds(&report)
                .then(|| format!("The signature holds where the secret is {words}."))
        })
}

fn signature_holds(report: &Report) -> bool {
    let mut steps = report.steps.iter();
    steps.any(|step| step.name == "signature" && step.outcome == Outcome::Passed)
}

/// Whether its issuer says elsewhere if it was taken back (draft-ietf-oauth-status-list §6); nothing is fetched for that.
fn names_status(token: &str) -> bool {
    dangerous::decode_unverified(token).is_ok_and(|decoded| decoded.claims.get("status").is_some())
}

/// By what the token says itself: whoever shares a link is warned, nothing is let in.
fn is_live(token: &str, now: i64) -> bool {
    let Ok(decoded) = dangerous::decode_unverified(token) else {
        return false;
    };
    let exp = decoded.claims.get("exp");
    exp.is_none_or(|exp| exp.as_f64().is_some_and(|exp| exp > now as f64))
}
