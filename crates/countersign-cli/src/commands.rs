//! One file per subcommand: its flags, and what it does.

pub(crate) mod backup;
pub(crate) mod completions;
pub(crate) mod data_folder;
pub(crate) mod decode;
pub(crate) mod inspect;
pub(crate) mod jwks;
pub(crate) mod jws;
pub(crate) mod key;
pub(crate) mod keys;
pub(crate) mod lint;
pub(crate) mod man;
pub(crate) mod restore;
pub(crate) mod serve;
pub(crate) mod sessions;
pub(crate) mod setup_link;
pub(crate) mod sign;
pub(crate) mod user;
pub(crate) mod verify;

use crate::cli::{Cli, Command};
use crate::exit::{Exit, Failure};

/// Runs the subcommand that was asked for.
pub(crate) fn run(cli: Cli) -> Result<Exit, Failure> {
    match cli.command {
        Command::Serve(serve) => serve.run(),
        Command::Sign(sign) => sign.run(),
        Command::Verify(verify) => verify.run(),
        Command::Decode(decode) => decode.run(),
        Command::Inspect(inspect) => inspect.run(),
        Command::Lint(lint) => lint.run(),
        Command::Jws(jws) => jws.run(),
        Command::Key(key) => key.run(),
        Command::Jwks(jwks) => jwks.run(),
        Command::User(user) => user.run(),
        Command::Keys(keys) => keys.run(),
        Command::Sessions(sessions) => sessions.run(),
        Command::Backup(backup) => backup.run(),
        Command::Restore(restore) => restore.run(),
        Command::SetupLink(setup_link) => setup_link.run(),
        Command::Completions(completions) => completions.run(),
        Command::Man(manual) => manual.run(),
    }
}
