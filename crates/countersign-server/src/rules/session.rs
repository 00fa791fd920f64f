//! Sessions: how one begins, and what a refresh token does to it. The decision itself is in [`rotation`].

use countersign::AccessToken;
use uuid::Uuid;

use crate::error::Error;
use crate::rules::refresh_token::{Presented, RefreshKeys};
use crate::rules::rotation::{self, Cause, Decision, RotationRule};
use crate::rules::secret;
use crate::rules::throttle::Attempt;
use crate::store::sessions::SessionRow;
use crate::store::users::UserRow;
use crate::store::{Store, Write};

/// The client of log-ins on the server's own pages and API.
pub(crate) const FIRST_PARTY: &str = "first-party";

const SECRET_BYTES: usize = 16;
/// How many sessions of one user live at once; the one that was not used for longest makes room.
const MOST_SESSIONS: i64 = 100;
const USER_AGENT_CHARS: usize = 160;
// Only another node can change a row between two statements here; it does not do so again and again.
const ATTEMPTS: usize = 8;

/// How long sessions live, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetimes {
    /// From its start.
    pub(crate) absolute: i64,
    /// From its last refresh.
    pub(crate) idle: i64,
}

/// Where a session is used from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Device {
    pub(crate) user_agent: Option<String>,
    /// The network, see [`crate::rules::address::prefix`].
    pub(crate) address: Option<String>,
}

/// An account whose password was proven, as it was read before that.
pub(crate) struct Proof {
    pub(crate) user: UserRow,
    /// The hash to replace the present one with, where it is out of date.
    pub(crate) renewed_hash: Option<String>,
}

/// Begins a session, whose identifier is new, whatever the client had before, and gives `attempt` back; both or
/// neither. `None` when the password was replaced or the account disabled since it was read. The roles of the user
/// that is answered are those of the moment in which the session began.
///
/// # Errors
/// Errors of the database and of the random source.
pub(crate) async fn start(
    store: &Store,
    keys: &RefreshKeys,
    proof: Proof,
    attempt: &Attempt,
    device: &Device,
    lifetimes: Lifetimes,
    now: i64,
) -> Result<Option<(UserRow, SessionRow)>, Error> {
    let Proof { user, renewed_hash } = proof;
    let user_agent = device.user_agent.as_deref();
    let row = SessionRow {
        id: secret::encode(Uuid::now_v7().as_bytes()),
        user_id: user.id.clone(),
        client_id: FIRST_PARTY.to_owned(),
        v: keys.newest(),
        secret: secret::encode(secret::random::<SECRET_BYTES>()?.as_slice()),
        created_at: now,
        counter: rotation::fresh(now, lifetimes.idle, lifetimes.absolute),
        user_agent: user_agent.map(|text| text.chars().take(USER_AGENT_CHARS).collect()),
        address: device.address.clone(),
    };
    let mut write = store.begin().await?;
    write
        .limit_sessions(&user.id, now, MOST_SESSIONS.saturating_sub(1))
        .await?;
    let Some(roles) = write.start_session(&row, &user.password_hash).await? else {
        write.rollback().await?;
        return Ok(None);
    };
    if let Some(hash) = renewed_hash {
        write
            .replace_password_hash(&user.id, &hash, &user.password_hash)
            .await?;
    }
    attempt.succeeded(&mut write, now).await?;
    write.commit().await?;
    Ok(Some((user.with_present_roles(roles), row)))
}

/// Takes a refresh token and answers with its session, at the generation whose token the client is to have now.
///
/// # Errors
/// [`Error::InvalidRefreshToken`]; [`Error::Busy`] when other nodes do not let the row alone.
pub(crate) async fn refresh(
    store: &Store,
    keys: &RefreshKeys,
    token: &str,
    rule: &RotationRule,
    lifetimes: Lifetimes,
    now: i64,
) -> Result<SessionRow, Error> {
    let Some(presented) = keys.read(token) else {
        return refused(None, Cause::Unknown);
    };
    for _ in 0..ATTEMPTS {
        let mut write = store.begin().await?;
        match step(&mut write, &presented, rule, lifetimes, now).await? {
            Step::Answer(row, cause) => {
                write.commit().await?;
                if cause == Cause::Ahead {
                    tracing::warn!(
                        sid = row.id,
                        "a token was ahead of its session: the database went back in time"
                    );
                }
                tracing::info!(cause = cause.name(), sid = row.id, "refreshed");
                return Ok(*row);
            }
            Step::Refuse(cause) => {
                write.commit().await?;
                return refused(Some(&presented), cause);
            }
            Step::Forged => {
                write.rollback().await?;
                return refused(None, Cause::Unknown);
            }
            Step::Again => write.rollback().await?,
        }
    }
    Err(Error::Busy {
        retry_after_secs: 1,
    })
}

