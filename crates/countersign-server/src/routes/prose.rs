//! Sentences on a page without a script: words between backticks are code; what a token says stands between quotes, and is
//! text. The page's script has the same rule (`prose` in `assets/js/inspect/dom.js`).

/// A piece of a sentence.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece<'t> {
    pub(crate) text: &'t str,
    pub(crate) is_code: bool,
}

/// The pieces of a sentence, in order.
pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut begin, mut at) = (0, 0);
    let piece = |from: usize, to: usize, is_code| Piece {
        text: text.get(from..to).unwrap_or_default(),
        is_code,
    };
    while let Some((offset, mark)) = text.get(at..).and_then(|rest| {
        rest.char_indices()
            .find(|(_, letter)| matches!(letter, '"' | '`'))
    }) {
        let from = at.saturating_add(offset);
        let inside = from.saturating_add(1);
        let Some(length) = text.get(inside..).and_then(|rest| length(rest, mark)) else {
            at = inside;
            continue;
        };
        let end = inside.saturating_add(length);
        at = end.saturating_add(1);
        if mark == '`' {
            pieces.push(piece(begin, from, false));
            pieces.push(piece(inside, end, true));
            begin = at;
        }
    }
    pieces.push(piece(begin, text.len(), false));
    pieces.retain(|piece| !piece.text.is_empty());
    pieces
}

/// How long it is until such a mark closes what it has opened; code is not empty, and a quotation escapes with a backslash.
fn length(rest: &str, mark: char) -> Option<usize> {
    if mark == '`' {
        return rest.find('`').filter(|length| *length > 0);
    }
    let mut is_escaped = false;
    let closes = |letter: char| {
        let is_end = letter == '"' && !is_escaped;
        is_escaped = !is_escaped && letter == '\\';
        is_end
    };
    rest.find(closes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let pieces = pieces(text);
        let shown = pieces.iter().map(|piece| match piece.is_code {
            true => format!("<{}>", piece.text),
            false => piece.text.to_owned(),
        });
        shown.collect()
    }

    #[test]
    fn words_between_backticks_are_code_and_what_a_token_says_is_text() {
        for (text, is) in [
            ("the `kid` and `alg` of it", "the <kid> and <alg> of it"),
            ("`kid`", "<kid>"),
            ("iss is \"a `b` c\", not `d`", "iss is \"a `b` c\", not <d>"),
            ("\"a\\\"`b`\" `c`", "\"a\\\"`b`\" <c>"),
            ("one ` alone", "one ` alone"),
            ("two `` and `c`", "two `< and >c`"),
            ("a \" and `c`", "a \" and <c>"),
            ("é`ü`😀", "é<ü>😀"),
            ("", ""),
        ] {
            assert_eq!(shown(text), is, "{text}");
        }
    }
}
