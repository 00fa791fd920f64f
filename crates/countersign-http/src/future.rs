//! The future of a protected service: refused at once, passed on, or still being decided.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum_core::BoxError;
use axum_core::body::Body;
use bytes::Bytes;
use http::Response;
use pin_project_lite::pin_project;

use crate::front::Front;
use crate::rejection::Rejection;
use crate::token::Passage;

/// A decision that takes time, and the service's answer after it.
pub(crate) type Deciding<E> = Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>;

pin_project! {
    /// The response of [`Protected`](crate::Protected) or [`Guarded`](crate::Guarded), in time.
    ///
    /// With keys at hand and no check of one's own it allocates nothing.
    pub struct ProtectedFuture<F, E> {
        #[pin]
        state: State<F, E>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, E> {
        Refused { rejection: Option<Rejection> },
        Passed { #[pin] future: F, passage: Option<Passage> },
        Deciding { deciding: Deciding<E> },
    }
}

impl<F, E> ProtectedFuture<F, E> {
    pub(crate) fn refused(rejection: Rejection) -> Self {
        Self {
            state: State::Refused {
                rejection: Some(rejection),
            },
        }
    }

    /// What the service refuses by itself is heard of by the layer whose `passage` this is.
    pub(crate) fn passed(future: F, passage: Option<Passage>) -> Self {
        Self {
            state: State::Passed { future, passage },
        }
    }

    pub(crate) fn deciding(deciding: Deciding<E>) -> Self {
        Self {
            state: State::Deciding { deciding },
        }
    }
}

impl<F, B, E> Future for ProtectedFuture<F, E>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            // Polled again after its answer, it stays pending: a future may do that, and it must not panic.
            StateProjection::Refused { rejection } => match rejection.take() {
                Some(rejection) => Poll::Ready(Ok(rejection.into_response_of())),
                None => Poll::Pending,
            },
            StateProjection::Passed { future, passage } => {
                let answered = ready!(future.poll(cx));
                Poll::Ready(answered.map(|mut response| {
                    if let Some(passage) = passage {
                        Front::overhear(passage, &mut response);
                    }
                    response.map(Body::new)
                }))
            }
            StateProjection::Deciding { deciding } => deciding.as_mut().poll(cx),
        }
    }
}

impl<F, E> fmt::Debug for ProtectedFuture<F, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectedFuture").finish_non_exhaustive()
    }
}
