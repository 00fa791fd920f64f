//! What the layer leaves in the request, and nobody else can: the verified token, or the fact that there was none.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};

#[cfg(feature = "remote")]
use countersign::StatusReference;
use countersign::{Cached, NoClaims, RegisteredClaims, Verified};
use http::Extensions;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde_json::Value;

use crate::bearer::RequestHead;
use crate::front::Front;
use crate::rejection::{About, Rejection};

/// The token of a request that a [`Protect`](crate::Protect) let through, with all its claims.
///
/// Nothing but a verification makes one. Handlers take [`Claims`](crate::Claims) instead; this is for checks
/// of one's own ([`ProtectBuilder::check`](crate::ProtectBuilder::check)) and for services without axum.
/// Cheap to clone.
#[derive(Clone)]
pub struct VerifiedToken(Arc<Token>);

/// A verified token with what was read of its claims, each when somebody first asked for it.
struct Token {
    proof: Verified<NoClaims>,
    /// Of the layer that verified it.
    front: Arc<Front>,
    /// As the type of the handler that came first.
    typed: OnceLock<Arc<dyn Any + Send + Sync>>,
    /// As a tree, for whoever asks for one of them by name.
    tree: OnceLock<Value>,
    #[cfg(feature = "remote")]
    status: OnceLock<Result<Option<StatusReference>, countersign::Error>>,
}

/// All hits of a cache share one.
impl Cached for VerifiedToken {
    type Claims = NoClaims;

    fn verified(&self) -> &Verified<NoClaims> {
        &self.0.proof
    }
}

impl VerifiedToken {
    /// One whose claims nobody has read.
    pub(crate) fn new(proof: Verified<NoClaims>, front: &Arc<Front>) -> Self {
        Self(Arc::new(Token {
            proof,
            front: Arc::clone(front),
            typed: OnceLock::new(),
            tree: OnceLock::new(),
            #[cfg(feature = "remote")]
            status: OnceLock::new(),
        }))
    }

