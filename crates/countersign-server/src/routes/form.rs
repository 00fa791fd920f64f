//! Forms as pages show them: their fields, what was typed, and what was wrong with it, in the words of the API.

use crate::error::{self, Error};
use crate::rules::password::{MAX_CHARS, MIN_CHARS};

/// Sentences in which plain text and code take turns.
pub(crate) type Sentences = Vec<String>;

/// A form without its button.
#[derive(Default)]
pub(crate) struct Form {
    pub(crate) fields: Vec<Field>,
    /// What is wrong with more than one of them.
    pub(crate) problem: Sentences,
    /// What tells its identifiers from those of other forms on the page.
    pub(crate) prefix: &'static str,
}

/// A field with its label.
#[derive(Clone)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) value: String,
    pub(crate) autocomplete: &'static str,
    pub(crate) help: String,
    /// A word beside the label.
    pub(crate) mark: &'static str,
    /// The fewest and the most characters, where that is known beforehand.
    pub(crate) length: Option<(usize, usize)>,
    pub(crate) is_required: bool,
    /// Whether it is written like code.
    pub(crate) is_code: bool,
    pub(crate) problem: Sentences,
    /// The codes of errors that are about this field.
    pub(crate) about: &'static [&'static str],
}

impl Field {
    pub(crate) fn text(name: &'static str, label: &'static str) -> Self {
        Self {
            name,
            label,
            kind: "text",
            value: String::new(),
            autocomplete: "off",
            help: String::new(),
            mark: "",
            length: None,
            is_required: true,
            is_code: false,
            problem: Vec::new(),
            about: &[],
        }
    }

    /// The address of an account.
    pub(crate) fn email(value: &str) -> Self {
        Self {
            kind: "email",
            value: value.to_owned(),
            autocomplete: "username",
            about: &["invalid_email", "email_taken"],
            ..Self::text("email", "E-mail address")
        }
    }

    /// The password that somebody has; it is never shown again.
    pub(crate) fn present_password(name: &'static str, label: &'static str) -> Self {
        Self {
            kind: "password",
            autocomplete: "current-password",
            about: &["invalid_credentials"],
            ..Self::text(name, label)
        }
    }

    /// The password that somebody chooses; it is never shown again.
    pub(crate) fn new_password(name: &'static str, label: &'static str) -> Self {
        Self {
            kind: "password",
            autocomplete: "new-password",
            help: format!(
                "{MIN_CHARS} to {MAX_CHARS} characters. A few uncommon words are better than one word with signs."
            ),
            length: Some((MIN_CHARS, MAX_CHARS)),
            about: &["weak_password"],
            ..Self::text(name, label)
        }
    }

    /// What a screen reader reads with it.
    pub(crate) fn described_by(&self, prefix: &str) -> Option<String> {
        let id = format!("{prefix}{}", self.name);
        let problem = (!self.problem.is_empty()).then(|| format!("{id}-problem"));
        let help = (!self.help.is_empty()).then(|| format!("{id}-help"));
        match (problem, help) {
            (Some(problem), Some(help)) => Some(format!("{problem} {help}")),
            (one, other) => one.or(other),
        }
    }
}

impl Form {
    pub(crate) fn new(fields: impl IntoIterator<Item = Field>) -> Self {
        Self {
            fields: fields.into_iter().collect(),
            ..Self::default()
        }
    }

    pub(crate) fn with_prefix(self, prefix: &'static str) -> Self {
        Self { prefix, ..self }
    }

    /// Whether something was wrong with it.
    pub(crate) fn is_refused(&self) -> bool {
        !self.problem.is_empty() || self.fields.iter().any(|field| !field.problem.is_empty())
    }

    /// The form once more, with what was wrong beside the field that it is about.
    pub(crate) fn refused(mut self, problem: &Error) -> Self {
        let code = problem.code();
        let text = sentences(problem);
        let mut fields = self.fields.iter_mut();
        match fields.find(|field| field.about.contains(&code)) {
            Some(field) => field.problem = text,
            None => self.problem = text,
        }
        self
    }

    /// The form once more after one that came in another shape.
    pub(crate) fn misshapen(mut self, problem: &Error) -> Self {
        self.problem = match problem {
            Error::BodyShape { .. } | Error::BodySyntax | Error::BodyEmpty => {
                in_sentences("the form is not complete; fill in each of its fields")
            }
            other => sentences(other),
        };
        self
    }
}

/// An error of the API as sentences for a person.
pub(crate) fn sentences(problem: &Error) -> Sentences {
    match problem {
        Error::WeakPassword { reasons } => in_sentences(&reasons.join(" ")),
        Error::BodyShape { reason } => in_sentences(reason),
        // Where the API names a route or a command, a person at a page has neither.
        Error::NotFound => in_sentences("no page has this address"),
        Error::UserUnknown => {
            in_sentences("no account has this identifier; it may have been deleted meanwhile")
        }
        Error::SessionUnknown => in_sentences("it has ended meanwhile, or was never one of yours"),
        other => in_sentences(&error::told(other)),
    }
}

fn in_sentences(text: &str) -> Sentences {
    let sentences = text.split("; ").map(|clause| {
        let mut chars = clause.chars();
        let first = chars.next().map(|c| c.to_uppercase().to_string());
        let end = if clause.ends_with('.') { "" } else { "." };
        format!("{}{}{end}", first.unwrap_or_default(), chars.as_str())
    });
    let text = sentences.collect::<Vec<_>>().join(" ");
    text.split('`').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Form {
        Form::new([
            Field::email("ada@example.com"),
            Field::new_password("password", "Password"),
        ])
    }

    #[test]
    fn what_is_wrong_stands_beside_its_field() {
        let refused = form().refused(&Error::EmailTaken);
        assert_eq!(
            refused.fields[0].problem,
            ["This address has an account. Log in instead."]
        );
        assert!(refused.problem.is_empty() && refused.fields[1].problem.is_empty());
        let busy = form().refused(&Error::TooManyRequests {
            retry_after_secs: 30,
        });
        assert_eq!(busy.problem, ["Too many attempts. Try again in 30 s."]);
    }

    #[test]
    fn nothing_about_the_inside_is_told() {
        let failed = form().refused(&Error::Crypto);
        assert_eq!(
            failed.problem,
            ["The server made a mistake. Its log says which."]
        );
    }

    #[test]
    fn code_is_told_apart_from_text() {
        let refused = form().refused(&Error::LastAdministrator);
        assert_eq!(refused.problem.len(), 3);
        assert_eq!(refused.problem[1], "admin");
    }
}
