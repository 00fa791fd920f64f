//! How often somebody may try: counted in the database before anything expensive runs, given back after a success.
//!
//! Each subject has an allowance of attempts that fills up again steadily, so nobody is locked out for good. Three
//! subjects are charged for a log-in: the account from this network, the account from anywhere, and the network.
//! A stranger on another network cannot use up the first one, which is much smaller than the second.

use std::net::IpAddr;

use aws_lc_rs::digest;

use crate::error::Error;
use crate::rules::{address, secret};
use crate::store::Store;

/// An allowance: `burst` attempts at once, and one more every `refill_secs`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    pub(crate) burst: i64,
    pub(crate) refill_secs: i64,
}

/// The allowances of a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Log-ins to one account from one network.
    pub(crate) pair: Allowance,
    /// Log-ins to one account.
    pub(crate) account: Allowance,
    /// Log-ins from one network.
    pub(crate) network: Allowance,
    /// Sign-ups from one network.
    pub(crate) signup: Allowance,
}

impl Limits {
    pub(crate) const DEFAULT: Self = Self {
        pair: Allowance {
            burst: 10,
            refill_secs: 30,
        },
        account: Allowance {
            burst: 50,
            refill_secs: 30,
        },
        network: Allowance {
            burst: 100,
            refill_secs: 6,
        },
        signup: Allowance {
            burst: 100,
            refill_secs: 6,
        },
    };
}

/// An attempt that was allowed and charged.
pub(crate) struct Attempt(Vec<(String, Allowance)>);

impl Attempt {
    /// Whom a log-in to `email` from `address` is charged to. Unknown accounts are charged like known ones.
    pub(crate) fn login(limits: &Limits, email: &str, address: Option<IpAddr>) -> Self {
        // A digest: the table is no list of the addresses that strangers typed.
        let digest = digest::digest(&digest::SHA256, email.as_bytes());
        let account = secret::encode(digest.as_ref().get(..16).unwrap_or_default());
        let mut subjects = vec![(format!("account {account}"), limits.account)];
        if let Some(network) = address.map(address::prefix) {
            subjects.push((format!("pair {account} {network}"), limits.pair));
            subjects.push((format!("network {network}"), limits.network));
        }
        Self(subjects)
    }

    /// Whom a sign-up from `address` is charged to.
    pub(crate) fn signup(limits: &Limits, address: Option<IpAddr>) -> Self {
        let subject = address.map(|address| {
            (
                format!("signup {}", address::prefix(address)),
                limits.signup,
            )
        });
        Self(subject.into_iter().collect())
    }

    /// Charges every subject, or none.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`] when one of them has no allowance left.
    pub(crate) async fn charge(&self, store: &Store, now: i64) -> Result<(), Error> {
        let mut write = store.begin().await?;
        for (subject, allowance) in &self.0 {
            let outstanding = allowance
                .burst
                .saturating_sub(1)
                .saturating_mul(allowance.refill_secs);
            if write
                .spend(subject, now, allowance.refill_secs, outstanding)
                .await?
                .is_none()
            {
                let full_at = write.full_at(subject).await?.unwrap_or(now);
                write.rollback().await?;
                let wait = full_at
                    .saturating_sub(now)
                    .saturating_sub(outstanding)
                    .max(1);
                return Err(Error::TooManyRequests {
                    retry_after_secs: wait.unsigned_abs(),
                });
            }
        }
        write.commit().await
    }

    /// Gives back what a log-in that succeeded was charged: only failures count.
    pub(crate) async fn forgive(&self, store: &Store) -> Result<(), Error> {
        let mut write = store.begin().await?;
        for (subject, allowance) in &self.0 {
            if subject.starts_with("pair ") {
                write.forget(subject).await?;
            } else {
                write.give_back(subject, allowance.refill_secs).await?;
            }
        }
        write.commit().await
    }
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

    fn from(address: &str) -> Attempt {
        Attempt::login(&LIMITS, "ada@example.com", Some(address.parse().unwrap()))
    }

    async fn wait(attempt: &Attempt, store: &Store, now: i64) -> u64 {
        match attempt.charge(store, now).await {
            Ok(()) => 0,
            Err(Error::TooManyRequests { retry_after_secs }) => retry_after_secs,
            Err(other) => panic!("{other}"),
        }
    }

    #[tokio::test]
    async fn the_fourth_failure_waits_and_the_allowance_comes_back() {
        let (_folder, store) = store().await;
        let attempt = from("192.0.2.1");
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
        for _ in 0..10 {
            wait(&from("192.0.2.1"), &store, 1_000).await;
        }
        assert_eq!(wait(&from("198.51.100.1"), &store, 1_000).await, 0);
    }

    #[tokio::test]
    async fn many_networks_together_are_limited_by_the_account() {
        let (_folder, store) = store().await;
        let mut allowed = 0;
        for network in 0..20 {
            allowed +=
                u64::from(wait(&from(&format!("192.0.{network}.1")), &store, 1_000).await == 0);
        }
        assert_eq!(allowed, 5);
    }

    #[tokio::test]
    async fn a_success_gives_the_charge_back() {
        let (_folder, store) = store().await;
        let attempt = from("192.0.2.1");
        for _ in 0..50 {
            assert_eq!(wait(&attempt, &store, 1_000).await, 0);
            attempt.forgive(&store).await.unwrap();
        }
    }
}
