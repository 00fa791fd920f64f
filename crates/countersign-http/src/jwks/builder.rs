//! How keys are fetched, where the usual way is not the right one.

use std::time::Duration;

use countersign::Algorithm;

use super::discovery::Discovery;
use super::{RemoteKeys, Source};
use crate::fetch::{Connecting, FetchError, Fetcher, Target, within};
use crate::refresh::Rule;

/// RFC 9111 leaves the life of an answer to the other side; ours to bound.
const RULE: Rule = Rule {
    least_life: Duration::from_secs(60),
    greatest_life: Duration::from_secs(24 * 60 * 60),
    usual_life: Duration::from_secs(10 * 60),
    cool_down: Duration::from_secs(30),
    longest_pause: Duration::from_secs(30),
    // Access tokens live minutes: an issuer that is down for an hour has left none that a key could still be good for.
    stale_limit: Duration::from_secs(60 * 60),
    // Set by the time that one answer may take.
    patience: Duration::ZERO,
};

/// How many answers a fetch of keys waits for at most: metadata at two places, and the set.
const ANSWERS: u32 = 3;

/// [`RemoteKeys`] being described.
#[derive(Clone, Debug)]
#[must_use = "a description fetches nothing until `.discover(…)?` or `.at(…)?`"]
pub struct RemoteKeysBuilder {
    pub(super) connecting: Connecting,
    pub(super) rule: Rule,
    pub(super) rsa_algorithm: Option<Algorithm>,
}

impl RemoteKeysBuilder {
    pub(super) fn new() -> Self {
        Self {
            connecting: Connecting::default(),
            rule: RULE,
            rsa_algorithm: None,
        }
    }

    /// How long one answer may take, name, connection and TLS included; 5 s where nothing is said, 3 of them to connect; at most
    /// 60 s: more is [`FetchError::SettingTooLong`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.connecting.set_timeout(timeout);
        self
    }

    /// How long keys count beyond their life while the issuer cannot be asked; an hour where nothing is said, at most 24 h:
    /// more is [`FetchError::SettingTooLong`].
    pub fn stale_limit(mut self, limit: Duration) -> Self {
        self.rule.stale_limit = limit;
        self
    }

    /// Believes a certificate, in DER or PEM, beside those of the system: that of a private authority, whose issuer stands inside.
    pub fn root_certificate(mut self, certificate: impl Into<Vec<u8>>) -> Self {
        self.connecting.extra_roots.push(certificate.into());
        self
    }

    /// Asks nothing but https at addresses of the public Internet, whatever the issuer or the URL that is named: for a service
    /// that takes the name from somebody who must not reach what the service does. A private or local address is then
    /// [`FetchError::AddressRefused`], and plain http [`FetchError::SchemeRefused`], when it is asked.
    pub fn only_public_addresses(mut self) -> Self {
        self.connecting.only_public = true;
        self
    }

    /// For which algorithm RSA keys are that do not say it: RS256 where nothing is said. Another than one of RSA is an error
    /// of every fetch.
    pub fn rsa_algorithm(mut self, algorithm: Algorithm) -> Self {
        self.rsa_algorithm = Some(algorithm);
        self
    }

    /// As [`RemoteKeys::discover`].
    ///
    /// # Errors
    /// As there, [`FetchError::SettingTooLong`], and [`FetchError::Tls`] for a certificate that cannot be read.
    pub fn discover(self, issuer: &str) -> Result<RemoteKeys, FetchError> {
        self.check()?;
        let discovery = Discovery::of(issuer)?;
        let fetcher = Fetcher::new(std::slice::from_ref(discovery.home()), &self.connecting)?;
        Ok(RemoteKeys::new(Source::Issuer(discovery), fetcher, self))
    }

    /// As [`RemoteKeys::at`].
    ///
    /// # Errors
    /// As there, [`FetchError::SettingTooLong`], and [`FetchError::Tls`] for a certificate that cannot be read.
    pub fn at(self, url: &str) -> Result<RemoteKeys, FetchError> {
        self.check()?;
        let target = Target::parse(url)?;
        let fetcher = Fetcher::new(std::slice::from_ref(&target), &self.connecting)?;
        Ok(RemoteKeys::new(Source::Url(target), fetcher, self))
    }

    /// As patient as its answers may take, and a little more.
    pub(super) fn patient(mut self) -> Self {
        self.rule.patience = self.connecting.patience(ANSWERS);
        self
    }

    fn check(&self) -> Result<(), FetchError> {
        within("stale_limit", self.rule.stale_limit, RULE.greatest_life)
    }
}
