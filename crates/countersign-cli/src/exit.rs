//! Exit codes, and the one error type that carries one.

use std::fmt;
use std::process::ExitCode;

use countersign::Blame;

/// How the command ends. Scripts rely on the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// The command did what it was asked to.
    Done = 0,
    /// The token was refused.
    Refused = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// A key or a secret is weak, not usable, or not to be had.
    Key = 3,
    /// A file, the data folder or the database.
    Storage = 4,
    /// The port is in use, or the server failed otherwise.
    Server = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error on its way to standard error, with the exit code that it ends in.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    error: anyhow::Error,
}

impl Failure {
    pub(crate) fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit,
            error: error.into(),
        }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, anyhow::Error::msg(message.into()))
    }

    pub(crate) fn key(message: impl Into<String>) -> Self {
        Self::new(Exit::Key, anyhow::Error::msg(message.into()))
    }

    pub(crate) fn storage(message: impl Into<String>) -> Self {
        Self::new(Exit::Storage, anyhow::Error::msg(message.into()))
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// The stable code of the library's error, where it is one.
    pub(crate) fn code(&self) -> Option<&'static str> {
        self.error
            .downcast_ref::<countersign::Error>()
            .map(countersign::Error::code)
    }
}

/// One line: the message, then what caused it, unless the message says so already.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = String::new();
        for error in self.error.chain() {
            let text = error.to_string();
            if line.is_empty() {
                line = text;
            } else if !line.ends_with(&text) {
                line = format!("{line}: {text}");
            }
            // The messages of the library and of the server hold what caused them.
            if error.is::<countersign::Error>() || error.is::<countersign_server::Error>() {
                break;
            }
        }
        f.write_str(&line)
    }
}

/// The library says who is to blame; that decides the exit code.
impl From<countersign::Error> for Failure {
    fn from(error: countersign::Error) -> Self {
        let exit = match error.blame() {
            Blame::Token => Exit::Refused,
            Blame::Key => Exit::Key,
            Blame::Environment => Exit::Storage,
            _ => Exit::Usage,
        };
        Self::new(exit, error)
    }
}

/// The server says itself which code its errors end in.
impl From<countersign_server::Error> for Failure {
    fn from(error: countersign_server::Error) -> Self {
        let exit = match error.exit_code() {
            2 => Exit::Usage,
            3 => Exit::Key,
            4 => Exit::Storage,
            _ => Exit::Server,
        };
        Self::new(exit, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_codes_are_the_documented_numbers() {
        let codes = [
            Exit::Done,
            Exit::Refused,
            Exit::Usage,
            Exit::Key,
            Exit::Storage,
            Exit::Server,
        ];
        assert_eq!(codes.map(|exit| exit as u8), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_failure_is_one_line_with_its_cause() {
        let error = anyhow::anyhow!("no such file").context("cannot read key.pem");
        assert_eq!(
            Failure::new(Exit::Storage, error).to_string(),
            "cannot read key.pem: no such file"
        );
        let error = anyhow::anyhow!("no such file").context("cannot read key.pem: no such file");
        assert_eq!(
            Failure::new(Exit::Storage, error).to_string(),
            "cannot read key.pem: no such file"
        );
    }

    #[test]
    fn what_an_error_of_the_server_says_is_not_said_again() {
        let flags = countersign_server::Flags {
            config: Some("/nowhere/at/all.toml".into()),
            ..countersign_server::Flags::default()
        };
        let error = countersign_server::Settings::load(flags, []).unwrap_err();
        assert!(std::error::Error::source(&error).is_some());
        let message = error.to_string();
        assert_eq!(Failure::from(error).to_string(), message);
    }
}
