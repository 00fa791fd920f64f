//! How often somebody may try: counted in the database before anything expensive runs, given back after a success.
//!
//! Each subject has an allowance of attempts that fills up again steadily, so nobody is locked out for good. Charged
//! for a log-in are the network, the account from this network, and the account from anywhere. A stranger on another
//! network cannot use up the second one, which is much smaller than the third; and the third one is not asked where
//! the account has been logged in to before, so that strangers on many networks do not lock its owner out.

use std::net::IpAddr;

use aws_lc_rs::digest;

use crate::error::Error;
use crate::rules::secret;
use crate::store::{Store, Write};

mod limits;

pub(crate) use limits::{Allowance, Limits};

const DAY: i64 = 24 * 60 * 60;
/// How long a network is familiar after a log-in from there.
const FAMILIAR_FOR: i64 = 90 * DAY;

/// What becomes of a charge after a success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnSuccess {
    /// It stays: successes are limited too.
    Stays,
    /// It is given back: only failures count.
    Returns,
    /// Everything is given back: earlier failures were the owner's own.
    Restores,
}

/// One charge to one subject.
struct Charge {
    subject: String,
    allowance: Allowance,
    on_success: OnSuccess,
}

/// An attempt and whom it is charged to.
pub(crate) struct Attempt {
    charges: Vec<Charge>,
    /// The account from this network: what is familiar after a success.
    pair: Option<String>,
}

impl Attempt {
    /// Whom a log-in to `email` from `peer` is charged to. Unknown accounts are charged like known ones.
    ///
    /// # Errors
    /// Errors of the database.
    pub(crate) async fn login(
        store: &Store,
        limits: &Limits,
        email: &str,
        peer: Option<IpAddr>,
        now: i64,
    ) -> Result<Self, Error> {
        // A digest: the table is no list of the addresses that strangers typed.
        let digest = digest::digest(&digest::SHA256, email.as_bytes());
        let account = secret::encode(digest.as_ref().get(..16).unwrap_or_default());
        let mut attempt = Self {
            charges: Vec::new(),
            pair: None,
        };
        if let Some(network) = limits.network_of(peer) {
            let pair = format!("pair {account} {network}");
            attempt.add(
                format!("network {network}"),
                limits.network,
                OnSuccess::Returns,
            );
            attempt.add(format!("hashes {network}"), limits.hashes, OnSuccess::Stays);
            attempt.add(pair.clone(), limits.pair, OnSuccess::Restores);
            attempt.pair = Some(pair);
        }
        let is_familiar = match &attempt.pair {
            Some(pair) => store.is_familiar(pair, now).await?,
            None => false,
        };
        if !is_familiar {
            attempt.add(
                format!("account {account}"),
                limits.account,
                OnSuccess::Returns,
            );
            // Nor by their neighbours, where a provider gives a part of a /48 to each household.
            if let Some(site) = Limits::wider_site_of(peer) {
                attempt.add(
                    format!("hashes {site}"),
                    limits.site_hashes,
                    OnSuccess::Stays,
                );
            }
        }
        Ok(attempt)
    }

    /// Whom a sign-up from `peer` is charged to.
    pub(crate) fn signup(limits: &Limits, peer: Option<IpAddr>) -> Self {
        let mut attempt = Self::of_network("signup", limits, limits.signup, peer, OnSuccess::Stays);
        if let Some(site) = Limits::wider_site_of(peer) {
            attempt.add(
                format!("signup {site}"),
                limits.site_signup,
                OnSuccess::Stays,
            );
        }
        attempt
    }

    /// Whom a one-time code from `peer` is charged to.
    pub(crate) fn setup(limits: &Limits, peer: Option<IpAddr>) -> Self {
        Self::of_network("setup", limits, limits.setup, peer, OnSuccess::Stays)
    }

    /// Whom a demonstration is charged to: its user, or the network of a stranger.
    pub(crate) fn demo(limits: &Limits, user: Option<&str>, peer: Option<IpAddr>) -> Self {
        let Some(user) = user else {
            return Self::of_network("demo", limits, limits.demo, peer, OnSuccess::Stays);
        };
        let mut attempt = Self {
            charges: Vec::new(),
            pair: None,
        };
        attempt.add(format!("demo of {user}"), limits.demo, OnSuccess::Stays);
        attempt
    }

    /// Charged to a network, or to everybody together where networks are not known.
    fn of_network(
        what: &str,
        limits: &Limits,
        allowance: Allowance,
        peer: Option<IpAddr>,
        on_success: OnSuccess,
    ) -> Self {
        let network = limits.network_of(peer);
        let subject = format!("{what} {}", network.as_deref().unwrap_or("everybody"));
        Self {
            charges: vec![Charge {
                subject,
                allowance,
                on_success,
            }],
            pair: None,
        }
    }

