//! What an operator does to a data folder, with or without a server running on it.
//!
//! Nothing here makes a folder or a database: a name that was mistyped stays empty.

use std::time::SystemTime;

use countersign::Timestamp;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::app::{InUse, SetupLink, open_existing};
use crate::config::Settings;
use crate::error::Error;
use crate::rules::account::{self, Applicant, change};
use crate::rules::email;
use crate::rules::password::Pool;
use crate::rules::{keys, roles, session, setup};
use crate::store::Store;
use crate::store::keys::KeyRow;
use crate::store::users::UserRow;

mod copies;
mod reencrypt;

pub use copies::{Backup, Restored, backup, restore};
pub use reencrypt::{Reencrypted, reencrypt_keys};

const PAGE: i64 = 500;

/// An account to make.
#[non_exhaustive]
pub struct NewUser {
    /// The address, in any case.
    pub email: String,
    /// The password: 12 to 256 characters, not easily guessed.
    pub password: Zeroizing<String>,
    /// What the person is called.
    pub name: Option<String>,
    /// Role names, lower-case.
    pub roles: Vec<String>,
}

impl NewUser {
    /// An account without a name and without roles.
    #[must_use]
    pub fn new(email: impl Into<String>, password: Zeroizing<String>) -> Self {
        Self {
            email: email.into(),
            password,
            name: None,
            roles: Vec::new(),
        }
    }
}

impl std::fmt::Debug for NewUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewUser")
            .field("email", &self.email)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

/// An account, without its password.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct User {
    /// `sub` in its tokens.
    pub id: String,
    /// The address, lower-cased.
    pub email: String,
    /// What the person is called.
    pub name: Option<String>,
    /// Role names.
    pub roles: Vec<String>,
    /// Whether it is kept from logging in.
    pub disabled: bool,
    /// When it was made, in seconds since the epoch.
    pub created_at: i64,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        let roles = row.roles();
        Self {
            id: row.id,
            email: row.email,
            name: row.name,
            roles,
            disabled: row.disabled,
            created_at: row.created_at,
        }
    }
}

/// Makes a new one-time code for the first administrator; the one before is void. The page is that of the public URL, or of the
/// last server that ran on the folder.
///
/// # Errors
/// [`Error::AdministratorExists`]; [`Error::DatabaseMissing`] and other errors of the database.
pub async fn setup_link(settings: &Settings) -> Result<SetupLink, Error> {
    let _in_use = InUse::to_write(settings)?;
    let store = open_existing(settings).await?;
    let code = setup::offer(&store, now()).await?;
    let last = store.issuer().await?;
    store.close().await;
    let code = code.ok_or(Error::AdministratorExists)?;
    let known = settings.public_url().map(str::to_owned).or(last);
    let is_assumed = known.is_none();
    let url = known.unwrap_or_else(|| settings.issuer(settings.listen()));
    Ok(SetupLink {
        is_assumed,
        ..SetupLink::new(&url, code)
    })
}

/// Makes an account.
///
/// # Errors
/// [`Error::InvalidEmail`], [`Error::WeakPassword`], [`Error::EmailTaken`], [`Error::Argument`] for a role that is none;
/// errors of the database.
pub async fn add_user(settings: &Settings, user: NewUser) -> Result<User, Error> {
    let roles = roles::parse(&user.roles)?;
    let applicant = Applicant::new(&user.email, user.name.as_deref(), &user.password)?;
    let passwords = Pool::new(settings.public_url().unwrap_or_default())?;
    let _in_use = InUse::to_write(settings)?;
    let store = open_existing(settings).await?;
    let row = account::register(&store, &passwords.choosing(None)?, applicant, &roles, now()).await;
    store.close().await;
    row.map(User::from)
}

/// Every account, the oldest first.
///
/// # Errors
/// Errors of the database.
pub async fn list_users(settings: &Settings) -> Result<Vec<User>, Error> {
    let store = open_existing(settings).await?;
    let mut users: Vec<User> = Vec::new();
    loop {
        let after = users.last().map_or("", |user| user.id.as_str());
        let page = store.users_after(after, PAGE).await?;
        if page.is_empty() {
            break;
        }
        users.extend(page.into_iter().map(User::from));
    }
    store.close().await;
    Ok(users)
}

