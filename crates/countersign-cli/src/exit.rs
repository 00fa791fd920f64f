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

/// An error on its way to standard error, or with `--json` to standard output, with the exit code that it ends in.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    /// The command's own code, for what is no error of the library or of the server.
    code: Option<&'static str>,
    error: anyhow::Error,
}

impl Failure {
    pub(crate) fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit,
            code: None,
            error: error.into(),
        }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, anyhow::Error::msg(message.into()))
    }

    /// A key that is there, and does not fit what is asked of it.
    pub(crate) fn key(message: impl Into<String>) -> Self {
        Self::new(Exit::Key, anyhow::Error::msg(message.into()))
    }

    /// A key, or the password of one, that is not to be had.
    pub(crate) fn no_key(message: impl Into<String>) -> Self {
        Self::key(message).with_code("key_unavailable")
    }

    pub(crate) fn storage(message: impl Into<String>) -> Self {
        Self::new(Exit::Storage, anyhow::Error::msg(message.into()))
    }

    /// The same failure under a code that its message does not bring.
    pub(crate) fn with_code(self, code: &'static str) -> Self {
        Self {
            code: Some(code),
            ..self
        }
    }

    /// What is wrong at the bottom, without the words around it.
    pub(crate) fn reason(&self) -> String {
        self.error.root_cause().to_string()
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// A stable code: that of the library's or the server's error, where it is one; else one of the command's own.
    pub(crate) fn code(&self) -> &'static str {
        let by_whom = self.error.chain().find_map(|error| {
            let library = error.downcast_ref().map(countersign::Error::code);
            library
                .or_else(|| error.downcast_ref().map(countersign_http::FetchError::code))
                .or_else(|| error.downcast_ref().map(countersign_server::Error::code))
        });
        by_whom.or(self.code).unwrap_or(match self.exit {
            Exit::Done | Exit::Refused => "token_refused",
            Exit::Usage => "usage",
            Exit::Key => "key_unfit",
            Exit::Storage => "io",
            Exit::Server => "server",
        })
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
    fn every_failure_has_a_code_and_that_of_the_library_comes_first() {
        let library = || countersign::Error::KeyEncrypted;
        for (failure, code) in [
            (Failure::from(library()), "key_encrypted"),
            (
                Failure::new(Exit::Key, anyhow::Error::new(library()).context("the key")),
                "key_encrypted",
            ),
            (Failure::usage("a flag is missing"), "usage"),
            (Failure::key("a set"), "key_unfit"),
            (Failure::no_key("no variable"), "key_unavailable"),
            (Failure::storage("no file"), "io"),
        ] {
            assert_eq!(failure.code(), code);
        }
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
