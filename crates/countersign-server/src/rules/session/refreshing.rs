//! What a refresh token does to its session: read, decide ([`rotation`]), write what was decided.

use crate::error::Error;
use crate::metrics::Metrics;
use crate::rules::audit::{self, About, Event};
use crate::rules::courtesy::Courtesy;
use crate::rules::demo;
use crate::rules::refresh_token::{Presented, RefreshKeys};
use crate::rules::rotation::{self, Cause, Decision, RotationRule};
use crate::rules::status;
use crate::store::group::Running;
use crate::store::sessions::{Counter, SessionRow};
use crate::store::users::{UserAndPlace, UserRow};
use crate::store::{Store, Write};

// Between what was read and what is written others may have moved the row on; they do not do so again and again.
const ATTEMPTS: usize = 8;
/// After how many seconds it is worth another try, where the clock is not believed.
const WHILE_IN_DOUBT: u64 = 60;

/// What a refresh needs besides its token.
pub(crate) struct Refreshing<'a> {
    pub(crate) store: &'a Store,
    pub(crate) keys: &'a RefreshKeys,
    pub(crate) rule: &'a RotationRule,
    pub(crate) courtesy: &'a Courtesy,
    pub(crate) metrics: &'a Metrics,
    pub(crate) now: i64,
    /// The time by which a session may end: [`crate::rules::leap`].
    pub(crate) believed: i64,
}

