//! HTTP/2 connections on which nobody asks for anything: closed after a while, whatever else is sent on them. A ping keeps
//! a connection through a firewall; it does not keep a place here.
//!
//! HTTP/1.1 needs none of this: there the next request must come in time ([`super::serve`]).

use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready as when_ready};
use std::time::Duration;

use axum_server::accept::Accept;
use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};
use tower_service::Service;

use super::connections::{Connection, Connections};

/// How long a connection may stand without a request, and how long the last answer on it may take to be fetched.
const IDLE: Duration = Duration::from_mins(2);

/// Accepts what [`Connections`] accepts, until it is idle.
#[derive(Clone, Debug)]
pub(super) struct UntilIdle(pub(super) Connections);

impl<S> Accept<TcpStream, S> for UntilIdle {
    type Stream = Watched<Connection>;
    type Service = Counted<S>;
    type Future = Ready<io::Result<(Watched<Connection>, Counted<S>)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let accepted = self.0.accept(stream, service).into_inner();
        ready(accepted.map(|(stream, service)| watch(stream, service)))
    }
}

fn watch<T, S>(stream: T, service: S) -> (Watched<T>, Counted<S>) {
    let requests = Arc::new(Requests {
        since: Instant::now(),
        in_flight: AtomicUsize::new(0),
        last: AtomicU64::new(0),
    });
    let watched = Watched {
        stream,
        requests: Arc::clone(&requests),
        timer: Box::pin(sleep(IDLE)),
    };
    let inner = service;
    (watched, Counted { inner, requests })
}

/// The requests of one connection.
#[derive(Debug)]
struct Requests {
    since: Instant,
    in_flight: AtomicUsize,
    /// When the last one was answered, in milliseconds.
    last: AtomicU64,
}

impl Requests {
    /// When the connection will be idle, as far as is known now.
    fn idle_at(&self, now: Instant) -> Option<Instant> {
        let began = if self.in_flight.load(Ordering::SeqCst) > 0 {
            now
        } else {
            let last = Duration::from_millis(self.last.load(Ordering::SeqCst));
            self.since.checked_add(last)?
        };
        began.checked_add(IDLE)
    }
}

/// A request that is being answered.
struct InFlight(Arc<Requests>);

impl InFlight {
    fn of(requests: &Arc<Requests>) -> Self {
        requests.in_flight.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(requests))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let passed = self.0.since.elapsed().as_millis();
        let passed = u64::try_from(passed).unwrap_or(u64::MAX);
        self.0.last.store(passed, Ordering::SeqCst);
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The service of a connection, whose requests are counted.
#[derive(Clone, Debug)]
pub(super) struct Counted<S> {
    inner: S,
    requests: Arc<Requests>,
}

impl<R, S: Service<R>> Service<R> for Counted<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let in_flight = InFlight::of(&self.requests);
        Answering {
            answer: self.inner.call(request),
            _in_flight: in_flight,
        }
    }
}

pin_project! {
    /// An answer that is on its way.
    pub(super) struct Answering<F> {
        #[pin]
        answer: F,
        _in_flight: InFlight,
    }
}

impl<F: Future> Future for Answering<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().answer.poll(cx)
    }
}

/// A stream that ends when its connection is idle.
#[derive(Debug)]
pub(super) struct Watched<T> {
    stream: T,
    requests: Arc<Requests>,
    timer: Pin<Box<Sleep>>,
}

impl<T> Watched<T> {
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            when_ready!(self.timer.as_mut().poll(cx));
            let now = Instant::now();
            match self.requests.idle_at(now) {
                Some(later) if later > now => self.timer.as_mut().reset(later),
                _ => return Poll::Ready(()),
            }
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(cx, buffer) {
            // The end, as if the client had gone away. What it sends now and then is read before.
            Poll::Pending => self.poll_idle(cx).map(Ok),
            read => read,
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::time::{advance, timeout};
    use tower::service_fn;

    use super::*;

    /// What the server reads next: how many bytes, or nothing within `time`.
    async fn read(stream: &mut Watched<DuplexStream>, time: Duration) -> Option<usize> {
        timeout(time, stream.read(&mut [0; 8])).await.ok()?.ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_only_pings_ends_after_two_minutes_without_a_request() {
        let (mut client, server) = duplex(64);
        let (mut watched, _service) = watch(server, ());
        for _ in 0..5 {
            client.write_all(b"ping").await.unwrap();
            assert_eq!(read(&mut watched, Duration::ZERO).await, Some(4));
            assert_eq!(read(&mut watched, Duration::from_secs(20)).await, None);
        }
        assert_eq!(read(&mut watched, Duration::from_secs(21)).await, Some(0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_with_a_request_stays_and_counts_from_its_answer() {
        let (_client, server) = duplex(64);
        let answer = async |()| {
            tokio::time::sleep(10 * IDLE).await;
            Ok::<_, Infallible>(())
        };
        let (mut watched, mut service) = watch(server, service_fn(answer));
        let mut answering = Box::pin(service.call(()));
        assert!(timeout(Duration::ZERO, &mut answering).await.is_err());
        assert_eq!(read(&mut watched, 9 * IDLE).await, None);
        answering.await.unwrap();
        assert_eq!(read(&mut watched, IDLE / 2).await, None);
        advance(IDLE / 4).await;
        assert_eq!(read(&mut watched, IDLE).await, Some(0));
    }
}
