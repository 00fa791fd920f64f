//! How a protection is described: whom to trust, for whom, from where the token comes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use countersign::{Algorithm, Report, Timestamp};
use http::StatusCode;

use crate::authenticate::{Anonymous, Authenticator, Check};
use crate::bearer::{CookieSource, RequestHead, Sources};
use crate::clock::Clock;
use crate::error::Error;
use crate::front::Front;
use crate::health::Health;
use crate::issuer::{Issuer, Issuers};
use crate::keys::Keys;
use crate::rejection::{About, Challenge, Rejection};
use crate::replay::SingleUse;
use crate::token::VerifiedToken;

/// A tower layer that lets nobody in without a verified access token.
///
/// It covers the routes that were added before it, and it alone decides: handlers read what it found with
/// [`Claims`](crate::Claims). Cheap to clone.
///
/// ```
/// use axum::{Router, routing::get};
/// use countersign::{Algorithm, SigningKey};
/// use countersign_http::{Protect, require_role};
///
/// # let key = SigningKey::generate(Algorithm::ES256)?.verifying_key();
/// let auth = Protect::with_keys("https://id.example", key).audience("orders-api").build()?;
/// # let _: Router =
/// Router::new()
///     .route("/orders", get(|| async { "for everyone with a token" }))
///     .route("/admin", get(|| async { "for administrators" }).route_layer(require_role("admin")))
///     .layer(auth.clone())
///     .merge(Router::new().route("/feed", get(|| async { "for all" })).layer(auth.optional()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Protect {
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) anonymous: Anonymous,
}

impl Protect {
    /// Trusts tokens of `issuer` (their `iss`, exactly), whose keys it finds by discovery when a token first needs them:
    /// see [`RemoteKeys`](crate::RemoteKeys).
    ///
    /// ```
    /// # use countersign_http::Protect;
    /// let auth = Protect::issuer("http://127.0.0.1:8080").audience("orders-api").build()?;
    /// # Ok::<(), countersign_http::Error>(())
    /// ```
    #[cfg(feature = "remote")]
    pub fn issuer(issuer: impl Into<String>) -> ProtectBuilder {
        Self::trusting([Issuer::discover(issuer)])
    }

    /// The same, with the URL of the key set, for issuers without discovery.
    #[cfg(feature = "remote")]
    pub fn jwks(issuer: impl Into<String>, url: &str) -> ProtectBuilder {
        Self::trusting([Issuer::jwks(issuer, url)])
    }

    /// Trusts tokens of `issuer` (their `iss`, exactly) that were signed with one of `keys`.
    ///
    /// `keys` is a `VerifyingKey`, a `JwkSet`, [`SharedKeys`](crate::SharedKeys) to replace them later, or `RemoteKeys`.
    pub fn with_keys(issuer: impl Into<String>, keys: impl Into<Keys>) -> ProtectBuilder {
        Self::trusting([Issuer::with_keys(issuer, keys)])
    }

    /// Trusts the tokens of several issuers, none of which can speak for another. What the builder says of them it says of
    /// each, beside what each says of itself.
    pub fn trusting(issuers: impl IntoIterator<Item = Issuer>) -> ProtectBuilder {
        ProtectBuilder {
            issuers: issuers.into_iter().collect(),
            joined: false,
            late: None,
            realm: None,
            invalid_token_status: StatusCode::UNAUTHORIZED,
            sources: Sources::default(),
            cookie_again: false,
            clock: Clock::system(),
            checks: Vec::new(),
            single_use: None,
            cached: None,
        }
    }

    /// The same, but a request without a credential is let in too. A bad credential is still refused.
    #[must_use]
    pub fn optional(&self) -> Self {
        Self {
            authenticator: Arc::clone(&self.authenticator),
            anonymous: Anonymous::LetIn,
        }
    }

    /// How it stands with the keys and the status lists of each issuer, without waiting. Where no keys were ever fetched, that
    /// begins now; a list that failed is asked for again when it is time. On a thread without a runtime nothing is begun.
    #[must_use]
    pub fn health(&self) -> Health {
        self.authenticator.health()
    }

