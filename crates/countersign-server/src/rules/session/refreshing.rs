//! What a refresh token does to its session: read, decide ([`rotation`]), write what was decided.

use crate::error::Error;
use crate::metrics::Metrics;
use crate::rules::audit::{self, About, Event};
use crate::rules::demo;
use crate::rules::refresh_token::{Presented, RefreshKeys};
use crate::rules::rotation::{self, Cause, Decision, RotationRule};
use crate::rules::status;
use crate::store::group::Running;
use crate::store::sessions::{Counter, SessionRow};
use crate::store::{Store, Write};

// Between what was read and what is written others may have moved the row on; they do not do so again and again.
const ATTEMPTS: usize = 8;

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
        // In a box of its own, so that garbage takes no room for all of this.
        Box::pin(self.go_on(&presented)).await
    }

    /// Tries until the row holds still.
    async fn go_on(&self, presented: &Presented<'_>) -> Result<SessionRow, Error> {
        for _ in 0..ATTEMPTS {
            match self.attempt(presented).await? {
                Outcome::Answer(row, cause) => {
                    self.count(cause, demo::is_of(&row));
                    if cause == Cause::Ahead {
                        tracing::warn!(
                            sid = row.id,
                            "a token was ahead of its session: the database went back in time"
                        );
                    }
                    tracing::info!(cause = cause.name(), sid = row.id, "refreshed");
                    return Ok(*row);
                }
                Outcome::Refuse { cause, is_demo } => {
                    self.count(cause, is_demo);
                    return Err(refused(presented, cause));
                }
                Outcome::Again => {}
            }
        }
        Err(Error::Busy {
            retry_after_secs: 1,
        })
    }

    /// Whoever watches the figures wants to see real thieves, and none of the demonstration.
    fn count(&self, cause: Cause, is_demo: bool) {
        if !is_demo {
            self.metrics.count_refresh(cause);
        }
    }

    /// Reads, decides, and writes where the row has stayed what was read.
    async fn attempt(&self, presented: &Presented<'_>) -> Result<Outcome, Error> {
        let read = self.store.session_by_id(presented.sid).await?;
        // A second tag that does not hold is an unknown session's: nothing is done to the one that it names.
        let Some(row) = read.filter(|row| presented.is_of(row)) else {
            return Ok(Outcome::refuse(Cause::Unknown, false));
        };
        let is_demo = demo::is_of(&row);
        match rotation::decide(&row.counter, presented.n, self.now, self.rule) {
            Decision::Current => Ok(Outcome::answer(row, Cause::Race)),
            Decision::Dead => Ok(Outcome::refuse(Cause::Unknown, is_demo)),
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
                    Outcome::refuse(cause, is_demo)
                } else {
                    Outcome::Again
                })
            }
        }
    }
}

enum Outcome {
    Answer(Box<SessionRow>, Cause),
    Refuse {
        cause: Cause,
        is_demo: bool,
    },
    /// The row is no longer what was decided on.
    Again,
}

impl Outcome {
    fn answer(row: SessionRow, cause: Cause) -> Self {
        Self::Answer(Box::new(row), cause)
    }

    fn refuse(cause: Cause, is_demo: bool) -> Self {
        Self::Refuse { cause, is_demo }
    }
}

/// A session as it was decided on, and what is to be written about it.
struct Turn {
    id: String,
    from: Counter,
    /// For the audit trail; what is played belongs into none.
    about: Option<About>,
}

impl Turn {
    fn of(row: &SessionRow) -> Self {
        Self {
            id: row.id.clone(),
            from: row.counter,
            about: (!demo::is_of(row)).then(|| About {
                user: Some(row.user_id.clone()),
                session: Some(row.id.clone()),
                by: None,
            }),
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
            if moved.is_some()
                && cause == Cause::Ahead
                && let Some(about) = &self.about
            {
                audit::record(write, Event::SessionAhead, about, now).await?;
            }
            Ok(moved)
        })
    }

    fn end(self, write: &mut Write, now: i64) -> Running<'_, bool> {
        Box::pin(async move {
            let is_ended = write.revoke_session_at(&self.id, self.from.n, now).await?;
            if is_ended {
                status::tell_ended(write, now).await?;
                if let Some(about) = &self.about {
                    audit::record(write, Event::SessionReused, about, now).await?;
                }
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
