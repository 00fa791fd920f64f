//! Whom to trust: an issuer, its keys, and what its tokens must say.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use countersign::{
    Algorithm, JwkSet, NoClaims, Policy, Report, Timestamp, TokenCache, Unverified, Verifier,
};

use crate::clock::Clock;
use crate::error::Error;
use crate::front::Front;
use crate::health::IssuerHealth;
use crate::keys::{AtHand, Keys};
#[cfg(feature = "remote")]
use crate::status::{StatusCheck, StatusSettings, Trust, Unread};
use crate::token::{Remembered, VerifiedToken};

/// What a token in the cache takes at most on average, in bytes.
const CACHED_BYTES: usize = 4096;
/// Room for so many more: a cache is in parts that fill unevenly, and also one for a few tokens has room for them in each.
const SPARE: usize = 256;

/// One issuer that a [`Protect`](crate::Protect) trusts, with its own keys, audience, algorithms and kind of token
/// (RFC 8725 §3.8).
///
/// ```
/// use countersign::{Algorithm, SigningKey};
/// use countersign_http::{Issuer, Protect};
///
/// # let key = SigningKey::generate(Algorithm::EdDSA)?.verifying_key();
/// let auth = Protect::issuer("https://id.example")
///     .audience("orders-api")
///     .and(Issuer::with_keys("https://partner.example", key).audience("https://orders.example").plain_jwt())
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "an issuer is trusted by the `Protect` that is built with it"]
pub struct Issuer {
    name: String,
    keys: Result<Keys, Error>,
    audiences: Vec<String>,
    algorithms: Vec<Algorithm>,
    plain_jwt: bool,
    plain_jwt_too: bool,
    waived: Vec<Cow<'static, str>>,
    leeway: Duration,
    #[cfg(feature = "remote")]
    status: StatusSettings,
    /// Where its status lists are believed: its own name and the URL of its keys, if they are URLs.
    #[cfg(feature = "remote")]
    homes: Vec<String>,
}

impl Issuer {
    /// Tokens of `issuer` (their `iss`, exactly), whose keys are found by discovery: see [`RemoteKeys`](crate::RemoteKeys).
    #[cfg(feature = "remote")]
    pub fn discover(issuer: impl Into<String>) -> Self {
        let issuer = issuer.into();
        let keys = crate::jwks::RemoteKeys::discover(&issuer);
        Self::new(issuer, keys.map(Keys::from).map_err(Error::from)).with_status()
    }

    /// The same, with the URL of the key set.
    #[cfg(feature = "remote")]
    pub fn jwks(issuer: impl Into<String>, url: &str) -> Self {
        let keys = crate::jwks::RemoteKeys::at(url);
        let mut issuer =
            Self::new(issuer.into(), keys.map(Keys::from).map_err(Error::from)).with_status();
        issuer.homes.push(url.to_owned());
        issuer
    }

    /// The same, with keys at hand: a `VerifyingKey`, a `JwkSet`, [`SharedKeys`](crate::SharedKeys) to replace them later,
    /// or `RemoteKeys` that others use too.
    pub fn with_keys(issuer: impl Into<String>, keys: impl Into<Keys>) -> Self {
        let keys = keys.into();
        #[cfg(feature = "remote")]
        if let Some(home) = keys.home().map(str::to_owned) {
            let mut issuer = Self::new(issuer.into(), Ok(keys)).with_status();
            issuer.homes.push(home);
            return issuer;
        }
        Self::new(issuer.into(), Ok(keys))
    }

    fn new(name: String, keys: Result<Keys, Error>) -> Self {
        Self {
            #[cfg(feature = "remote")]
            status: StatusSettings::off(),
            #[cfg(feature = "remote")]
            homes: vec![name.clone()],
            name,
            keys,
            audiences: Vec::new(),
            algorithms: Vec::new(),
            plain_jwt: false,
            plain_jwt_too: false,
            waived: Vec::new(),
            leeway: Duration::ZERO,
        }
    }

