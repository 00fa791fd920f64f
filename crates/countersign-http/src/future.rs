//! The future of a protected service: refused at once, passed on, or still being decided.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;

use crate::body::ProtectedBody;
use crate::rejection::Rejection;

/// A decision that takes time, and the service's answer after it.
pub(crate) type Deciding<B, E> =
    Pin<Box<dyn Future<Output = Result<Response<ProtectedBody<B>>, E>> + Send>>;

pin_project! {
    /// The response of [`Protected`](crate::Protected) or [`Guarded`](crate::Guarded), in time.
    ///
    /// With keys at hand and no check of one's own it allocates nothing.
    pub struct ProtectedFuture<F, B, E> {
        #[pin]
        state: State<F, B, E>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, B, E> {
        Refused { rejection: Option<Rejection> },
        Passed { #[pin] future: F },
        Deciding { deciding: Deciding<B, E> },
    }
}

impl<F, B, E> ProtectedFuture<F, B, E> {
    pub(crate) fn refused(rejection: Rejection) -> Self {
        Self {
            state: State::Refused {
                rejection: Some(rejection),
            },
        }
    }

    pub(crate) fn passed(future: F) -> Self {
        Self {
            state: State::Passed { future },
        }
    }

    pub(crate) fn deciding(deciding: Deciding<B, E>) -> Self {
        Self {
            state: State::Deciding { deciding },
        }
    }
}

impl<F, B, E> Future for ProtectedFuture<F, B, E>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<ProtectedBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            // Polled again after its answer, it stays pending: a future may do that, and it must not panic.
            StateProjection::Refused { rejection } => match rejection.take() {
                Some(rejection) => Poll::Ready(Ok(rejection.into_response_of())),
                None => Poll::Pending,
            },
            StateProjection::Passed { future } => Poll::Ready(
                ready!(future.poll(cx)).map(|response| response.map(ProtectedBody::served)),
            ),
            StateProjection::Deciding { deciding } => deciding.as_mut().poll(cx),
        }
    }
}

impl<F, B, E> fmt::Debug for ProtectedFuture<F, B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectedFuture").finish_non_exhaustive()
    }
}
