//! The password of a private key that is encrypted: from a file, the environment or a prompt; never an argument, which
//! others can see in the list of processes.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use clap::Args;
use zeroize::Zeroizing;

use crate::exit::Failure;
use crate::{input, password};

/// Where the password of an encrypted private key comes from; without these flags it is asked for.
#[derive(Debug, Default, Args)]
pub(crate) struct KeyPassword {
    /// A file whose first line is the password of an encrypted private key [default: ask for it].
    #[arg(long, value_name = "FILE", conflicts_with = "password_env")]
    password_file: Option<PathBuf>,
    /// The environment variable that holds this password.
    #[arg(long, value_name = "NAME")]
    password_env: Option<String>,
}

impl KeyPassword {
    /// Reads the password; only called for a key that is encrypted.
    pub(crate) fn read(&self) -> Result<Zeroizing<String>, Failure> {
        if let Some(path) = &self.password_file {
            let text = input::text(
                &input::secret_file(
                    path,
                    "the password of the key",
                    "give the name of a file, or the password with --password-env NAME",
                )?,
                "the password file",
            )?;
            return Ok(Zeroizing::new(password::first_line(&text).to_owned()));
        }
        if let Some(name) = &self.password_env {
            return input::variable(name, "the password of the key");
        }
        // The prompt goes to the terminal itself, so that a token can still come through a pipe.
        if !io::stderr().is_terminal() {
            return Err(Failure::no_key(
                "this private key is encrypted: give its password with --password-file FILE or --password-env NAME, or decrypt it first: openssl pkey -in key.pem -out plain.pem",
            ));
        }
        password::ask("Password of the key: ")
    }
}
