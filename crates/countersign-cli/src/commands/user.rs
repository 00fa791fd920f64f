//! `countersign user`: the users of a data folder.

use clap::{Args, Subcommand};
use countersign_server::offline::{self, NewUser};
use serde::Serialize;

use super::data_folder::DataFolder;
use crate::answer::{self, Verdict};
use crate::exit::{Exit, Failure};
use crate::{output, password};

/// The role that may administer a server.
const ADMINISTRATOR: &str = "admin";

/// What to do with users.
#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Add a user; the password is asked for, never an argument.
    Add(Add),
    /// List the users: e-mail, roles, id.
    List(List),
    /// Set the roles of a user.
    Role(Role),
}

/// The flags of `user add`.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The e-mail address to log in with.
    email: String,
    /// The name to show.
    #[arg(long)]
    name: Option<String>,
    /// A role to give; repeat it for several.
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// Read the password from the first line of standard input.
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    folder: DataFolder,
}

/// The flags of `user list`.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// One JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    folder: DataFolder,
}

/// The flags of `user role`.
#[derive(Debug, Args)]
pub(crate) struct Role {
    /// The e-mail address of the user.
    email: String,
    /// The roles, all of them: they replace those that the user has.
    #[arg(value_name = "ROLE")]
    roles: Vec<String>,
    /// Take every role away.
    #[arg(long, conflicts_with = "roles")]
    none: bool,
    #[command(flatten)]
    folder: DataFolder,
}

impl User {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::Add(add) => add.run(),
            Self::List(list) => list.run(),
            Self::Role(role) => role.run(),
        }
    }
}

impl Add {
    fn run(self) -> Result<Exit, Failure> {
        let mut user = NewUser::new(self.email, password::read(self.password_stdin)?);
        user.name = self.name;
        user.roles = self.roles;
        let user = self
            .folder
            .with(async |settings| offline::add_user(&settings, user).await)?;
        output::line(&row(&user))?;
        Ok(Exit::Done)
    }
}

impl List {
    fn run(self) -> Result<Exit, Failure> {
        answer::end(self.json, Verdict::None, self.outcome())
    }

    fn outcome(&self) -> Result<Exit, Failure> {
        let users = self
            .folder
            .with(async |settings| offline::list_users(&settings).await)?;
        if self.json {
            output::json(&Listed { users })?;
        } else {
            for user in &users {
                output::line(&row(user))?;
            }
        }
        Ok(Exit::Done)
    }
}

impl Role {
    fn run(self) -> Result<Exit, Failure> {
        if self.roles.is_empty() && !self.none {
            return Err(Failure::usage(
                "choose the roles that the user is to have, all of them, or --none to take every role away",
            ));
        }
        let (before, user) = self.folder.with(async |settings| {
            let before = offline::list_users(&settings).await?;
            let user = offline::set_roles(&settings, &self.email, &self.roles).await?;
            Ok((before, user))
        })?;
        output::line(&row(&user))?;
        if was_last_administrator(&before, &user) {
            output::warning(
                "nobody is an administrator now: `countersign setup-link` prints a code for a new one",
            );
        }
        Ok(Exit::Done)
    }
}

/// Whether `user`, as it is now, was the only one before who could administer.
fn was_last_administrator(before: &[offline::User], user: &offline::User) -> bool {
    let mut administrators = before.iter().filter(|user| administers(user));
    let only = administrators
        .next()
        .filter(|_| administrators.next().is_none());
    only.is_some_and(|only| only.id == user.id) && !administers(user)
}

fn administers(user: &offline::User) -> bool {
    !user.disabled && user.roles.iter().any(|role| role == ADMINISTRATOR)
}

/// What `user list --json` prints.
#[derive(Serialize)]
struct Listed {
    users: Vec<offline::User>,
}

/// One user in one line, tab between the columns: e-mail, roles, id, and `disabled` where it is so.
fn row(user: &offline::User) -> String {
    let roles = match user.roles.as_slice() {
        [] => "-".to_owned(),
        roles => roles.join(","),
    };
    let state = if user.disabled { "\tdisabled" } else { "" };
    format!("{}\t{roles}\t{}{state}", user.email, user.id)
}
