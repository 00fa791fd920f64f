//! Where the tokens of a session stand in the status lists, and what is told there when they are taken back.
//!
//! A place is random among all that are free, so neither a list nor an index tells who logged in when. It is another
//! session's again when the last token that named it is over by every clock, and every copy of a list that told so is too.

use crate::error::Error;
use crate::rules::keys::OUTLIVES;
use crate::rules::secret;
use crate::store::status::StatusState;
use crate::store::{Store, Write};

mod published;

pub(crate) use published::{Published, Signed, uri};

/// How many places a list has: a million and a few, 128 KiB before they are compressed.
pub(crate) const PLACES: i64 = 1 << 20;
/// After this many places that were taken, the lists are half full, or nearly so, and one is added.
const TRIES: usize = 8;
/// How long a place stays free after its last token, in seconds: longer than any copy of a list is kept.
const FREE_AFTER: i64 = 2 * 60 * 60;
const AT_ONCE: i64 = 500;

/// The list in which a place stands, and where in it.
pub(crate) fn position(place: i64) -> (i64, u64) {
    let within = u64::try_from(place.rem_euclid(PLACES)).unwrap_or_default();
    (place.div_euclid(PLACES), within)
}

/// How many lists there are: those with a place that is or was somebody's, and those below the floor.
fn lists(state: &StatusState) -> i64 {
    let in_use = position(state.highest).0.saturating_add(1);
    in_use.max(position(state.floor).0)
}

/// A random free place.
///
/// # Errors
/// Errors of the database and of the random source.
pub(crate) async fn free_place(write: &mut Write) -> Result<i64, Error> {
    free_place_of(write, PLACES).await
}

async fn free_place_of(write: &mut Write, places: i64) -> Result<i64, Error> {
    let state = write.status_state().await?;
    // At least one list is above the floor.
    let highest = state.highest.max(state.floor);
    let mut lists = highest.div_euclid(places).saturating_add(1);
    loop {
        for _ in 0..TRIES {
            let above = lists.saturating_mul(places).saturating_sub(state.floor);
            let place = state.floor.saturating_add(random_below(above)?);
            if !write.is_place_taken(place).await? {
                return Ok(place);
            }
        }
        lists = lists.saturating_add(1);
    }
}

/// Takes back the tokens of every session that this transaction has ended, by whatever rule. Those that were begun on the
/// strength of one of them end here, too: no password was shown for them.
///
/// # Errors
/// Errors of the database.
pub(crate) async fn tell_ended(write: &mut Write, now: i64) -> Result<(), Error> {
    write.revoke_sessions_begun_by_ended(now).await?;
    write.tell_revocations(now, OUTLIVES).await
}

/// Takes back every token that was ever issued, also those of which this database knows nothing because it went back in time.
/// One list that it does not know may have been begun since.
///
/// # Errors
/// Errors of the database.
pub(crate) async fn tell_all_ended(write: &mut Write, now: i64) -> Result<(), Error> {
    let until = now.saturating_add(OUTLIVES);
    write.tell_revocations(now, OUTLIVES).await?;
    let known = lists(&write.status_state().await?);
    let floor = known.saturating_add(1).saturating_mul(PLACES);
    write.raise_floor(floor, until).await
}

/// Takes back the tokens of a user whose sessions go on: what they say is no longer so.
///
/// # Errors
/// Errors of the database and of the random source.
pub(crate) async fn renew(write: &mut Write, user_id: &str, now: i64) -> Result<(), Error> {
    write
        .tell_revocations_of_user(user_id, now, OUTLIVES)
        .await?;
    for session in write.sessions_of_user(user_id).await? {
        let place = free_place(write).await?;
        write.give_place(&session, place).await?;
    }
    Ok(())
}

/// Gives a place to sessions from before there were any.
///
/// # Errors
/// Errors of the database and of the random source.
pub(crate) async fn adopt(store: &Store) -> Result<(), Error> {
    loop {
        let mut write = store.begin().await?;
        let sessions = write.sessions_without_place(AT_ONCE).await?;
        for session in &sessions {
            let place = free_place(&mut write).await?;
            write.give_place(session, place).await?;
        }
        write.commit().await?;
        if sessions.is_empty() {
            return Ok(());
        }
    }
}

/// Frees the places whose tokens are over.
///
/// # Errors
/// Errors of the database.
pub(crate) async fn sweep(store: &Store, now: i64) -> Result<(), Error> {
    let until = now.saturating_sub(FREE_AFTER);
    store.sweep_revocations(until).await?;
    store.drop_floor(until).await
}

