//! A password from a prompt without echo, or from standard input; never from an argument, which others can see.

use std::io::{self, IsTerminal};

use anyhow::Context;
use zeroize::Zeroizing;

use crate::exit::{Exit, Failure};
use crate::input;

/// Asks for a new password twice, or takes the first line of standard input.
pub(crate) fn read(from_stdin: bool) -> Result<Zeroizing<String>, Failure> {
    if from_stdin {
        let bytes = input::stdin()?;
        let text = input::text(&bytes, "the password")?;
        return Ok(Zeroizing::new(first_line(&text).to_owned()));
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::usage(
            "no terminal to ask for the password on: pipe it in and add --password-stdin",
        ));
    }
    let password = ask("Password: ")?;
    if *password != *ask("Again: ")? {
        return Err(Failure::usage("the two passwords are not the same"));
    }
    Ok(password)
}

/// Asks once, without echo.
pub(crate) fn ask(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    rpassword::prompt_password(prompt)
        .map(Zeroizing::new)
        .context("cannot ask for the password")
        .map_err(|error| Failure::new(Exit::Storage, error))
}

/// The first line, without its end.
pub(crate) fn first_line(text: &str) -> &str {
    text.split_once('\n')
        .map_or(text, |(line, _)| line.strip_suffix('\r').unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_end_is_no_part_of_the_password() {
        for text in ["s p ", "s p \n", "s p \r\n", "s p \nmore\n"] {
            assert_eq!(first_line(text), "s p ", "{text:?}");
        }
    }
}
