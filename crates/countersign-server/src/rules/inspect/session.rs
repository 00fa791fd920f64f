//! What no check of a token alone can know: whether this server has taken one of its own back since.

use countersign::{AccessToken, Outcome, Report, dangerous};

use super::verdict::Verdict;
use super::{Answer, Question, signature_holds};

/// As the middleware of this server refuses such a token.
const CODE: &str = "token_revoked";

/// What is known of the session behind a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Session {
    Lives,
    Over,
    /// Sessions are known as of now alone.
    OfAnotherTime,
    /// Anybody can have written which session it is of.
    Unverified,
    /// The database did not answer.
    Unknown,
}

impl Question {
    /// The access token of `issuer` that is asked about, as it says itself.
    pub(crate) fn token_of(&self, issuer: &str) -> Option<AccessToken> {
        let decoded = dangerous::decode_unverified(self.token.expose()).ok()?;
        let token: AccessToken = serde_json::from_value(decoded.claims).ok()?;
        (token.iss == issuer).then_some(token)
    }
}

impl Answer {
    /// What keeps its session from being asked for.
    pub(crate) fn obstacle(&self, question: &Question) -> Option<Session> {
        if question.at.is_some() {
            return Some(Session::OfAnotherTime);
        }
        let holds = self.report.as_ref().is_some_and(signature_holds);
        (!holds).then_some(Session::Unverified)
    }

    /// With one more step, which decides where the others have let the token pass.
    pub(crate) fn with_session(mut self, session: Session) -> Self {
        let Some(report) = &mut self.report else {
            return self;
        };
        if report.valid {
            self.verdict = Verdict::of_session(report, session);
        }
        add_step(report, session);
        self.live = self.live && session != Session::Over;
        self
    }
}

impl Session {
    const fn outcome(self) -> Outcome {
        match self {
            Self::Lives => Outcome::Passed,
            Self::Over => Outcome::Failed,
            _ => Outcome::Skipped,
        }
    }

    const fn found(self) -> Option<&'static str> {
        match self {
            Self::Lives => Some("one that lives"),
            Self::Over => Some("none, or one of somebody else"),
            _ => None,
        }
    }

    /// A clause.
    const fn summary(self) -> &'static str {
        match self {
            Self::Lives => "its session lives, and its user is who the token says",
            Self::Over => "its session has ended, or its user is not who the token says any more",
            Self::OfAnotherTime => "its session was not looked at: it is known as of now alone",
            Self::Unverified => "its session was not looked at: anybody can have named it",
            Self::Unknown => "its session could not be looked up",
        }
    }
}

fn add_step(report: &mut Report, session: Session) {
    // Only the engine makes steps; this one begins as a copy of its last.
    let Some(mut step) = report.steps.last().cloned() else {
        return;
    };
    let is_over = session == Session::Over;
    step.number = step.number.saturating_add(1);
    step.name = "session";
    step.outcome = session.outcome();
    step.verified = session != Session::Unverified;
    session.summary().clone_into(&mut step.summary);
    step.found = session.found().map(str::to_owned);
    step.expected = Some("a session that lives, of the user whom the token names".to_owned());
    step.rule = "a token whose issuer has ended its session is refused, though its exp lies ahead";
    step.clock_difference_secs = None;
    step.keys.clear();
    // "expired, revoked, malformed, or invalid for other reasons"
    step.rfc = "RFC 6750 §3.1";
    step.code = is_over.then_some(CODE);
    step.fix = is_over.then(|| "log in again: this token opens nothing here any more".to_owned());
    report.steps.push(step);
    report.valid = report.valid && !is_over;
}

impl Verdict {
    /// Of a token that everything else has let pass.
    fn of_session(report: &Report, session: Session) -> Self {
        match session {
            Session::Lives => Self::valid(report, "Its session lives."),
            Session::Over => Self::taken_back(
                "The signature holds, and this server refuses it all the same: its session has ended, or its user is not who it says any more.",
                CODE,
            ),
            Session::OfAnotherTime => Self::valid(
                report,
                "Its session was not looked at, which is known as of now alone.",
            ),
            Session::Unverified | Session::Unknown => {
                Self::valid(report, "Its session could not be looked up.")
            }
        }
    }
}
