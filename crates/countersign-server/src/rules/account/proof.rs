//! That somebody who is logged in is still the one who knows the password: before what cannot be taken back.

use crate::error::Error;
use crate::rules::password::{Checking, Password};
use crate::rules::throttle::Attempt;
use crate::store::Store;
use crate::store::users::UserRow;

/// Whether this is the password of an account that may log in.
///
/// # Errors
/// [`Error::WrongPassword`] when it is not; [`Error::Busy`].
pub(crate) async fn prove(
    checking: &Checking,
    user: &UserRow,
    password: &Password,
) -> Result<(), Error> {
    if !password.has_possible_length() {
        return Err(Error::WrongPassword);
    }
    let stored = Some(user.password_hash.clone());
    if user.disabled || !checking.verify(password.clone(), stored).await? {
        return Err(Error::WrongPassword);
    }
    Ok(())
}

/// As [`prove`], for something that is no log-in and no new password: what the attempt was charged is given back here.
///
/// # Errors
/// As [`prove`].
pub(crate) async fn confirm(
    store: &Store,
    checking: &Checking,
    user: &UserRow,
    password: &Password,
    attempt: &Attempt,
    now: i64,
) -> Result<(), Error> {
    prove(checking, user, password).await?;
    let mut write = store.begin().await?;
    attempt.succeeded(&mut write, now).await?;
    write.commit().await
}