    /// The name by which this issuer knows this service, which a token's `aud` must hold. Needed; may be called for each of
    /// several names.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// An algorithm that this issuer signs with; may be called for each of several. Where none is named, any that its keys
    /// are for.
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithms.push(algorithm);
        self
    }

    /// Takes tokens whose `typ` is `JWT` or absent, for issuers that do not write `at+jwt` (RFC 9068 §2.1): Keycloak, Auth0
    /// (by default), Okta, Entra ID. Without it a token needs `typ: at+jwt`, and `sub`, `client_id`, `iat` and `jti`
    /// (§2.2); with it, nothing beside `iss`, `aud` and `exp`. The log says `type_mismatch` or `claim_missing` where this
    /// is wanting.
    ///
    /// Such an issuer's other tokens may look the same, and only the audience tells them apart; what has `nonce`, `at_hash`,
    /// `c_hash`, `s_hash` or `events` is no token for a service and refused (`claim_foreign`).
    pub fn plain_jwt(mut self) -> Self {
        self.plain_jwt = true;
        self
    }

    /// Takes both kinds: `typ: at+jwt` as without a word, and `JWT` or no `typ` as with [`plain_jwt`](Self::plain_jwt). For
    /// the time in which an issuer changes from the one to the other.
    ///
    /// So long it is no safer than `plain_jwt`: whatever plain token of the issuer names this audience gets in, with none of the
    /// claims of an access token. Take it away when the last plain token has expired.
    pub fn plain_jwt_too(mut self) -> Self {
        self.plain_jwt_too = true;
        self
    }

    /// Takes access tokens (`typ: at+jwt`) without this claim, for an issuer that leaves it out although RFC 9068 §2.2 asks for
    /// it: `sub`, `client_id` or `jti`; may be called for each of several. One that is there has to be right all the same.
    /// Any other claim, and any beside [`plain_jwt`](Self::plain_jwt), which asks for none, is an error when it is built.
    ///
    /// Whoever waives it may rely on it no more. Without `sub` (of clients that act for nobody) nothing says whose the token
    /// is: a handler has to see to it that `registered().sub()` is there. Without `client_id`, a token that one client was
    /// given cannot be told from another's. Without `jti` no token can be told from the next, and
    /// [`SingleUse`](crate::SingleUse) refuses it.
    ///
    /// ```
    /// # use countersign_http::Protect;
    /// let auth = Protect::issuer("https://id.example").audience("orders-api").without_claim("client_id").build()?;
    /// # Ok::<(), countersign_http::Error>(())
    /// ```
    pub fn without_claim(mut self, claim: impl Into<Cow<'static, str>>) -> Self {
        self.waived.push(claim.into());
        self
    }

    /// How far the issuer's clock may differ, for `exp` and `nbf`: 0 (where nothing is said) to 300 seconds.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Looks at the status lists of this issuer, and how: see [`StatusLists`](crate::StatusLists). For issuers whose keys are
    /// fetched that is so without a word; those whose keys are at hand are asked for nothing unless it is said, and the log
    /// says once when their tokens name a list.
    #[cfg(feature = "remote")]
    pub fn status_lists(mut self, lists: crate::StatusLists) -> Self {
        self.status = self.status.with(lists);
        self
    }

    /// Refuses a token that names no place in a status list; it would pass otherwise, because there is no way to take it back.
    #[cfg(feature = "remote")]
    pub fn require_status(mut self) -> Self {
        self.status = self.status.required();
        self
    }

    /// Looks at no status list: a token that was taken back passes until it expires.
    #[cfg(feature = "remote")]
    pub fn without_status(mut self) -> Self {
        self.status = self.status.declined();
        self
    }

    #[cfg(feature = "remote")]
    fn with_status(mut self) -> Self {
        self.status = StatusSettings::on();
        self
    }

    pub(crate) fn first_audience(&self) -> Option<&str> {
        self.audiences.first().map(String::as_str)
    }

    #[cfg_attr(
        not(feature = "remote"),
        expect(unused_variables, reason = "only lists that are fetched have an age")
    )]
    fn build(self, cached: Option<usize>, clock: &Clock) -> Result<Trusted, Error> {
        let policy = self.policy()?;
        let keys = self.keys?;
        if keys.is_empty_for_ever() {
            return Err(Error::KeysMissing);
        }
        if !keys.may_fit(&self.algorithms) {
            return Err(if keys.is_fetched() {
                Error::AlgorithmOfSecret
            } else {
                Error::AlgorithmOfNoKey
            });
        }
        Ok(Trusted {
            #[cfg(feature = "remote")]
            unread: self.status.unread(),
            #[cfg(feature = "remote")]
            status: self.status.build(Trust {
                issuer: &self.name,
                keys: &keys,
                algorithms: &self.algorithms,
                leeway: self.leeway,
                clock,
                homes: &self.homes,
            })?,
            name: self.name,
            keys,
            cache: cached.map(|tokens| {
                let bytes = tokens.saturating_add(SPARE).saturating_mul(CACHED_BYTES);
                TokenCache::new(policy.clone(), tokens, bytes)
            }),
            policy,
        })
    }

    fn policy(&self) -> Result<Policy, Error> {
        if self.name.is_empty() {
            return Err(Error::IssuerMissing);
        }
        if self.audiences.is_empty() || self.audiences.iter().any(String::is_empty) {
            return Err(Error::AudienceMissing);
        }
        let mut policy = Policy::builder().issuer(&self.name).leeway(self.leeway);
        for audience in &self.audiences {
            policy = policy.audience(audience);
        }
        for algorithm in &self.algorithms {
            policy = policy.algorithm(*algorithm);
        }
        for claim in &self.waived {
            policy = policy.without_claim(claim.clone());
        }
        if self.plain_jwt_too {
            policy = policy.migrating_to_access_token();
        } else if !self.plain_jwt {
            policy = policy.access_token();
        }
        Ok(policy.build()?)
    }
}

