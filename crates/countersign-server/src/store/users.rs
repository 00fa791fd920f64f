//! The table `users`.

use sqlx::FromRow;

use super::{Store, Write};
use crate::error::Error;

/// The roles as their column has them: a JSON list.
#[derive(Clone, sqlx::Type)]
#[sqlx(transparent)]
pub(crate) struct RolesText(pub(super) String);

/// A person with an account.
#[derive(Clone, FromRow)]
pub(crate) struct UserRow {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) name: Option<String>,
    pub(crate) password_hash: String,
    roles: RolesText,
    pub(crate) disabled: bool,
    pub(crate) created_at: i64,
}

impl UserRow {
    /// A new account that can be used at once.
    pub(crate) fn new(
        id: String,
        email: String,
        name: Option<String>,
        password_hash: String,
        now: i64,
    ) -> Self {
        Self {
            id,
            email,
            name,
            password_hash,
            roles: RolesText("[]".to_owned()),
            disabled: false,
            created_at: now,
        }
    }

    /// The same account with these roles.
    pub(crate) fn with_roles(mut self, roles: &[String]) -> Self {
        self.roles = roles_text(roles);
        self
    }

    /// The same account with the roles that another statement read.
    pub(crate) fn with_present_roles(mut self, roles: RolesText) -> Self {
        self.roles = roles;
        self
    }

    /// The roles, in the order in which they were given.
    pub(crate) fn roles(&self) -> Vec<String> {
        // The column is written by `roles_text` alone.
        serde_json::from_str(&self.roles.0).unwrap_or_default()
    }
}

const BY_EMAIL: &str = "SELECT id, email, name, password_hash, roles, disabled, created_at FROM users WHERE email = $1";
const BY_ID: &str =
    "SELECT id, email, name, password_hash, roles, disabled, created_at FROM users WHERE id = $1";
// In one statement, so that place and roles are of one moment. A session that has ended has no place any more: a token
// without one would be good everywhere until it expires.
const OF_SESSION: &str = "SELECT users.id, email, name, password_hash, roles, disabled, users.created_at, status_idx \
     FROM sessions JOIN users ON users.id = user_id WHERE sessions.id = $1 AND revoked_at IS NULL";
const AFTER: &str = "SELECT id, email, name, password_hash, roles, disabled, created_at FROM users WHERE id > $1 ORDER BY id LIMIT $2";
// All of them for an empty part; $3 is escaped by `pattern`.
const WITH_AFTER: &str = "SELECT id, email, name, password_hash, roles, disabled, created_at FROM users WHERE id > $1 AND email LIKE $3 ESCAPE '\\' ORDER BY id LIMIT $2";
const COUNT: &str = "SELECT COUNT(*) FROM users";
const INSERT: &str = "INSERT INTO users (id, email, name, password_hash, roles, disabled, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
const SET_PASSWORD_HASH: &str =
    "UPDATE users SET password_hash = $2 WHERE id = $1 AND password_hash = $3";
const SET: &str = "UPDATE users SET roles = $2, disabled = $3 WHERE id = $1";
const DELETE: &str = "DELETE FROM users WHERE id = $1";
/// An account, and where the tokens of one of its sessions stand in the status lists.
#[derive(FromRow)]
pub(crate) struct UserAndPlace {
    #[sqlx(flatten)]
    pub(crate) user: UserRow,
    pub(crate) status_idx: Option<i64>,
}

impl Store {
    /// The account of a session that has not ended, and the session's place, as they are together.
    pub(crate) async fn user_of_session(&self, id: &str) -> Result<Option<UserAndPlace>, Error> {
        Ok(sqlx::query_as(OF_SESSION)
            .bind(id)
            .fetch_optional(&self.reader)
            .await?)
    }

    /// The account with this address, in this spelling.
    pub(crate) async fn user_by_email(&self, email: &str) -> Result<Option<UserRow>, Error> {
        Ok(sqlx::query_as(BY_EMAIL)
            .bind(email)
            .fetch_optional(&self.reader)
            .await?)
    }

    /// The account with one of these addresses; the first of them that has one.
    pub(crate) async fn user_by_one_of(&self, emails: &[String]) -> Result<Option<UserRow>, Error> {
        for email in emails {
            if let Some(user) = self.user_by_email(email).await? {
                return Ok(Some(user));
            }
        }
        Ok(None)
    }

