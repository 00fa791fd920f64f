//! What was pasted where a token is expected: which token stands in it, or what it is instead.
//!
//! People paste what they have: a header, a cookie, the answer to a log-in, a line of a log, a quoted e-mail, a key. This
//! finds the token in it and says where it was; it never decides what the token is worth. No letter of a token is changed:
//! what is left out between its letters are line ends, marks of a quotation and letters that nobody sees, and two tokens are
//! never joined. The work is linear in the length of the text.

mod around;
mod find;
mod json;
mod other;
mod unfold;

use std::collections::HashSet;
use std::fmt;

use zeroize::Zeroizing;

pub(crate) use find::{decode as octets, is_nested, names_enc};
pub use other::Other;

/// What stands in a pasted text.
#[non_exhaustive]
pub enum Pasted {
    /// Nothing stands around it but white space: a token, whole or broken, or nothing that has a name.
    Bare,
    /// One token, with something around it.
    Taken(Taken),
    /// No token, and what it is.
    Other(Other),
}

/// A token that was taken out of a text.
pub struct Taken {
    /// The token.
    pub token: Zeroizing<String>,
    /// What it stood in, in words: "an Authorization header".
    pub from: String,
    /// What else stood there and was not taken, in words.
    pub left_out: Vec<String>,
    /// Where several stand there, the different ones in the order in which they are likely: the first is taken, until
    /// another is [picked](Self::pick).
    pub choices: Vec<Choice>,
    /// Which of them it is, from 1.
    pub number: usize,
    /// How many other tokens stood there: these are among what was left out.
    pub others: usize,
    /// Whether it is the compact form of a JWS in JSON, which was all that stood there.
    pub is_rewritten: bool,
}

/// One of several tokens in a text.
pub struct Choice {
    /// The token.
    pub token: Zeroizing<String>,
    /// Where it stands, in a word or two, as far as that has a name.
    pub name: String,
}

/// So many of the tokens of a text can be chosen.
pub(crate) const MOST_CHOICES: usize = 12;

impl Taken {
    fn new(token: &str, from: impl Into<String>) -> Self {
        Self {
            token: Zeroizing::new(token.to_owned()),
            from: from.into(),
            left_out: Vec::new(),
            choices: Vec::new(),
            number: 1,
            others: 0,
            is_rewritten: false,
        }
    }

    /// Takes another of the tokens that stand there, by its number from 1; what is no such number changes nothing.
    pub fn pick(&mut self, number: usize) {
        let index = number.checked_sub(1);
        let picked = index.and_then(|index| self.choices.get(index));
        if let Some(choice) = picked.filter(|_| number != self.number) {
            self.token = choice.token.clone();
            "what was pasted".clone_into(&mut self.from);
            self.number = number;
        }
    }

    /// What was done, in one or two sentences.
    #[must_use]
    pub fn note(&self) -> String {
        let mut note = format!("Taken out of {}.", self.from);
        if !self.left_out.is_empty() {
            note.push_str(&format!(" Left out: {}.", self.left_out.join("; ")));
        }
        if !self.choices.is_empty() {
            note.push_str(&format!(" This is number {}.", self.number));
        }
        note
    }
}

/// Without the token.
impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taken")
            .field("from", &self.from)
            .field("left_out", &self.left_out)
            .field("choices", &self.choices.len())
            .finish_non_exhaustive()
    }
}

/// Without the token.
impl fmt::Debug for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Choice")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Pasted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bare => f.write_str("Bare"),
            Self::Taken(taken) => taken.fmt(f),
            Self::Other(other) => other.fmt(f),
        }
    }
}

/// What stands in a text.
#[must_use]
pub fn read(text: &str) -> Pasted {
    let trimmed = text.trim();
    if around::is_empty_header(trimmed) {
        return Pasted::Other(Other::empty_header());
    }
    // The likeliest: a token of any length, and nothing else.
    if trimmed.bytes().all(find::is_letter) {
        return other::of_word(trimmed).map_or(Pasted::Bare, Pasted::Other);
    }
    let (seen, unseen) = unfold::seen(trimmed);
    let found = within(seen.trim());
    match (found, unseen) {
        (found, 0) => found,
        (Pasted::Bare, _) => Pasted::Taken(Taken::new(seen.trim(), "letters that are not seen")),
        (Pasted::Taken(mut taken), count) => {
            let plural = if count == 1 { "letter" } else { "letters" };
            taken
                .left_out
                .push(format!("{count} {plural} that nobody sees"));
            Pasted::Taken(taken)
        }
        (other, _) => other,
    }
}

