//! What a service checks beyond the list, told beside it.

use super::{Outcome, Report, Step, step};
use crate::jwt::Verified;

impl Step {
    /// A check beyond the list: its stable name, how it ended, a clause for people that quotes nothing of the token, the rule
    /// and where it stands. One that is skipped is told all the same.
    #[must_use]
    pub fn further(
        name: &'static str,
        outcome: Outcome,
        summary: impl Into<String>,
        rule: &'static str,
        rfc: &'static str,
    ) -> Self {
        Self {
            outcome,
            further: true,
            ..step(name, rule, rfc, summary)
        }
    }

    /// The same with the code of what is wrong, and what to do about it.
    #[must_use]
    pub fn failing(self, code: &'static str, fix: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Failed,
            code: Some(code),
            fix: Some(fix.into()),
            ..self
        }
    }
}

impl Report {
    /// Of a token that has passed, in one step that says so: for whoever checks more than the list and has nothing left of the
    /// token but the proof. [`Verifier::explain`](crate::Verifier::explain) says it of each check.
    ///
    /// ```
    /// # fn main() -> Result<(), countersign::Error> {
    /// use countersign::{Algorithm, NoClaims, Outcome, Policy, Report, SigningKey, Step, Timestamp, Verifier};
    /// # let key = SigningKey::generate(Algorithm::ES256)?;
    /// # let token = key.sign(&serde_json::json!({"iss": "i", "aud": "a", "exp": 100}))?;
    /// # let verifier = Verifier::new(key.verifying_key(), Policy::new("i", "a"));
    /// let verified = verifier.verify::<NoClaims>(&token, Timestamp::from_unix_secs(1))?;
    /// let role = Step::further("role", Outcome::Passed, "it has no role", "a route may need a role", "");
    /// let report = Report::of_verified(&verified).with_step(role.failing("insufficient_role", "ask for the role"));
    /// assert!(report.to_string().ends_with("refused: insufficient_role"));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn of_verified<C>(token: &Verified<C>) -> Self {
        let mut report = Self {
            valid: true,
            unchecked: (token.registered().exp().is_none())
                .then_some("exp")
                .into_iter()
                .collect(),
            steps: Vec::new(),
            error: None,
            signature_held: true,
        };
        report.push(step(
            "verification",
            "a token is taken when every check of the list has passed",
            "RFC 7519 §7.2",
            "signature, kind, parties, times and the rest of the list hold",
        ));
        report
    }

    /// The same report with one step more, of whoever checks more than the list. Where that has failed, the token is refused;
    /// [`error`](Self::error) stays that of the list.
    ///
    /// ```
    /// # fn main() -> Result<(), countersign::Error> {
    /// use countersign::{Algorithm, Outcome, Policy, SigningKey, Step, Timestamp, Verifier};
    /// # let key = SigningKey::generate(Algorithm::ES256)?;
    /// # let token = key.sign(&serde_json::json!({"iss": "i", "aud": "a", "exp": 100}))?;
    /// # let verifier = Verifier::new(key.verifying_key(), Policy::new("i", "a"));
    /// let report = verifier.explain(&token, Timestamp::from_unix_secs(1));
    /// assert!(report.valid);
    /// let session = Step::further("session", Outcome::Passed, "the session has ended", "a session is open", "");
    /// let report = report.with_step(session.failing("session_ended", "log in again"));
    /// assert!(!report.valid && report.to_string().ends_with("refused: session_ended"));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_step(mut self, step: Step) -> Self {
        self.valid &= step.outcome != Outcome::Failed;
        self.push(step);
        self
    }

    /// The code of the first step that failed.
    pub(super) fn first_code(&self) -> Option<&'static str> {
        let steps = self.steps.iter();
        let failed = steps.filter(|step| step.outcome == Outcome::Failed);
        failed.filter_map(|step| step.code).next()
    }
}
