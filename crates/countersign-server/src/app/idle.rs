//! HTTP/2 connections on which nobody asks for anything, or an answer is not taken: closed after a while, whatever else is
//! sent on them. A ping keeps a connection through a firewall; neither it nor another request keeps a place here.
//!
//! HTTP/1.1 needs none of this: there the next request must come in time ([`super::serve`]), and what was written must be
//! taken before it ([`super::patience`]).

use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready as when_ready};
use std::time::Duration;

use axum_server::accept::Accept;
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

use super::connections::Connections;
use super::requests::{Counted, Requests};
use super::stream::Connection;

/// How long a connection may stand without a request, and how long an answer on it may take to be fetched: the longest, of
/// 200 kB, at 14 kbit/s.
const IDLE: Duration = Duration::from_mins(2);

/// Accepts what [`Connections`] accepts, until it is idle.
#[derive(Clone, Debug)]
pub(super) struct UntilIdle(pub(super) Connections);

impl<S> Accept<TcpStream, S> for UntilIdle {
    type Stream = Connection<TcpStream>;
    type Service = Counted<S>;
    type Future = Ready<io::Result<(Connection<TcpStream>, Counted<S>)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let accepted = self.0.accept(stream, service).into_inner();
        ready(accepted.map(|(connection, service)| watch(connection, service)))
    }
}

fn watch<T, S>(connection: Connection<T>, service: Counted<S>) -> (Connection<T>, Counted<S>) {
    let idle = Idle {
        requests: service.requests().clone(),
        timer: Box::pin(sleep(IDLE)),
    };
    (connection.until(idle), service)
}

/// When a connection is idle, or holds an answer that is not taken.
#[derive(Debug)]
pub(super) struct Idle {
    requests: Requests,
    timer: Pin<Box<Sleep>>,
}

impl Idle {
    /// Whether it is over now; cheap where it surely is not.
    pub(super) fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        self.is_due(Instant::now()) && self.poll_over(cx).is_ready()
    }

    /// Whether it may be over: surely not before the timer's time.
    fn is_due(&self, now: Instant) -> bool {
        self.timer.deadline() <= now
    }

    /// Ready when it is over.
    pub(super) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if !self.is_due(Instant::now()) {
                when_ready!(self.timer.as_mut().poll(cx));
            }
            let now = Instant::now();
            match self.requests.waits_since(now).checked_add(IDLE) {
                Some(later) if later > now => self.timer.as_mut().reset(later),
                _ => return Poll::Ready(()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::pin;

    use axum::body::{Body, HttpBody as _};
    use http::Response;
    use http_body_util::BodyExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::time::{advance, timeout};
    use tower::service_fn;
    use tower_service::Service as _;

    use super::*;

    /// What the server reads next: how many bytes, or nothing within `time`.
    async fn read(stream: &mut Connection<DuplexStream>, time: Duration) -> Option<usize> {
        timeout(time, stream.read(&mut [0; 8])).await.ok()?.ok()
    }

    fn watched<S>(stream: DuplexStream, service: S) -> (Connection<DuplexStream>, Counted<S>) {
        let service = Counted::new(service, Requests::none());
        watch(Connection::new(stream, |_| ()), service)
    }

    async fn answer((): ()) -> Result<Response<Body>, Infallible> {
        Ok(Response::new(Body::from("a list")))
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_only_pings_ends_after_two_minutes_without_a_request() {
        let (mut client, server) = duplex(64);
        let (mut watched, _service) = watched(server, ());
        for _ in 0..5 {
            client.write_all(b"ping").await.unwrap();
            assert_eq!(read(&mut watched, Duration::ZERO).await, Some(4));
            assert_eq!(read(&mut watched, Duration::from_secs(20)).await, None);
        }
        assert_eq!(read(&mut watched, Duration::from_secs(21)).await, Some(0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_ends_though_something_is_there_to_be_read_at_any_time() {
        let (mut client, server) = duplex(64);
        let (mut watched, _service) = watched(server, ());
        client.write_all(&[0; 64]).await.unwrap();
        assert_eq!(read(&mut watched, Duration::ZERO).await, Some(8));
        advance(IDLE).await;
        assert_eq!(read(&mut watched, Duration::ZERO).await, Some(0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_with_a_request_stays_and_counts_from_its_answer() {
        let (_client, server) = duplex(64);
        let slowly = async |()| {
            tokio::time::sleep(10 * IDLE).await;
            answer(()).await
        };
        let (mut watched, mut service) = watched(server, service_fn(slowly));
        let mut answering = Box::pin(service.call(()));
        assert!(timeout(Duration::ZERO, &mut answering).await.is_err());
        assert_eq!(read(&mut watched, 9 * IDLE).await, None);
        drop(answering.await.unwrap());
        assert_eq!(read(&mut watched, IDLE / 2).await, None);
        advance(IDLE / 4).await;
        assert_eq!(read(&mut watched, IDLE).await, Some(0));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_taken_ends_its_connection_whatever_else_is_asked() {
        let (_client, server) = duplex(64);
        let (mut watched, mut service) = watched(server, service_fn(answer));
        let taken = service.call(()).await.unwrap();
        assert_eq!(read(&mut watched, IDLE / 2).await, None);
        let _held = service.call(()).await.unwrap();
        drop(taken);
        for _ in 0..3 {
            assert_eq!(read(&mut watched, IDLE / 4).await, None);
            drop(service.call(()).await.unwrap());
        }
        assert_eq!(read(&mut watched, IDLE / 4).await, Some(0));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_taken_when_its_last_byte_is() {
        for is_held in [false, true] {
            let (_client, server) = duplex(64);
            let (mut watched, mut service) = watched(server, service_fn(answer));
            let mut body = service.call(()).await.unwrap().into_body();
            let frame = pin!(&mut body).frame().await.unwrap().unwrap();
            assert!(body.is_end_stream());
            drop(body);
            let held = is_held.then_some(frame);
            assert_eq!(read(&mut watched, IDLE / 2).await, None);
            drop(service.call(()).await.unwrap());
            let is_over = read(&mut watched, IDLE * 3 / 4).await == Some(0);
            assert_eq!(is_over, is_held);
            drop(held);
        }
    }
}