fn within(text: &str) -> Pasted {
    if let Some(secret) = other::secret(text) {
        return Pasted::Other(secret);
    }
    if let Some(found) = json::read(text) {
        return found;
    }
    if let Some((word, from)) = around::strip(text) {
        return match (other::of_word(word), json::read(word), sd_jwt(word)) {
            (Some(other), _, _) => Pasted::Other(other),
            (_, Some(found), _) => found,
            (_, _, Some(taken)) => Pasted::Taken(taken),
            _ => Pasted::Taken(Taken::new(word, from)),
        };
    }
    let is_word = !text.contains(char::is_whitespace);
    let unfolded = unfold::lines(text);
    let tokens = find::tokens(&unfolded.text);
    let named = tokens
        .first()
        .and_then(|first| around::name(&unfolded.text, first));
    match (tokens.as_slice(), named) {
        ([first, more @ ..], named) if named.is_some() || first.tail.is_some() || !is_word => {
            let places = tokens
                .iter()
                .map(|one| (&one.token, || around::name(&unfolded.text, one)));
            Pasted::Taken(Taken {
                choices: choices(places),
                ..taken(first, more, named, unfolded.from)
            })
        }
        _ => other::of_text(text).map_or(Pasted::Bare, Pasted::Other),
    }
}

/// An SD-JWT that stands alone, or behind a scheme.
fn sd_jwt(word: &str) -> Option<Taken> {
    let tokens = find::tokens(word);
    let first = tokens.first().filter(|first| first.tail.is_some())?;
    Some(taken(first, &[], None, None))
}

/// The first of these.
fn taken(
    first: &find::Found,
    more: &[find::Found],
    named: Option<String>,
    folded: Option<&str>,
) -> Taken {
    let (mut from, tail) = match (named, &first.tail) {
        (Some(named), tail) => (named, tail.as_ref()),
        (None, Some(tail)) => ("an SD-JWT, whose issuer signed it".to_owned(), Some(tail)),
        (None, None) if first.is_alone && first.pieces > 1 => {
            ("text of several lines".to_owned(), None)
        }
        (None, None) => ("the text around it".to_owned(), None),
    };
    if let Some(folded) = folded {
        from.push_str(&format!(" in {folded}"));
    }
    if first.pieces > 1 {
        from.push_str(&format!(", put together of {} pieces", first.pieces));
    }
    let mut left_out: Vec<String> = tail.cloned().into_iter().collect();
    let others: HashSet<&str> = more
        .iter()
        .map(|one| one.token.as_str())
        .filter(|token| *token != first.token.as_str())
        .collect();
    if !others.is_empty() {
        left_out.push(more_tokens(others.len()));
    }
    Taken {
        left_out,
        others: others.len(),
        ..Taken::new(&first.token, from)
    }
}

/// The different ones of several tokens, with where they stand; of one alone, none.
fn choices<'t, F: Fn() -> Option<String>>(
    tokens: impl Iterator<Item = (&'t Zeroizing<String>, F)>,
) -> Vec<Choice> {
    let mut seen = HashSet::new();
    let different = tokens.filter(|(token, _)| seen.insert(token.as_str()));
    let choices: Vec<_> = different
        .take(MOST_CHOICES)
        .map(|(token, name)| Choice {
            token: token.clone(),
            name: name().unwrap_or_default(),
        })
        .collect();
    if choices.len() > 1 {
        choices
    } else {
        Vec::new()
    }
}

fn more_tokens(count: usize) -> String {
    match count {
        1 => "1 more token, of the 2 that stand there".to_owned(),
        count => format!(
            "{count} more tokens, of the {} that stand there",
            count.saturating_add(1)
        ),
    }
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "the texts are ASCII")]
mod tests;
