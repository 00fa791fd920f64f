//! What a token stands in, by what stands before it.

use super::find::Found;

/// So much of what stands before a token is looked at, in bytes.
const BEFORE: usize = 4_096;
/// A longer name is no name.
const LONGEST_NAME: usize = 60;

/// One word without the quotation marks, the `Authorization` and the scheme around it, and where it stood. Nothing where
/// that leaves more than a word, or takes nothing away.
pub(super) fn strip(text: &str) -> Option<(&str, &'static str)> {
    let mut from = None;
    let mut rest = text;
    while let Some(inner) = unquoted(rest) {
        from = Some("quotation marks");
        rest = inner.trim();
    }
    if let Some(value) = prefix(rest, "authorization:") {
        from = Some("an Authorization header");
        rest = value.trim_start();
    }
    for scheme in ["bearer", "dpop"] {
        if let Some(value) =
            prefix(rest, scheme).filter(|value| value.starts_with(char::is_whitespace))
        {
            from = from
                .filter(|from| from.starts_with("an A"))
                .or(Some("the value of an Authorization header"));
            rest = value.trim_start();
        }
    }
    while let Some(inner) = unquoted(rest) {
        rest = inner.trim();
    }
    let from = from?;
    (!rest.is_empty() && !rest.contains(char::is_whitespace)).then_some((rest, from))
}

/// Whether this is a header, or the value of one, in which no token stands: what a shell makes of a variable that is not
/// set.
pub(super) fn is_empty_header(text: &str) -> bool {
    let mut rest = text;
    while let Some(inner) = unquoted(rest) {
        rest = inner.trim();
    }
    let value = prefix(rest, "authorization:").unwrap_or(rest).trim();
    let is_scheme = ["bearer", "dpop"]
        .iter()
        .any(|scheme| value.eq_ignore_ascii_case(scheme));
    is_scheme || value.is_empty() && !rest.is_empty()
}

/// Without one pair of marks around it.
fn unquoted(text: &str) -> Option<&str> {
    [
        ("\"", "\""),
        ("'", "'"),
        ("`", "`"),
        ("<", ">"),
        ("(", ")"),
        ("“", "”"),
        ("‘", "’"),
        ("«", "»"),
    ]
    .into_iter()
    .find_map(|(open, close)| text.strip_prefix(open)?.strip_suffix(close))
}

fn prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn suffix<'t>(text: &'t str, suffix: &str) -> Option<&'t str> {
    let (rest, tail) = text.split_at_checked(text.len().checked_sub(suffix.len())?)?;
    tail.eq_ignore_ascii_case(suffix).then_some(rest)
}

/// What a token stands in, in words.
pub(super) fn name(text: &str, found: &Found) -> Option<String> {
    let before = line_before(text, found.start);
    let lower = before.to_ascii_lowercase();
    let has = |part: &str| lower.contains(part);
    let near = before.trim_end_matches(['"', '\'', '`', '\\', ' ', '\t']);
    if let Some(rest) = ["bearer", "dpop", "bearer%20", "bearer+"]
        .into_iter()
        .find_map(|scheme| suffix(near, scheme))
    {
        return Some(if suffix(rest, "--oauth2-").is_some() {
            "the flag `--oauth2-bearer` of curl".to_owned()
        } else if has("authorization") {
            "an Authorization header".to_owned()
        } else {
            "the value of an Authorization header".to_owned()
        });
    }
    let sign = near.chars().next_back()?;
    let (rest, name) = last_name(near.get(..near.len().checked_sub(sign.len_utf8())?)?)?;
    match sign {
        '=' if has("set-cookie:") || has("cookie:") || has("--cookie") || has(" -b ") => {
            Some(format!("a cookie named {name}"))
        }
        '=' if rest.ends_with(['?', '#', '&']) => {
            Some(format!("the parameter {name} of an address"))
        }
        '=' if prefix(name, "--").is_some() => Some(format!("the flag {name}")),
        '=' => Some(format!("a variable named {name}")),
        ':' if has("\"") || rest.ends_with(['{', ',', '\'', '\\']) => {
            Some(format!("a member named {name}"))
        }
        ':' if rest.trim_start_matches(['<', '>', '*', ' ']).is_empty() => {
            Some(format!("a header or a line named {name}"))
        }
        _ => None,
    }
}

/// What stands before this place, on its line; the place itself may stand on the line after a name.
fn line_before(text: &str, start: usize) -> &str {
    let before = text.get(..start).unwrap_or_default();
    let mut from = before.len().saturating_sub(BEFORE);
    while !before.is_char_boundary(from) {
        from = from.saturating_add(1);
    }
    let before = before.get(from..).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    if line.trim().is_empty() {
        // A header that was folded, or a name with its value below it.
        let above = before.trim_end();
        return above.rsplit('\n').next().unwrap_or_default();
    }
    line
}

/// The name that a text ends with, in quotation marks or not, and what stands before it.
fn last_name(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_end_matches([' ', '\t', '"', '\'', '\\']);
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    let rest = text.trim_end_matches(is_of_name);
    let name = text.get(rest.len()..)?;
    let rest = rest.trim_end_matches(['"', '\'']);
    (!name.is_empty() && name.len() <= LONGEST_NAME).then_some((rest, name))
}
