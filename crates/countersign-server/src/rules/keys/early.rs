//! New keys before their time, by the operator's word: the standby takes over, or every key is withdrawn at once.
//!
//! Only times are written here, and keys are forgotten; whoever opens the keys next makes what is missing. So this needs
//! neither the key-encryption key nor the algorithm, which the server may have been told elsewhere.

use super::{OUTLIVES, SIGNING, Times, times};
use crate::error::Error;
use crate::rules::audit::{self, About, Event};
use crate::store::Store;
use crate::store::keys::KeyRow;

/// Keys that sign no more.
pub(crate) struct Ended {
    pub(crate) ended: Vec<KeyRow>,
    /// Which of those that stood by sign from now on.
    pub(crate) signing: Vec<KeyRow>,
}

/// Has those keys sign that stand by. Those that signed so far verify for as long as a token of theirs can live.
///
/// # Errors
/// [`Error::Argument`] where no key signs; errors of the database.
pub(crate) async fn retire(store: &Store, now: i64) -> Result<Ended, Error> {
    let mut write = store.begin().await?;
    let rows = write.keys().await?;
    let signing: Vec<&KeyRow> = of_signing(&rows)
        .filter(|row| times(row).signs(now))
        .collect();
    if signing.is_empty() {
        write.rollback().await?;
        return Err(no_key());
    }
    let standby = |alg: &str| {
        let others = of_signing(&rows).filter(|row| row.alg == alg && times(row).is_standby(now));
        others.min_by_key(|row| row.sign_from)
    };
    let mut taking_over: Vec<&KeyRow> =
        signing.iter().filter_map(|row| standby(&row.alg)).collect();
    taking_over.dedup_by(|one, other| one.kid == other.kid);
    for row in &signing {
        write.move_key(&with(row, times(row).ended(now))).await?;
    }
    for row in &taking_over {
        write.move_key(&with(row, times(row).begun(now))).await?;
    }
    let outcome = Ended {
        ended: signing.iter().copied().cloned().collect(),
        signing: taking_over.iter().copied().cloned().collect(),
    };
    let about = About {
        keys: Some(kids(&signing)),
        ..About::default()
    };
    audit::record(&mut write, Event::KeysRetired, &about, now).await?;
    write.commit().await?;
    Ok(outcome)
}

/// Forgets every signing key: those that stand by lay where the others did.
///
/// # Errors
/// [`Error::Argument`] where there is none; errors of the database.
pub(crate) async fn withdraw(store: &Store, now: i64) -> Result<Ended, Error> {
    let mut write = store.begin().await?;
    let rows = write.keys().await?;
    let all: Vec<&KeyRow> = of_signing(&rows).collect();
    if all.is_empty() {
        write.rollback().await?;
        return Err(no_key());
    }
    for row in &all {
        write.delete_key(&row.kid).await?;
    }
    let about = About {
        keys: Some(kids(&all)),
        ..About::default()
    };
    audit::record(&mut write, Event::KeysWithdrawn, &about, now).await?;
    write.commit().await?;
    Ok(Ended {
        ended: all.iter().copied().cloned().collect(),
        signing: Vec::new(),
    })
}

impl Times {
    /// A key that signs no more from now on. It keeps the day on which it was made, unless that is still to come, by a clock
    /// that was ahead: what is not published yet verifies nothing.
    fn ended(self, now: i64) -> Self {
        let made_at = Some(self.made_at()).filter(|made_at| *made_at < now);
        let since = |time: i64| made_at.map_or(time, |made_at| time.max(made_at));
        Self {
            publish_at: since(self.publish_at),
            sign_from: since(self.sign_from),
            sign_until: now,
            verify_until: self.verify_until.min(now.saturating_add(OUTLIVES)),
        }
    }

    /// A standby that signs from now on.
    fn begun(self, now: i64) -> Self {
        Self {
            publish_at: self.publish_at,
            ..Self::signing_from(now, now)
        }
    }
}

fn of_signing(rows: &[KeyRow]) -> impl Iterator<Item = &KeyRow> {
    rows.iter().filter(|row| row.purpose == SIGNING)
}

fn with(row: &KeyRow, times: Times) -> KeyRow {
    KeyRow {
        publish_at: times.publish_at,
        sign_from: times.sign_from,
        sign_until: times.sign_until,
        verify_until: times.verify_until,
        ..row.clone()
    }
}

fn kids(rows: &[&KeyRow]) -> Vec<String> {
    rows.iter().map(|row| row.kid.clone()).collect()
}

fn no_key() -> Error {
    Error::Argument(
        "no key of this data folder signs: a server makes its keys when it starts, and a shared secret is replaced where it is set".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::super::{DAY, SIGNS_FOR, missing};
    use super::*;

    const NOW: i64 = 1_800_000_000;

    #[test]
    fn the_standby_takes_over_without_a_gap_and_the_old_key_verifies_its_last_token() {
        let first = missing(&[], NOW);
        let (made, later) = (first.clone(), NOW + 5 * DAY);
        let (old, new) = (made[0].ended(later), made[1].begun(later));
        assert!(made[0].signs(later) && !old.signs(later) && old.is_published(later));
        assert!(old.is_published(later + DAY) && !old.is_published(later + OUTLIVES));
        assert!(new.signs(later) && new.is_published(later) && new.signs(later + SIGNS_FOR - 1));
        assert_eq!(old.sign_until, new.sign_from);
        // One second before the change everything is as it was, for a node whose clock is behind.
        assert!(old.signs(later - 1) && !new.signs(later - 1));
        for times in [old, new] {
            assert!(times.publish_at <= times.sign_from && times.sign_from < times.sign_until);
            assert!(times.sign_until + DAY <= times.verify_until);
        }
        let next = missing(&[old, new], later);
        assert_eq!(next.len(), 1);
        assert!(next[0].is_standby(later) && next[0].sign_from == new.sign_until);
    }

    #[test]
    fn a_key_keeps_the_day_on_which_it_was_made() {
        let made = missing(&[], NOW);
        let later = NOW + 5 * DAY;
        assert_eq!((made[0].made_at(), made[1].made_at()), (NOW, NOW));
        assert_eq!(made[0].ended(later).made_at(), NOW);
        assert_eq!(made[1].begun(later).made_at(), NOW);
        assert_eq!(made[1].begun(later).ended(later + DAY).made_at(), NOW);
    }

    #[test]
    fn a_key_that_a_clock_ahead_has_made_verifies_its_last_token_too() {
        let made = missing(&[], NOW + 48 * DAY);
        let old = made[0].ended(NOW);
        assert!(made[0].signs(NOW) && !old.signs(NOW) && old.is_published(NOW));
        assert!(old.signs(NOW - 1) && old.publish_at <= old.sign_from);
    }

    #[test]
    fn a_key_that_ends_early_never_verifies_longer_than_it_would_have() {
        let made = missing(&[], NOW);
        let late = made[0].sign_until - 1;
        assert!(made[0].ended(late).verify_until <= made[0].verify_until);
    }
}
