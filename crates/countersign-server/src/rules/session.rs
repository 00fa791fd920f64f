//! Sessions: how one begins, and what a refresh token does to it. The decision itself is in [`rotation`].

use countersign::AccessToken;
use uuid::Uuid;

use crate::error::Error;
use crate::metrics::Metrics;
use crate::rules::audit::{self, About, Event};
use crate::rules::refresh_token::{Presented, RefreshKeys};
use crate::rules::rotation::{self, Cause, Decision, RotationRule};
use crate::rules::secret;
use crate::rules::throttle::Attempt;
use crate::store::group::Running;
use crate::store::sessions::{Counter, SessionRow};
use crate::store::users::UserRow;
use crate::store::{Store, Write};

/// The client of log-ins on the server's own pages and API.
pub(crate) const FIRST_PARTY: &str = "first-party";

const SECRET_BYTES: usize = 16;
/// How many sessions of one user live at once; the one that was not used for longest makes room.
const MOST_SESSIONS: i64 = 100;
const USER_AGENT_CHARS: usize = 160;
// Between what was read and what is written others may have moved the row on; they do not do so again and again.
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

/// What a refresh needs besides its token.
pub(crate) struct Refreshing<'a> {
    pub(crate) store: &'a Store,
    pub(crate) keys: &'a RefreshKeys,
    pub(crate) rule: &'a RotationRule,
    pub(crate) metrics: &'a Metrics,
    pub(crate) now: i64,
}

impl Refreshing<'_> {
    /// Takes a refresh token and answers with its session, at the generation whose token the client is to have now.
    ///
    /// # Errors
    /// [`Error::InvalidRefreshToken`]; [`Error::Busy`] when others do not let the row alone.
    pub(crate) async fn refresh(&self, token: &str) -> Result<SessionRow, Error> {
        let Some(presented) = self.keys.read(token) else {
            // Whoever sends garbage fills no log and asks no database.
            tracing::debug!("refresh refused: the token is none of ours");
            self.metrics.count_garbage();
            return Err(Error::InvalidRefreshToken);
        };
        for _ in 0..ATTEMPTS {
            match self.attempt(&presented).await? {
                Outcome::Answer(row, cause) => {
                    self.metrics.count_refresh(cause);
                    if cause == Cause::Ahead {
                        tracing::warn!(
                            sid = row.id,
                            "a token was ahead of its session: the database went back in time"
                        );
                    }
                    tracing::info!(cause = cause.name(), sid = row.id, "refreshed");
                    return Ok(*row);
                }
                Outcome::Refuse(cause) => {
                    self.metrics.count_refresh(cause);
                    return Err(refused(&presented, cause));
                }
                Outcome::Again => {}
            }
        }
        Err(Error::Busy {
            retry_after_secs: 1,
        })
    }

    /// Reads, decides, and writes where the row has stayed what was read.
    async fn attempt(&self, presented: &Presented<'_>) -> Result<Outcome, Error> {
        let read = self.store.session_by_id(presented.sid).await?;
        // A second tag that does not hold is an unknown session's: nothing is done to the one that it names.
        let Some(row) = read.filter(|row| presented.is_of(row)) else {
            return Ok(Outcome::Refuse(Cause::Unknown));
        };
        match rotation::decide(&row.counter, presented.n, self.now, self.rule) {
            Decision::Current => Ok(Outcome::answer(row, Cause::Race)),
            Decision::Dead => Ok(Outcome::Refuse(Cause::Unknown)),
            Decision::Write(to, cause) => {
                let now = self.now;
                let moved = self
                    .store
                    .together(move |write| Turn::of(&row).go_on(write, to, cause, now))
                    .await?;
                Ok(moved.map_or(Outcome::Again, |row| Outcome::answer(row, cause)))
            }
            Decision::Revoke(cause) => {
                let now = self.now;
                let is_ended = self
                    .store
                    .together(move |write| Turn::of(&row).end(write, now))
                    .await?;
                Ok(if is_ended {
                    Outcome::Refuse(cause)
                } else {
                    Outcome::Again
                })
            }
        }
    }
}

enum Outcome {
    Answer(Box<SessionRow>, Cause),
    Refuse(Cause),
    /// The row is no longer what was decided on.
    Again,
}

impl Outcome {
    fn answer(row: SessionRow, cause: Cause) -> Self {
        Self::Answer(Box::new(row), cause)
    }
}

/// A session as it was decided on, and what is to be written about it.
struct Turn {
    id: String,
    from: Counter,
    about: About,
}

impl Turn {
    fn of(row: &SessionRow) -> Self {
        Self {
            id: row.id.clone(),
            from: row.counter,
            about: About {
                user: Some(row.user_id.clone()),
                session: Some(row.id.clone()),
                by: None,
            },
        }
    }

    fn go_on(
        self,
        write: &mut Write,
        to: Counter,
        cause: Cause,
        now: i64,
    ) -> Running<'_, Option<SessionRow>> {
        Box::pin(async move {
            let moved = write.move_session(&self.id, &self.from, &to).await?;
            if moved.is_some() && cause == Cause::Ahead {
                audit::record(write, Event::SessionAhead, &self.about, now).await?;
            }
            Ok(moved)
        })
    }

    fn end(self, write: &mut Write, now: i64) -> Running<'_, bool> {
        Box::pin(async move {
            let is_ended = write.revoke_session_at(&self.id, self.from.n, now).await?;
            if is_ended {
                audit::record(write, Event::SessionReused, &self.about, now).await?;
            }
            Ok(is_ended)
        })
    }
}

fn refused(presented: &Presented<'_>, cause: Cause) -> Error {
    let (sid, cause_name) = (presented.sid, cause.name());
    if cause == Cause::Unknown {
        tracing::info!(cause = cause_name, sid, "refresh refused");
    } else {
        tracing::warn!(
            cause = cause_name,
            sid,
            "refresh refused and the session ended"
        );
    }
    Error::InvalidRefreshToken
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
    let counter = &row.counter;
    counter.revoked_at.is_none() && now < counter.expires_at && now < counter.idle_expires_at
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