/// The session that a refresh token names, in whatever state, for ending it.
pub(crate) async fn named_by(
    store: &Store,
    keys: &RefreshKeys,
    token: &str,
) -> Result<Option<SessionRow>, Error> {
    let Some(presented) = keys.read(token) else {
        return Ok(None);
    };
    let row = store.session_by_id(presented.sid).await?;
    Ok(row.filter(|row| presented.is_of(row)))
}

/// Whether tokens of a session count now.
pub(crate) fn is_alive(row: &SessionRow, now: i64) -> bool {
    row.counter.revoked_at.is_none() && now < row.counter.expires_at
}

/// Whether a verified access token still says the truth: its session lives, and its user is there, may log in, and has
/// these very roles.
pub(crate) async fn still_says(
    store: &Store,
    token: &AccessToken,
    now: i64,
) -> Result<bool, Error> {
    let Some(sid) = &token.sid else {
        return Ok(false);
    };
    let session = store.session_by_id(sid).await?;
    if !session.is_some_and(|row| row.user_id == token.sub && is_alive(&row, now)) {
        return Ok(false);
    }
    let user = store.user_by_id(&token.sub).await?;
    Ok(user.is_some_and(|user| !user.disabled && user.roles() == token.roles))
}

enum Step {
    Answer(Box<SessionRow>, Cause),
    Refuse(Cause),
    /// The first tag held and the second does not: nothing that was done for this token may stay.
    Forged,
    Again,
}

impl Step {
    fn answer(row: SessionRow, cause: Cause) -> Self {
        Self::Answer(Box::new(row), cause)
    }
}

async fn step(
    write: &mut Write,
    presented: &Presented<'_>,
    rule: &RotationRule,
    lifetimes: Lifetimes,
    now: i64,
) -> Result<Step, Error> {
    let (sid, n, idle) = (presented.sid, presented.n, lifetimes.idle);
    if let Some(row) = write.rotate(sid, n, now, rule.grace, idle).await? {
        return Ok(if presented.is_of(&row) {
            Step::answer(row, Cause::Normal)
        } else {
            Step::Forged
        });
    }
    let Some(row) = write.session_by_id(sid).await? else {
        return Ok(Step::Refuse(Cause::Unknown));
    };
    if !presented.is_of(&row) {
        return Ok(Step::Forged);
    }
    Ok(match rotation::decide(&row.counter, n, now, rule) {
        Decision::Rotate => Step::Again,
        Decision::Current => Step::answer(row, Cause::Race),
        Decision::LateRetry { count, since } => {
            if write.spend_late_retry(&row, count, since).await? {
                Step::answer(row, Cause::LateRetry)
            } else {
                Step::Again
            }
        }
        Decision::Revoke(cause) => {
            write.revoke_session(sid, now).await?;
            Step::Refuse(cause)
        }
        Decision::FastForward => {
            match write.fast_forward(sid, row.counter.n, n, now, idle).await? {
                Some(row) => Step::answer(row, Cause::Ahead),
                None => Step::Again,
            }
        }
        Decision::Dead => Step::Refuse(Cause::Unknown),
    })
}

fn refused<T>(presented: Option<&Presented<'_>>, cause: Cause) -> Result<T, Error> {
    let sid = presented.map(|presented| presented.sid);
    if cause == Cause::Unknown {
        tracing::info!(cause = cause.name(), sid, "refresh refused");
    } else {
        tracing::warn!(
            cause = cause.name(),
            sid,
            "refresh refused and the session ended"
        );
    }
    Err(Error::InvalidRefreshToken)
}
