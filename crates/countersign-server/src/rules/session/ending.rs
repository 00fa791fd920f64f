//! The end of sessions, by whoever may end them.

use crate::error::Error;
use crate::rules::audit::{self, About, Event};
use crate::rules::status;
use crate::store::group::Running;
use crate::store::sessions::SessionRow;
use crate::store::{Store, Write};

/// Which sessions of a user to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Which {
    /// This one.
    #[default]
    This,
    /// All but this one.
    Others,
    /// All.
    All,
}

/// Ends sessions of the user whose session this is. From then on no token of theirs counts here, and none elsewhere once
/// the status list is read again.
///
/// # Errors
/// Errors of the database.
pub(crate) async fn end(
    store: &Store,
    session: &SessionRow,
    which: Which,
    now: i64,
) -> Result<(), Error> {
    let (user, id) = (session.user_id.clone(), session.id.clone());
    store
        .together_in_any_case(move |write| end_in(write, user.clone(), id.clone(), which, now))
        .await
}

fn end_in(write: &mut Write, user: String, id: String, which: Which, now: i64) -> Running<'_, ()> {
    Box::pin(async move {
        match which {
            Which::This => {
                write.revoke_session_of(&user, &id, now).await?;
            }
            Which::Others => {
                write.revoke_other_sessions_of(&user, &id, now).await?;
            }
            Which::All => {
                write.revoke_sessions_of(&user, now).await?;
            }
        }
        status::tell_ended(write, now).await
    })
}

/// Ends one session of a user. False when there is no such session of theirs, or it is over.
///
/// # Errors
/// Errors of the database.
pub(crate) async fn end_one(store: &Store, user: &str, id: &str, now: i64) -> Result<bool, Error> {
    let mut write = store.begin().await?;
    let is_ended = write.revoke_session_of(user, id, now).await?;
    status::tell_ended(&mut write, now).await?;
    write.commit().await?;
    Ok(is_ended)
}

/// Ends one session of an account, or all of them, for an administrator. How many there were.
///
/// # Errors
/// Errors of the database.
pub(crate) async fn end_of_account(
    store: &Store,
    user: &str,
    session: Option<&str>,
    by: &str,
    now: i64,
) -> Result<u64, Error> {
    let mut write = store.begin().await?;
    let (ended, event) = match session {
        Some(id) => {
            let is_ended = write.revoke_session_of(user, id, now).await?;
            (u64::from(is_ended), Event::SessionEnded)
        }
        None => {
            let ended = write.revoke_sessions_of(user, now).await?;
            (ended, Event::SessionsEnded)
        }
    };
    if ended == 0 {
        write.rollback().await?;
        return Ok(0);
    }
    status::tell_ended(&mut write, now).await?;
    let about = About {
        user: Some(user.to_owned()),
        session: session.map(str::to_owned),
        by: Some(by.to_owned()),
        ended: (event == Event::SessionsEnded).then_some(ended),
        ..About::default()
    };
    audit::record(&mut write, event, &about, now).await?;
    write.commit().await?;
    Ok(ended)
}

/// Ends every session of everybody, and tells how many there were.
///
/// # Errors
/// Errors of the database.
pub(crate) async fn end_all(store: &Store, now: i64) -> Result<u64, Error> {
    let mut write = store.begin().await?;
    let ended = write.revoke_every_session(now).await?;
    status::tell_all_ended(&mut write, now).await?;
    let about = About {
        ended: Some(ended),
        ..About::default()
    };
    audit::record(&mut write, Event::SessionsEnded, &about, now).await?;
    write.commit().await?;
    Ok(ended)
}
