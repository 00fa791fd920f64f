//! The signing keys: when each is published, signs and verifies, and that there is always one and a standby.
//!
//! A key's state is a function of the times in its row, so every node agrees without a leader. They change by the operator's
//! word alone, and a server that runs reads them at its next housekeeping.
//! The standby is published from the day it is made, so that no verifier meets a token whose key it has not seen.

use aws_lc_rs::hmac;
use countersign::{Algorithm, Jwk, JwkSet, SigningKey};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::rules::refresh_token::RefreshKeys;
use crate::rules::seal::Seal;
use crate::rules::secret;
use crate::store::Store;
use crate::store::keys::KeyRow;

mod early;
mod listed;
mod reencrypt;

pub(crate) use early::{Ended, retire, withdraw};
pub(crate) use listed::{Duty, Listed};
pub(crate) use reencrypt::reencrypt;

const SIGNING: &str = "sig";
const REFRESH: &str = "refresh";
const REFRESH_ALG: &str = "HS256";
const REFRESH_KEY_BYTES: usize = 32;

const DAY: i64 = 24 * 60 * 60;
/// How long one key signs.
const SIGNS_FOR: i64 = 90 * DAY;
/// How long a token may outlive its key: the longest access token, and clocks that differ.
pub(crate) const OUTLIVES: i64 = DAY + 300;
const FOR_EVER: i64 = 100 * 365 * DAY;

/// The times of a key: `publish_at <= sign_from < sign_until <= verify_until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) publish_at: i64,
    pub(crate) sign_from: i64,
    pub(crate) sign_until: i64,
    pub(crate) verify_until: i64,
}

impl Times {
    fn signing_from(sign_from: i64, now: i64) -> Self {
        let sign_until = sign_from.saturating_add(SIGNS_FOR);
        Self {
            publish_at: now,
            sign_from,
            sign_until,
            verify_until: sign_until.saturating_add(OUTLIVES),
        }
    }

    /// A key that is needed now. It counts from the end of the one before it, or from ever, so that one signs as well
    /// when the clock turns out to have been ahead.
    fn signing_at_once(present: &[Self], now: i64) -> Self {
        let before = present.iter().map(|times| times.sign_until);
        let since = before.filter(|until| *until <= now).max().unwrap_or(0);
        Self {
            publish_at: since,
            sign_from: since,
            ..Self::signing_from(now, now)
        }
    }

    fn signs(&self, now: i64) -> bool {
        self.sign_from <= now && now < self.sign_until
    }

    fn is_published(&self, now: i64) -> bool {
        self.publish_at <= now && now < self.verify_until
    }

    fn is_standby(&self, now: i64) -> bool {
        self.publish_at <= now && now < self.sign_from
    }
}

/// The keys to make now, so that one signs and one stands by.
pub(crate) fn missing(present: &[Times], now: i64) -> Vec<Times> {
    let mut made = Vec::new();
    let sign_until = match present
        .iter()
        .filter(|times| times.signs(now))
        .map(|times| times.sign_until)
        .max()
    {
        Some(sign_until) => sign_until,
        None => {
            let first = Times::signing_at_once(present, now);
            made.push(first);
            first.sign_until
        }
    };
    if !present.iter().any(|times| times.is_standby(now)) {
        made.push(Times::signing_from(sign_until, now));
    }
    made
}

struct Held {
    key: SigningKey,
    times: Times,
}

/// The keys that this server signs and verifies with, open in memory.
pub(crate) struct Ring {
    algorithm: Algorithm,
    shared_secret: Option<SigningKey>,
    held: Vec<Held>,
    refresh: RefreshKeys,
    opened_at: i64,
}

impl Ring {
    /// The key that signs now.
    pub(crate) fn signing(&self, now: i64) -> Option<&SigningKey> {
        if let Some(secret) = &self.shared_secret {
            return Some(secret);
        }
        let own = self
            .held
            .iter()
            .filter(|held| held.key.algorithm() == self.algorithm && held.times.signs(now));
        own.max_by_key(|held| held.times.sign_from)
            .map(|held| &held.key)
    }

    /// When the keys were read.
    pub(crate) const fn opened_at(&self) -> i64 {
        self.opened_at
    }

    /// The keys that verify now.
    pub(crate) fn verifying(&self, now: i64) -> JwkSet {
        match &self.shared_secret {
            Some(secret) => JwkSet::new([secret.verifying_key()]),
            None => self.published(now),
        }
    }

