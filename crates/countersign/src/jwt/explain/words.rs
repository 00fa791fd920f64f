//! What a sender wrote, and lengths of time, in words for people.

use std::time::Duration;

/// The longest quotation of a token, in characters.
const MAX_QUOTE: usize = 80;

/// The longest name that is written out in a summary, in characters.
const MAX_NAME: usize = 16;

/// A sender's text, fit for a terminal: escaped, without marks that change the direction of writing, cut short.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars().take(MAX_QUOTE) {
        match letter {
            '\u{061c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}' => {
                quoted.extend(letter.escape_unicode());
            }
            _ => quoted.extend(letter.escape_debug()),
        }
    }
    quoted.push_str(if text.chars().nth(MAX_QUOTE).is_some() {
        "…\""
    } else {
        "\""
    });
    quoted
}

/// Quotations in a row.
pub(super) fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.map(quote).collect::<Vec<_>>().join(", ")
}

/// Without quotation marks where there is nothing to escape.
pub(super) fn plain(text: &str) -> String {
    let quoted = quote(text);
    let inner = quoted.trim_matches('"');
    if inner == text && !text.contains(' ') {
        inner.to_owned()
    } else {
        quoted
    }
}

/// The beginning of a long name: enough to tell keys apart.
pub(super) fn short(name: &str) -> String {
    if name.chars().nth(MAX_NAME).is_none() {
        return plain(name);
    }
    let beginning: String = name.chars().take(MAX_NAME.saturating_sub(4)).collect();
    match plain(&beginning) {
        cut if cut == beginning => cut + "…",
        quoted => quoted.trim_end_matches('"').to_owned() + "…\"",
    }
}

/// A length of time in its two largest units. `time.js` of the inspector counts on in the same words.
pub(super) fn span(time: Duration) -> String {
    let secs = time.as_secs();
    let units = [
        (31_557_600, "y"),
        (86_400, "d"),
        (3_600, "h"),
        (60, "min"),
        (1, "s"),
    ];
    let mut rest = secs;
    let mut words = Vec::new();
    for (size, unit) in units {
        let count = rest.checked_div(size).unwrap_or(0);
        rest = rest.checked_rem(size).unwrap_or(0);
        match (words.len(), count) {
            (0, 0) => {}
            // The second is the next smaller one, or none: `1 h`, and not `1 h 5 s`.
            (1, 0) | (2, _) => break,
            _ => words.push(format!("{count} {unit}")),
        }
    }
    if words.is_empty() {
        "0 s".to_owned()
    } else {
        words.join(" ")
    }
}

/// Lines of at most `width` characters, broken at spaces; a word that is longer stands alone.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let used = lines.last().map_or(0, |line| line.chars().count());
        let needed = used.saturating_add(1).saturating_add(word.chars().count());
        match lines.last_mut() {
            Some(line) if used == 0 => line.push_str(word),
            Some(line) if needed <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_holds_nothing_that_a_terminal_would_act_on() {
        let hostile = "a\u{1b}[2J\n\u{202e}b\"\u{0}";
        for quoted in [quote(hostile), plain(hostile), short(&hostile.repeat(9))] {
            assert!(
                quoted
                    .chars()
                    .all(|letter| !letter.is_control() && letter != '\u{202e}'),
                "{quoted}"
            );
        }
        assert_eq!(quote(&"x".repeat(500)).chars().count(), MAX_QUOTE + 3);
    }

    #[test]
    fn a_long_name_is_cut_and_a_short_one_is_not() {
        assert_eq!(short("2026-11"), "2026-11");
        assert_eq!(short("0123456789abcdef"), "0123456789abcdef");
        assert_eq!(short("0123456789abcdefg"), "0123456789ab…");
    }

    #[test]
    fn a_span_has_at_most_two_units() {
        for (secs, text) in [
            (0, "0 s"),
            (192, "3 min 12 s"),
            (3_600, "1 h"),
            (3_605, "1 h"),
            (90_061, "1 d 1 h"),
            (1_000_000_000, "31 y 251 d"),
        ] {
            assert_eq!(span(Duration::from_secs(secs)), text);
        }
    }

    #[test]
    fn a_line_is_broken_at_spaces_and_loses_no_word() {
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrap("aaaaaaaa b", 5), ["aaaaaaaa", "b"]);
        assert_eq!(wrap("", 5), [""]);
    }
}