    /// How often this layer and its clones decided what, since they were built: `passed`, `anonymous` (without a credential,
    /// under [`optional`](Self::optional)), and the code of every refusal, as in the log. A request that passed may be
    /// refused afterwards, by a guard, by a handler's own [`Rejection`] or because its claims do not fit the `T` of a
    /// `Claims<T>` (`claims_shape`); it is then counted there too, so the numbers add up to more than the requests.
    /// What could not be checked just now is `keys_unavailable`, `status_unavailable`, `check_unavailable` or
    /// `single_use_full`: see [`Rejection::cause`].
    ///
    /// These are numbers for whatever exporter the service has; the crate brings none.
    #[must_use]
    pub fn outcomes(&self) -> BTreeMap<&'static str, u64> {
        self.authenticator.front.outcomes.read()
    }

    /// Runs the check list on a token, with the keys at hand, and says what each check found: for a developer who asks why. Of
    /// one that passes it, it says too what a request would meet next: its status, as far as its list is held now, whether it
    /// was used already, under [`single_use`](ProtectBuilder::single_use), and that checks of the service's own are still to
    /// come. Keys that are due are fetched in the background, as by a request; nobody waits, no check is run and no use is taken.
    ///
    /// The same stands in the log, as the field `explain` and without any value of the token, of a refusal by the list, by the
    /// status, or for want of either's keys or lists, where the target `countersign_http::explain` is enabled at DEBUG.
    ///
    /// No answer ever holds it: whoever sends a forged token is not told how to forge a better one.
    #[must_use]
    pub fn explain(&self, token: &str) -> Report {
        self.authenticator.explain(token)
    }

    /// `rejection` in the name of this layer (its realm, its status for an invalid token), with the one log event
    /// of a refusal: for handlers that refuse by themselves without a token at hand. One that has the token asks it
    /// ([`VerifiedToken::refuse`]): then the event names its `kid` and issuer.
    #[must_use]
    pub fn refuse(&self, rejection: Rejection) -> Rejection {
        self.authenticator
            .front
            .refuse(rejection, &About::default())
    }
}

/// A [`Protect`] being described.
#[must_use = "a description protects nothing until `.build()?`"]
pub struct ProtectBuilder {
    issuers: Vec<Issuer>,
    /// Whether one came by `.and(…)`.
    joined: bool,
    /// The first setting of issuers that was called after that.
    late: Option<&'static str>,
    realm: Option<String>,
    invalid_token_status: StatusCode,
    sources: Sources,
    cookie_again: bool,
    clock: Clock,
    checks: Vec<Check>,
    single_use: Option<SingleUse>,
    cached: Option<usize>,
}

impl ProtectBuilder {
    /// Trusts one more issuer, which is described whole: see [`Issuer`]. What the builder says of issuers stands before this:
    /// after it nobody could tell whether all of them are meant, and so it is refused.
    ///
    /// ```
    /// use countersign_http::{Error, Issuer, Protect};
    ///
    /// let ours = || Protect::issuer("https://id.example").audience("orders-api");
    /// let partner = || Issuer::discover("https://partner.example").audience("shop-17");
    /// assert!(ours().and(partner()).build().is_ok());
    /// let late = ours().and(partner()).audience("orders-api").build();
    /// assert_eq!(late.unwrap_err(), Error::SettingLate { setting: "audience" });
    /// ```
    pub fn and(mut self, issuer: Issuer) -> Self {
        self.issuers.push(issuer);
        self.joined = true;
        self
    }

    /// The name of this service, which a token's `aud` must hold. Needed; may be called for each of several names.
    ///
    /// As every setting of issuers here it stands before [`and`](Self::and), whose issuer has its own.
    pub fn audience(self, audience: impl Into<String>) -> Self {
        let audience = audience.into();
        self.each("audience", |issuer| issuer.audience(audience.clone()))
    }

    /// An algorithm that tokens may be signed with: see [`Issuer::algorithm`].
    pub fn algorithm(self, algorithm: Algorithm) -> Self {
        self.each("algorithm", |issuer| issuer.algorithm(algorithm))
    }

    /// Takes tokens whose `typ` is `JWT` or absent: see [`Issuer::plain_jwt`].
    pub fn plain_jwt(self) -> Self {
        self.each("plain_jwt", Issuer::plain_jwt)
    }

