//! What mail and terminals put between the letters of a line.

use std::borrow::Cow;

/// A text with its lines put together again.
pub(super) struct Unfolded<'t> {
    pub(super) text: Cow<'t, str>,
    /// What it was folded by, in words.
    pub(super) from: Option<&'static str>,
}

/// A text without letters that nobody sees, and how many these were.
pub(super) fn seen(text: &str) -> (Cow<'_, str>, usize) {
    if !text.chars().any(is_unseen) {
        return (Cow::Borrowed(text), 0);
    }
    let count = text.chars().filter(|letter| is_unseen(*letter)).count();
    let kept = text.chars().filter(|letter| !is_unseen(*letter)).collect();
    (Cow::Owned(kept), count)
}

/// A soft hyphen, spaces without width, marks of direction, joiners, a byte order mark.
fn is_unseen(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

/// Without the marks of a quoted mail, and with the line ends of quoted-printable (RFC 2045 §6.7) taken out.
pub(super) fn lines(text: &str) -> Unfolded<'_> {
    let is_quoted = text.lines().any(|line| line.starts_with('>'));
    let unquoted = if is_quoted {
        let lines = text
            .lines()
            .map(|line| line.trim_start_matches(['>', ' ', '\t']));
        Cow::Owned(lines.collect::<Vec<_>>().join("\n"))
    } else {
        Cow::Borrowed(text)
    };
    if !is_soft(&unquoted) {
        return Unfolded {
            text: unquoted,
            from: is_quoted.then_some("a quoted e-mail"),
        };
    }
    let joined = unquoted.replace("=\r\n", "").replace("=\n", "");
    Unfolded {
        text: Cow::Owned(joined.replace("=3D", "=")),
        from: Some("an e-mail in quoted-printable"),
    }
}

/// Whether a line ends in `=` and goes on with the letters of a token.
fn is_soft(text: &str) -> bool {
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let goes_on = lines
            .peek()
            .and_then(|next| next.bytes().next())
            .is_some_and(super::find::is_letter);
        if goes_on
            && line
                .strip_suffix('=')
                .is_some_and(|line| !line.ends_with('='))
        {
            return true;
        }
    }
    false
}
