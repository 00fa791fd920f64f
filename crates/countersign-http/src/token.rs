//! What the layer leaves in the request, and nobody else can: the verified token, or the fact that there was none.

mod names;

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};

#[cfg(feature = "remote")]
use countersign::StatusReference;
use countersign::{Cached, NoClaims, RegisteredClaims, Report, Verified};
use http::Extensions;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde_json::{Map, Value};

use crate::bearer::RequestHead;
use crate::front::Front;
use crate::rejection::{About, Rejection};
use names::Names;

/// The token of a request that a [`Protect`](crate::Protect) let through, with all its claims.
///
/// Nothing but a verification makes one. Handlers take [`Claims`](crate::Claims) instead; this is for checks
/// of one's own ([`ProtectBuilder::check`](crate::ProtectBuilder::check)) and for services without axum.
/// Cheap to clone.
#[derive(Clone)]
pub struct VerifiedToken {
    held: Arc<Token>,
    /// Of the request, and of all who look at the token during it: a tree takes ten times the memory of its text, and what
    /// hangs on a remembered token would stay for as long as that.
    tree: OnceLock<Arc<OnceLock<Tree>>>,
    /// Whether the request is one of gRPC, and so is a refusal.
    grpc: bool,
}

/// All claims; `None` where what was verified could not be read again.
type Tree = Option<Map<String, Value>>;

/// The claims as the type of whoever came first.
type Typed = OnceLock<Arc<dyn Any + Send + Sync>>;

/// A verified token with what was read of its claims, each when somebody first asked for it. It may be remembered.
struct Token {
    proof: Verified<NoClaims>,
    /// Of the layer that verified it.
    front: Arc<Front>,
    typed: Typed,
    /// Its roles and scopes; `None` where what was verified could not be read again.
    names: OnceLock<Option<Names>>,
    #[cfg(feature = "remote")]
    status: OnceLock<Result<Option<StatusReference>, countersign::Error>>,
}

/// What a cache holds of a token, and all hits share.
#[derive(Clone)]
pub(crate) struct Remembered(Arc<Token>);

impl Cached for Remembered {
    type Claims = NoClaims;

    fn verified(&self) -> &Verified<NoClaims> {
        &self.0.proof
    }
}

impl From<VerifiedToken> for Remembered {
    fn from(token: VerifiedToken) -> Self {
        Self(token.held)
    }
}

impl From<Remembered> for VerifiedToken {
    fn from(Remembered(held): Remembered) -> Self {
        Self {
            held,
            tree: OnceLock::new(),
            grpc: false,
        }
    }
}

impl VerifiedToken {
    /// One whose claims nobody has read.
    pub(crate) fn new(proof: Verified<NoClaims>, front: &Arc<Front>) -> Self {
        Self::with_typed(proof, front, OnceLock::new())
    }

    /// One whose claims were read as `C` on the way, where they fit.
    pub(crate) fn read<C: Send + Sync + 'static>(
        verified: Verified<Option<C>>,
        front: &Arc<Front>,
    ) -> Self {
        let proof = verified.without_claims();
        let typed = match verified.transpose() {
            Some(claims) => Typed::from(Arc::new(claims) as Arc<_>),
            None => OnceLock::new(),
        };
        Self::with_typed(proof, front, typed)
    }

    fn with_typed(proof: Verified<NoClaims>, front: &Arc<Front>, typed: Typed) -> Self {
        let held = Arc::new(Token {
            proof,
            front: Arc::clone(front),
            typed,
            names: OnceLock::new(),
            #[cfg(feature = "remote")]
            status: OnceLock::new(),
        });
        Remembered(held).into()
    }

    /// The token of a request, from its extensions; `None` where no layer let one in.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get::<Passage>()?.token()
    }

    /// The claims that RFC 7519 §4.1 registers: `sub`, `exp`, `jti`, …
    #[must_use]
    pub fn registered(&self) -> RegisteredClaims<'_> {
        self.held.proof.registered()
    }

    /// One claim by its name. The first question of a request reads them all into a tree; roles and scopes cost less by
    /// [`has_role`](Self::has_role) and its kin, and a type of one's own by [`claims`](Self::claims).
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&Value> {
        let read = || self.held.proof.deserialize().map(Verified::into_claims);
        let tree = self.tree().get_or_init(|| read().ok());
        tree.as_ref()?.get(name)
    }

    /// The tree of this request, read or not. Clones that are made from now on share it.
    pub(crate) fn tree(&self) -> &OnceLock<Tree> {
        self.tree.get_or_init(Arc::default)
    }

    fn names(&self) -> Option<&Names> {
        let read = || self.held.proof.deserialize().map(Verified::into_claims);
        self.held.names.get_or_init(|| read().ok()).as_ref()
    }

    /// Whether all that was asked of its claims could be answered. They have been verified, so it always could; if that were
    /// ever wrong, no rule may take claims that could not be read for claims that are not there.
    pub(crate) fn is_legible(&self) -> bool {
        let tree = self.tree.get().and_then(|tree| tree.get());
        !matches!(tree, Some(None)) && !matches!(self.held.names.get(), Some(None))
    }

    /// Its place in a status list, if it has one.
    #[cfg(feature = "remote")]
    pub(crate) fn status(&self) -> Result<Option<&StatusReference>, &countersign::Error> {
        let status = &self.held.status;
        let read = status.get_or_init(|| StatusReference::of(&self.held.proof));
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
        let typed = &self.held.typed;
        if let Some(Ok(claims)) = typed.get().cloned().map(Arc::downcast) {
            return Ok(claims);
        }
        let claims = Arc::new(self.held.proof.deserialize::<C>()?);
        if typed.get().is_none() {
            let _ = typed.set(Arc::clone(&claims) as _);
        }
        Ok(claims)
    }

    /// Whether the `roles` claim (RFC 9068 §2.2.3.1), a list of strings, names `role`.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.names()
            .is_some_and(|names| names.roles().any(|one| one == role))
    }

    /// Whether the `scope` claim (RFC 8693 §4.2), names with a space between, names `scope`.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.names()
            .is_some_and(|names| names.scopes().any(|one| one == scope))
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
        let roles = self.names().into_iter().flat_map(Names::roles);
        roles.filter_map(known).collect()
    }

    /// The scopes of the `scope` claim that `S` knows. Otherwise as [`roles`](Self::roles).
    #[must_use]
    pub fn scopes<S: DeserializeOwned>(&self) -> Vec<S> {
        let scopes = self.names().into_iter().flat_map(Names::scopes);
        scopes.filter_map(known).collect()
    }

    pub(crate) fn kid(&self) -> Option<&str> {
        self.held.proof.header().kid()
    }

    /// That it has passed the list, for whoever explains what it has not passed.
    pub(crate) fn report(&self) -> Report {
        Report::of_verified(&self.held.proof)
    }

    /// What its layer shares with whoever stands behind.
    pub(crate) fn front(&self) -> &Front {
        &self.held.front
    }

    /// The same token in a request of gRPC, or in another.
    pub(crate) fn asked_in(self, grpc: bool) -> Self {
        Self { grpc, ..self }
    }

    /// `rejection` in the name of the layer that let this token in: counted in its
    /// [`outcomes`](crate::Protect::outcomes), logged once with the token's `kid` and issuer, with the layer's realm and its
    /// status for an invalid token. For handlers that refuse by themselves.
    ///
    /// ```
    /// use countersign_http::{Rejection, VerifiedToken};
    ///
    /// async fn archive(token: VerifiedToken) -> Result<&'static str, Rejection> {
    ///     let owner = token.has_role("owner");
    ///     owner.then_some("archived").ok_or_else(|| token.refuse(Rejection::insufficient_role("owner")))
    /// }
    /// ```
    #[must_use = "the handler answers with it"]
    pub fn refuse(&self, rejection: Rejection) -> Rejection {
        self.front()
            .refuse_token(rejection, self)
            .answering(self.grpc)
    }
}

