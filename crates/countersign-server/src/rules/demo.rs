//! The demonstration of a token's life: sessions that begin, go on and end by the rules of all others.
//!
//! What is different is what their tokens open: they are for one service that holds nothing, live for seconds, and name no
//! role. No page and no route of the server itself takes them, and the session is over within minutes.

use crate::error::Error;
use crate::rules::account::{self, Applicant};
use crate::rules::email::Email;
use crate::rules::password::Pool;
use crate::rules::secret;
use crate::rules::session::{Kind, Lifetimes};
use crate::store::Store;
use crate::store::sessions::SessionRow;
use crate::store::users::UserRow;

/// The client of these sessions, by which their rows and their tokens are marked.
pub(crate) const CLIENT: &str = "demo";
/// What stands in the list of somebody's sessions.
pub(crate) const DEVICE: &str = "the life of a token, a demonstration";
/// How long their access tokens live at most, in seconds.
const ACCESS_TTL: i64 = 20;

/// How long a session lives, in seconds.
const LIFE: i64 = 10 * 60;
/// How many of one user's live at once; the one that was not used for longest makes room.
const OF_A_USER: i64 = 4;
/// How many of all strangers together.
const OF_STRANGERS: i64 = 50;

/// The account of strangers. No address with quotes is taken from anybody, names under `invalid` are nobody's (RFC 2606 §2),
/// and nobody knows its password.
const STRANGERS: &str = "\"demo\"@countersign.invalid";
const PASSWORD_BYTES: usize = 32;

/// Whether this is one of them.
pub(crate) fn is_of(session: &SessionRow) -> bool {
    session.client_id == CLIENT
}

/// The one service that takes their tokens.
pub(crate) fn audience(issuer: &str) -> String {
    format!("{issuer}/flow/service")
}

/// How long their access tokens live where others live for `usual` seconds.
pub(crate) fn access_ttl(usual: i64) -> i64 {
    usual.min(ACCESS_TTL)
}

/// How a session of this user begins, for whoever has the session `begun_by`.
pub(crate) fn kind(user: &UserRow, begun_by: Option<&str>) -> Kind {
    let is_of_strangers = user.email == STRANGERS;
    Kind {
        client_id: CLIENT,
        begun_by: begun_by.map(str::to_owned),
        most: if is_of_strangers {
            OF_STRANGERS
        } else {
            OF_A_USER
        },
        lifetimes: Lifetimes {
            absolute: LIFE,
            idle: LIFE,
        },
    }
}

/// Whether an administrator has disabled the account of whoever is not signed in, and with it their demonstrations.
///
/// # Errors
/// Errors of the database.
pub(crate) async fn is_off_for_strangers(store: &Store) -> Result<bool, Error> {
    let user = store.user_by_email(STRANGERS).await?;
    Ok(user.is_some_and(|user| user.disabled))
}

/// The account of whoever is not signed in, made when it is first needed.
///
/// # Errors
/// [`Error::DemoDisabled`]; errors of the database; [`Error::Busy`].
pub(crate) async fn strangers(store: &Store, passwords: &Pool, now: i64) -> Result<UserRow, Error> {
    if let Some(user) = store.user_by_email(STRANGERS).await? {
        return if user.disabled {
            Err(Error::DemoDisabled)
        } else {
            Ok(user)
        };
    }
    let password = secret::encode(secret::random::<PASSWORD_BYTES>()?.as_slice());
    let applicant = Applicant::nobody(
        Email::of_nobody(STRANGERS),
        "Whoever looks at the demonstration",
        &password,
    );
    match account::register(store, &passwords.choosing(None)?, applicant, &[], now).await {
        // Somebody else looks at it for the first time, too.
        Err(Error::EmailTaken) => {
            let made = store.user_by_email(STRANGERS).await?;
            made.ok_or(Error::Busy {
                retry_after_secs: 1,
            })
        }
        made => made,
    }
}
