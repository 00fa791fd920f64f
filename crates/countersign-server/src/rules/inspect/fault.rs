//! Where the syntax of a token breaks, to the letter.
//!
//! The engine says which part and, inside of it, which byte or which line and column of its JSON; here that becomes a
//! place in the text that was pasted.

use countersign::{Error, Malformed, Part};
use serde::Serialize;

use crate::pasted;

/// A place in the pasted text.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Fault {
    /// `header`, `payload`, `signature` or `token`.
    part: &'static str,
    /// The character, from 1.
    column: usize,
    /// The same as a page counts, in UTF-16 units from 0.
    offset: usize,
    /// Inside of the part's JSON, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    json: Option<Place>,
    /// Whether padding stands there, which other kinds of base64 have.
    #[serde(skip)]
    is_padding: bool,
}

/// A place in JSON.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Place {
    line: usize,
    column: usize,
}

impl Fault {
    /// Where in the whole token that is, behind the engine's words for the same error, which name its part and count in it:
    /// characters both, from 1.
    pub(super) fn words(&self) -> String {
        let column = self.column;
        let remedy = match self.is_padding {
            true => ": remove the `=`, there and wherever else a part ends with it",
            false => "",
        };
        format!("That is character {column} of the token{remedy}.")
    }

    /// `None` where the error is about no place.
    pub(super) fn of(token: &str, error: &Error) -> Option<Self> {
        let Error::Malformed(malformed) = error else {
            return None;
        };
        let (part, within, json) = match malformed {
            Malformed::Segments => return Some(Self::at(token, "token", wrong_dot(token), None)),
            Malformed::TooLarge {
                part: Part::Document,
                limit,
            } => {
                return Some(Self::at(token, "token", *limit, None));
            }
            Malformed::Alphabet { part, at } => (*part, *at, None),
            Malformed::Base64 { part } => (*part, last_byte(part_of(token, *part)?.1), None),
            Malformed::Utf8 { part } => {
                let octets = pasted::octets(part_of(token, *part)?.1)?;
                let good = std::str::from_utf8(&octets).err()?.valid_up_to();
                (*part, encoded(good), None)
            }
            Malformed::Json { part, line, column }
            | Malformed::DuplicateMember { part, line, column } => {
                let (line, column) = (*line, *column);
                let octets = pasted::octets(part_of(token, *part)?.1)?;
                let within = encoded(byte_at(&octets, line, column));
                (*part, within, Some(Place { line, column }))
            }
            Malformed::NotObject { part }
            | Malformed::TooLarge { part, .. }
            | Malformed::TooDeep { part, .. }
            | Malformed::TooManyValues { part, .. } => (*part, 0, None),
            Malformed::Member { .. } => (Part::Header, 0, None),
            _ => return None,
        };
        let (start, text) = part_of(token, part)?;
        let within = within.min(last_byte(text));
        Some(Self::at(
            token,
            name(part),
            start.saturating_add(within),
            json,
        ))
    }

    fn at(token: &str, part: &'static str, byte: usize, json: Option<Place>) -> Self {
        let mut byte = byte.min(token.len());
        while !token.is_char_boundary(byte) {
            byte = byte.saturating_sub(1);
        }
        let before = token.get(..byte).unwrap_or_default();
        Self {
            part,
            column: before.chars().count().saturating_add(1),
            offset: before.encode_utf16().count(),
            json,
            is_padding: token.get(byte..).is_some_and(|rest| rest.starts_with('=')),
        }
    }
}

const fn name(part: Part) -> &'static str {
    match part {
        Part::Header => "header",
        Part::Payload => "payload",
        Part::Signature => "signature",
        _ => "token",
    }
}

/// Where a part begins, and its text.
fn part_of(token: &str, part: Part) -> Option<(usize, &str)> {
    let index = match part {
        Part::Header => 0,
        Part::Payload => 1,
        Part::Signature => 2,
        _ => return Some((0, token)),
    };
    let text = token.splitn(3, '.').nth(index)?;
    let before = token.splitn(3, '.').take(index);
    let start = before.map(|part| part.len().saturating_add(1)).sum();
    Some((start, text))
}

/// The dot that is one too many, or the end where one is missing.
fn wrong_dot(token: &str) -> usize {
    token
        .match_indices('.')
        .nth(2)
        .map_or(token.len(), |(at, _)| at)
}

/// Padding is a fault where it begins, a wrong length where it ends.
fn last_byte(text: &str) -> usize {
    text.find('=').unwrap_or(text.len().saturating_sub(1))
}

/// The place of an octet in its base64url text.
const fn encoded(octet: usize) -> usize {
    octet.saturating_mul(4).div_euclid(3)
}

/// The octet at a line and a column, both from 1.
fn byte_at(octets: &[u8], line: usize, column: usize) -> usize {
    let lines = octets
        .split(|byte| *byte == b'\n')
        .take(line.saturating_sub(1));
    let start: usize = lines.map(|line| line.len().saturating_add(1)).sum();
    let last = octets.len().saturating_sub(1);
    start.saturating_add(column.saturating_sub(1)).min(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::secret::encode;
    use countersign::Unverified;
    use countersign::dangerous::decode_unverified;

    fn fault(token: &str) -> Fault {
        let error = Unverified::parse(token)
            .err()
            .or_else(|| decode_unverified(token).err());
        Fault::of(token, &error.unwrap()).unwrap()
    }

    #[test]
    fn a_fault_is_pointed_at_to_the_letter() {
        let header = encode(br#"{"alg":"HS256"}"#);
        let after = header.len();
        for (token, part, column) in [
            ("abc".to_owned(), "token", 4),
            ("a.b".to_owned(), "token", 4),
            ("a.b.c.d".to_owned(), "token", 6),
            (format!("{header}.e3 0.AA"), "payload", after + 4),
            (format!("{header}.e30=.AA"), "payload", after + 5),
            (format!("{header}.e30.A"), "signature", after + 6),
            (format!("{header}.e30.é"), "signature", after + 6),
            (format!("{}.e30.AA", encode(b"{\"alg\":x}")), "header", 10),
            (
                format!("{header}.{}.AA", encode(b"{\"a\":1,\"a\":2}")),
                "payload",
                after + 2 + encoded(9),
            ),
            (
                format!("{header}.{}.AA", encode(b"[1]")),
                "payload",
                after + 2,
            ),
            (
                format!("{header}.{}.AA", encode(b"{\"a\":\"\xff\"}")),
                "payload",
                after + 2 + encoded(6),
            ),
        ] {
            let fault = fault(&token);
            assert_eq!((fault.part, fault.column), (part, column), "{token}");
        }
    }

    #[test]
    fn a_fault_in_json_names_its_line_and_column_too() {
        let token = format!("{}.e30.AA", encode(b"{\n \"alg\": x}"));
        let fault = fault(&token);
        assert_eq!(fault.json, Some(Place { line: 2, column: 9 }));
        assert_eq!(fault.column, 1 + encoded(10));
    }

    #[test]
    fn letters_beyond_ascii_count_as_letters_and_as_a_page_counts_them() {
        let fault = fault("😀.b");
        assert_eq!((fault.column, fault.offset), (4, 4));
    }
}
