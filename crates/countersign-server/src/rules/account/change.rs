//! What others change about an account: its roles, whether it may log in, that it is there. Its tokens say so at once.

use crate::error::Error;
use crate::rules::audit::{self, About, Event};
use crate::rules::{roles, status};
use crate::store::users::UserRow;
use crate::store::{Store, Write};

/// What is to change; `None` leaves it as it is.
#[derive(Debug, Default)]
pub(crate) struct Change {
    pub(crate) roles: Option<Vec<String>>,
    pub(crate) disabled: Option<bool>,
}

/// Changes an account. Tokens with the roles of before count no longer; a disabled account's sessions are ended.
///
/// # Errors
/// [`Error::UserUnknown`]; [`Error::Argument`] for a role that is none; [`Error::LastAdministrator`] when nobody could
/// administer the server any more.
pub(crate) async fn change(
    store: &Store,
    id: &str,
    change: &Change,
    by: &str,
    now: i64,
) -> Result<UserRow, Error> {
    let roles = change.roles.as_deref().map(roles::parse).transpose()?;
    let mut write = store.begin().await?;
    let Some(mut user) = write.user_by_id(id).await? else {
        return Err(Error::UserUnknown);
    };
    let about = About {
        user: Some(user.id.clone()),
        by: Some(by.to_owned()),
        ..About::default()
    };
    let had_administrator = write.has_administrator().await?;
    if let Some(roles) = roles {
        user = set_roles(&mut write, user, &roles, Some(by), now).await?;
    }
    if let Some(disabled) = change
        .disabled
        .filter(|disabled| *disabled != user.disabled)
    {
        user.disabled = disabled;
        write.set_user(&user).await?;
        let event = if disabled {
            write.revoke_sessions_of(&user.id, now).await?;
            status::tell_ended(&mut write, now).await?;
            Event::UserDisabled
        } else {
            Event::UserEnabled
        };
        audit::record(&mut write, event, &about, now).await?;
    }
    keep_administrator(&mut write, had_administrator).await?;
    write.commit().await?;
    Ok(user)
}

/// Gives an account these roles and no others; tokens that say otherwise are taken back. `by` is nobody where the operator
/// does it. The same roles again are no change.
///
/// # Errors
/// Errors of the database.
pub(crate) async fn set_roles(
    write: &mut Write,
    user: UserRow,
    roles: &[String],
    by: Option<&str>,
    now: i64,
) -> Result<UserRow, Error> {
    if roles == user.roles() {
        return Ok(user);
    }
    let user = user.with_roles(roles);
    write.set_user(&user).await?;
    status::renew(write, &user.id, now).await?;
    let about = About {
        user: Some(user.id.clone()),
        by: by.map(str::to_owned),
        roles: Some(roles.to_vec()),
        ..About::default()
    };
    audit::record(write, Event::RolesChanged, &about, now).await?;
    Ok(user)
}

/// Deletes an account and ends its sessions.
///
/// # Errors
/// [`Error::UserUnknown`]; [`Error::LastAdministrator`].
pub(crate) async fn delete(store: &Store, id: &str, by: &str, now: i64) -> Result<(), Error> {
    let mut write = store.begin().await?;
    if write.user_by_id(id).await?.is_none() {
        return Err(Error::UserUnknown);
    }
    let had_administrator = write.has_administrator().await?;
    // Before the rows are gone: what they know is told in the status list.
    write.revoke_sessions_of(id, now).await?;
    status::tell_ended(&mut write, now).await?;
    write.delete_user(id).await?;
    let about = About {
        user: Some(id.to_owned()),
        by: Some(by.to_owned()),
        ..About::default()
    };
    audit::record(&mut write, Event::UserDeleted, &about, now).await?;
    keep_administrator(&mut write, had_administrator).await?;
    write.commit().await
}

/// Refuses what would leave a server with nobody to administer it.
async fn keep_administrator(write: &mut Write, had_one: bool) -> Result<(), Error> {
    write.settle_administrator().await?;
    if had_one && !write.has_administrator().await? {
        return Err(Error::LastAdministrator);
    }
    Ok(())
}
