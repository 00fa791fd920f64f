//! The command line: one subcommand per file under `commands/`.

use clap::{Parser, Subcommand};

use crate::commands::{
    backup, completions, decode, inspect, jwks, jws, key, keys, lint, man, restore, serve,
    sessions, setup_link, sign, user, verify,
};

/// JSON Web Tokens, the whole way: issue them, verify them, refresh them, revoke them, look inside them.
///
/// Exit codes: 0 done, 1 token refused, 2 usage or configuration, 3 key or secret weak, not usable or not to be had,
/// 4 file, data folder or database, 5 port in use or another failure of the server.
///
/// With `--json` a failure is one object on standard output, with `code` and `message`: a code of the library or the
/// server, or for what is no error of theirs usage, key_unavailable, key_unfit, key_format or io.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the auth server.
    Serve(serve::Serve),
    /// Sign claims; the token goes to standard output.
    Sign(sign::Sign),
    /// Verify a token; its claims go to standard output.
    Verify(verify::Verify),
    /// Show what a token says, without checking anything.
    Decode(decode::Decode),
    /// Open a page that takes tokens apart, on this machine alone.
    Inspect(inspect::Inspect),
    /// Warn of secrets, personal data, long lives and missing claims in a token; exit code 1 with findings.
    Lint(lint::Lint),
    /// Sign any octets, and verify such a signature.
    #[command(subcommand)]
    Jws(jws::Jws),
    /// Make keys, look at them, write them in another form.
    #[command(subcommand)]
    Key(key::Key),
    /// Make and look at JWK Sets.
    #[command(subcommand)]
    Jwks(jwks::Jwks),
    /// Manage the users of a data folder.
    #[command(subcommand)]
    User(user::User),
    /// End the sessions of a data folder.
    #[command(subcommand)]
    Sessions(sessions::Sessions),
    /// Change the signing keys of a data folder.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Copy the database of a data folder into a new file, also while the server runs.
    Backup(backup::Backup),
    /// Put a copy in the place of the database; the server must be stopped.
    Restore(restore::Restore),
    /// Print a new one-time code for the first administrator.
    SetupLink(setup_link::SetupLink),
    /// Print what a shell needs to complete the command line.
    Completions(completions::Completions),
    /// Print the manual page.
    Man(man::Manual),
}
