//! How a service describes which status lists it believes, and what it does without one.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use countersign::Algorithm;

use super::load::{Source, USUAL_LIFE};
use super::read::{Reader, Reading};
use super::{StatusCheck, Unread};
use crate::clock::Clock;
use crate::error::Error;
use crate::fetch::{Connecting, FetchError, Fetcher, Target, within};
use crate::keys::Keys;
use crate::refresh::Rule;

/// A list says itself for how long it may be kept; it is ours to bound.
const RULE: Rule = Rule {
    least_life: Duration::from_secs(1),
    greatest_life: Duration::from_secs(60 * 60),
    usual_life: USUAL_LIFE,
    cool_down: Duration::from_secs(1),
    longest_pause: Duration::from_secs(30),
    stale_limit: Duration::from_secs(5 * 60),
    // Set by the time that one answer may take.
    patience: Duration::ZERO,
};

/// How many answers the fetch of a list waits for, beside a fetch of keys where it is signed with one that is new.
const ANSWERS: u32 = 1;

/// Which status lists a service believes, and what it does without one (draft-ietf-oauth-status-list).
///
/// A token may name a place in a list of its issuer's, where a bit says whether it was taken back. For issuers whose keys are
/// fetched, that is looked at unless [`Issuer::without_status`](crate::Issuer::without_status) says otherwise.
///
/// - A list is fetched when a token first names it; that request waits for it, and no other. While it is in use it is renewed
///   in the background, so a request looks at one bit in memory and asks nobody.
/// - It is kept for as long as its `ttl` says, within 1 s and an hour, or a minute where it says nothing, and never beyond its
///   `exp` (and the leeway). So long may pass until a token that was taken back is refused.
/// - While it cannot be fetched, the last one counts for five minutes more ([`grace`](Self::grace)); then the answer is 503,
///   or, with [`fail_open`](Self::fail_open), tokens pass until they expire.
/// - Lists are believed at the issuer's own origin, and where [`at`](Self::at) says; a token that names another place is
///   refused. They are signed with the issuer's keys, have `exp`, and are not older than the one that is held, unless that
///   is from a time yet to come: then a clock was ahead when it was taken, and is right now.
/// - A claim `status` that is anything else is refused: an issuer that uses the name for something of its own needs
///   [`Issuer::without_status`](crate::Issuer::without_status).
/// - Any status but 0 is a token that was taken back; an index beyond the list is none that the issuer has given out.
///
/// ```
/// use countersign_http::{Protect, StatusLists};
///
/// let auth = Protect::issuer("https://id.example")
///     .audience("orders-api")
///     .status_lists(StatusLists::new().at("https://status.example"))
///     .require_status()
///     .build()?;
/// # Ok::<(), countersign_http::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "it counts for the issuer that it is given to"]
pub struct StatusLists {
    places: Vec<String>,
    fail_open: bool,
    without_expiry: bool,
    grace: Option<Duration>,
    timeout: Option<Duration>,
    roots: Vec<Vec<u8>>,
    reader: Option<Reader>,
}

impl StatusLists {
    /// Lists at the issuer's own origin.
    pub fn new() -> Self {
        Self::default()
    }

    /// Believes lists at the origin of this URL, too: scheme, host and port.
    pub fn at(mut self, url: impl Into<String>) -> Self {
        self.places.push(url.into());
        self
    }

    /// Lets tokens pass whose list cannot be had, until they expire: a service that rather lets somebody in who was sent away
    /// than sends everybody away.
    pub const fn fail_open(mut self) -> Self {
        self.fail_open = true;
        self
    }