/// One name as a value of the service's own; `None` where it knows no such name. Only names are read: a claim that holds
/// objects makes no role.
fn known<T: DeserializeOwned>(name: &str) -> Option<T> {
    T::deserialize(name.into_deserializer())
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
        extensions.get().ok_or_else(|| Self::missing(head))
    }

    #[cold]
    fn missing(head: RequestHead<'_>) -> Rejection {
        let about = About {
            method: Some(head.method.as_str()),
            path: Some(head.uri.path()),
            ..About::default()
        };
        let unprotected = Rejection::unprotected().logged(&about);
        unprotected.answering(head.is_grpc())
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
            Self::Anonymous(front) => Err(Self::wanting(front, head)),
        }
    }

    #[cold]
    fn wanting(front: &Front, head: RequestHead<'_>) -> Rejection {
        front
            .refuse(Rejection::no_credential(), &About::default())
            .answering(head.is_grpc())
    }
}

#[cfg(test)]
mod tests {
    use countersign::{Algorithm, ClaimsSet, JwkSet, Policy, SigningKey, Timestamp};
    use http::StatusCode;

    use super::*;
    use crate::rejection::Challenge;

    fn token() -> VerifiedToken {
        let key = SigningKey::generate(Algorithm::HS256).unwrap();
        let claims = ClaimsSet::new("i", "a").expires_at(Timestamp::from_unix_secs(9));
        let text = key.sign(&claims.claim("beta", true).unwrap()).unwrap();
        let challenge = Challenge::new("r".to_owned(), StatusCode::UNAUTHORIZED).unwrap();
        let verified = JwkSet::from(key.verifying_key()).verify(
            &Policy::new("i", "a"),
            &text,
            Timestamp::from_unix_secs(1),
        );
        VerifiedToken::new(verified.unwrap(), &Arc::new(Front::new(challenge)))
    }

    #[test]
    fn a_tree_stays_with_the_request_and_not_with_what_is_remembered() {
        let remembered = token();
        let seen = remembered.clone();
        assert_eq!(seen.claim("beta"), Some(&Value::Bool(true)));
        assert!(remembered.tree.get().is_none());
        // Whoever looks at it during the request shares the tree.
        let (one, other) = (seen.claim("beta").unwrap(), seen.clone());
        assert!(std::ptr::eq(one, other.claim("beta").unwrap()));
    }

    #[test]
    fn claims_that_cannot_be_read_are_not_claims_that_are_not_there() {
        let (legible, tree, names) = (token(), token(), token());
        assert!(!legible.has_role("admin") && legible.claim("x").is_none());
        assert!(legible.is_legible());
        tree.tree().set(None).unwrap();
        assert!(tree.held.names.get().is_none() && !tree.is_legible());
        assert!(names.held.names.set(None).is_ok() && !names.is_legible());
    }
}
