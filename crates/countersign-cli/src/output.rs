//! Standard output and standard error: a closed pipe ends the command quietly, colour appears only on a terminal.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::exit::{Exit, Failure};

const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

/// The tick of a check that passed.
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();

/// The cross of a check that failed.
pub(crate) const CROSS: Style = RED;

/// Writes one line of data to standard output.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    end(writeln!(out, "{text}").and_then(|()| out.flush()))
}

/// Writes octets to standard output as they are.
pub(crate) fn bytes(octets: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    end(out.write_all(octets).and_then(|()| out.flush()))
}

fn end(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        // The reader has seen enough (`countersign … | head -1`): not an error of ours.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::new(
            Exit::Storage,
            anyhow::Error::new(error).context("cannot write to standard output"),
        )),
        Ok(()) => Ok(()),
    }
}

/// Writes one JSON value to standard output: indented for people.
pub(crate) fn pretty_json(value: &impl Serialize) -> Result<(), Failure> {
    line(&inert(
        &serde_json::to_string_pretty(value).map_err(not_json)?,
    ))
}

/// Writes one JSON object to standard output, on one line for scripts.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    line(&inert(&serde_json::to_string(value).map_err(not_json)?))
}

/// Says on standard error what is written out already, in colour or not.
pub(crate) fn ready(text: &str) {
    // The terminal may be gone; there is nobody left to tell then.
    let _ = write!(anstream::stderr().lock(), "{text}");
}

/// Says what failed, in one line on standard error.
pub(crate) fn error(failure: &Failure) {
    // What was given on the command line may come from elsewhere too.
    say(RED, "error", &inert(&failure.to_string()));
}

/// Says what to be careful about, in one line on standard error.
pub(crate) fn warning(text: &str) {
    say(YELLOW, "warning", text);
}

/// Says something on standard error.
pub(crate) fn note(text: &str) {
    // Standard error may be closed; there is nobody left to tell then.
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// JSON text, or text on one line, in which nothing is left that a terminal acts on and nothing that turns the direction
/// of writing: as JSON it means the same.
pub(crate) fn inert(text: &str) -> String {
    let mut inert = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' => inert.push(letter),
            '\u{0}'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}' => inert.push_str(&format!("\\u{:04x}", u32::from(letter))),
            _ => inert.push(letter),
        }
    }
    inert
}

/// A name out of a file, fit for a terminal: one line, inert, without surprises at its ends.
pub(crate) fn plain(name: &str) -> String {
    let inert = inert(name);
    if inert.contains(['\n', ' ']) || inert.is_empty() {
        return format!("{:?}", inert.replace('\n', "\\u000a"));
    }
    inert
}

fn say(style: Style, label: &str, text: &str) {
    note(&format!("{style}{label}:{style:#} {text}"));
}

fn not_json(error: serde_json::Error) -> Failure {
    Failure::new(Exit::Usage, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_reaches_a_terminal_inert_and_means_the_same() {
        let hostile = "a\u{9b}2J\u{1b}[2J\u{202e}b\u{7f}é\n";
        let json = inert(&serde_json::to_string(hostile).unwrap());
        assert!(
            json.chars()
                .all(|letter| !letter.is_control() && letter != '\u{202e}'),
            "{json}"
        );
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), hostile);
    }
}
