//! A token that was just signed, looked at as a verifier will: one that nobody could ever take is not handed out.

use std::time::Duration;

use countersign::{Policy, Report, SigningKey, Step, Timestamp, Verifier};

use crate::exit::Failure;
use crate::output;

/// Refuses a token whose claims no verifier can read, and one that is expired at birth or before it starts to be valid.
///
/// With `allow_expired`, for tests of verifiers, the latter is said and passes.
pub(super) fn check(
    token: &str,
    key: &SigningKey,
    now: Timestamp,
    allow_expired: bool,
) -> Result<(), Failure> {
    // Nobody knows yet who will verify it: of the check list, what holds for every token counts.
    let policy = Policy::builder()
        .any_issuer()
        .any_audience()
        .plain_or_access_token()
        .without_expiry()
        .build()?;
    let verifier = Verifier::new(key.verifying_key(), policy);
    let report = verifier.explain(token, now);
    for name in ["syntax", "claims"] {
        if let Some(step) = failed(&report, name) {
            return Err(Failure::usage(format!(
                "no verifier would take this token: {}",
                step.summary
            )));
        }
    }
    if let Some(step) = failed(&report, "iat") {
        output::warning(&format!("{}; until then it is refused", step.summary));
    }
    let Some(problem) = never_valid(&verifier, token, &report, now) else {
        return Ok(());
    };
    if allow_expired {
        output::warning(&problem);
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{problem}; give --expires-in DURATION, or --allow-expired for a token to test with"
    )))
}

/// Why the token is valid at no time from now on.
fn never_valid(
    verifier: &Verifier,
    token: &str,
    report: &Report,
    now: Timestamp,
) -> Option<String> {
    if let Some(step) = failed(report, "exp") {
        return Some(format!(
            "the token is expired at birth: exp was {}",
            step.found.as_deref().unwrap_or_default()
        ));
    }
    let ahead = failed(report, "nbf")?.clock_difference_secs?;
    let from = now.saturating_add(Duration::from_secs(ahead.unsigned_abs()));
    let step = failed(&verifier.explain(token, from), "exp")?.clone();
    Some(format!(
        "the token is valid at no time: exp, {}, is not after nbf",
        step.found.as_deref().unwrap_or_default()
    ))
}

fn failed<'r>(report: &'r Report, name: &str) -> Option<&'r Step> {
    let mut steps = report.steps.iter();
    steps.find(|step| step.name == name && step.code.is_some())
}