    /// One whose claims were read as `C` on the way, where they fit.
    pub(crate) fn read<C: Send + Sync + 'static>(
        verified: Verified<Option<C>>,
        front: &Arc<Front>,
    ) -> Self {
        let token = Self::new(verified.without_claims(), front);
        if let Some(typed) = verified.transpose() {
            let _ = token.0.typed.set(Arc::new(typed));
        }
        token
    }

    /// The token of a request, from its extensions; `None` where no layer let one in.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get::<Passage>()?.token()
    }

    /// The claims that RFC 7519 §4.1 registers: `sub`, `exp`, `jti`, …
    #[must_use]
    pub fn registered(&self) -> RegisteredClaims<'_> {
        self.0.proof.registered()
    }

    /// One claim by its name.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&Value> {
        let tree = self.0.tree.get_or_init(|| {
            // What was verified is an object, and every object is a tree.
            let tree = self.0.proof.deserialize().map(Verified::into_claims);
            tree.unwrap_or_default()
        });
        tree.get(name)
    }

    /// Its place in a status list, if it has one.
    #[cfg(feature = "remote")]
    pub(crate) fn status(&self) -> Result<Option<&StatusReference>, &countersign::Error> {
        let status = &self.0.status;
        let read = status.get_or_init(|| StatusReference::of(&self.0.proof));
        read.as_ref().map(Option::as_ref)
    }

    /// The claims as a type of one's own. The first type that is asked for is read once, however often it is asked for.
    ///
    /// # Errors
    /// The core's error when the claims do not have the shape of `C`.
    pub fn claims<C>(&self) -> Result<Arc<Verified<C>>, countersign::Error>
    where
        C: DeserializeOwned + Send + Sync + 'static,
    {
        let typed = &self.0.typed;
        let held = typed.get().filter(|held| held.is::<Verified<C>>());
        if let Some(Ok(claims)) = held.map(|held| Arc::clone(held).downcast()) {
            return Ok(claims);
        }
        let claims = Arc::new(self.0.proof.deserialize::<C>()?);
        if typed.get().is_none() {
            let _ = typed.set(Arc::clone(&claims) as _);
        }
        Ok(claims)
    }

    /// Whether the `roles` claim (RFC 9068 §2.2.3.1), a list of strings, names `role`.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        let roles = self.claim("roles").and_then(Value::as_array);
        roles.is_some_and(|roles| roles.iter().any(|one| one.as_str() == Some(role)))
    }

    /// Whether the `scope` claim (RFC 8693 §4.2), names with a space between, names `scope`.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        let scopes = self.claim("scope").and_then(Value::as_str);
        scopes.is_some_and(|scopes| scopes.split(' ').any(|one| !one.is_empty() && one == scope))
    }

    /// The roles of the `roles` claim that `R` knows: those that it does not are left out, so that an issuer may add one.
    /// (As a field of a `Claims` type they are read whole: see [`require_role`](crate::require_role).)
    ///
    /// ```
    /// use countersign_http::VerifiedToken;
    ///
    /// #[derive(serde::Deserialize, PartialEq)]
    /// #[serde(rename_all = "kebab-case")]
    /// enum Role { Admin, StockClerk }
    ///
    /// async fn stock(token: VerifiedToken) -> &'static str {
    ///     if token.roles::<Role>().contains(&Role::StockClerk) { "yours to count" } else { "yours to see" }
    /// }
    /// ```
    #[must_use]
    pub fn roles<R: DeserializeOwned>(&self) -> Vec<R> {
        let roles = self.claim("roles").and_then(Value::as_array);
        roles.into_iter().flatten().filter_map(known).collect()
    }

    /// The scopes of the `scope` claim that `S` knows. Otherwise as [`roles`](Self::roles).
    #[must_use]
    pub fn scopes<S: DeserializeOwned>(&self) -> Vec<S> {
        let scopes = self
            .claim("scope")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let scopes = scopes.split(' ').filter(|scope| !scope.is_empty());
        scopes
            .filter_map(|scope| known(&Value::from(scope)))
            .collect()
    }

    pub(crate) fn kid(&self) -> Option<&str> {
        self.0.proof.header().kid()
    }

    /// What its layer shares with whoever stands behind.
    pub(crate) fn front(&self) -> &Front {
        &self.0.front
    }

    /// `rejection` in the name of its layer, counted and logged, for a request.
    pub(crate) fn refuse(&self, rejection: Rejection, head: RequestHead<'_>) -> Rejection {
        self.front()
            .refuse_token(rejection, self)
            .answering(head.is_grpc())
    }
}

/// One name as a value of the service's own; `None` where it knows no such name. Only names are read: a claim that holds
/// objects makes no role.
fn known<T: DeserializeOwned>(name: &Value) -> Option<T> {
    T::deserialize(name.as_str()?.into_deserializer())
        .map_err(|_: serde::de::value::Error| ())
        .ok()
}

impl fmt::Debug for VerifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Claims are personal data: whoever wants them in a log writes them there.
        f.debug_struct("VerifiedToken").finish_non_exhaustive()
    }
}

/// A layer has decided about this request. Private, so that no other code can put one in.
#[derive(Clone, Debug)]
pub(crate) enum Passage {
    Token(VerifiedToken),
    /// Let through without a token (`.optional()`).
    Anonymous(Arc<Front>),
}

impl Passage {
    /// The decision of the innermost layer about a request.
    ///
    /// # Errors
    /// 500 and a log line where there was no layer: never an open door.
    pub(crate) fn of<'e>(
        extensions: &'e Extensions,
        head: RequestHead<'_>,
    ) -> Result<&'e Self, Rejection> {
        let unprotected = || Rejection::unprotected().logged(&About::default());
        extensions
            .get()
            .ok_or_else(|| unprotected().answering(head.is_grpc()))
    }

    /// The token, if there is one.
    pub(crate) const fn token(&self) -> Option<&VerifiedToken> {
        match self {
            Self::Token(token) => Some(token),
            Self::Anonymous(_) => None,
        }
    }

    /// The token, where one is needed.
    ///
    /// # Errors
    /// 401 where a request without one was let through (`.optional()`).
    pub(crate) fn required(&self, head: RequestHead<'_>) -> Result<&VerifiedToken, Rejection> {
        match self {
            Self::Token(token) => Ok(token),
            Self::Anonymous(front) => Err(front
                .refuse(Rejection::no_credential(), &About::default())
                .answering(head.is_grpc())),
        }
    }
}