    /// The account with this identifier.
    pub(crate) async fn user_by_id(&self, id: &str) -> Result<Option<UserRow>, Error> {
        Ok(sqlx::query_as(BY_ID)
            .bind(id)
            .fetch_optional(&self.reader)
            .await?)
    }

    /// Accounts in the order in which they were made, from the one after `id` on.
    pub(crate) async fn users_after(&self, id: &str, limit: i64) -> Result<Vec<UserRow>, Error> {
        Ok(sqlx::query_as(AFTER)
            .bind(id)
            .bind(limit)
            .fetch_all(&self.reader)
            .await?)
    }

    /// As [`Store::users_after`], those in whose address this part stands; it is compared lower-cased.
    pub(crate) async fn users_with(
        &self,
        part: &str,
        id: &str,
        limit: i64,
    ) -> Result<Vec<UserRow>, Error> {
        Ok(sqlx::query_as(WITH_AFTER)
            .bind(id)
            .bind(limit)
            .bind(pattern(part))
            .fetch_all(&self.reader)
            .await?)
    }

    /// How many accounts there are.
    pub(crate) async fn count_users(&self) -> Result<i64, Error> {
        Ok(sqlx::query_scalar(COUNT).fetch_one(&self.reader).await?)
    }
}

impl Write {
    /// As [`Store::user_of_session`], as this transaction sees it.
    pub(crate) async fn user_of_session(
        &mut self,
        id: &str,
    ) -> Result<Option<UserAndPlace>, Error> {
        Ok(sqlx::query_as(OF_SESSION)
            .bind(id)
            .fetch_optional(&mut *self.0)
            .await?)
    }

    /// Adds an account. `Error::EmailTaken` when its address has one.
    pub(crate) async fn insert_user(&mut self, user: &UserRow) -> Result<(), Error> {
        let inserted = sqlx::query(INSERT)
            .bind(&user.id)
            .bind(&user.email)
            .bind(&user.name)
            .bind(&user.password_hash)
            .bind(&user.roles)
            .bind(user.disabled)
            .bind(user.created_at)
            .execute(&mut *self.0)
            .await;
        match inserted {
            Ok(_) => Ok(()),
            Err(sqlx::Error::Database(problem)) if problem.is_unique_violation() => {
                Err(Error::EmailTaken)
            }
            Err(problem) => Err(problem.into()),
        }
    }

    /// The account with one of these addresses, as this transaction sees it; the first of them that has one.
    pub(crate) async fn user_by_one_of(
        &mut self,
        emails: &[String],
    ) -> Result<Option<UserRow>, Error> {
        for email in emails {
            let read = sqlx::query_as(BY_EMAIL).bind(email);
            if let Some(user) = read.fetch_optional(&mut *self.0).await? {
                return Ok(Some(user));
            }
        }
        Ok(None)
    }

    /// The account with this identifier, as this transaction sees it.
    pub(crate) async fn user_by_id(&mut self, id: &str) -> Result<Option<UserRow>, Error> {
        Ok(sqlx::query_as(BY_ID)
            .bind(id)
            .fetch_optional(&mut *self.0)
            .await?)
    }

    /// Replaces a password hash that is still the one that was read. False when it is not.
    pub(crate) async fn replace_password_hash(
        &mut self,
        id: &str,
        new: &str,
        old: &str,
    ) -> Result<bool, Error> {
        let done = sqlx::query(SET_PASSWORD_HASH)
            .bind(id)
            .bind(new)
            .bind(old)
            .execute(&mut *self.0)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Writes the roles of an account, and whether it may log in.
    pub(crate) async fn set_user(&mut self, user: &UserRow) -> Result<(), Error> {
        sqlx::query(SET)
            .bind(&user.id)
            .bind(&user.roles)
            .bind(user.disabled)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Deletes an account, and its sessions with it.
    pub(crate) async fn delete_user(&mut self, id: &str) -> Result<(), Error> {
        sqlx::query(DELETE).bind(id).execute(&mut *self.0).await?;
        Ok(())
    }
}

/// What `LIKE` finds a text with, wherever it stands.
fn pattern(part: &str) -> String {
    let mut pattern = String::from("%");
    for c in part.trim().to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

fn roles_text(roles: &[String]) -> RolesText {
    RolesText(serde_json::Value::from(roles).to_string())
}
