//! Where a token comes from, and what people leave around it when they paste one.

use std::io::{self, IsTerminal};
use std::path::Path;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::exit::{Exit, Failure};
use crate::{input, output};

/// The token from the argument, or from standard input for `-` and for no argument.
///
/// # Errors
/// A usage error when there is neither, when it is the name of a file, or when `key_is_stdin` and standard input would be
/// read twice. The token is refused where it is several, has a line break in it, or is JSON with a token in it.
pub(crate) fn read(
    argument: Option<&str>,
    key_is_stdin: bool,
) -> Result<Zeroizing<String>, Failure> {
    let text = read_text(argument, key_is_stdin)?;
    mistake(&text).map_or(Ok(text), |what| Err(refused(what)))
}

/// The same for a JWS, which may be JSON.
pub(crate) fn read_jws(
    argument: Option<&str>,
    key_is_stdin: bool,
) -> Result<Zeroizing<String>, Failure> {
    let text = read_text(argument, key_is_stdin)?;
    match member_with_token(&text) {
        None if text.starts_with('{') => Ok(text),
        _ => mistake(&text).map_or(Ok(text), |what| Err(refused(what))),
    }
}

fn read_text(argument: Option<&str>, key_is_stdin: bool) -> Result<Zeroizing<String>, Failure> {
    let text = match argument {
        Some(name) if name != "-" && Path::new(name).is_file() => {
            return Err(Failure::usage(format!(
                "this is a file, and a token is expected: read it with `< {}`",
                output::plain(name)
            )));
        }
        Some(text) if text != "-" => Zeroizing::new(text.to_owned()),
        _ if key_is_stdin => {
            return Err(Failure::usage(
                "only one of the key and the token can be read from standard input: give the other as an argument or a file",
            ));
        }
        None if io::stdin().is_terminal() => {
            return Err(Failure::usage(
                "no token: give it as an argument, or `-` to read it from standard input",
            ));
        }
        // Octets that are no text are the token's own fault, and refused where it is read.
        _ => Zeroizing::new(String::from_utf8_lossy(&input::stdin_start()?).into_owned()),
    };
    let token = bare(&text);
    if token.is_empty() {
        return Err(Failure::usage("the token is empty"));
    }
    Ok(Zeroizing::new(token.to_owned()))
}

/// Where a token is refused for what stands around it, it is for characters that no token has.
fn refused(what: String) -> Failure {
    Failure::new(Exit::Refused, anyhow::Error::msg(what)).with_code("malformed_alphabet")
}

/// What people paste instead of a token, and what to do about it; never what they pasted.
fn mistake(text: &str) -> Option<String> {
    if let Some(member) = member_with_token(text) {
        return Some(format!(
            "this is JSON and no token: take the value of its member `{member}`"
        ));
    }
    if text.starts_with('{') && serde_json::from_str::<Map<String, Value>>(text).is_ok() {
        return Some(
            "this is JSON and no token: a JWS in JSON is for `countersign jws verify`".to_owned(),
        );
    }
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let (first, _) = lines.split_first().filter(|(_, more)| !more.is_empty())?;
    let is_whole = |line: &&str| matches!(line.matches('.').count(), 2 | 4);
    Some(if lines.iter().all(is_whole) {
        format!(
            "these are {} tokens, each on a line of its own: give one",
            lines.len()
        )
    } else {
        format!(
            "a line break stands in the token, after {} characters: give it on one line",
            first.trim_end().chars().count()
        )
    })
}

/// The member of JSON, as of the answer to a log-in, that holds a token.
fn member_with_token(text: &str) -> Option<&'static str> {
    let members: Map<String, Value> = serde_json::from_str(text).ok()?;
    ["access_token", "id_token", "token"]
        .into_iter()
        .find(|name| members.get(*name).is_some_and(Value::is_string))
}

/// Strips surrounding whitespace, quotation marks as of JSON or a shell, an `Authorization:` header name and a `Bearer` or
/// `DPoP` scheme, in any case.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let quoted = ['"', '\'']
        .into_iter()
        .find_map(|mark| text.strip_prefix(mark)?.strip_suffix(mark));
    let text = quoted.unwrap_or(text).trim();
    let text = strip_prefix_ignoring_case(text, "authorization:").map_or(text, str::trim_start);
    for scheme in ["bearer", "dpop"] {
        match strip_prefix_ignoring_case(text, scheme) {
            Some(rest) if rest.starts_with(char::is_whitespace) => return rest.trim_start(),
            Some("") => return "",
            _ => {}
        }
    }
    text
}

fn strip_prefix_ignoring_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_token_out_of_a_pasted_header_line() {
        for text in [
            "a.b.c",
            "  a.b.c\r\n",
            "Bearer a.b.c",
            "bearer   a.b.c ",
            "Authorization: Bearer a.b.c\n",
            "authorization:BEARER a.b.c",
            "Authorization: DPoP a.b.c",
            "\"a.b.c\"\n",
            "'Authorization: Bearer a.b.c'",
        ] {
            assert_eq!(bare(text), "a.b.c", "{text:?}");
        }
    }

    #[test]
    fn a_mistake_is_named_and_nothing_of_it_shown() {
        for (text, part) in [
            ("a.b.c\nd.e.f", "these are 2 tokens"),
            ("a.b.c\r\n\r\na.b.c.d.e", "these are 2 tokens"),
            (
                "abc.d\n  ef.g",
                "line break stands in the token, after 5 characters",
            ),
            ("{\"access_token\":\"a.b.c\"}", "member `access_token`"),
            ("{\n\"id_token\":\"a.b.c\"}", "member `id_token`"),
            ("{\"payload\":\"\"}", "`countersign jws verify`"),
        ] {
            let what = mistake(text).unwrap();
            assert!(what.contains(part), "{what}");
            assert!(!what.contains("a.b.c"), "{what}");
        }
        for text in ["a.b.c", "{a.b.c", "a. b.c", "{\"a\":"] {
            assert_eq!(mistake(text), None, "{text}");
        }
    }

    #[test]
    fn leaves_everything_else_as_it_is() {
        for text in ["bearera.b.c", "Basic a.b.c", "a. b.c", "\"a.b.c", "\""] {
            assert_eq!(bare(text), text);
        }
        assert_eq!(bare("Authorization: Bearer "), "");
    }
}
