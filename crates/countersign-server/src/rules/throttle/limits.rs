//! The allowances, and who is told apart from whom.

use std::net::IpAddr;

use crate::error::Error;
use crate::rules::address;

/// An allowance: `burst` attempts at once, and one more every `refill_secs`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    pub(crate) burst: i64,
    pub(crate) refill_secs: i64,
}

impl Allowance {
    const fn new(burst: i64, refill_secs: i64) -> Self {
        Self { burst, refill_secs }
    }

    /// Seconds that may be outstanding while one more attempt is granted.
    pub(super) fn outstanding(self) -> i64 {
        self.whole().saturating_sub(self.refill_secs)
    }

    /// Seconds after which an allowance that was used up is there again.
    fn whole(self) -> i64 {
        self.burst.saturating_mul(self.refill_secs)
    }

    /// Whether one more attempt is granted to a subject whose whole allowance is there again at `full_at`. The
    /// statement that spends says the same in SQL.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`] with the time to wait.
    pub(crate) fn granted(self, full_at: i64, now: i64) -> Result<(), Error> {
        let spent = full_at.saturating_sub(now);
        // No attempts make this much: the clock was set back.
        let is_impossible = spent > self.whole();
        if is_impossible || spent <= self.outstanding() {
            return Ok(());
        }
        Err(Error::TooManyRequests {
            retry_after_secs: spent.saturating_sub(self.outstanding()).unsigned_abs(),
        })
    }
}

/// The allowances of a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Failed log-ins to one account from one network.
    pub(crate) pair: Allowance,
    /// Failed log-ins to one account, from wherever it has not been logged in to.
    pub(crate) account: Allowance,
    /// Failed log-ins from one network.
    pub(crate) network: Allowance,
    /// Log-ins from one network, also those that succeed: each is a hash.
    pub(crate) hashes: Allowance,
    /// The same from one /48 of IPv6, whose networks somebody may have all.
    pub(crate) site_hashes: Allowance,
    /// Sign-ups from one network: each judges a password.
    pub(crate) signup: Allowance,
    /// The same from one /48 of IPv6.
    pub(crate) site_signup: Allowance,
    /// Demonstrations that one user begins, or that strangers of one network do.
    pub(crate) demo: Allowance,
    /// Wrong one-time codes from one network.
    pub(crate) setup: Allowance,
    /// Whether clients come from this machine and private networks, and not only proxies.
    pub(super) has_internal_clients: bool,
}

impl Limits {
    pub(crate) const DEFAULT: Self = Self {
        pair: Allowance::new(10, 30),
        account: Allowance::new(50, 30),
        network: Allowance::new(100, 6),
        hashes: Allowance::new(600, 1),
        site_hashes: Allowance::new(1200, 1),
        signup: Allowance::new(20, 30),
        site_signup: Allowance::new(100, 6),
        demo: Allowance::new(20, 15),
        setup: Allowance::new(10, 30),
        has_internal_clients: true,
    };

    /// The limits of a server that tells clients of private networks apart, as in development and behind proxies that
    /// say who they are; or of one that does not: then who speaks from a loopback or private address is taken for a
    /// proxy for everybody, and must not be limited like one network.
    pub(crate) fn of(has_internal_clients: bool) -> Self {
        Self {
            has_internal_clients,
            ..Self::DEFAULT
        }
    }

    /// The network that a client is known by; `None` when it cannot be told from others.
    pub(crate) fn network_of(&self, peer: Option<IpAddr>) -> Option<String> {
        peer.filter(|peer| self.has_internal_clients || !address::is_internal(*peer))
            .map(address::prefix)
    }

    /// The site that a client is known by: a /24, or a /48 of IPv6; `None` for clients of this machine and of private networks,
    /// who may be many behind a proxy.
    pub(crate) fn site_of(peer: Option<IpAddr>) -> Option<String> {
        peer.filter(|peer| !address::is_internal(*peer))
            .map(address::site)
    }

    /// The same where it is more than a network.
    pub(super) fn wider_site_of(peer: Option<IpAddr>) -> Option<String> {
        let network = peer.map(address::prefix);
        Self::site_of(peer).filter(|site| network.as_ref() != Some(site))
    }

    /// The most seconds that any subject can have outstanding.
    pub(crate) fn longest(&self) -> i64 {
        let all = [
            self.pair,
            self.account,
            self.network,
            self.hashes,
            self.site_hashes,
            self.signup,
            self.site_signup,
            self.demo,
            self.setup,
        ];
        all.into_iter().map(Allowance::whole).max().unwrap_or(0)
    }
}