/// An issuer, ready to judge tokens by.
#[derive(Debug)]
pub(crate) struct Trusted {
    /// What `iss` must be.
    pub(crate) name: String,
    pub(crate) keys: Keys,
    pub(crate) policy: Policy,
    cache: Option<TokenCache<NoClaims, Remembered>>,
    /// Who says whether a token was taken back.
    #[cfg(feature = "remote")]
    pub(crate) status: Option<StatusCheck>,
    /// Who says that nobody does, where a token could be asked for.
    #[cfg(feature = "remote")]
    pub(crate) unread: Option<Unread>,
}

impl Trusted {
    /// How it stands with what its tokens are held against.
    pub(crate) fn health(&self, clock: &Clock) -> IssuerHealth {
        #[cfg(feature = "remote")]
        let status = self.status.as_ref().map(StatusCheck::health);
        #[cfg(not(feature = "remote"))]
        let status = None;
        IssuerHealth {
            status,
            ..self.keys.health(&self.name, clock)
        }
    }

    /// The one verification, or the memory of it.
    pub(crate) fn verify(
        &self,
        keys: &JwkSet,
        front: &Arc<Front>,
        token: &[u8],
        now: Timestamp,
    ) -> Result<VerifiedToken, countersign::Error> {
        let verify = |policy: &Policy| front.verify(keys, policy, token, now);
        match &self.cache {
            Some(cache) => cache
                .find_or_verify(keys, token, now, |policy| {
                    verify(policy).map(Remembered::from)
                })
                .map(VerifiedToken::from),
            None => verify(&self.policy),
        }
    }
}

/// What the list found, and what it was run by.
pub(crate) struct Explained<'i> {
    pub(crate) report: Report,
    pub(crate) by: Option<(&'i Trusted, Verifier)>,
}

/// All issuers of one layer.
#[derive(Debug)]
pub(crate) struct Issuers {
    trusted: Vec<Trusted>,
    /// Which of several a token means. Its verifiers have no keys and verify nothing: the keys are with `trusted`, because
    /// they change.
    selection: countersign::Issuers,
}

impl Issuers {
    /// With memory for so many verified tokens of each, where it is asked for.
    pub(crate) fn build(
        issuers: Vec<Issuer>,
        cached: Option<usize>,
        clock: &Clock,
    ) -> Result<Self, Error> {
        let several = issuers.len() > 1;
        let trusted = issuers
            .into_iter()
            .map(|issuer| {
                let name = issuer.name.clone();
                let built = issuer.build(cached, clock);
                // Where there is one, nobody asks which.
                built.map_err(|error| if several { error.of(name) } else { error })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let selection = countersign::Issuers::new(
            trusted
                .iter()
                .map(|issuer| Verifier::new(JwkSet::default(), issuer.policy.clone())),
        )?;
        Ok(Self { trusted, selection })
    }

    /// The issuer, where there is no choice.
    pub(crate) fn only(&self) -> Option<&Trusted> {
        match self.trusted.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// The issuer whose keys and policy a token is held against. What the token says of itself selects, and no more; where
    /// there is only one, it is that one, and the policy compares `iss`.
    pub(crate) fn of(&self, token: &Unverified<'_>) -> Result<&Trusted, countersign::Error> {
        match self.trusted.as_slice() {
            [only] => Ok(only),
            several => several
                .get(self.selection.position(token)?)
                .ok_or(countersign::Error::IssuerUnknown),
        }
    }

    /// Every check of the list and its outcome, by the keys at hand; and whose token it is, with these keys.
    pub(crate) fn explain(&self, token: &str, now: Timestamp, clock: &Clock) -> Explained<'_> {
        let parsed = Unverified::parse(token).ok();
        let Some(issuer) = parsed.and_then(|parsed| self.of(&parsed).ok()) else {
            return Explained {
                report: self.selection.explain(token, now),
                by: None,
            };
        };
        let keys = match issuer.keys.at_hand(clock, false) {
            AtHand::Set(keys) => JwkSet::clone(&**keys),
            AtHand::Wait(_) | AtHand::Nothing { .. } => JwkSet::default(),
        };
        let verifier = Verifier::new(keys, issuer.policy.clone());
        Explained {
            report: verifier.explain(token, now),
            by: Some((issuer, verifier)),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Trusted> {
        self.trusted.iter()
    }
}
