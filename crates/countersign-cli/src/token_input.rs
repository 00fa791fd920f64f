//! Where a token comes from. What stands around one that was pasted is the server's to know, so that the command and the page
//! find the same.

use std::io::{self, IsTerminal};
use std::path::Path;

use countersign_server::pasted::{self, Other, Pasted, Taken};
use zeroize::Zeroizing;

use crate::exit::{Exit, Failure};
use crate::{input, output};

/// The token from the argument, or from standard input for `-` and for no argument. What it was taken out of is said on
/// standard error.
///
/// # Errors
/// A usage error when there is neither, when it is the name of a file, or when `key_is_stdin` and standard input would be
/// read twice. What is no token, or several, is refused.
pub(crate) fn read(
    argument: Option<&str>,
    key_is_stdin: bool,
) -> Result<Zeroizing<String>, Failure> {
    let text = read_text(argument, key_is_stdin)?;
    match pasted::read(&text) {
        Pasted::Taken(taken) => one(taken),
        Pasted::Other(other) => Err(refused(&other)),
        _ => Ok(text),
    }
}

/// The same for a JWS, which may be JSON: what is wrong with that is told where it is read.
pub(crate) fn read_jws(
    argument: Option<&str>,
    key_is_stdin: bool,
) -> Result<Zeroizing<String>, Failure> {
    let text = read_text(argument, key_is_stdin)?;
    match pasted::read(&text) {
        Pasted::Taken(taken) if !taken.is_rewritten => one(taken),
        Pasted::Other(other) if !is_jws(&other) => Err(refused(&other)),
        _ => Ok(text),
    }
}

/// JSON without a token in it, of a JWS or of what should be one.
fn is_jws(other: &Other) -> bool {
    matches!(other.code, "jws_json" | "json")
}

/// An answer is about all that was given: of several tokens none is taken.
fn one(taken: Taken) -> Result<Zeroizing<String>, Failure> {
    match taken.others.checked_add(1) {
        Some(1) => {
            output::note(&taken.note());
            Ok(taken.token)
        }
        count => {
            let what = format!(
                "these are {} tokens, and the answer is about one: give that alone",
                count.unwrap_or(usize::MAX)
            );
            let failure = Failure::new(Exit::Refused, anyhow::Error::msg(what));
            Err(failure.with_code("several_tokens"))
        }
    }
}

/// What it is and what to do about it; never what was pasted.
fn refused(other: &Other) -> Failure {
    let mut title = other.title.chars();
    let is_name = other.title.starts_with("JSON") || other.title.starts_with("SAML");
    let title: String = match title.next() {
        Some(first) if !is_name => first.to_lowercase().chain(title).collect(),
        _ => other.title.to_owned(),
    };
    let what = format!("this is {title}: {}", other.text);
    Failure::new(Exit::Refused, anyhow::Error::msg(what)).with_code(other.code)
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
    let token = text.trim();
    if token.is_empty() {
        return Err(Failure::usage(
            "the token is empty: give it as an argument, or on standard input",
        ));
    }
    Ok(Zeroizing::new(token.to_owned()))
}
