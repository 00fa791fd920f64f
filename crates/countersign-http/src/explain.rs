//! Why a token is refused, or not: the list of the core, and what a layer checks beyond it, as far as that is known now.

use countersign::{Outcome, Report, Step};

use crate::authenticate::Authenticator;
use crate::issuer::{Explained, Trusted};
use crate::rejection::Rejection;
#[cfg(feature = "remote")]
use crate::status::{Glance, StatusCheck, names_a_list};
use crate::token::VerifiedToken;

#[cfg(feature = "remote")]
const STATUS: (&str, &str) = (
    "a token counts until its issuer has taken it back: its place in the status list says whether that is so",
    "draft-ietf-oauth-status-list §8.3",
);
const SINGLE_USE: (&str, &str) = (
    "a token that counts once is known by its jti, and refused when it comes again",
    "RFC 7519 §4.1.7",
);
const CHECKS: (&str, &str) = ("what the service asks by itself has to hold too", "");

/// Whether the log wants to know why, step by step.
pub(crate) fn is_listened_to() -> bool {
    tracing::enabled!(target: "countersign_http::explain", tracing::Level::DEBUG)
}

impl Rejection {
    /// Why a token that the list has let pass is refused all the same, without a value of it.
    pub(crate) fn explained(&self, token: &VerifiedToken) -> String {
        let step = match self.cause() {
            "token_replayed" | "token_unnamed" | "single_use_full" => {
                failed("single_use", SINGLE_USE, self)
            }
            _ => failed("checks", CHECKS, self),
        };
        token.report().with_step(step).redacted().to_string()
    }
}

impl Authenticator {
    /// Every check and its outcome, by the keys and the status lists at hand.
    pub(crate) fn explain(&self, text: &str) -> Report {
        let now = self.clock.now();
        let Explained { report, by } = self.issuers.explain(text, now, &self.clock);
        let Some((issuer, verifier)) = by.filter(|_| report.valid) else {
            return report;
        };
        let (keys, policy) = (verifier.keys(), verifier.policy());
        match self.front.verify(keys, policy, text.as_bytes(), now) {
            Ok(token) => self.beyond_the_list(report, &token, issuer),
            Err(_) => report,
        }
    }

    /// What is asked about a token that the list has let pass, in the order in which it is asked.
    fn beyond_the_list(
        &self,
        mut report: Report,
        token: &VerifiedToken,
        issuer: &Trusted,
    ) -> Report {
        #[cfg(feature = "remote")]
        match &issuer.status {
            Some(status) => report = report.with_step(status_step(status, token)),
            None if names_a_list(token) => {
                let said = "it names a status list, and this service looks at none: whether it was taken back is not known";
                report = report.with_step(step("status", STATUS, Outcome::Skipped, said));
            }
            None => {}
        }
        #[cfg(not(feature = "remote"))]
        let _ = issuer;
        if !self.checks.is_empty() {
            let said = match self.checks.len() {
                1 => "a check of the service's own is not run here: it may refuse the token"
                    .to_owned(),
                count => format!(
                    "{count} checks of the service's own are not run here: each may refuse the token"
                ),
            };
            report = report.with_step(step("checks", CHECKS, Outcome::Skipped, said));
        }
        if let Some(once) = &self.single_use {
            let unused = step(
                "single_use",
                SINGLE_USE,
                Outcome::Passed,
                "it was not used yet",
            );
            let step = match once.look(token.registered()) {
                Ok(()) => unused,
                Err(refused) => failed("single_use", SINGLE_USE, &Rejection::from(refused)),
            };
            report = report.with_step(step);
        }
        report
    }
}

#[cfg(feature = "remote")]
fn status_step(status: &StatusCheck, token: &VerifiedToken) -> Step {
    let told = |outcome, said| step("status", STATUS, outcome, said);
    match status.glance(token) {
        Ok(Glance::Valid) => told(Outcome::Passed, "its status list says that it is valid"),
        Ok(Glance::Unlisted) => told(
            Outcome::Passed,
            "it names no status list, and need not: there is no way to take it back",
        ),
        Ok(Glance::NotHeld) => told(
            Outcome::Skipped,
            "whether it was taken back is not known here: its status list is not held now, a request fetches it",
        ),
        Err(rejection) => failed("status", STATUS, &rejection),
    }
}

fn step(
    name: &'static str,
    (rule, rfc): (&'static str, &'static str),
    outcome: Outcome,
    said: impl Into<String>,
) -> Step {
    Step::further(name, outcome, said, rule, rfc)
}

/// A step that a request would be refused at.
fn failed(name: &'static str, rule: (&'static str, &'static str), rejection: &Rejection) -> Step {
    let code = rejection.cause();
    let (said, fix) = match code {
        "token_revoked" => ("the issuer has taken it back", "ask for a new token"),
        "status_missing" => (
            "it names no status list, and has to",
            "the issuer has to put `status` into its tokens, or the service has to do without `require_status()`",
        ),
        "status_malformed" => (
            "its claim `status` is no reference to a status list",
            "where the issuer uses that name for something else, the service has to say `without_status()`",
        ),
        "status_uri_refused" => (
            "its status list is at a place that this service does not believe",
            "name the place with `StatusLists::new().at(…)`, if it is the issuer's",
        ),
        "token_replayed" => ("it was used before", "ask for a new token"),
        "token_unnamed" => (
            "it has no jti to remember it by, or one that is too long",
            "the issuer has to put a `jti` of at most 256 bytes into its tokens",
        ),
        "single_use_full" => (
            "as many single-use tokens are alive as can be remembered",
            "give `SingleUse` more room, or the tokens a shorter life",
        ),
        "insufficient_role" => (
            "this needs a role",
            "the issuer has to give its holder the role",
        ),
        "insufficient_scope" => (
            "this needs a scope",
            "its holder has to ask the issuer for the scope",
        ),
        "forbidden" => (
            "a rule of the service's own does not let it in",
            "see the guards, the checks and the handler of this route",
        ),
        "claims_shape" => (
            "its claims do not fit the type that the handler reads them into",
            "`reason` in the event says which, and how: change the type, or what the issuer writes",
        ),
        _ => ("the service does not take it", "see the code"),
    };
    // Which one is the service's own word.
    let said = match rejection.needed() {
        Some(name) => format!("{said}: {name}"),
        None => said.to_owned(),
    };
    step(name, rule, Outcome::Failed, said).failing(code, fix)
}
