//! Sessions: how one begins, how it goes on ([`refreshing`]), how it ends ([`ending`]).

use uuid::Uuid;

use crate::error::Error;
use crate::rules::refresh_token::RefreshKeys;
use crate::rules::rotation;
use crate::rules::throttle::Attempt;
use crate::rules::{secret, status};
use crate::store::Store;
use crate::store::sessions::SessionRow;
use crate::store::users::UserRow;

mod ending;
mod known;
mod refreshing;

pub(crate) use ending::{Which, end, end_all, end_of_account, end_one};
pub(crate) use known::{Both, Known};
pub(crate) use refreshing::Refreshing;

/// The client of log-ins on the server's own pages and API.
pub(crate) const FIRST_PARTY: &str = "first-party";

const SECRET_BYTES: usize = 16;
const MOST_SESSIONS: i64 = 100;

/// How long sessions live, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetimes {
    /// From its start.
    pub(crate) absolute: i64,
    /// From its last refresh.
    pub(crate) idle: i64,
}

/// For what a session is begun.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    pub(crate) client_id: &'static str,
    /// The session that stands for the password, and with which this one ends.
    pub(crate) begun_by: Option<String>,
    /// How many of one user live at once; the one that was not used for longest makes room.
    pub(crate) most: i64,
    pub(crate) lifetimes: Lifetimes,
}

impl Kind {
    /// A log-in on the server's own pages and API.
    pub(crate) fn first_party(lifetimes: Lifetimes) -> Self {
        Self {
            client_id: FIRST_PARTY,
            begun_by: None,
            most: MOST_SESSIONS,
            lifetimes,
        }
    }
}

/// Where a session is used from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Device {
    /// What it is, in words: see [`crate::rules::device`].
    pub(crate) name: Option<String>,
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
    kind: Kind,
    now: i64,
) -> Result<Option<(UserRow, SessionRow)>, Error> {
    let Proof { user, renewed_hash } = proof;
    let mut row = begun(&user, keys, device, &kind, now)?;
    let mut write = store.begin().await?;
    write
        .limit_sessions(&user.id, kind.client_id, now, kind.most.saturating_sub(1))
        .await?;
    status::tell_ended(&mut write, now).await?;
    row.status_idx = Some(status::free_place(&mut write).await?);
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

/// The row of a session that begins, without a place in the status lists.
fn begun(
    user: &UserRow,
    keys: &RefreshKeys,
    device: &Device,
    kind: &Kind,
    now: i64,
) -> Result<SessionRow, Error> {
    Ok(SessionRow {
        id: secret::encode(Uuid::now_v7().as_bytes()),
        user_id: user.id.clone(),
        client_id: kind.client_id.to_owned(),
        v: keys.newest(),
        secret: secret::encode(secret::random::<SECRET_BYTES>()?.as_slice()),
        created_at: now,
        counter: rotation::fresh(now, kind.lifetimes.idle, kind.lifetimes.absolute),
        user_agent: device.name.clone(),
        address: device.address.clone(),
        status_idx: None,
        begun_by: kind.begun_by.clone(),
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
    let counter = &row.counter;
    counter.revoked_at.is_none() && now < counter.expires_at && now < counter.idle_expires_at
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac;

    use super::*;
    use crate::rules::demo;
    use crate::rules::status::free_place;
    use crate::rules::throttle::Limits;
    use crate::store::testing::with_user;

    const NOW: i64 = 1_800_000_000;
    const USERS: u64 = 100;
    const EACH: u64 = 20;

    async fn bytes_with(sessions_each: u64) -> u64 {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("t.db");
        let store = Store::open(&file, true).await.unwrap();
        let keys = [(1, hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]))];
        let keys = RefreshKeys::new(keys).unwrap();
        let device = Device {
            name: Some("Firefox on Windows".to_owned()),
            address: Some("203.0.113.0/24".to_owned()),
        };
        let kind = Kind::first_party(Lifetimes {
            absolute: 30 * 86_400,
            idle: 14 * 86_400,
        });
        let mut write = store.begin().await.unwrap();
        for number in 0..USERS {
            let (id, email) = (Uuid::now_v7().to_string(), format!("{number}@b.example"));
            let user = UserRow::new(id, email, None, "a hash".to_owned(), NOW);
            write.insert_user(&user).await.unwrap();
            for _ in 0..sessions_each {
                let mut row = begun(&user, &keys, &device, &kind, NOW).unwrap();
                row.status_idx = Some(free_place(&mut write).await.unwrap());
                let begun = write.start_session(&row, &user.password_hash).await;
                begun.unwrap().unwrap();
            }
        }
        write.commit().await.unwrap();
        store.close().await;
        std::fs::metadata(&file).unwrap().len()
    }

    #[tokio::test]
    async fn what_makes_room_for_a_log_in_takes_the_demonstrations_begun_in_it_along() {
        let (_folder, store) = with_user(NOW).await;
        let keys = [(1, hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]))];
        let keys = RefreshKeys::new(keys).unwrap();
        let attempt = Attempt::demo(&Limits::DEFAULT, None, None);
        let lifetimes = Lifetimes {
            absolute: 86_400,
            idle: 86_400,
        };
        let log_in = || Kind {
            most: 1,
            ..Kind::first_party(lifetimes)
        };
        let begin = async |kind: Kind| {
            let user = store.user_by_id("u").await.unwrap().unwrap();
            let proof = Proof {
                user,
                renewed_hash: None,
            };
            let device = Device::default();
            let begun = start(&store, &keys, proof, &attempt, &device, kind, NOW).await;
            begun.unwrap().map(|(_, session)| session)
        };
        let first = begin(log_in()).await.unwrap();
        let demo_of = async |session: &SessionRow| {
            let user = store.user_by_id("u").await.unwrap().unwrap();
            begin(demo::kind(&user, Some(&session.id))).await
        };
        let its_demo = demo_of(&first).await.unwrap();
        let second = begin(log_in()).await.unwrap();
        let living = store.living_sessions("u", NOW).await.unwrap();
        let living: Vec<_> = living.iter().map(|row| row.id.as_str()).collect();
        assert_eq!(living, [second.id.as_str()]);
        // Their tokens are taken back, and none begins any more where that one stands for the password.
        let places = store.revocations(NOW).await.unwrap();
        for ended in [&first, &its_demo] {
            assert!(places.contains(&ended.status_idx.unwrap()));
        }
        assert!(demo_of(&first).await.is_none());
        assert!(demo_of(&second).await.is_some());
    }

    #[tokio::test]
    async fn a_session_costs_at_most_300_bytes_on_disk() {
        let (without, with) = (bytes_with(0).await, bytes_with(EACH).await);
        let each = (with - without) / (USERS * EACH);
        assert!((100..=300).contains(&each), "{each} bytes");
    }
}
