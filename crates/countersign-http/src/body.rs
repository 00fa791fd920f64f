//! One response body for both outcomes: the protected service's own, or a refusal's few bytes.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The body of a response that passed through [`Protected`](crate::Protected) or
    /// [`Guarded`](crate::Guarded): that of the service inside, or of a refusal.
    ///
    /// It asks nothing of the service's body type, so the layers fit axum, hyper and tonic alike.
    #[derive(Debug)]
    pub struct ProtectedBody<B> {
        #[pin]
        inner: Inner<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = InnerProjection]
    enum Inner<B> {
        Served { #[pin] body: B },
        Refused { problem: Option<Bytes> },
    }
}

impl<B> ProtectedBody<B> {
    pub(crate) fn served(body: B) -> Self {
        Self {
            inner: Inner::Served { body },
        }
    }
}

impl<B> From<Bytes> for ProtectedBody<B> {
    fn from(problem: Bytes) -> Self {
        Self {
            inner: Inner::Refused {
                // Without a body, the response ends with its headers: gRPC counts on that.
                problem: Some(problem).filter(|bytes| !bytes.is_empty()),
            },
        }
    }
}

impl<B: Body<Data = Bytes>> Body for ProtectedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().inner.project() {
            InnerProjection::Served { body } => body.poll_frame(cx),
            InnerProjection::Refused { problem } => {
                Poll::Ready(problem.take().map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Served { body } => body.is_end_stream(),
            Inner::Refused { problem } => problem.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Served { body } => body.size_hint(),
            Inner::Refused { problem } => {
                let left = problem.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(u64::try_from(left).unwrap_or(u64::MAX))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Full};

    use super::*;

    #[tokio::test]
    async fn a_refusals_body_knows_its_length_and_ends_after_one_frame() {
        let mut body: ProtectedBody<Full<Bytes>> = Bytes::from_static(b"no").into();
        assert_eq!(body.size_hint().exact(), Some(2));
        assert!(!body.is_end_stream());
        let frame = body.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), "no");
        assert_eq!(body.size_hint().exact(), Some(0));
        assert!(body.is_end_stream() && body.frame().await.is_none());
    }

    #[tokio::test]
    async fn an_empty_refusal_ends_with_its_headers() {
        let mut body: ProtectedBody<Full<Bytes>> = Bytes::new().into();
        assert!(body.is_end_stream() && body.frame().await.is_none());
    }

    #[tokio::test]
    async fn a_served_body_is_passed_through_as_it_is() {
        let body = ProtectedBody::served(Full::from("served"));
        assert_eq!(body.size_hint().exact(), Some(6));
        assert!(!body.is_end_stream());
        assert_eq!(body.collect().await.unwrap().to_bytes(), "served");
    }
}
