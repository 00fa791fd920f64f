//! The handler's end: the claims, as a type of one's own.

use std::ops::Deref;
use std::sync::Arc;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use countersign::Verified;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::bearer::RequestHead;
use crate::rejection::Rejection;
use crate::token::{Passage, VerifiedToken};

/// The verified claims of the request as `C`, with the registered ones beside
/// ([`Verified::registered`]: `sub`, `exp`, `jti`, …).
///
/// Under [`Protect`](crate::Protect) it is always there. Under [`Protect::optional`](crate::Protect::optional)
/// it answers 401 where nobody is signed in, and `Option<Claims<C>>` is `None`. Claims that do not have the
/// shape of `C` are an invalid token (401; the log says `claims_shape` and, as `reason`, which claim it is). Without a layer both
/// answer 500 and log an error: never an open door.
///
/// Once a handler has asked for a `C`, its `Deserialize` is run on the way through a verification: the signature has held by
/// then, while another check (the audience, the time) may still refuse the token, and what was read is dropped. So it may
/// neither panic nor do anything but read.
///
/// ```
/// use countersign_http::Claims;
///
/// #[derive(serde::Deserialize)]
/// struct Order { order: u64 }
///
/// async fn show(Claims(token): Claims<Order>) -> String {
///     format!("order {} for {}", token.order, token.registered().sub().unwrap_or("nobody"))
/// }
///
/// async fn feed(who: Option<Claims<Order>>) -> &'static str {
///     if who.is_some() { "your feed" } else { "everybody's feed" }
/// }
/// ```
#[derive(Debug)]
pub struct Claims<C>(
    /// The proof that the token was verified, with its claims.
    pub Arc<Verified<C>>,
);

impl<C> Clone for Claims<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> Deref for Claims<C> {
    type Target = Verified<C>;

    fn deref(&self) -> &Verified<C> {
        &self.0
    }
}

impl<C: DeserializeOwned + Send + Sync + 'static, S: Sync> FromRequestParts<S> for Claims<C> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let passage = Passage::of(&parts.extensions, RequestHead::of_parts(parts))?;
        claims(passage.required(RequestHead::of_parts(parts))?)
    }
}

impl<C: DeserializeOwned + Send + Sync + 'static, S: Sync> OptionalFromRequestParts<S>
    for Claims<C>
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Rejection> {
        let passage = Passage::of(&parts.extensions, RequestHead::of_parts(parts))?;
        passage.token().map(claims).transpose()
    }
}

/// The token whole, for a handler that asks it about roles and scopes. Otherwise as [`Claims`].
impl<S: Sync> FromRequestParts<S> for VerifiedToken {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let passage = Passage::of(&parts.extensions, RequestHead::of_parts(parts))?;
        passage.required(RequestHead::of_parts(parts)).cloned()
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for VerifiedToken {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Rejection> {
        Passage::of(&parts.extensions, RequestHead::of_parts(parts))
            .map(|passage| passage.token().cloned())
    }
}

fn claims<C: DeserializeOwned + Send + Sync + 'static>(
    token: &VerifiedToken,
) -> Result<Claims<C>, Rejection> {
    token.front().expected.learn::<C>();
    token
        .claims()
        .map(Claims)
        .map_err(|error| token.refuse(Rejection::from(&error)))
}