    /// Takes these and access tokens, while an issuer changes from the one to the other: see [`Issuer::plain_jwt_too`].
    pub fn plain_jwt_too(self) -> Self {
        self.each("plain_jwt_too", Issuer::plain_jwt_too)
    }

    /// Takes access tokens without this claim: see [`Issuer::without_claim`].
    pub fn without_claim(self, claim: impl Into<Cow<'static, str>>) -> Self {
        let claim = claim.into();
        self.each("without_claim", |issuer| {
            issuer.without_claim(claim.clone())
        })
    }

    /// How far clocks may differ: see [`Issuer::leeway`].
    pub fn leeway(self, leeway: Duration) -> Self {
        self.each("leeway", |issuer| issuer.leeway(leeway))
    }

    /// Looks at status lists, and how: see [`Issuer::status_lists`].
    #[cfg(feature = "remote")]
    pub fn status_lists(self, lists: crate::StatusLists) -> Self {
        self.each("status_lists", |issuer| issuer.status_lists(lists.clone()))
    }

    /// Refuses a token that names no place in a status list: see [`Issuer::require_status`].
    #[cfg(feature = "remote")]
    pub fn require_status(self) -> Self {
        self.each("require_status", Issuer::require_status)
    }

    /// Looks at no status list: see [`Issuer::without_status`].
    #[cfg(feature = "remote")]
    pub fn without_status(self) -> Self {
        self.each("without_status", Issuer::without_status)
    }

    /// Changes what is said of the issuers with which the description began.
    fn each(mut self, setting: &'static str, change: impl Fn(Issuer) -> Issuer) -> Self {
        if self.joined {
            self.late.get_or_insert(setting);
            return self;
        }
        self.issuers = self.issuers.into_iter().map(change).collect();
        self
    }

    /// The name of what is protected, for `WWW-Authenticate`; the default is the first audience.
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// The status for an invalid token: 401 (RFC 6750 §3.1, the default), or 403 for clients that were written
    /// against services that answer so. The header stays, and a missing token is always 401.
    pub fn invalid_token_status(mut self, status: StatusCode) -> Self {
        self.invalid_token_status = status;
        self
    }

    /// Reads the token from a cookie too. A request that has it in both places is refused. There is one such cookie: a second
    /// call is an error at [`build`](Self::build), because a token in either of two could be another's.
    pub fn cookie(mut self, cookie: CookieSource) -> Self {
        self.cookie_again |= self.sources.cookie.is_some();
        self.sources.cookie = Some(cookie);
        self
    }

