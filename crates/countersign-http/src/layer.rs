//! `Protect` around a service: decide, then refuse or pass on with the decision in the request's extensions.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::BoxError;
use axum_core::body::Body;
use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::authenticate::{Anonymous, Authenticator, Decision, Pending};
use crate::bearer::RequestHead;
use crate::front::Front;
use crate::future::ProtectedFuture;
use crate::protect::Protect;
use crate::rejection::Rejection;

impl<S> Layer<S> for Protect {
    type Service = Protected<S>;

    fn layer(&self, inner: S) -> Protected<S> {
        Protected {
            inner,
            authenticator: Arc::clone(&self.authenticator),
            anonymous: self.anonymous,
        }
    }
}

/// A service that [`Protect`] stands before.
///
/// The service inside may be any of http requests and responses: an axum route, a hyper service, a tonic one. The body of
/// its response is boxed, unless it is axum's, which is passed on as it is.
/// It finds the token with [`VerifiedToken::of`](crate::VerifiedToken::of).
///
/// Where a token passes without waiting, the service that was polled ready is the one that is called. A request that waits,
/// for keys, a status list or a check of the service's own, holds no place in it meanwhile: the service is polled ready
/// when the token has passed. Nor does one that is refused.
#[derive(Clone, Debug)]
pub struct Protected<S> {
    inner: S,
    authenticator: Arc<Authenticator>,
    anonymous: Anonymous,
}

impl<S: Clone> Protected<S> {
    #[cold]
    fn refuse<F, E>(&mut self, rejection: Rejection) -> ProtectedFuture<F, E> {
        give_back(&mut self.inner);
        ProtectedFuture::refused(rejection)
    }

    #[cold]
    fn decide_later<B, R>(
        &mut self,
        pending: Pending,
        mut request: Request<B>,
    ) -> ProtectedFuture<S::Future, S::Error>
    where
        S: Service<Request<B>, Response = Response<R>> + Send + 'static,
        S::Future: Send + 'static,
        B: Send + 'static,
        R: http_body::Body<Data = Bytes> + Send + 'static,
        R::Error: Into<BoxError>,
    {
        let authenticator = Arc::clone(&self.authenticator);
        give_back(&mut self.inner);
        let mut inner = self.inner.clone();
        ProtectedFuture::deciding(Box::pin(async move {
            match authenticator.finish(pending).await {
                Err(rejection) => Ok(rejection.into_response_of()),
                Ok(passage) => {
                    request.extensions_mut().insert(passage.clone());
                    poll_fn(|cx| inner.poll_ready(cx)).await?;
                    let mut response = inner.call(request).await?;
                    Front::overhear(&passage, &mut response);
                    Ok(response.map(Body::new))
                }
            }
        }))
    }
}

/// Gives back what being ready has reserved in `service`, as one may that is dropped without being called: who is refused, and
/// who waits for keys, holds nobody else's place.
pub(crate) fn give_back<S: Clone>(service: &mut S) {
    *service = service.clone();
}

impl<S, B, R> Service<Request<B>> for Protected<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Send + 'static,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = ProtectedFuture<S::Future, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let head = RequestHead::of(&request);
        match self.authenticator.decide(head, self.anonymous) {
            Ok(Decision::Passed { passage, holding }) => {
                mark_sensitive(request.headers_mut(), &holding);
                request.extensions_mut().insert(passage.clone());
                ProtectedFuture::passed(self.inner.call(request), Some(passage))
            }
            Ok(Decision::Pending { pending, holding }) => {
                mark_sensitive(request.headers_mut(), &holding);
                self.decide_later(pending, request)
            }
            Err(rejection) => self.refuse(rejection),
        }
    }
}

/// Whoever prints the headers of the request from here on prints no credential, wherever else it stands.
fn mark_sensitive(headers: &mut HeaderMap, holding: &[HeaderName]) {
    for (name, value) in headers.iter_mut() {
        if name == AUTHORIZATION || name == COOKIE || holding.contains(name) {
            value.set_sensitive(true);
        }
    }
}
