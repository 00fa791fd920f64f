//! How a protection is described: whom to trust, for whom, from where the token comes.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use countersign::{Policy, Timestamp};
use http::StatusCode;

use crate::authenticate::{Anonymous, Authenticator, Check, Clock};
use crate::bearer::CookieSource;
use crate::error::Error;
use crate::keys::Keys;
use crate::rejection::{Challenge, Rejection};
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
    /// Trusts tokens of `issuer` (their `iss`, exactly) that were signed with one of `keys`.
    ///
    /// `keys` is a `VerifyingKey`, a `JwkSet`, or [`SharedKeys`](crate::SharedKeys) to replace them later.
    pub fn with_keys(issuer: impl Into<String>, keys: impl Into<Keys>) -> ProtectBuilder {
        ProtectBuilder {
            issuer: issuer.into(),
            keys: keys.into(),
            audiences: Vec::new(),
            plain_jwt: false,
            leeway: Duration::ZERO,
            realm: None,
            invalid_token_status: StatusCode::UNAUTHORIZED,
            cookie: None,
            clock: Arc::new(|| Timestamp::from(SystemTime::now())),
            checks: Vec::new(),
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

    /// `rejection` in the name of this layer (its realm, its status for an invalid token), with the one log event
    /// of a refusal: for handlers that refuse by themselves.
    #[must_use]
    pub fn refuse(&self, rejection: Rejection) -> Rejection {
        self.authenticator.refuse(rejection, None)
    }
}

/// A [`Protect`] being described; from [`Protect::with_keys`].
#[must_use = "a description protects nothing until `.build()?`"]
pub struct ProtectBuilder {
    issuer: String,
    keys: Keys,
    audiences: Vec<String>,
    plain_jwt: bool,
    leeway: Duration,
    realm: Option<String>,
    invalid_token_status: StatusCode,
    cookie: Option<CookieSource>,
    clock: Clock,
    checks: Vec<Check>,
}

impl ProtectBuilder {
    /// The name of this service, which a token's `aud` must hold. Needed; may be called for each of several names.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Takes tokens whose `typ` is `JWT` or absent, for issuers that do not write `at+jwt` (RFC 9068 §2.1).
    ///
    /// Such an issuer's other tokens (ID tokens, say) look the same; only the audience tells them apart.
    pub fn plain_jwt(mut self) -> Self {
        self.plain_jwt = true;
        self
    }

    /// How far the issuer's clock may differ, for `exp` and `nbf`: 0 (the default) to 300 seconds.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
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

    /// Reads the token from a cookie too. A request that has it in both places is refused.
    pub fn cookie(mut self, cookie: CookieSource) -> Self {
        self.cookie = Some(cookie);
        self
    }

    /// Another clock than the system's, for tests.
    pub fn clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
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

    /// The layer.
    ///
    /// # Errors
    /// [`Error::IssuerMissing`], [`Error::AudienceMissing`], [`Error::KeysMissing`], [`Error::RealmInvalid`],
    /// [`Error::StatusInvalid`], [`Error::CookieNameInvalid`], or [`Error::Policy`] for a leeway beyond its range.
    pub fn build(self) -> Result<Protect, Error> {
        let policy = self.policy()?;
        if self.keys.is_empty_for_ever() {
            return Err(Error::KeysMissing);
        }
        let realm = self
            .realm
            .or_else(|| self.audiences.into_iter().next())
            .unwrap_or_default();
        let authenticator = Authenticator {
            keys: self.keys,
            policy,
            cookie: self.cookie.map(CookieSource::checked).transpose()?,
            challenge: Arc::new(Challenge::new(realm, self.invalid_token_status)?),
            clock: self.clock,
            checks: self.checks,
        };
        Ok(Protect {
            authenticator: Arc::new(authenticator),
            anonymous: Anonymous::Refused,
        })
    }

    fn policy(&self) -> Result<Policy, Error> {
        if self.issuer.is_empty() {
            return Err(Error::IssuerMissing);
        }
        if self.audiences.is_empty() || self.audiences.iter().any(String::is_empty) {
            return Err(Error::AudienceMissing);
        }
        let mut policy = Policy::builder().issuer(&self.issuer).leeway(self.leeway);
        for audience in &self.audiences {
            policy = policy.audience(audience);
        }
        if !self.plain_jwt {
            policy = policy.access_token();
        }
        Ok(policy.build()?)
    }
}

impl fmt::Debug for ProtectBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectBuilder")
            .field("issuer", &self.issuer)
            .field("audiences", &self.audiences)
            .field("plain_jwt", &self.plain_jwt)
            .field("leeway", &self.leeway)
            .field("realm", &self.realm)
            .field("cookie", &self.cookie)
            .finish_non_exhaustive()
    }
}