impl Refreshing<'_> {
    /// Takes a refresh token and answers with its user and its session, at the generation whose token the client is to have
    /// now and at the place that goes with the user's present roles.
    ///
    /// # Errors
    /// [`Error::InvalidRefreshToken`]; [`Error::Busy`] when others do not let the row alone.
    pub(crate) async fn refresh(&self, token: &str) -> Result<(UserRow, SessionRow), Error> {
        let Some(presented) = self.keys.read(token) else {
            // Whoever sends garbage fills no log and asks no database.
            tracing::debug!("refresh refused: the token is none of ours");
            self.metrics.count_garbage();
            self.courtesy.give_way().await;
            return Err(Error::InvalidRefreshToken);
        };
        let _under_way = self.courtesy.begin();
        // In a box of its own, so that garbage takes no room for all of this.
        Box::pin(self.go_on(&presented)).await
    }

    /// Tries until the row holds still.
    async fn go_on(&self, presented: &Presented<'_>) -> Result<(UserRow, SessionRow), Error> {
        for _ in 0..ATTEMPTS {
            match self.attempt(presented).await? {
                Outcome::Answer { row, cause, owner } => {
                    self.count(cause, demo::is_of(&row));
                    if cause == Cause::Ahead {
                        tracing::warn!(
                            sid = row.id,
                            "a token was ahead of its session: the database went back in time"
                        );
                    }
                    tracing::info!(cause = cause.name(), sid = row.id, "refreshed");
                    return self.owned(*row, owner).await;
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

    /// With its user. What was rotated is durable here; if the answer is lost from now on, the client may ask again. Roles
    /// that were changed since have another place: new ones at the old place would be refused elsewhere.
    async fn owned(
        &self,
        row: SessionRow,
        owner: Option<UserAndPlace>,
    ) -> Result<(UserRow, SessionRow), Error> {
        let found = match owner {
            Some(owner) => Some(owner),
            None => self.store.user_of_session(&row.id).await?,
        };
        let UserAndPlace { user, status_idx } = found
            .filter(|found| !found.user.disabled)
            .ok_or(Error::InvalidRefreshToken)?;
        Ok((user, SessionRow { status_idx, ..row }))
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
        let decision = rotation::decide(&row.counter, presented.n, self.now, self.rule);
        if decision.ends() && self.believed != self.now {
            let decision = rotation::decide(&row.counter, presented.n, self.believed, self.rule);
            if !decision.ends() {
                // Only because the clock has leapt. Whoever comes back when it is right has lost nothing.
                return Err(Error::Busy {
                    retry_after_secs: WHILE_IN_DOUBT,
                });
            }
        }
        match decision {
            Decision::Current => Ok(Outcome::answer(row, Cause::Race, None)),
            Decision::Dead => {
                let cause = rotation::cause_of_death(&row.counter);
                Ok(Outcome::refuse(cause, is_demo))
            }
            Decision::Write(to, cause) => {
                let now = self.now;
                let moved = self
                    .store
                    .together(move |write| Turn::of(&row).go_on(write, to, cause, now))
                    .await?;
                Ok(moved.map_or(Outcome::Again, |(row, owner)| {
                    Outcome::answer(row, cause, owner)
                }))
            }
            Decision::Revoke(cause) => {
                let now = self.now;
                let is_ended = self
                    .store
                    .together_in_any_case(move |write| Turn::of(&row).end(write, now))
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
    Answer {
        row: Box<SessionRow>,
        cause: Cause,
        /// As they were when the row was written.
        owner: Option<UserAndPlace>,
    },
    Refuse {
        cause: Cause,
        is_demo: bool,
    },
    /// The row is no longer what was decided on.
    Again,
}

impl Outcome {
    fn answer(row: SessionRow, cause: Cause, owner: Option<UserAndPlace>) -> Self {
        let row = Box::new(row);
        Self::Answer { row, cause, owner }
    }

    fn refuse(cause: Cause, is_demo: bool) -> Self {
        Self::Refuse { cause, is_demo }
    }
}

/// A session as it was decided on, and what is to be written about it.
struct Turn {
    id: String,
    created_at: i64,
    from: Counter,
    /// For the audit trail; what is played belongs into none.
    about: Option<About>,
}

impl Turn {
    fn of(row: &SessionRow) -> Self {
        Self {
            id: row.id.clone(),
            created_at: row.created_at,
            from: row.counter,
            about: (!demo::is_of(row)).then(|| About {
                user: Some(row.user_id.clone()),
                session: Some(row.id.clone()),
                ..About::default()
            }),
        }
    }

    /// By how many seconds the session began in a time yet to come. The clock was ahead then and is right now, and the session
    /// would outlive its time by as much: so it counts as begun at its first refresh. Beginning it by the time that is
    /// believed would be exact at once, but a clock that has leapt may also be right, and then nobody could log in for as
    /// long as that is in doubt.
    fn is_ahead_by(&self, now: i64) -> i64 {
        self.created_at.saturating_sub(now).max(0)
    }

    fn go_on(
        self,
        write: &mut Write,
        to: Counter,
        cause: Cause,
        now: i64,
    ) -> Running<'_, Option<(SessionRow, Option<UserAndPlace>)>> {
        Box::pin(async move {
            let ahead = self.is_ahead_by(now);
            let to = Counter {
                expires_at: to.expires_at.saturating_sub(ahead),
                ..to
            };
            let created_at = self.created_at.saturating_sub(ahead);
            let moved = write
                .move_session(&self.id, &self.from, &to, created_at)
                .await?;
            let Some(moved) = moved else {
                return Ok(None);
            };
            if cause == Cause::Ahead
                && let Some(about) = &self.about
            {
                audit::record(write, Event::SessionAhead, about, now).await?;
            }
            let owner = write.user_of_session(&self.id).await?;
            Ok(Some((moved, owner)))
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
    if matches!(cause, Cause::Expired | Cause::Unknown) {
        // One token of a session that is over can be shown for ever: it is counted.
        tracing::debug!(cause = cause_name, sid, "refresh refused");
    } else {
        tracing::warn!(
            cause = cause_name,
            sid,
            "refresh refused and the session ended"
        );
    }
    Error::InvalidRefreshToken
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_lc_rs::hmac;
    use tokio::time::Instant;

    use super::*;
    use crate::rules::secret;
    use crate::store::testing::{HASH, session, with_user};

    const NOW: i64 = 1_000_000;
    const MONTH: i64 = 30 * 24 * 60 * 60;

    async fn begun(at: i64) -> (tempfile::TempDir, Store, SessionRow) {
        let (folder, store) = with_user(NOW).await;
        let row = SessionRow {
            id: secret::encode(&[1; 16]),
            secret: secret::encode(&[9; 16]),
            status_idx: Some(1),
            ..session("", at)
        };
        let mut write = store.begin().await.unwrap();
        write.start_session(&row, HASH).await.unwrap().unwrap();
        write.commit().await.unwrap();
        (folder, store, row)
    }

    fn keys() -> RefreshKeys {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        RefreshKeys::new([(1, key)]).unwrap()
    }

    async fn refresh(
        store: &Store,
        row: &SessionRow,
        now: i64,
        believed: i64,
    ) -> Result<SessionRow, Error> {
        let keys = keys();
        let refreshing = Refreshing {
            store,
            keys: &keys,
            rule: &RotationRule::with_idle(10_000),
            courtesy: &Courtesy::new(),
            metrics: &Metrics::default(),
            now,
            believed,
        };
        let refreshed = refreshing.refresh(keys.mint(row).unwrap().expose()).await;
        refreshed.map(|(_, session)| session)
    }

    #[tokio::test]
    async fn a_session_that_began_while_the_clock_was_ahead_lives_no_longer_than_others() {
        for (began, ahead) in [(-5, 0), (0, 0), (1, 1), (3 * MONTH, 3 * MONTH)] {
            let (_folder, store, row) = begun(NOW + began).await;
            // The second one finds nothing left to set right.
            let second = refresh(&store, &row, NOW, NOW).await.unwrap();
            let third = refresh(&store, &second, NOW + 500, NOW + 500)
                .await
                .unwrap();
            for later in [&second, &third] {
                assert_eq!(later.created_at, row.created_at - ahead);
                assert_eq!(later.counter.expires_at, row.counter.expires_at - ahead);
            }
            let end = third.counter.expires_at;
            assert_eq!(end, NOW + began - ahead + 100_000);
        }
    }

    #[tokio::test]
    async fn garbage_waits_while_a_refresh_is_under_way_and_only_then() {
        let (_folder, store, row) = begun(NOW).await;
        let (keys, courtesy) = (keys(), Courtesy::new());
        let refreshing = Refreshing {
            store: &store,
            keys: &keys,
            rule: &RotationRule::with_idle(10_000),
            courtesy: &courtesy,
            metrics: &Metrics::default(),
            now: NOW,
            believed: NOW,
        };
        // For how long, on a clock that goes on only when there is nothing else to do.
        let garbage = async || {
            tokio::time::pause();
            let began = Instant::now();
            let refused = refreshing.refresh("garbage").await;
            let waited = began.elapsed();
            tokio::time::resume();
            assert!(matches!(refused, Err(Error::InvalidRefreshToken)));
            waited
        };
        assert_eq!(garbage().await, Duration::ZERO);
        let writing = store.begin().await.unwrap();
        let token = keys.mint(&row).unwrap();
        let beside = async {
            assert!(courtesy.is_under_way());
            let waited = garbage().await;
            writing.rollback().await.unwrap();
            waited
        };
        let (refreshed, waited) = tokio::join!(refreshing.refresh(token.expose()), beside);
        refreshed.unwrap();
        assert!(waited > Duration::ZERO);
        assert_eq!(garbage().await, Duration::ZERO);
    }

    #[tokio::test]
    async fn nothing_ends_only_because_the_clock_has_leapt_and_nothing_is_answered_either() {
        let (_folder, store, row) = begun(NOW).await;
        let second = refresh(&store, &row, NOW + 1, NOW + 1).await.unwrap();
        let third = refresh(&store, &second, NOW + 2, NOW + 2).await.unwrap();
        // The session is over by the clock, and the first token was used long ago: neither is believed.
        for (row, leap) in [(&third, MONTH), (&row, MONTH), (&row, 5_000)] {
            let doubted = refresh(&store, row, NOW + leap, NOW + 3).await;
            assert!(matches!(doubted, Err(Error::Busy { .. })));
        }
        let known = store.session_by_id(&row.id).await.unwrap().unwrap();
        assert_eq!(known.counter, third.counter);
        // When the clock is right again, nothing is lost; when the leap is believed, the session is over.
        assert!(refresh(&store, &row, NOW + 3, NOW + 3).await.is_ok());
        let over = refresh(&store, &third, NOW + MONTH, NOW + MONTH).await;
        assert!(matches!(over, Err(Error::InvalidRefreshToken)));
    }
}
