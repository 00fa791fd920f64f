//! Guards behind a `Protect`: the token is good, but is it good enough for this route?

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::BoxError;
use axum_core::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use serde::Serialize;
use serde_json::Value;
use tower_layer::Layer;
use tower_service::Service;

use crate::bearer::RequestHead;
use crate::future::ProtectedFuture;
use crate::layer::give_back;
use crate::rejection::Rejection;
use crate::token::{Passage, VerifiedToken};

/// Lets in who has `role` in the `roles` claim (RFC 9068 §2.2.3.1, a list of strings); else 403.
///
/// `role` is a text, or a value of the service's own enum that serde writes as one: then the names stand in one place, for
/// this guard and for [`VerifiedToken::roles`]. What serde writes as anything else, a list say, is a role that nobody has, and
/// an error in the log: for one of several roles, ask with [`require`].
///
/// The same enum as a `Vec<Role>` in the type of a [`Claims`](crate::Claims) is read whole: a token with one role that the
/// enum does not know is then refused (401, `claims_shape`), where [`VerifiedToken::roles`] leaves that role out. A variant
/// for the rest takes it in:
///
/// ```
/// #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
/// #[serde(rename_all = "kebab-case")]
/// enum Role {
///     Admin,
///     StockClerk,
///     #[serde(other)]
///     Other,
/// }
///
/// let roles: Vec<Role> = serde_json::from_str(r#"["stock-clerk", "added-last-week"]"#)?;
/// assert_eq!(roles, [Role::StockClerk, Role::Other]);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// Stands behind [`Protect`](crate::Protect): without one it answers 500 and logs an error; under
/// [`Protect::optional`](crate::Protect::optional) it answers 401 where nobody is signed in.
///
/// ```
/// # use axum::{Router, routing::get};
/// use countersign_http::require_role;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// #[serde(rename_all = "kebab-case")]
/// enum Role { Admin, StockClerk }
///
/// # let _: Router =
/// Router::new()
///     .route("/admin", get(|| async { "welcome" }).route_layer(require_role("admin")))
///     .route("/stock", get(|| async { "welcome" }).route_layer(require_role(Role::StockClerk)));
/// ```
#[track_caller]
pub fn require_role(role: impl Serialize) -> Require {
    Require(named(&role).map_or(Rule::Nobody, Rule::Role))
}

/// Lets in who has `scope` in the `scope` claim (RFC 8693 §4.2, names with a space between); else 403.
///
/// Otherwise as [`require_role`].
#[track_caller]
pub fn require_scope(scope: impl Serialize) -> Require {
    Require(named(&scope).map_or(Rule::Nobody, Rule::Scope))
}

/// The name of a role or a scope.
#[track_caller]
fn named<N: Serialize>(value: &N) -> Option<Arc<str>> {
    match serde_json::to_value(value) {
        Ok(Value::String(name)) if !name.is_empty() => Some(name.into()),
        _ => {
            tracing::error!(
                found = std::any::type_name::<N>(),
                at = %std::panic::Location::caller(),
                "a guard asks for a role or scope that is no name, and lets nobody in: it takes one text that is not empty, or one variant without fields of an enum; for one of several names, `require(|token| token.has_role(…) || …)`"
            );
            None
        }
    }
}

/// Lets in whose token satisfies `rule`; else 403 with code `forbidden`. Otherwise as [`require_role`].
///
/// ```
/// # use axum::{Router, routing::get};
/// use countersign_http::require;
/// # let _: Router =
/// Router::new()
///     .route("/beta", get(|| async { "new" }))
///     .route_layer(require(|token| token.claim("beta").is_some_and(|beta| beta == true)));
/// ```
pub fn require(rule: impl Fn(&VerifiedToken) -> bool + Send + Sync + 'static) -> Require {
    Require(Rule::Own(Arc::new(rule)))
}

/// A tower layer that lets in who satisfies one rule; from [`require_role`], [`require_scope`] or [`require`].
#[derive(Clone, Debug)]
#[must_use = "a guard guards nothing until it is a layer of a route"]
pub struct Require(Rule);

#[derive(Clone)]
enum Rule {
    Role(Arc<str>),
    Scope(Arc<str>),
    /// What was asked for cannot be had.
    Nobody,
    Own(Arc<dyn Fn(&VerifiedToken) -> bool + Send + Sync>),
}

/// Whether a rule lets a token in, and all that it asked of the claims could be answered.
fn admits(rule: &(dyn Fn(&VerifiedToken) -> bool + Send + Sync), token: &VerifiedToken) -> bool {
    // A clone that the rule makes shares what it reads.
    token.tree();
    rule(token) && token.is_legible()
}

impl Rule {
    fn admit<B>(&self, request: &Request<B>) -> Result<(), Rejection> {
        let head = RequestHead::of(request);
        let passage = Passage::of(request.extensions(), head)?;
        let token = passage.required(head)?;
        let rejection = match self {
            Self::Role(role) if token.has_role(role) => return Ok(()),
            Self::Scope(scope) if token.has_scope(scope) => return Ok(()),
            Self::Own(rule) if admits(rule.as_ref(), token) => return Ok(()),
            Self::Role(role) => Rejection::insufficient_role(role.to_string()),
            Self::Scope(scope) => Rejection::insufficient_scope(scope.to_string()),
            Self::Own(_) | Self::Nobody => Rejection::forbidden(),
        };
        Err(token.refuse(rejection))
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(role) => f.debug_tuple("Role").field(role).finish(),
            Self::Scope(scope) => f.debug_tuple("Scope").field(scope).finish(),
            Self::Nobody => f.write_str("Nobody"),
            Self::Own(_) => f.debug_tuple("Own").finish_non_exhaustive(),
        }
    }
}

impl<S> Layer<S> for Require {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded {
            inner,
            rule: self.0.clone(),
        }
    }
}

/// A service that [`Require`] stands before. A request that it refuses holds no place in the service: what being ready has
/// reserved is given back.
#[derive(Clone, Debug)]
pub struct Guarded<S> {
    inner: S,
    rule: Rule,
}

impl<S, B, R> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = ProtectedFuture<S::Future, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.rule.admit(&request) {
            Ok(()) => ProtectedFuture::passed(self.inner.call(request), None),
            Err(rejection) => {
                give_back(&mut self.inner);
                ProtectedFuture::refused(rejection)
            }
        }
    }
}