    fn add(&mut self, subject: String, allowance: Allowance, on_success: OnSuccess) {
        self.charges.push(Charge {
            subject,
            allowance,
            on_success,
        });
    }

    /// Looks whether every subject has an allowance left, without a charge and without waiting for whoever writes.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`] when one of them has none.
    pub(crate) async fn look(&self, store: &Store, now: i64) -> Result<(), Error> {
        for charge in &self.charges {
            let full_at = store.full_at(&charge.subject).await?;
            charge.allowance.granted(full_at.unwrap_or(now), now)?;
        }
        Ok(())
    }

    /// Charges every subject, or none.
    ///
    /// # Errors
    /// As [`Attempt::look`], which it begins with.
    pub(crate) async fn charge(&self, store: &Store, now: i64) -> Result<(), Error> {
        self.look(store, now).await?;
        let mut write = store.begin().await?;
        for charge in &self.charges {
            let Allowance { refill_secs, .. } = charge.allowance;
            let outstanding = charge.allowance.outstanding();
            let spent = write
                .spend(&charge.subject, now, refill_secs, outstanding)
                .await?;
            if spent.is_none() {
                // Somebody was faster than the look above.
                let full_at = write.full_at(&charge.subject).await?.unwrap_or(now);
                write.rollback().await?;
                charge.allowance.granted(full_at, now)?;
                return Err(Error::TooManyRequests {
                    retry_after_secs: 1,
                });
            }
        }
        write.commit().await
    }

    /// Gives back what was charged for an attempt that succeeded, together with what it wrote.
    pub(crate) async fn succeeded(&self, write: &mut Write, now: i64) -> Result<(), Error> {
        for charge in &self.charges {
            match charge.on_success {
                OnSuccess::Stays => {}
                OnSuccess::Returns => charge.give_back(write).await?,
                OnSuccess::Restores => write.forget(&charge.subject).await?,
            }
        }
        if let Some(pair) = &self.pair {
            write
                .remember(pair, now.saturating_add(FAMILIAR_FOR))
                .await?;
        }
        Ok(())
    }

    /// Gives everything back when the attempt failed for a reason of the server's own, and hands the result on.
    pub(crate) async fn settle<T>(
        &self,
        store: &Store,
        outcome: Result<T, Error>,
    ) -> Result<T, Error> {
        if let Err(problem) = &outcome
            && !is_of_the_client(problem)
            && let Err(problem) = self.refund(store).await
        {
            // The server is in trouble already; the allowance fills up by itself.
            tracing::debug!(code = problem.code(), "a charge could not be given back");
        }
        outcome
    }

    /// Gives back everything that was charged.
    async fn refund(&self, store: &Store) -> Result<(), Error> {
        let mut write = store.begin().await?;
        for charge in &self.charges {
            charge.give_back(&mut write).await?;
        }
        write.commit().await
    }
}

impl Charge {
    async fn give_back(&self, write: &mut Write) -> Result<(), Error> {
        write
            .give_back(&self.subject, self.allowance.refill_secs)
            .await
    }
}

