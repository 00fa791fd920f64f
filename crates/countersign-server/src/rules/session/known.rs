//! What is known of sessions and their users, in memory: believed while nothing at all was committed since it was read, by
//! this process or by another. So nobody has to tell of a change, and none can be missed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use countersign::AccessToken;

use super::is_alive;
use crate::error::Error;
use crate::rules::demo;
use crate::store::Store;
use crate::store::sessions::SessionRow;
use crate::store::users::UserRow;
use crate::store::version::Version;

/// How many sessions are kept; when there are more, all are forgotten, which costs one look at the database each.
const MOST: usize = 20_000;

/// A session and its user, as they were read together.
pub(crate) struct Both {
    pub(crate) session: SessionRow,
    pub(crate) user: UserRow,
}

/// The sessions that were asked for lately.
#[derive(Default)]
pub(crate) struct Known(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// As of when all of them are.
    version: Option<Version>,
    sessions: HashMap<String, Arc<Both>>,
}

impl Known {
    /// The session of a verified access token and its user, where the token still says the truth: its session lives, and
    /// its user is there, may log in, and has these very roles.
    ///
    /// # Errors
    /// Errors of the database.
    pub(crate) async fn behind(
        &self,
        store: &Store,
        token: &AccessToken,
        now: i64,
    ) -> Result<Option<Arc<Both>>, Error> {
        let both = self.living(store, token, now).await?;
        Ok(both.filter(|both| !demo::is_of(&both.session) && says_the_roles(token, both)))
    }

    /// Whether a verified access token still counts for whom it is: as [`Known::behind`], and a token of the demonstration,
    /// which names no role and opens nothing here, while its session lives.
    ///
    /// # Errors
    /// Errors of the database.
    pub(crate) async fn counts(
        &self,
        store: &Store,
        token: &AccessToken,
        now: i64,
    ) -> Result<bool, Error> {
        let both = self.living(store, token, now).await?;
        Ok(both.is_some_and(|both| demo::is_of(&both.session) || says_the_roles(token, &both)))
    }

    async fn living(
        &self,
        store: &Store,
        token: &AccessToken,
        now: i64,
    ) -> Result<Option<Arc<Both>>, Error> {
        let Some(sid) = &token.sid else {
            return Ok(None);
        };
        let both = self.look_up(store, sid).await?;
        Ok(both.filter(|both| {
            both.session.user_id == token.sub && is_alive(&both.session, now) && !both.user.disabled
        }))
    }

    async fn look_up(&self, store: &Store, sid: &str) -> Result<Option<Arc<Both>>, Error> {
        let version = store.version().await?;
        if let Some(both) = self.find(version, sid) {
            return Ok(Some(both));
        }
        let Some(session) = store.session_by_id(sid).await? else {
            return Ok(None);
        };
        let Some(user) = store.user_by_id(&session.user_id).await? else {
            return Ok(None);
        };
        let both = Arc::new(Both { session, user });
        // Read after the version: if something was committed in between, the next look sees another version.
        self.keep(version, sid, &both);
        Ok(Some(both))
    }

    fn find(&self, version: Version, sid: &str) -> Option<Arc<Both>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_present = kept.version == Some(version);
        kept.sessions
            .get(sid)
            .filter(|_| is_present)
            .map(Arc::clone)
    }

    fn keep(&self, version: Version, sid: &str, both: &Arc<Both>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.version != Some(version) || kept.sessions.len() >= MOST {
            kept.sessions.clear();
            kept.version = Some(version);
        }
        kept.sessions.insert(sid.to_owned(), Arc::clone(both));
    }
}

fn says_the_roles(token: &AccessToken, both: &Both) -> bool {
    both.user.roles() == token.roles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{HASH, session, with_user};

    const NOW: i64 = 1_000_000;

    async fn store() -> (tempfile::TempDir, Store) {
        let (folder, store) = with_user(NOW).await;
        let mut write = store.begin().await.unwrap();
        let row = SessionRow {
            status_idx: Some(1),
            ..session("s", NOW)
        };
        write.start_session(&row, HASH).await.unwrap().unwrap();
        write.commit().await.unwrap();
        (folder, store)
    }

    fn token() -> AccessToken {
        AccessToken {
            iss: "i".to_owned(),
            sub: "u".to_owned(),
            aud: Vec::new(),
            exp: NOW + 600,
            iat: NOW,
            jti: "j".to_owned(),
            client_id: "first-party".to_owned(),
            sid: Some("s".to_owned()),
            scope: String::new(),
            roles: Vec::new(),
            auth_time: None,
            status: None,
        }
    }

    #[tokio::test]
    async fn what_was_read_is_read_again_only_when_something_was_changed() {
        let (folder, store) = store().await;
        let known = Known::default();
        let first = known.behind(&store, &token(), NOW).await.unwrap().unwrap();
        let again = known.behind(&store, &token(), NOW).await.unwrap().unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        // Whoever asks whether the database takes writes changes nothing.
        store.probe(NOW).await.unwrap();
        let again = known.behind(&store, &token(), NOW).await.unwrap().unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        // By this process, whatever it is about.
        let mut write = store.begin().await.unwrap();
        write.spend("somebody", NOW, 1, 1).await.unwrap();
        write.commit().await.unwrap();
        // Also where somebody asks between the change and the next look.
        store.probe(NOW).await.unwrap();
        let third = known.behind(&store, &token(), NOW).await.unwrap().unwrap();
        assert!(!Arc::ptr_eq(&first, &third));
        // By another one, as far as the database knows.
        let elsewhere = Store::open(&folder.path().join("t.db"), false)
            .await
            .unwrap();
        let mut write = elsewhere.begin().await.unwrap();
        write.revoke_sessions_of("u", NOW).await.unwrap();
        assert!(known.behind(&store, &token(), NOW).await.unwrap().is_some());
        write.commit().await.unwrap();
        assert!(known.behind(&store, &token(), NOW).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn what_is_in_memory_ends_with_its_time_too() {
        let (_folder, store) = store().await;
        let known = Known::default();
        for (now, is_alive) in [(NOW, true), (NOW + 9_999, true), (NOW + 10_000, false)] {
            let both = known.behind(&store, &token(), now).await.unwrap();
            assert_eq!(both.is_some(), is_alive, "{now}");
        }
        let others = [
            AccessToken {
                sub: "v".to_owned(),
                ..token()
            },
            AccessToken {
                sid: None,
                ..token()
            },
            AccessToken {
                sid: Some("t".to_owned()),
                ..token()
            },
            AccessToken {
                roles: vec!["admin".to_owned()],
                ..token()
            },
        ];
        for other in others {
            assert!(known.behind(&store, &other, NOW).await.unwrap().is_none());
            assert!(!known.counts(&store, &other, NOW).await.unwrap());
        }
        assert!(known.counts(&store, &token(), NOW).await.unwrap());
    }
}
