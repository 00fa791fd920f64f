//! A new password in the place of the one that somebody has: they prove the present one, and their other sessions end.

use crate::error::Error;
use crate::rules::account::{proof, words_about};
use crate::rules::audit::{self, About, Event};
use crate::rules::password::{Checking, Choosing, Password};
use crate::rules::status;
use crate::rules::throttle::Attempt;
use crate::store::Store;
use crate::store::users::UserRow;

/// Who changes their password, and from which session.
pub(crate) struct Owner {
    pub(crate) user: UserRow,
    pub(crate) session: String,
}

/// Replaces the password of an account and ends its sessions but the one from which that is done.
///
/// # Errors
/// [`Error::WrongPassword`] when `current` is not the password; [`Error::WeakPassword`]; [`Error::Busy`].
pub(crate) async fn change(
    store: &Store,
    queues: (Checking, Choosing),
    owner: &Owner,
    (current, new): (Password, Password),
    attempt: &Attempt,
    now: i64,
) -> Result<(), Error> {
    let ((checking, choosing), user) = (queues, &owner.user);
    proof::prove(&checking, user, &current).await?;
    // A slot for the second hash, while the first one's is given back.
    drop(checking);
    let hash = choose(&choosing, user, &current, new).await;
    if let Err(Error::WeakPassword { .. }) = &hash {
        // Whoever proved the present password is charged for no attempt, as after a log-in.
        let mut write = store.begin().await?;
        attempt.succeeded(&mut write, now).await?;
        write.commit().await?;
    }
    let hash = hash?;
    let mut write = store.begin().await?;
    let is_replaced = write
        .replace_password_hash(&user.id, &hash, &user.password_hash)
        .await?;
    if !is_replaced {
        return Err(Error::WrongPassword);
    }
    write
        .revoke_other_sessions_of(&user.id, &owner.session, now)
        .await?;
    status::tell_ended(&mut write, now).await?;
    let about = About {
        user: Some(user.id.clone()),
        session: Some(owner.session.clone()),
        ..About::default()
    };
    audit::record(&mut write, Event::PasswordChanged, &about, now).await?;
    attempt.succeeded(&mut write, now).await?;
    write.commit().await
}

/// The hash of a new password that is another one than the present, and not weak.
async fn choose(
    choosing: &Choosing,
    user: &UserRow,
    current: &Password,
    new: Password,
) -> Result<String, Error> {
    if new.is(current) {
        let reason = "Choose another one than you have.".to_owned();
        return Err(Error::WeakPassword {
            reasons: vec![reason],
        });
    }
    let about = words_about(&user.email, user.name.as_deref());
    choosing.hash(new, about).await
}
