//! Where a token comes from, and what people leave around it when they paste one.

use std::io::{self, IsTerminal};

use zeroize::Zeroizing;

use crate::exit::Failure;
use crate::input;

/// The token from the argument, or from standard input for `-` and for no argument.
///
/// # Errors
/// A usage error when there is neither, or when `key_is_stdin` and standard input would be read twice.
pub(crate) fn read(
    argument: Option<&str>,
    key_is_stdin: bool,
) -> Result<Zeroizing<String>, Failure> {
    let text = match argument {
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
    fn leaves_everything_else_as_it_is() {
        for text in ["bearera.b.c", "Basic a.b.c", "a. b.c", "\"a.b.c", "\""] {
            assert_eq!(bare(text), text);
        }
        assert_eq!(bare("Authorization: Bearer "), "");
    }
}
