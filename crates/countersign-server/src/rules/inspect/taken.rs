//! What was pasted, and the token in it, which everything else is said about.

use serde::Serialize;

use super::verdict::Verdict;
use super::{Answer, Question, names};
use crate::pasted::{self, Other, Pasted};
use crate::rules::secret::Secret;

/// What the field of the token holds from now on, where that is not what was pasted.
#[derive(Serialize)]
pub(crate) struct Taken {
    /// The token; empty where what was pasted must not be shown.
    pub(crate) token: Secret,
    /// What was done, in a sentence or two.
    pub(crate) note: String,
    /// The tokens to choose from, where several were pasted.
    pub(crate) choices: Vec<Choice>,
    /// Which of them it is, from 1.
    pub(crate) number: usize,
}

/// One of several tokens.
#[derive(Serialize)]
pub(crate) struct Choice {
    token: Secret,
    pub(crate) name: String,
}

impl Taken {
    /// The choices as a page without a script sends them back: nothing else of what was pasted, one a line.
    pub(crate) fn among(&self) -> String {
        let lines = self.choices.iter().map(|choice| {
            let name = choice.name.replace(char::is_control, " ");
            format!("{} {name}", choice.token.expose())
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// One of such choices, from 1; `None` where there is none, or something else than tokens stands there: no page has
    /// sent that, and what is a secret is not shown back.
    pub(crate) fn picked(among: &str, number: usize) -> Option<Self> {
        if matches!(pasted::read(among), Pasted::Other(other) if other.is_secret) {
            return None;
        }
        let lines = among.lines().take(pasted::MOST_CHOICES);
        let choices: Vec<_> = lines
            .map(|line| {
                let (token, name) = line.split_once(' ').unwrap_or((line, ""));
                Choice {
                    token: Secret::new(token.to_owned()),
                    name: name.trim().to_owned(),
                }
            })
            .collect();
        let are_tokens = choices
            .iter()
            .all(|choice| matches!(pasted::read(choice.token.expose()), Pasted::Bare));
        let chosen = choices.get(number.checked_sub(1)?).filter(|_| are_tokens)?;
        Some(Self {
            token: chosen.token.clone(),
            note: format!(
                "Number {number} of the {} tokens that were pasted.",
                choices.len()
            ),
            choices,
            number,
        })
    }
}

impl From<pasted::Taken> for Taken {
    fn from(taken: pasted::Taken) -> Self {
        let secret = |token: &str| Secret::new(token.to_owned());
        let told_apart = names::telling(taken.choices.iter().map(|choice| choice.token.as_str()));
        let choices = taken
            .choices
            .iter()
            .zip(told_apart)
            .map(|(choice, telling)| Choice {
                token: secret(&choice.token),
                name: match choice.name.as_str() {
                    "" => telling.unwrap_or_default(),
                    name => name.to_owned(),
                },
            });
        Self {
            token: secret(&taken.token),
            note: taken.note(),
            choices: choices.collect(),
            number: taken.number,
        }
    }
}

/// A question with the token alone in it, or what was pasted instead of one.
pub(crate) enum Opened {
    About(Question, Option<Taken>),
    Other(Other, Question),
}

impl Question {
    /// Finds the token in what was pasted.
    pub(crate) fn opened(self) -> Opened {
        let taken: Option<Taken> = match pasted::read(self.token.expose()) {
            Pasted::Other(other) => return Opened::Other(other, self),
            Pasted::Bare => None,
            Pasted::Taken(mut taken) => {
                taken.pick(self.pick);
                Some(taken.into())
            }
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
            choices: Vec::new(),
            number: 1,
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