    /// How long a list counts beyond its `ttl` while it cannot be fetched; five minutes where nothing is said, at most an
    /// hour: more is [`FetchError::SettingTooLong`] when it is built.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = Some(grace);
        self
    }

    /// Takes lists without `exp`, of issuers that write none: an old one that somebody has kept passes for the present one
    /// until a newer one was seen.
    pub const fn without_expiry(mut self) -> Self {
        self.without_expiry = true;
        self
    }

    /// How long one answer may take, of a reader of one's own as well ([`read_by`](Self::read_by)); as long as for the issuer's
    /// keys where nothing is said, at most 60 s: more is [`FetchError::SettingTooLong`] when it is built.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Believes a certificate, in DER or PEM, beside those of the system and those for the issuer's keys.
    pub fn root_certificate(mut self, certificate: impl Into<Vec<u8>>) -> Self {
        self.roots.push(certificate.into());
        self
    }

    /// Reads lists by `read` and not over HTTP: for a service in its issuer's own process. It is given the URL of a list, and
    /// brings its token. What it brings is verified and held like any other, and no URL counts that did not before.
    ///
    /// One call at a time for each list. It has as long as a fetch ([`timeout`](Self::timeout), 5 s where nothing is said):
    /// then its future is dropped, as a connection would be, and it is called again when the cool-down is over. So it has to
    /// wait in the way of futures: what blocks the thread cannot be interrupted. The runtime needs timers
    /// (`enable_time` of its builder; `#[tokio::main]` has them).
    ///
    /// ```
    /// use countersign_http::{Protect, StatusLists};
    ///
    /// # use countersign::{Algorithm, SigningKey};
    /// # async fn list(_url: &str) -> Option<String> { None }
    /// # let key = SigningKey::generate(Algorithm::ES256)?.verifying_key();
    /// let auth = Protect::with_keys("https://id.example", key)
    ///     .audience("orders-api")
    ///     .status_lists(StatusLists::new().read_by(|url| async move { list(&url).await }))
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read_by<F, Fut>(mut self, read: F) -> Self
    where
        F: Fn(String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Option<String>> + Send + 'static,
    {
        self.reader = Some(Reader::of(read));
        self
    }

    fn build(self, trust: Trust<'_>, required: bool) -> Result<StatusCheck, Error> {
        let parse = match &self.reader {
            Some(_) => Target::named,
            None => Target::parse,
        };
        let grace = self.grace.unwrap_or(RULE.stale_limit);
        within("grace", grace, RULE.greatest_life).map_err(Error::StatusLists)?;
        let own = trust.homes.iter().filter_map(|home| parse(home).ok());
        let mut targets: Vec<Target> = own.collect();
        for place in &self.places {
            targets.push(parse(place).map_err(Error::StatusLists)?);
        }
        if targets.is_empty() {
            return Err(Error::StatusListsNowhere);
        }
        let connecting = self.connecting(trust.keys);
        let for_keys = trust.keys.patience();
        let patience = connecting.patience(ANSWERS).saturating_add(for_keys);
        let reading = self
            .reading(&targets, connecting)
            .map_err(Error::StatusLists)?;
        Ok(StatusCheck {
            origins: targets.iter().map(Target::origin).collect(),
            required,
            fail_open: self.fail_open,
            rule: Rule {
                stale_limit: grace,
                patience,
                ..RULE
            },
            source: Arc::new(Source {
                reading,
                issuer: trust.issuer.to_owned(),
                keys: trust.keys.clone(),
                algorithms: trust.algorithms.to_vec(),
                leeway: trust.leeway,
                without_expiry: self.without_expiry,
                clock: trust.clock.clone(),
            }),
            lists: RwLock::new(HashMap::new()),
        })
    }

    fn connecting(&self, keys: &Keys) -> Connecting {
        let mut connecting = keys.connecting().cloned().unwrap_or_default();
        if let Some(timeout) = self.timeout {
            connecting.set_timeout(timeout);
        }
        connecting
    }

    fn reading(
        &self,
        targets: &[Target],
        mut connecting: Connecting,
    ) -> Result<Reading, FetchError> {
        if let Some(reader) = &self.reader {
            connecting.check()?;
            return Ok(Reading::Own(reader.clone(), connecting.timeout));
        }
        connecting.extra_roots.extend(self.roots.iter().cloned());
        Fetcher::new(targets, &connecting).map(Reading::Http)
    }
}

/// What is known of an issuer whose lists are believed.
pub(crate) struct Trust<'i> {
    pub(crate) issuer: &'i str,
    pub(crate) keys: &'i Keys,
    pub(crate) algorithms: &'i [Algorithm],
    pub(crate) leeway: Duration,
    pub(crate) clock: &'i Clock,
    /// Its own name and the URL of its keys, where they are URLs.
    pub(crate) homes: &'i [String],
}

/// What an [`Issuer`](crate::Issuer) is told about the status of its tokens.
#[derive(Clone, Debug)]
pub(crate) struct StatusSettings {
    lists: Option<StatusLists>,
    required: bool,
    /// Whether the service has said that it looks at none.
    declined: bool,
}

impl StatusSettings {
    /// Nothing is asked where nothing is said.
    pub(crate) const fn off() -> Self {
        Self {
            lists: None,
            required: false,
            declined: false,
        }
    }

    /// Whoever says so has none looked at, and knows it.
    pub(crate) fn declined(self) -> Self {
        Self {
            lists: None,
            declined: true,
            ..self
        }
    }

    /// Whoever is asked for keys is asked for lists.
    pub(crate) fn on() -> Self {
        Self::off().with(StatusLists::new())
    }

    pub(crate) fn with(self, lists: StatusLists) -> Self {
        Self {
            lists: Some(lists),
            ..self
        }
    }

    pub(crate) fn required(self) -> Self {
        Self {
            lists: Some(self.lists.unwrap_or_default()),
            required: true,
            ..self
        }
    }

    /// What tells a service of lists that it does not look at, unless it wants it so.
    pub(crate) fn unread(&self) -> Option<Unread> {
        (self.lists.is_none() && !self.declined).then(Unread::new)
    }

    pub(crate) fn build(self, trust: Trust<'_>) -> Result<Option<StatusCheck>, Error> {
        let required = self.required;
        if required && self.declined {
            return Err(Error::StatusContradictory);
        }
        self.lists
            .map(|lists| lists.build(trust, required))
            .transpose()
    }
}
