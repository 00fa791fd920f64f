//! `Protect` around a service: decide, then refuse or pass on with the decision in the request's extensions.

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::BoxError;
use axum_core::body::Body;
use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::authenticate::{Anonymous, Authenticator, Decision};
use crate::bearer::RequestHead;
use crate::future::ProtectedFuture;
use crate::protect::Protect;

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
#[derive(Clone, Debug)]
pub struct Protected<S> {
    inner: S,
    authenticator: Arc<Authenticator>,
    anonymous: Anonymous,
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
            Err(rejection) => ProtectedFuture::refused(rejection),
            Ok(Decision::Passed(passage)) => {
                mark_sensitive(request.headers_mut());
                request.extensions_mut().insert(passage);
                ProtectedFuture::passed(self.inner.call(request))
            }
            Ok(Decision::Pending(pending)) => {
                mark_sensitive(request.headers_mut());
                let authenticator = Arc::clone(&self.authenticator);
                // The service that was polled ready is the one to call; its clone waits for the next request.
                let next = self.inner.clone();
                let mut inner = mem::replace(&mut self.inner, next);
                ProtectedFuture::deciding(Box::pin(async move {
                    match authenticator.finish(pending).await {
                        Err(rejection) => Ok(rejection.into_response_of()),
                        Ok(passage) => {
                            request.extensions_mut().insert(passage);
                            Ok(inner.call(request).await?.map(Body::new))
                        }
                    }
                }))
            }
        }
    }
}

/// Whoever prints the headers of the request from here on prints no credential.
fn mark_sensitive(headers: &mut HeaderMap) {
    for (name, value) in headers.iter_mut() {
        if name == AUTHORIZATION || name == COOKIE {
            value.set_sensitive(true);
        }
    }
}
