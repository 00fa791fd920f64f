//! A store of its own for a test, with one user and sessions of theirs.

use tempfile::TempDir;

use super::Store;
use super::sessions::SessionRow;
use super::users::UserRow;
use crate::rules::rotation;

/// The user's password hash.
pub(crate) const HASH: &str = "the present hash";

/// A database in a folder that goes with it, which holds the user `u` since `now`.
pub(crate) async fn with_user(now: i64) -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("t.db"), true)
        .await
        .unwrap();
    let user = UserRow::new("u".into(), "a@b.example".into(), None, HASH.into(), now);
    let mut write = store.begin().await.unwrap();
    write.insert_user(&user).await.unwrap();
    write.commit().await.unwrap();
    (folder, store)
}

/// A session of that user, begun at `now`, which has no place in a status list.
pub(crate) fn session(id: &str, now: i64) -> SessionRow {
    SessionRow {
        id: id.to_owned(),
        user_id: "u".to_owned(),
        client_id: "first-party".to_owned(),
        v: 1,
        secret: String::new(),
        created_at: now,
        counter: rotation::fresh(now, 10_000, 100_000),
        user_agent: None,
        address: None,
        status_idx: None,
        begun_by: None,
    }
}

const DISABLE: &str = "UPDATE users SET disabled = TRUE WHERE email = $1";
const SPOIL: &str = "UPDATE users SET password_hash = $2 WHERE email = $1";

impl Store {
    /// Disables an account.
    pub(crate) async fn disable(&self, email: &str) {
        let done = sqlx::query(DISABLE).bind(email).execute(&self.writer).await;
        assert_eq!(done.unwrap().rows_affected(), 1);
    }

    /// Gives an account this in place of its password's hash.
    pub(crate) async fn spoil_hash(&self, email: &str, hash: &str) {
        let spoil = sqlx::query(SPOIL).bind(email).bind(hash);
        let done = spoil.execute(&self.writer).await;
        assert_eq!(done.unwrap().rows_affected(), 1);
    }

    /// Whether somebody has the one connection that writes, or waits on it for the database.
    pub(crate) fn is_writing(&self) -> bool {
        usize::try_from(self.writer.size()).unwrap() > self.writer.num_idle()
    }
}
