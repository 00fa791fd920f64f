//! Somebody else's text, as it may stand in a message or in the log: on one line, in letters that are seen and turn no line
//! round, and not at any length.

/// The most of a text that may be a URL, or a sentence of another library's, in characters.
const LONG: usize = 200;

/// The most of a name.
const SHORT: usize = 64;

/// At most 200 characters of `text`, each printable ASCII or an escape.
pub(crate) fn shown(text: &str) -> String {
    within(text, LONG)
}

/// The same of a name: at most 64.
pub(crate) fn shown_name(name: &str) -> String {
    within(name, SHORT)
}

fn within(text: &str, most: usize) -> String {
    let letters = text.chars().take(most);
    letters.flat_map(char::escape_default).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_forges_no_line_and_turns_no_writing_round() {
        assert_eq!(
            shown("a\nlevel=error \u{1b}[31m\u{202e}\u{2066}\u{200b}\u{feff}\u{2028}"),
            "a\\nlevel=error \\u{1b}[31m\\u{202e}\\u{2066}\\u{200b}\\u{feff}\\u{2028}"
        );
        // A letter of a right-to-left script turns a line round by itself, and some letters are not seen.
        assert_eq!(shown("\"\u{5d0} 401\u{3164}"), "\\\"\\u{5d0} 401\\u{3164}");
    }

    #[test]
    fn what_is_shown_is_cut_short() {
        let long = "k".repeat(1_000);
        assert_eq!(shown(&long).len(), LONG);
        assert_eq!(shown_name(&long).len(), SHORT);
    }
}