    /// Reads the token from a place of the service's own too; may be called for each of several. What `find` returns is a
    /// credential like any other: it must be a good one, and the only one of the request.
    ///
    /// A token in a cookie belongs to [`cookie`](Self::cookie), which looks at who has sent the request. Every header that
    /// holds the token is marked sensitive, so that whoever prints it prints no credential; a URL cannot be.
    ///
    /// ```
    /// # use countersign::{Algorithm, SigningKey};
    /// use countersign_http::Protect;
    ///
    /// # let key = SigningKey::generate(Algorithm::ES256)?.verifying_key();
    /// // A browser's WebSocket can name protocols and no header of its own: `new WebSocket(url, ["bearer", token])`.
    /// let auth = Protect::with_keys("https://id.example", key)
    ///     .audience("orders-api")
    ///     .source(|head| head.headers.get("sec-websocket-protocol")?.to_str().ok()?.strip_prefix("bearer, "))
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn source(
        mut self,
        find: impl for<'r> Fn(RequestHead<'r>) -> Option<&'r str> + Send + Sync + 'static,
    ) -> Self {
        self.sources.own.push(Arc::new(find));
        self
    }

    /// Another clock than the system's, for tests.
    pub fn clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Clock::of(clock);
        self
    }

    /// Remembers up to so many verified tokens of each issuer (at some 4 KiB each, on average at most): a token that has passed
    /// and comes again costs no signature. Its times are checked again at every request, its key must still be among the
    /// issuer's, and every check of one's own is asked as ever.
    ///
    /// What the first handler's [`Claims<C>`](crate::Claims) has made of the claims stays with a token, on top of that: a `C`
    /// with the fields that the service needs is small, a `serde_json::Value` takes ten times the memory of its text. A tree
    /// that [`VerifiedToken::claim`] reads is gone with its request.
    ///
    /// Without a call nothing is remembered.
    pub fn cache(mut self, tokens: usize) -> Self {
        self.cached = Some(tokens);
        self
    }

    /// A check of one's own, after the token was verified: is this session still open, this customer still one?
    ///
    /// It runs for every request that has a token; several run in the order in which they were named. Without
    /// any, nothing is spent on it.
    ///
    /// ```
    /// # use countersign::{Algorithm, SigningKey};
    /// use countersign_http::{Protect, Rejection, VerifiedToken};
    ///
    /// async fn is_open(_session: Option<String>) -> bool { true }
    ///
    /// # let key = SigningKey::generate(Algorithm::ES256)?.verifying_key();
    /// let auth = Protect::with_keys("https://id.example", key)
    ///     .audience("orders-api")
    ///     .check(|token: VerifiedToken| async move {
    ///         let session = token.claim("sid").and_then(|sid| sid.as_str()).map(str::to_owned);
    ///         if is_open(session).await { Ok(()) } else { Err(Rejection::revoked()) }
    ///     })
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn check<F, Fut>(mut self, check: F) -> Self
    where
        F: Fn(VerifiedToken) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Rejection>> + Send + 'static,
    {
        self.checks
            .push(Arc::new(move |token| Box::pin(check(token))));
        self
    }

    /// Lets every token in once: a second request with it is refused as an invalid token. For links that confirm something,
    /// and for tokens that are made for one call. A token needs a `jti`, of at most 256 bytes.
    ///
    /// It counts as used when this layer lets it in, last of all that the layer looks at. What a guard, the router (404, 405) or
    /// the handler says afterwards does not give it back: put the layer on the routes that it is for, by their methods.
    /// A token is remembered until it expires. Of several issuers each takes of the one room, so those whose tokens
    /// live long want a [`SingleUse`] of their own, in a layer of their own.
    ///
    /// ```
    /// # use countersign::{Algorithm, SigningKey};
    /// use countersign_http::{Protect, SingleUse};
    ///
    /// # let key = SigningKey::generate(Algorithm::ES256)?.verifying_key();
    /// let auth = Protect::with_keys("https://id.example", key)
    ///     .audience("confirmations")
    ///     .single_use(SingleUse::with_capacity(100_000))
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn single_use(mut self, once: SingleUse) -> Self {
        self.single_use = Some(once);
        self
    }

    /// The layer.
    ///
    /// # Errors
    /// [`Error::IssuerMissing`], [`Error::AudienceMissing`], [`Error::KeysMissing`], [`Error::AlgorithmOfNoKey`], [`Error::AlgorithmOfSecret`],
    /// [`Error::RealmInvalid`],
    /// [`Error::StatusInvalid`], [`Error::CookieNameInvalid`], [`Error::CookieAgain`], [`Error::SettingLate`]; `Error::Fetch`,
    /// `Error::StatusLists` and `Error::StatusListsNowhere` for a URL that may not be asked; `Error::StatusContradictory`; or
    /// [`Error::Policy`] for a leeway beyond its range, and for no issuer or one that is named twice. Of several issuers
    /// [`Error::OfIssuer`] says which is meant.
    pub fn build(self) -> Result<Protect, Error> {
        if let Some(setting) = self.late {
            return Err(Error::SettingLate { setting });
        }
        if self.cookie_again {
            return Err(Error::CookieAgain);
        }
        let realm = self.realm.or_else(|| {
            let first = self.issuers.first().and_then(Issuer::first_audience);
            first.map(str::to_owned)
        });
        let authenticator = Authenticator {
            issuers: Issuers::build(self.issuers, self.cached, &self.clock)?,
            sources: self.sources.checked()?,
            front: Arc::new(Front::new(Challenge::new(
                realm.unwrap_or_default(),
                self.invalid_token_status,
            )?)),
            clock: self.clock,
            checks: self.checks,
            single_use: self.single_use,
        };
        Ok(Protect {
            authenticator: Arc::new(authenticator),
            anonymous: Anonymous::Refused,
        })
    }
}

impl fmt::Debug for ProtectBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectBuilder")
            .field("issuers", &self.issuers)
            .field("realm", &self.realm)
            .field("sources", &self.sources)
            .finish_non_exhaustive()
    }
}
