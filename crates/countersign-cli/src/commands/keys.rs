//! `countersign keys`: the signing keys of a data folder.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use countersign_server::offline;

use super::data_folder::DataFolder;
use crate::exit::{Exit, Failure};
use crate::output;

/// What to do with the signing keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Have new tokens signed with another key, before the schedule would. A running server follows within a minute.
    Rotate(Rotate),
    /// Encrypt the keys in the database with another key-encryption key. Stop the server first.
    Reencrypt(Reencrypt),
}

/// The flags of `keys rotate`.
#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// The keys have leaked: withdraw them all, so that no access token that was signed before counts any more.
    #[arg(long)]
    leaked: bool,
    #[command(flatten)]
    folder: DataFolder,
}

/// The flags of `keys reencrypt`.
#[derive(Debug, Args)]
pub(crate) struct Reencrypt {
    /// The file of the new key: 32 random bytes in base64, as `openssl rand -base64 32` makes them, that nobody else can read
    /// [default: a new one in the place of the one in the data folder].
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    #[command(flatten)]
    folder: DataFolder,
}

impl Keys {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::Rotate(rotate) => rotate.run(),
            Self::Reencrypt(reencrypt) => reencrypt.run(),
        }
    }
}

impl Rotate {
    fn run(self) -> Result<Exit, Failure> {
        let rotated = self.folder.with(async |settings| {
            if self.leaked {
                offline::withdraw_keys(&settings).await
            } else {
                offline::rotate_keys(&settings).await
            }
        })?;
        let end = if self.leaked { "withdrawn" } else { "ended" };
        for key in &rotated.ended {
            output::line(&format!("{end}\t{}\t{}", key.kid, key.alg))?;
        }
        for key in &rotated.signing {
            output::line(&format!("signs\t{}\t{}", key.kid, key.alg))?;
        }
        output::note(
            "these are the keys in the database: a server that was told another algorithm signs with that one's, and a shared secret (`signing_secret`) is replaced where it is set",
        );
        if rotated.signing.is_empty() {
            output::warning(
                "no key stood by: the server makes new ones within a minute, or when it is started",
            );
        }
        if self.leaked {
            output::warning(
                "other services believe the old keys until they fetch the new ones: five minutes, a day where they cannot reach this server; if the database has leaked too, `countersign sessions revoke --all` ends what its refresh tokens could be made of",
            );
        }
        Ok(Exit::Done)
    }
}

impl Reencrypt {
    fn run(self) -> Result<Exit, Failure> {
        let done = self
            .folder
            .with(async |settings| offline::reencrypt_keys(&settings, self.to.as_deref()).await)?;
        for kid in &done.keys {
            output::line(&format!("encrypted\t{kid}"))?;
        }
        let key = done.key.display();
        if self.to.is_some() {
            output::note(&format!(
                "the server needs {key} from now on: set `key_encryption_key_file` before you start it"
            ));
        }
        output::note(&format!(
            "keep a copy of {key}, in another place than those of the database: neither is of use without the other"
        ));
        if let Some(aside) = done.set_aside {
            output::note(&format!(
                "the key of before is {} now; it opens copies of the database of before: delete it when there are none",
                aside.display()
            ));
        }
        if !done.is_swept {
            output::warning(
                "what the key of before had encrypted is still in the free pages of the database, for want of room perhaps: `countersign backup` and `countersign restore` leave that behind",
            );
        }
        Ok(Exit::Done)
    }
}