/// Whether an attempt failed by what the client sent.
fn is_of_the_client(problem: &Error) -> bool {
    matches!(
        problem,
        Error::InvalidCredentials
            | Error::WrongPassword
            | Error::InvalidSetupCode
            | Error::AdministratorExists
            | Error::WeakPassword { .. }
            | Error::EmailTaken
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        pair: Allowance {
            burst: 3,
            refill_secs: 30,
        },
        account: Allowance {
            burst: 5,
            refill_secs: 30,
        },
        ..Limits::DEFAULT
    };

    async fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("t.db"), true)
            .await
            .unwrap();
        (folder, store)
    }

    async fn from(store: &Store, address: &str) -> Attempt {
        let address = Some(address.parse().unwrap());
        Attempt::login(store, &LIMITS, "ada@example.com", address, 1_000)
            .await
            .unwrap()
    }

    async fn wait(attempt: &Attempt, store: &Store, now: i64) -> u64 {
        match attempt.charge(store, now).await {
            Ok(()) => 0,
            Err(Error::TooManyRequests { retry_after_secs }) => retry_after_secs,
            Err(other) => panic!("{other}"),
        }
    }

    async fn succeed(attempt: &Attempt, store: &Store, now: i64) {
        let mut write = store.begin().await.unwrap();
        attempt.succeeded(&mut write, now).await.unwrap();
        write.commit().await.unwrap();
    }

    #[tokio::test]
    async fn the_fourth_failure_waits_and_the_allowance_comes_back() {
        let (_folder, store) = store().await;
        let attempt = from(&store, "192.0.2.1").await;
        for _ in 0..3 {
            assert_eq!(wait(&attempt, &store, 1_000).await, 0);
        }
        assert_eq!(wait(&attempt, &store, 1_000).await, 30);
        assert_eq!(wait(&attempt, &store, 1_029).await, 1);
        assert_eq!(wait(&attempt, &store, 1_030).await, 0);
        assert_eq!(wait(&attempt, &store, 1_030).await, 30);
    }

    #[tokio::test]
    async fn a_stranger_on_another_network_does_not_lock_an_account_out() {
        let (_folder, store) = store().await;
        let stranger = from(&store, "192.0.2.1").await;
        for _ in 0..10 {
            wait(&stranger, &store, 1_000).await;
        }
        let owner = from(&store, "198.51.100.1").await;
        assert_eq!(wait(&owner, &store, 1_000).await, 0);
    }

    #[tokio::test]
    async fn many_networks_together_are_limited_by_the_account() {
        let (_folder, store) = store().await;
        let mut allowed = 0;
        for network in 0..20 {
            let attempt = from(&store, &format!("192.0.{network}.1")).await;
            allowed += u64::from(wait(&attempt, &store, 1_000).await == 0);
        }
        assert_eq!(allowed, 5);
    }

    #[tokio::test]
    async fn many_networks_together_do_not_lock_out_where_the_owner_has_logged_in_before() {
        let (_folder, store) = store().await;
        let owner = from(&store, "198.51.100.1").await;
        assert_eq!(wait(&owner, &store, 1_000).await, 0);
        succeed(&owner, &store, 1_000).await;
        for network in 0..20 {
            let stranger = from(&store, &format!("192.0.{network}.1")).await;
            wait(&stranger, &store, 1_000).await;
        }
        let owner = from(&store, "198.51.100.77").await;
        assert_eq!(wait(&owner, &store, 1_000).await, 0);
        // From elsewhere the account is used up, for its owner too; and its own network is limited as ever.
        let abroad = from(&store, "203.0.113.1").await;
        assert!(wait(&abroad, &store, 1_000).await > 0);
        assert_eq!(wait(&owner, &store, 1_000).await, 0);
        assert_eq!(wait(&owner, &store, 1_000).await, 0);
        assert_eq!(wait(&owner, &store, 1_000).await, 30);
        // A log-in to another account from there makes nothing familiar.
        let other = Attempt::login(
            &store,
            &LIMITS,
            "bob@example.com",
            "198.51.100.1".parse().ok(),
            1_000,
        );
        assert_eq!(other.await.unwrap().charges.len(), 4);
    }

    #[tokio::test]
    async fn a_network_is_not_familiar_for_ever() {
        let (_folder, store) = store().await;
        let owner = from(&store, "198.51.100.1").await;
        succeed(&owner, &store, 1_000 - FAMILIAR_FOR).await;
        assert_eq!(from(&store, "198.51.100.1").await.charges.len(), 4);
        succeed(&owner, &store, 1_001 - FAMILIAR_FOR).await;
        assert_eq!(from(&store, "198.51.100.1").await.charges.len(), 3);
    }

    #[tokio::test]
    async fn a_success_gives_the_charge_back_but_not_the_hash() {
        let (_folder, store) = store().await;
        let attempt = from(&store, "192.0.2.1").await;
        let most = usize::try_from(LIMITS.hashes.burst).unwrap();
        for _ in 0..most {
            assert_eq!(wait(&attempt, &store, 1_000).await, 0);
            succeed(&attempt, &store, 1_000).await;
        }
        assert_eq!(wait(&attempt, &store, 1_000).await, 1);
        assert_eq!(wait(&attempt, &store, 1_001).await, 0);
    }

    #[tokio::test]
    async fn what_the_server_failed_at_costs_nothing_and_what_the_client_got_wrong_does() {
        let (_folder, store) = store().await;
        let attempt = from(&store, "192.0.2.1").await;
        let fail = async |problem| {
            let granted = wait(&attempt, &store, 1_000).await == 0;
            let outcome: Result<(), Error> = Err(problem);
            assert!(attempt.settle(&store, outcome).await.is_err());
            granted
        };
        for _ in 0..5 {
            let busy = Error::Busy {
                retry_after_secs: 1,
            };
            for problem in [busy, Error::Panic, sqlx::Error::RowNotFound.into()] {
                assert!(fail(problem).await);
            }
        }
        for granted in [true, true, true, false] {
            assert_eq!(fail(Error::InvalidCredentials).await, granted);
        }
    }

    #[tokio::test]
    async fn a_clock_that_was_set_back_locks_nobody_out() {
        let (_folder, store) = store().await;
        let now = 30 * DAY;
        for back in [3_600, 29 * DAY] {
            let attempt = from(&store, "192.0.2.1").await;
            for _ in 0..4 {
                wait(&attempt, &store, now).await;
            }
            let before = now - back;
            for granted in [true, true, true, false] {
                assert_eq!(wait(&attempt, &store, before).await == 0, granted);
            }
            assert_eq!(wait(&attempt, &store, before).await, 30);
            succeed(&attempt, &store, before).await;
        }
        // What the clock left behind is forgotten, and what is owed is not.
        let longest = LIMITS.longest();
        let mut write = store.begin().await.unwrap();
        for (subject, ahead) in [("owed", longest), ("left behind", longest + 1)] {
            write.spend(subject, now, ahead, 0).await.unwrap();
        }
        write.commit().await.unwrap();
        store.sweep_throttle(now, now, longest).await.unwrap();
        assert!(store.full_at("owed").await.unwrap().is_some());
        assert!(store.full_at("left behind").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn while_a_leap_is_in_doubt_nothing_that_is_owed_is_forgotten() {
        let (_folder, store) = store().await;
        let (believed, longest) = (1_000, LIMITS.longest());
        let leapt = believed + 400 * DAY;
        let owner = from(&store, "198.51.100.1").await;
        succeed(&owner, &store, believed).await;
        let before = from(&store, "192.0.2.1").await;
        let since = from(&store, "192.0.3.1").await;
        for _ in 0..3 {
            assert_eq!(wait(&before, &store, believed).await, 0);
            assert_eq!(wait(&since, &store, leapt).await, 0);
        }
        store
            .sweep_throttle(believed, leapt, longest)
            .await
            .unwrap();
        assert_eq!(wait(&before, &store, believed).await, 30);
        assert_eq!(wait(&since, &store, leapt).await, 30);
        assert_eq!(from(&store, "198.51.100.1").await.charges.len(), 3);
        // When the clock is right again, only what was charged before it leapt is owed.
        store
            .sweep_throttle(believed, believed, longest)
            .await
            .unwrap();
        assert_eq!(wait(&before, &store, believed).await, 30);
        assert_eq!(wait(&since, &store, believed).await, 0);
    }

    #[tokio::test]
    async fn the_statement_that_spends_grants_what_the_rule_grants() {
        let (_folder, store) = store().await;
        let allowance = LIMITS.pair;
        let now = 100_000;
        for ahead in [-1, 0, 1, 59, 60, 61, 89, 90, 91, 92, 5_000] {
            let mut write = store.begin().await.unwrap();
            write.forget("edge").await.unwrap();
            write.spend("edge", now, ahead, 0).await.unwrap();
            let granted = write
                .spend("edge", now, allowance.refill_secs, allowance.outstanding())
                .await
                .unwrap();
            write.rollback().await.unwrap();
            let rule = allowance.granted(now + ahead, now).is_ok();
            assert_eq!(granted.is_some(), rule, "{ahead}");
        }
    }

    #[tokio::test]
    async fn behind_a_proxy_nobody_is_limited_for_what_others_did() {
        let (_folder, store) = store().await;
        for (is_development, peer, charges) in [
            (false, "127.0.0.1", 1),
            (false, "10.1.2.3", 1),
            (false, "203.0.113.1", 4),
            (true, "127.0.0.1", 4),
            (true, "10.1.2.3", 4),
        ] {
            let limits = Limits::of(is_development);
            let attempt = Attempt::login(&store, &limits, "a@b.example", peer.parse().ok(), 1);
            assert_eq!(attempt.await.unwrap().charges.len(), charges, "{peer}");
        }
        let limits = Limits::of(false);
        for n in 0..200 {
            let email = format!("user{n}@example.com");
            let attempt = Attempt::login(&store, &limits, &email, "127.0.0.1".parse().ok(), 1);
            assert_eq!(wait(&attempt.await.unwrap(), &store, 1).await, 0, "{n}");
        }
        // Sign-ups and one-time codes have one allowance for everybody then.
        let signup = || Attempt::signup(&limits, "127.0.0.1".parse().ok());
        for _ in 0..limits.signup.burst {
            assert_eq!(wait(&signup(), &store, 1).await, 0);
        }
        assert_eq!(wait(&signup(), &store, 1).await, 30);
    }

    #[tokio::test]
    async fn a_refusal_does_not_wait_for_whoever_writes() {
        let (_folder, store) = store().await;
        let attempt = from(&store, "192.0.2.1").await;
        for _ in 0..3 {
            wait(&attempt, &store, 1_000).await;
        }
        // The one writer is taken until the end of this test: who needed it would wait for as long.
        let _writing = store.begin().await.unwrap();
        assert_eq!(wait(&attempt, &store, 1_000).await, 30);
        assert!(store.setup().await.is_ok());
    }
}
