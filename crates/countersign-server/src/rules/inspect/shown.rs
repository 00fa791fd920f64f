//! What a token holds, as text for a page without a script: whole or broken, letter by letter, nothing rounded.

use crate::pasted;

/// So many letters of a part are shown.
const MOST: usize = 60_000;
/// How far deep lines are indented.
const DEEPEST: usize = 12;

/// The first two parts of a token.
pub(crate) struct Shown {
    pub(crate) header: Option<String>,
    pub(crate) payload: Option<String>,
}

impl Shown {
    /// The parts of what may be a token. The payload of an encrypted one is nobody's to read.
    pub(crate) fn of(token: &str) -> Self {
        let mut parts = token.split('.');
        let mut next = || parts.next().and_then(text);
        let (header, payload) = (next(), next());
        let is_encrypted = token.bytes().filter(|byte| *byte == b'.').count() == 4;
        Self {
            header,
            payload: payload.filter(|_| !is_encrypted),
        }
    }
}

fn text(part: &str) -> Option<String> {
    let octets = pasted::octets(part).filter(|octets| !octets.is_empty())?;
    Some(match std::str::from_utf8(&octets) {
        Ok(text) => indented(text),
        Err(_) => format!("{} bytes that are no text", octets.len()),
    })
}

/// JSON on lines of its own, by its brackets alone. Letters that nobody sees, or that turn others around, are spelled out
/// as JSON may spell them (RFC 8259 §7).
fn indented(json: &str) -> String {
    let mut text = String::new();
    let (mut depth, mut is_inside, mut is_escaped) = (0_usize, false, false);
    let line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.extend(std::iter::repeat_n("  ", depth.min(DEEPEST)));
    };
    let mut letters = json.trim().chars();
    for letter in letters.by_ref().take(MOST) {
        match letter {
            _ if is_inside => {
                is_inside = is_escaped || letter != '"';
                is_escaped = !is_escaped && letter == '\\';
                push(&mut text, letter);
            }
            '{' | '[' => {
                depth = depth.saturating_add(1);
                text.push(letter);
                line(&mut text, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut text, depth);
                text.push(letter);
            }
            ',' => {
                text.push(letter);
                line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            ' ' | '\n' | '\r' | '\t' => {}
            _ => {
                is_inside = letter == '"';
                push(&mut text, letter);
            }
        }
    }
    let rest = letters.count();
    if rest > 0 {
        text.push_str(&format!("\n… and {rest} letters more"));
    }
    text
}

fn push(text: &mut String, letter: char) {
    let is_seen =
        !letter.is_control() && (letter == ' ' || !letter.is_whitespace()) && !is_mark(letter);
    if is_seen {
        text.push(letter);
        return;
    }
    let mut units = [0; 2];
    for unit in letter.encode_utf16(&mut units) {
        text.push_str(&format!("\\u{unit:04x}"));
    }
}

/// A text with every letter to be seen, as JSON may spell it.
pub(crate) fn spelled(text: &str) -> String {
    let mut spelled = String::new();
    for letter in text.chars() {
        push(&mut spelled, letter);
    }
    spelled
}

/// Letters without a form, and those that change the order or the form of others.
fn is_mark(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{115f}' | '\u{1160}'
            | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_stands_on_lines_with_every_letter_to_be_seen() {
        let json = r#"{"a":[1,{"b":"x, {y}: \"z\""}],"n":1.50}"#;
        let lines = "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x, {y}: \\\"z\\\"\"\n    }\n  ],\n  \"n\": 1.50\n}";
        assert_eq!(indented(json), lines);
        assert_eq!(
            indented("{\"\u{202e}a\u{a0}\":\"\u{e0041}\n\"}"),
            "{\n  \"\\u202ea\\u00a0\": \"\\udb40\\udc41\\u000a\"\n}"
        );
    }

    #[test]
    fn what_is_broken_deep_or_long_is_shown_as_far_as_it_goes() {
        let shown = Shown::of("eyJhbGciOiJI.AQID.");
        assert_eq!(shown.header.as_deref(), Some("{\n  \"alg\": \"H"));
        assert_eq!(
            shown.payload,
            None.or(Some("\\u0001\\u0002\\u0003".to_owned()))
        );
        assert_eq!(
            Shown::of("_w.!!.").header.as_deref(),
            Some("1 bytes that are no text")
        );
        assert!(Shown::of("a").header.is_none() && Shown::of("").payload.is_none());
        assert!(Shown::of("e30..AA.AA.AA").payload.is_none());
        let deep = indented(&"[".repeat(1_000_000));
        assert!(deep.len() < 2_000_000 && deep.ends_with("… and 940000 letters more"));
    }
}