    /// The keys that the world may see; none of them is a secret.
    pub(crate) fn published(&self, now: i64) -> JwkSet {
        // RFC 7518 §3.2: whoever verifies with a shared secret can also sign, so it is never published.
        let held = self
            .held
            .iter()
            .filter(|held| self.shared_secret.is_none() && held.times.is_published(now));
        JwkSet::new(held.map(|held| held.key.verifying_key()))
    }

    /// The keys of refresh tokens.
    pub(crate) fn refresh(&self) -> &RefreshKeys {
        &self.refresh
    }

    /// The state in words.
    pub(crate) fn describe(&self, now: i64) -> String {
        if self.shared_secret.is_some() {
            return format!("{}, a shared secret: nothing is published", self.algorithm);
        }
        let own = || {
            self.held
                .iter()
                .filter(|held| held.key.algorithm() == self.algorithm)
        };
        let signing = own().filter(|held| held.times.signs(now)).count();
        let standby = own().filter(|held| held.times.is_standby(now)).count();
        format!(
            "{}, {} signing, {} standby",
            self.algorithm,
            in_words(signing),
            in_words(standby)
        )
    }
}

/// Makes what is missing, stores it sealed, and opens every key.
pub(crate) async fn open(
    store: &Store,
    seal: &Seal,
    algorithm: Algorithm,
    shared_secret: Option<SigningKey>,
    now: i64,
) -> Result<Ring, Error> {
    loop {
        let rows = store.keys().await?;
        // Before any is made: sealed with another key than the rest, it would be opened by none.
        if !are_opened_by(seal, &rows) {
            return Err(Error::KeyEncryptionKeyWrong);
        }
        let new = make(&rows, seal, algorithm, shared_secret.is_some(), now).await?;
        if new.is_empty() {
            return unseal(&rows, seal, algorithm, shared_secret, now);
        }
        let mut write = store.begin().await?;
        // Another node may have been faster, or the operator: then what is there now is looked at anew.
        if write.keys().await? == rows {
            for row in &new {
                write.insert_key(row).await?;
            }
            write.commit().await?;
        } else {
            write.rollback().await?;
        }
    }
}

async fn make(
    rows: &[KeyRow],
    seal: &Seal,
    algorithm: Algorithm,
    is_shared: bool,
    now: i64,
) -> Result<Vec<KeyRow>, Error> {
    let mut new = Vec::new();
    if !rows.iter().any(|row| row.purpose == REFRESH) {
        new.push(new_refresh_key(seal, now)?);
    }
    if is_shared {
        return Ok(new);
    }
    let own = rows
        .iter()
        .filter(|row| row.purpose == SIGNING && row.alg == algorithm.name());
    let present: Vec<Times> = own.map(times).collect();
    for times in missing(&present, now) {
        // An RSA key takes a while; the other requests must not wait for it.
        let made = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm)).await;
        let key = made.map_err(|_| Error::Panic)??;
        let kid = key.key_id().unwrap_or_default().to_owned();
        let bytes = key.to_jwk().to_json();
        new.push(sealed(
            seal,
            kid,
            algorithm.name(),
            SIGNING,
            bytes.as_bytes(),
            times,
        )?);
    }
    Ok(new)
}

fn new_refresh_key(seal: &Seal, now: i64) -> Result<KeyRow, Error> {
    let far = now.saturating_add(FOR_EVER);
    let times = Times {
        publish_at: now,
        sign_from: now,
        sign_until: far,
        verify_until: far,
    };
    let bytes = secret::random::<REFRESH_KEY_BYTES>()?;
    sealed(
        seal,
        "v1".to_owned(),
        REFRESH_ALG,
        REFRESH,
        bytes.as_slice(),
        times,
    )
}

fn sealed(
    seal: &Seal,
    kid: String,
    alg: &str,
    purpose: &str,
    bytes: &[u8],
    times: Times,
) -> Result<KeyRow, Error> {
    Ok(KeyRow {
        sealed: seal.seal(bytes, &bound_to(&kid, alg, purpose))?,
        kid,
        alg: alg.to_owned(),
        purpose: purpose.to_owned(),
        publish_at: times.publish_at,
        sign_from: times.sign_from,
        sign_until: times.sign_until,
        verify_until: times.verify_until,
    })
}