/// Replaces the roles of an account. A running server refuses its tokens with the old roles from then on.
///
/// # Errors
/// [`Error::UserUnknown`], [`Error::InvalidEmail`], [`Error::Argument`] for a role that is none; errors of the database.
pub async fn set_roles(settings: &Settings, email: &str, roles: &[String]) -> Result<User, Error> {
    let roles = roles::parse(roles)?;
    let spellings = email::spellings(email);
    if spellings.is_empty() {
        return Err(Error::InvalidEmail);
    }
    let _in_use = InUse::to_write(settings)?;
    let store = open_existing(settings).await?;
    let mut write = store.begin().await?;
    let user = write
        .user_by_one_of(&spellings)
        .await?
        .ok_or(Error::UserUnknown)?;
    let user = change::set_roles(&mut write, user, &roles, None, now()).await?;
    write.settle_administrator().await?;
    write.commit().await?;
    store.close().await;
    Ok(user.into())
}

/// Ends every session of everybody, and tells how many there were. A running server refuses their tokens from then on.
///
/// For an older copy of a database that was put in its place: what was taken back after the copy counts again in it.
///
/// # Errors
/// Errors of the database.
pub async fn revoke_sessions(settings: &Settings) -> Result<u64, Error> {
    let _in_use = InUse::to_write(settings)?;
    let store = open_existing(settings).await?;
    let ended = session::end_all(&store, now()).await?;
    store.close().await;
    Ok(ended)
}

/// A signing key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SigningKeyName {
    /// Its `kid`.
    pub kid: String,
    /// The algorithm that it signs with, `ES256` for one.
    pub alg: String,
}

impl From<KeyRow> for SigningKeyName {
    fn from(KeyRow { kid, alg, .. }: KeyRow) -> Self {
        Self { kid, alg }
    }
}

/// What became of the signing keys.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Rotated {
    /// These sign no more.
    pub ended: Vec<SigningKeyName>,
    /// These stood by, and sign from now on, where the server signs with their algorithm.
    pub signing: Vec<SigningKeyName>,
}

impl From<keys::Ended> for Rotated {
    fn from(keys::Ended { ended, signing }: keys::Ended) -> Self {
        let names = |keys: Vec<KeyRow>| keys.into_iter().map(SigningKeyName::from).collect();
        Self {
            ended: names(ended),
            signing: names(signing),
        }
    }
}

/// Has the keys that stand by sign from now on, before their time. Tokens of those that signed so far count until they are
/// over, and a running server makes new standbys within a minute.
///
/// # Errors
/// [`Error::Argument`] where no key signs, or a shared secret does; errors of the database.
pub async fn rotate_keys(settings: &Settings) -> Result<Rotated, Error> {
    let (_in_use, store) = open_with_keys(settings).await?;
    let rotated = keys::retire(&store, now()).await;
    store.close().await;
    rotated.map(Rotated::from)
}

/// Withdraws every signing key, those that stand by with the others, for keys that have leaked. A running server makes new
/// ones within a minute; from then on it refuses every access token that was signed before. Sessions live on.
///
/// # Errors
/// [`Error::Argument`] where there is none, or a shared secret signs; errors of the database.
pub async fn withdraw_keys(settings: &Settings) -> Result<Rotated, Error> {
    let (_in_use, store) = open_with_keys(settings).await?;
    let withdrawn = keys::withdraw(&store, now()).await;
    store.close().await;
    withdrawn.map(Rotated::from)
}

async fn open_with_keys(settings: &Settings) -> Result<(InUse, Store), Error> {
    if settings.signing_secret().is_some() {
        return Err(Error::Argument(
            "a shared secret signs here; set another `signing_secret` and start the server again"
                .to_owned(),
        ));
    }
    let in_use = InUse::to_write(settings)?;
    Ok((in_use, open_existing(settings).await?))
}

fn now() -> i64 {
    Timestamp::from(SystemTime::now()).unix_secs()
}
