//! What was pasted, and the token in it, which everything else is said about.

use serde::Serialize;

use super::verdict::Verdict;
use super::{Answer, Question};
use crate::pasted::{self, Other, Pasted};
use crate::rules::secret::Secret;

/// What the field of the token holds from now on, where that is not what was pasted.
#[derive(Serialize)]
pub(crate) struct Taken {
    /// The token; empty where what was pasted must not be shown.
    pub(crate) token: Secret,
    /// What was done, in a sentence or two.
    pub(crate) note: String,
}

/// A question with the token alone in it, or what was pasted instead of one.
pub(crate) enum Opened {
    About(Question, Option<Taken>),
    Other(Other, Question),
}

impl Question {
    /// Finds the token in what was pasted.
    pub(crate) fn opened(self) -> Opened {
        let taken = match pasted::read(self.token.expose()) {
            Pasted::Other(other) => return Opened::Other(other, self),
            Pasted::Bare => None,
            Pasted::Taken(taken) => Some(Taken {
                token: Secret::new(taken.token.as_str().to_owned()),
                note: taken.note(),
            }),
        };
        let token = match &taken {
            Some(taken) => taken.token.clone(),
            None => Secret::new(self.token.expose().trim().to_owned()),
        };
        Opened::About(Self { token, ..self }, taken)
    }
}

impl Answer {
    /// What is no token has no steps; a secret is taken out of its field.
    pub(crate) fn of_other(other: &Other, question: &Question, now: i64) -> Self {
        let at = question.at.unwrap_or(now);
        let taken = other.is_secret.then(|| Taken {
            token: Secret::new(String::new()),
            note: "What was pasted was taken out of the field: it is a secret.".to_owned(),
        });
        Self {
            is_token: false,
            pasted: taken,
            live: false,
            ..Self::without_report("", Verdict::of_other(other), at, now)
        }
    }

    /// With what was taken out of what.
    pub(crate) fn with_taken(self, taken: Option<Taken>) -> Self {
        Self {
            pasted: taken,
            ..self
        }
    }
}