fn unseal(
    rows: &[KeyRow],
    seal: &Seal,
    algorithm: Algorithm,
    shared_secret: Option<SigningKey>,
    opened_at: i64,
) -> Result<Ring, Error> {
    let mut held = Vec::new();
    let mut refresh = Vec::new();
    for row in rows {
        let bytes = open_row(seal, row)?;
        match row.purpose.as_str() {
            REFRESH => {
                let number = row
                    .kid
                    .strip_prefix('v')
                    .and_then(|number| number.parse().ok());
                refresh.extend(
                    number.map(|number| (number, hmac::Key::new(hmac::HMAC_SHA256, &bytes))),
                );
            }
            _ => held.push(Held {
                key: SigningKey::from_jwk(&Jwk::parse(&bytes)?)?,
                times: times(row),
            }),
        }
    }
    let refresh =
        RefreshKeys::new(refresh).ok_or(Error::NotReady("there is no key for refresh tokens"))?;
    Ok(Ring {
        algorithm,
        shared_secret,
        held,
        refresh,
        opened_at,
    })
}

/// Whether a key-encryption key opens every one of these.
pub(crate) fn are_opened_by(seal: &Seal, rows: &[KeyRow]) -> bool {
    rows.iter().all(|row| open_row(seal, row).is_ok())
}

fn open_row(seal: &Seal, row: &KeyRow) -> Result<Zeroizing<Vec<u8>>, Error> {
    seal.open(&row.sealed, &bound_to(&row.kid, &row.alg, &row.purpose))
}

fn bound_to(kid: &str, alg: &str, purpose: &str) -> String {
    format!("{kid}|{alg}|{purpose}")
}

fn times(row: &KeyRow) -> Times {
    Times {
        publish_at: row.publish_at,
        sign_from: row.sign_from,
        sign_until: row.sign_until,
        verify_until: row.verify_until,
    }
}

fn in_words(count: usize) -> String {
    match count {
        0 => "none".to_owned(),
        1 => "one".to_owned(),
        more => more.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    #[test]
    fn the_first_start_makes_one_key_that_signs_and_one_that_stands_by() {
        let made = missing(&[], NOW);
        assert_eq!(made.len(), 2);
        assert!(made[0].signs(NOW) && !made[1].signs(NOW) && made[1].is_standby(NOW));
        assert_eq!(made[0].sign_until, made[1].sign_from);
        assert!(missing(&made, NOW).is_empty());
    }

    #[test]
    fn times_are_in_order_and_the_last_token_of_a_key_can_be_verified() {
        for times in missing(&[], NOW) {
            assert!(times.publish_at <= times.sign_from && times.sign_from < times.sign_until);
            assert!(times.sign_until + DAY <= times.verify_until);
        }
    }

    #[test]
    fn when_the_standby_takes_over_a_new_one_is_made_and_the_old_key_still_verifies() {
        let mut all = missing(&[], NOW);
        let later = NOW + SIGNS_FOR;
        let made = missing(&all, later);
        assert_eq!(made.len(), 1);
        assert!(made[0].is_standby(later) && made[0].sign_from == all[1].sign_until);
        assert!(all[0].is_published(later) && !all[0].signs(later) && all[1].signs(later));
        all.extend(made);
        assert_eq!(all.iter().filter(|times| times.signs(later)).count(), 1);
        assert!(!all[0].is_published(later + OUTLIVES));
    }

    #[test]
    fn a_clock_that_was_ahead_at_the_first_start_leaves_a_key_that_signs() {
        let made = missing(&[], NOW + 30 * DAY);
        assert!(made[0].signs(NOW) && made[0].is_published(NOW));
        assert!(made[0].signs(0));
        // After years off the new key begins where the old one ended, and both never sign at once.
        let late = missing(&made, NOW + 10 * 365 * DAY);
        assert_eq!(late[0].sign_from, made[1].sign_until);
        assert!(late[0].is_published(late[0].sign_from));
    }

    #[test]
    fn after_years_off_there_is_a_key_that_signs_at_once() {
        let old = missing(&[], NOW);
        let made = missing(&old, NOW + 10 * 365 * DAY);
        assert_eq!(made.len(), 2);
        assert!(made[0].signs(NOW + 10 * 365 * DAY));
    }
}