/// A random number below `bound`, each as likely as the others: the bound is small beside 2^63.
fn random_below(bound: i64) -> Result<i64, Error> {
    let random = i64::from_be_bytes(*secret::random::<8>()?) & i64::MAX;
    Ok(random.checked_rem(bound).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::store::sessions::SessionRow;
    use crate::store::testing::{HASH, session, with_user};

    const NOW: i64 = 1_000_000;

    async fn store() -> (tempfile::TempDir, Store) {
        with_user(NOW).await
    }

    async fn begin_session(write: &mut Write, id: &str, place: Option<i64>) {
        let row = SessionRow {
            status_idx: place,
            ..session(id, NOW)
        };
        write.start_session(&row, HASH).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_place_is_never_two_sessions_and_a_list_is_added_when_they_are_full() {
        let (_folder, store) = store().await;
        let mut write = store.begin().await.unwrap();
        let (mut taken, mut given) = (BTreeSet::new(), Vec::new());
        for i in 0..100 {
            let place = free_place_of(&mut write, 8).await.unwrap();
            begin_session(&mut write, &i.to_string(), Some(place)).await;
            assert!(taken.insert(place), "{place}");
            given.push(place);
        }
        // As many as fit into lists that are half full, or fuller.
        let highest = *taken.last().unwrap();
        assert!((100..400).contains(&highest), "{highest}");
        let in_order: Vec<i64> = taken.iter().copied().collect();
        let state = write.status_state().await.unwrap();
        assert_eq!(state.highest, in_order[99]);
        // Who came first does not have the first place.
        let rising = given.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!((25..75).contains(&rising), "{rising} of 99");
    }

    #[tokio::test]
    async fn after_everything_was_taken_back_new_places_are_above_all_that_were() {
        let (_folder, store) = store().await;
        let mut write = store.begin().await.unwrap();
        begin_session(&mut write, "a", Some(7)).await;
        write.revoke_every_session(NOW).await.unwrap();
        tell_all_ended(&mut write, NOW).await.unwrap();
        let state = write.status_state().await.unwrap();
        assert_eq!((state.floor, state.highest), (2 * PLACES, 7));
        assert_eq!(lists(&state), 2);
        for _ in 0..50 {
            let place = free_place(&mut write).await.unwrap();
            assert!((2 * PLACES..3 * PLACES).contains(&place), "{place}");
        }
        // Once more, before that is over: above the new ones too.
        begin_session(&mut write, "b", Some(2 * PLACES + 5)).await;
        tell_all_ended(&mut write, NOW).await.unwrap();
        assert_eq!(write.status_state().await.unwrap().floor, 4 * PLACES);
        write.commit().await.unwrap();
        let over = NOW + OUTLIVES + FREE_AFTER;
        for (later, floor) in [(over, 4 * PLACES), (over + 1, 0)] {
            sweep(&store, later).await.unwrap();
            assert_eq!(store.status_state().await.unwrap().floor, floor);
        }
    }

    #[tokio::test]
    async fn a_place_is_free_again_when_every_token_and_every_copy_of_the_list_is_over() {
        let (_folder, store) = store().await;
        let mut write = store.begin().await.unwrap();
        begin_session(&mut write, "a", Some(7)).await;
        assert!(write.is_place_taken(7).await.unwrap());
        write.revoke_sessions_of("u", NOW).await.unwrap();
        tell_ended(&mut write, NOW).await.unwrap();
        write.delete_user("u").await.unwrap();
        assert!(write.is_place_taken(7).await.unwrap());
        write.commit().await.unwrap();
        let over = NOW + OUTLIVES;
        assert_eq!(store.revocations(over - 1).await.unwrap(), [7]);
        assert_eq!(store.revocations(over).await.unwrap(), [0_i64; 0]);
        for (later, is_taken) in [(over + FREE_AFTER, true), (over + FREE_AFTER + 1, false)] {
            sweep(&store, later).await.unwrap();
            let mut write = store.begin().await.unwrap();
            assert_eq!(write.is_place_taken(7).await.unwrap(), is_taken);
            write.rollback().await.unwrap();
        }
    }

    #[tokio::test]
    async fn sessions_from_before_there_were_places_get_one_each() {
        let (_folder, store) = store().await;
        let mut write = store.begin().await.unwrap();
        for i in 0..3 {
            begin_session(&mut write, &i.to_string(), None).await;
        }
        write.commit().await.unwrap();
        adopt(&store).await.unwrap();
        let mut places = BTreeSet::new();
        for i in 0..3 {
            let row = store.session_by_id(&i.to_string()).await.unwrap().unwrap();
            assert!(places.insert(row.status_idx.unwrap()));
        }
    }

    #[test]
    fn a_place_stands_in_one_list() {
        for (place, position) in [
            (0, (0, 0)),
            (1_048_575, (0, 1_048_575)),
            (1_048_576, (1, 0)),
            (3_000_000, (2, 902_848)),
        ] {
            assert_eq!(super::position(place), position);
        }
    }
}
