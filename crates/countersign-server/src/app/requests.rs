//! The requests of one connection. Each counts from its call until the last byte of its answer has been taken: HTTP/2 lets a
//! client ask a hundred times and take nothing, and ask again.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::HttpBody;
use bytes::Buf;
use http::header::{CONNECTION, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower_service::Service;

/// What is open on one connection; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Requests(Arc<Mutex<Open>>);

#[derive(Debug)]
struct Open {
    /// How many requests are being answered.
    in_flight: usize,
    /// The answers that are on their way, and since when: the oldest first.
    answers: Vec<(u64, Instant)>,
    next: u64,
    /// When the last request or answer was over.
    last: Instant,
    ending: Ending,
}

/// Whether the connection is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    No,
    /// One request more may have been on its way already.
    AfterOneMore,
    Now,
}

impl Requests {
    pub(super) fn none() -> Self {
        Self(Arc::new(Mutex::new(Open {
            in_flight: 0,
            answers: Vec::new(),
            next: 0,
            last: Instant::now(),
            ending: Ending::No,
        })))
    }

    /// No request begins any more, but for one that may be on its way already.
    pub(super) fn end(&self) {
        self.open().ending = Ending::AfterOneMore;
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is any.
    pub(super) fn is_any(&self) -> bool {
        let open = self.open();
        open.in_flight > 0 || !open.answers.is_empty()
    }

    /// Since when the connection has waited for its client: for another request, or to take an answer.
    pub(super) fn waits_since(&self, now: Instant) -> Instant {
        let open = self.open();
        match open.answers.first() {
            Some((_, since)) => *since,
            // How long an answer is made is the server's own affair.
            None if open.in_flight > 0 => now,
            None => open.last,
        }
    }

    /// A request, until it is dropped; `None` where none begins any more.
    pub(super) fn begin(&self) -> Option<InFlight> {
        let mut open = self.open();
        match open.ending {
            Ending::No => {}
            Ending::AfterOneMore => open.ending = Ending::Now,
            Ending::Now => return None,
        }
        open.in_flight = open.in_flight.saturating_add(1);
        Some(InFlight(self.clone()))
    }
}

/// A request that is being answered.
pub(super) struct InFlight(Requests);

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut open = self.0.open();
        open.in_flight = open.in_flight.saturating_sub(1);
        open.last = Instant::now();
    }
}

/// An answer that is on its way, of which something has still to be taken.
struct OnItsWay {
    requests: Requests,
    number: u64,
}

impl OnItsWay {
    fn of(requests: &Requests) -> Self {
        let mut open = requests.open();
        let number = open.next;
        open.next = number.wrapping_add(1);
        open.answers.push((number, Instant::now()));
        Self {
            requests: requests.clone(),
            number,
        }
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        let mut open = self.requests.open();
        open.answers.retain(|(number, _)| *number != self.number);
        open.last = Instant::now();
    }
}

/// The service of a connection, whose requests are counted.
#[derive(Clone, Debug)]
pub(crate) struct Counted<S> {
    inner: S,
    requests: Requests,
}

impl<S> Counted<S> {
    pub(super) const fn new(inner: S, requests: Requests) -> Self {
        Self { inner, requests }
    }

    pub(super) const fn requests(&self) -> &Requests {
        &self.requests
    }
}

impl<R, B: Default, S: Service<R, Response = Response<B>>> Service<R> for Counted<S> {
    type Response = Response<Counting<B>>;
    type Error = S::Error;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        match self.requests.begin() {
            Some(in_flight) => Answering::Made {
                answer: self.inner.call(request),
                in_flight,
            },
            None => Answering::Refused,
        }
    }
}

pin_project! {
    /// An answer that is being made, or that there will be none.
    #[project = AnsweringProjected]
    pub(crate) enum Answering<F> {
        Made {
            #[pin]
            answer: F,
            in_flight: InFlight,
        },
        Refused,
    }
}

impl<B: Default, E, F: Future<Output = Result<Response<B>, E>>> Future for Answering<F> {
    type Output = Result<Response<Counting<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (answer, in_flight) = match self.project() {
            AnsweringProjected::Made { answer, in_flight } => (answer, in_flight),
            AnsweringProjected::Refused => return Poll::Ready(Ok(refusal())),
        };
        let answer = ready!(answer.poll(cx));
        Poll::Ready(answer.map(|answer| {
            let on_its_way = Some(Arc::new(OnItsWay::of(&in_flight.0)));
            answer.map(|body| Counting { body, on_its_way })
        }))
    }
}

/// To come again, on another connection. It is not waited for until this is taken.
fn refusal<B: Default>() -> Response<Counting<B>> {
    let mut answer = Response::new(Counting {
        body: B::default(),
        on_its_way: None,
    });
    *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = answer.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}

pin_project! {
    /// The body of an answer that is on its way until it is dropped with everything that came out of it.
    pub(crate) struct Counting<B> {
        #[pin]
        body: B,
        on_its_way: Option<Arc<OnItsWay>>,
    }
}

impl<B: HttpBody> HttpBody for Counting<B> {
    type Data = Piece<B::Data>;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.body.poll_frame(cx));
        Poll::Ready(frame.map(|frame| {
            frame.map(|frame| {
                frame.map_data(|bytes| Piece {
                    bytes,
                    _on_its_way: this.on_its_way.clone(),
                })
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A piece of an answer. HTTP/2 drops it when its last byte has been written, which the client's windows allow or not.
pub(crate) struct Piece<D> {
    bytes: D,
    _on_its_way: Option<Arc<OnItsWay>>,
}

impl<D: Buf> Buf for Piece<D> {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, bytes: usize) {
        self.bytes.advance(bytes);
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [std::io::IoSlice<'a>]) -> usize {
        self.bytes.chunks_vectored(slices)
    }
}
