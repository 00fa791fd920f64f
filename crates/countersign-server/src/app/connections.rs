//! How many connections there may be, in all and from one network, so that nobody holds so many that others find none.
//!
//! Who finds no place is closed at once: to wait would take a place as well. How long a connection may say nothing, and how
//! long a head may be, is set where a listener is made ([`super::listen`]).

use std::future::{Ready, ready};
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;
use std::time::{Duration, Instant};

use axum_server::accept::Accept;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::requests::Counted;
use super::stream::Connection;
use crate::rules::address;
use crate::rules::proxies::Proxies;
use crate::seldom::Seldom;

mod sites;
mod taken;

use taken::{Doing, Holder, Limits, Taken};

const IN_ALL: usize = 1000;
/// Enough for everyone behind one address of an office.
const OF_ONE_NETWORK: usize = 200;
const OF_ONE_SITE: usize = 400;
/// Files that the server itself has open: the database above all, and the connections to its figures.
const OWN_FILES: usize = 64;
/// Whoever reads the figures: a few programs that come every few seconds.
const OF_FIGURES: usize = 16;
/// Whoever finds no place is told of once in this time.
const SAY_AGAIN: Duration = Duration::from_mins(1);

/// The places for connections; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Connections(Arc<Places>);

#[derive(Debug)]
struct Places {
    limits: Limits,
    proxies: Proxies,
    taken: Mutex<Taken>,
    /// Counts what goes over all connections, so that it is known which was silent for longest.
    turn: AtomicU64,
    refused: Seldom,
    ended: Seldom,
}

impl Places {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self) -> u64 {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }
}

impl Connections {
    /// As many as this process may have files open, a thousand at most.
    pub(crate) fn of_this_process(proxies: Proxies) -> Self {
        let files = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
        let files = open_files(&files).map_or(IN_ALL, |files| files.saturating_sub(OWN_FILES));
        let limits = Limits {
            in_all: files.clamp(1, IN_ALL),
            of_one_network: OF_ONE_NETWORK,
            of_one_site: OF_ONE_SITE,
        };
        Self::new(limits, proxies)
    }

    /// For the figures, which are to be had also when the world has taken every other place.
    pub(super) fn for_figures() -> Self {
        let limits = Limits {
            in_all: OF_FIGURES,
            of_one_network: OF_FIGURES,
            of_one_site: OF_FIGURES,
        };
        Self::new(limits, Proxies::default())
    }

    fn new(limits: Limits, proxies: Proxies) -> Self {
        Self(Arc::new(Places {
            limits,
            proxies,
            taken: Mutex::default(),
            turn: AtomicU64::new(0),
            refused: Seldom::new(SAY_AGAIN),
            ended: Seldom::new(SAY_AGAIN),
        }))
    }

    /// A place for a connection from `peer`, until it is dropped; `None` when there is none left.
    fn place(&self, peer: IpAddr) -> Option<Place> {
        // Behind a proxy every client has the proxy's address; the proxy keeps count of them.
        let is_inside = address::is_internal(peer) || self.0.proxies.contains(peer);
        let holder = Holder::of(peer, is_inside);
        let turn = self.0.turn();
        let given = self.0.taken().give(holder, turn, &self.0.limits)?;
        if let Some(network) = given.from
            && let Some(unsaid) = self.0.ended.happened(Instant::now())
        {
            tracing::warn!(
                network,
                unsaid,
                "every place is taken: a connection of the network that holds most has ended for another"
            );
        }
        Some(Place {
            places: Arc::clone(&self.0),
            number: given.number,
            doing: given.doing,
            lost: Some(given.lost),
        })
    }
}

/// A place that one connection has.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    number: u64,
    doing: Arc<Doing>,
    /// `None` once it is another's.
    lost: Option<oneshot::Receiver<()>>,
}

impl Place {
    /// Puts a connection here, whose requests are counted.
    fn hold<T, S>(self, connection: Connection<T>, service: S) -> (Connection<T>, Counted<S>) {
        let service = Counted::new(service, self.doing.requests().clone());
        (connection.at(self), service)
    }

    /// Bytes were read from the client, or taken by it.
    pub(super) fn moved(&self) {
        self.doing.moved(self.places.turn());
    }

    /// Whether what is written is not taken yet.
    pub(super) fn writes(&self, is_writing: bool) {
        self.doing.writes(is_writing);
    }

    /// Whether it has been lost to another; wakes whoever asked when it is. A request that began just when it was lost comes
    /// to its end first.
    pub(super) fn is_lost(&mut self, cx: &mut Context<'_>) -> bool {
        let is_lost = match &mut self.lost {
            Some(lost) => Pin::new(lost).poll(cx).is_ready(),
            None => true,
        };
        if is_lost {
            self.lost = None;
        }
        is_lost && !self.doing.is_busy()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken().give_back(self.number);
    }
}

impl<S> Accept<TcpStream, S> for Connections {
    type Stream = Connection<TcpStream>;
    type Service = Counted<S>;
    type Future = Ready<io::Result<(Connection<TcpStream>, Counted<S>)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let accepted = stream.peer_addr().and_then(|peer| {
            stream.set_nodelay(true)?;
            let place = self.place(peer.ip()).ok_or_else(|| {
                if let Some(unsaid) = self.0.refused.happened(Instant::now()) {
                    tracing::warn!(
                        network = address::prefix(peer.ip()),
                        unsaid,
                        "no place for another connection"
                    );
                }
                io::Error::from(ErrorKind::QuotaExceeded)
            })?;
            // What was not taken would else stay with the kernel, for minutes.
            let connection = Connection::new(stream, |stream| {
                let _ = stream.set_zero_linger();
            });
            Ok(place.hold(connection, service))
        });
        ready(accepted)
    }
}

/// The soft limit of open files, out of what Linux says of a process.
fn open_files(limits: &str) -> Option<usize> {
    let rest = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::Body;
    use http::{HeaderValue, Response};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::net::TcpListener;
    use tokio::time::timeout;
    use tower::service_fn;
    use tower_service::Service;

    use super::*;
    use crate::app::requests::Counting;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn places(in_all: usize, of_one: usize, proxies: Proxies) -> Connections {
        let limits = Limits {
            in_all,
            of_one_network: of_one,
            of_one_site: of_one,
        };
        Connections::new(limits, proxies)
    }

    #[test]
    fn one_network_cannot_take_every_place() {
        let connections = places(10, 2, Proxies::default());
        let held: Vec<_> = ["192.0.2.1", "192.0.2.2"]
            .map(|address| connections.place(ip(address)).unwrap())
            .into();
        assert!(connections.place(ip("192.0.2.3")).is_none());
        assert!(connections.place(ip("198.51.100.1")).is_some());
        drop(held);
        assert!(connections.place(ip("192.0.2.3")).is_some());
        assert!(connections.0.taken().is_empty());
    }

    #[test]
    fn a_proxy_is_many_clients() {
        let proxies = Proxies::new(["203.0.113.5".parse().unwrap()]);
        let connections = places(10, 2, proxies);
        let held: Vec<_> = (0..10)
            .map(|i| {
                let proxy = if i < 5 { "127.0.0.1" } else { "203.0.113.5" };
                connections.place(ip(proxy)).unwrap()
            })
            .collect();
        assert!(connections.place(ip("127.0.0.1")).is_none());
        assert!(connections.place(ip("192.0.2.1")).is_none());
        drop(held);
        assert!(connections.place(ip("192.0.2.1")).is_some());
    }

    #[test]
    fn there_are_fewer_places_than_files() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max open files            256                  524288               files\n";
        assert_eq!(open_files(limits), Some(256));
        assert_eq!(open_files(""), None);
        assert!(
            Connections::of_this_process(Proxies::default())
                .0
                .limits
                .in_all
                <= IN_ALL
        );
    }

    #[tokio::test]
    async fn a_connection_without_a_place_is_closed_at_once_and_one_with_a_place_gives_it_back() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let connections = places(1, 1, Proxies::default());
        let open = async || {
            let (client, server) = tokio::join!(
                TcpStream::connect(listener.local_addr().unwrap()),
                listener.accept()
            );
            (
                client.unwrap(),
                connections.accept(server.unwrap().0, ()).await,
            )
        };
        let (_first, accepted) = open().await;
        let (mut second, refused) = open().await;
        assert!(accepted.is_ok() && refused.is_err());
        // Ends only because the server has closed it.
        assert_eq!(second.read(&mut [0]).await.unwrap_or(0), 0);
        drop(accepted);
        assert!(open().await.1.is_ok());
    }

    type Answered = Result<Response<Body>, Infallible>;

    /// A connection that has a place: its client, the server's side, and who answers.
    fn connect(
        connections: &Connections,
        peer: &str,
    ) -> (
        DuplexStream,
        Connection<DuplexStream>,
        impl Service<(), Response = Response<Counting<Body>>, Error = Infallible, Future: Unpin>,
    ) {
        let (client, server) = duplex(64);
        let answer = |()| ready(Answered::Ok(Response::new(Body::from("an answer"))));
        let place = connections.place(ip(peer)).unwrap();
        let (server, service) = place.hold(Connection::new(server, |_| ()), service_fn(answer));
        (client, server, service)
    }

    #[tokio::test]
    async fn a_connection_whose_place_is_given_to_another_ends() {
        let connections = places(2, 2, Proxies::default());
        let (mut client, mut first, _) = connect(&connections, "192.0.2.1");
        let (mut other, mut second, mut service) = connect(&connections, "192.0.2.2");
        let asked = service.call(());
        // Pings and their like make nobody asked, and the first part of an answer is not all of it.
        second.write_all(b"part").await.unwrap();
        client.write_all(b"ping").await.unwrap();
        let mut buffer = [0; 8];
        assert_eq!(first.read(&mut buffer).await.unwrap(), 4);
        let waiting = first.read(&mut buffer);
        let newcomer = async { connections.place(ip("203.0.113.1")) };
        let (read, newcomer) = tokio::join!(biased; waiting, newcomer);
        assert_eq!(read.unwrap(), 0);
        assert!(newcomer.is_some());
        let answer = asked.await.unwrap();
        second.write_all(b"rest").await.unwrap();
        assert_eq!(other.read(&mut buffer).await.unwrap(), 8);
        drop(answer);
        // Nobody has more than another now.
        assert!(connections.place(ip("203.0.114.1")).is_none());
        drop((first, second));
        assert!(connections.place(ip("203.0.114.1")).is_some());
    }

    #[tokio::test]
    async fn who_comes_new_is_refused_where_every_connection_has_a_request() {
        let connections = places(2, 2, Proxies::default());
        let (mut client, mut first, mut service) = connect(&connections, "192.0.2.1");
        let (_other, mut second, _) = connect(&connections, "192.0.2.2");
        let asked = service.call(());
        // The rest of an answer that nobody takes: for HTTP it is written, as it lies with TLS.
        second.write_all(&[0; 64]).await.unwrap();
        let rest = second.write_all(b"rest");
        assert!(timeout(Duration::ZERO, rest).await.is_err());
        client.write_all(b"ask").await.unwrap();
        assert!(connections.place(ip("203.0.113.1")).is_none());
        assert_eq!(first.read(&mut [0; 8]).await.unwrap(), 3);
        let answer = asked.await.unwrap();
        first.write_all(b"a part").await.unwrap();
        assert!(connections.place(ip("203.0.113.1")).is_none());
        drop(answer);
        assert!(connections.place(ip("203.0.113.1")).is_some());
        assert_eq!(first.read(&mut [0; 8]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_request_that_began_when_its_place_was_lost_comes_to_its_end() {
        let connections = places(2, 2, Proxies::default());
        let (mut client, mut first, mut service) = connect(&connections, "192.0.2.1");
        let _other = connect(&connections, "192.0.2.2");
        let _newcomer = connections.place(ip("203.0.113.1")).unwrap();
        let asked = service.call(());
        client.write_all(b"body").await.unwrap();
        let mut buffer = [0; 8];
        assert_eq!(first.read(&mut buffer).await.unwrap(), 4);
        first.write_all(b"answer").await.unwrap();
        assert_eq!(client.read(&mut buffer).await.unwrap(), 6);
        drop(asked);
        assert_eq!(first.read(&mut buffer).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_lost_place_is_not_kept_by_requests_that_overlap() {
        let connections = places(2, 2, Proxies::default());
        let (mut client, mut first, mut service) = connect(&connections, "192.0.2.1");
        let _other = connect(&connections, "192.0.2.2");
        let _newcomer = connections.place(ip("203.0.113.1")).unwrap();
        let mut status = async || {
            let answer = service.call(()).await.unwrap();
            (answer.status().as_u16(), answer)
        };
        // The one that may have been on its way; what comes behind it is not served, and not waited for.
        let (served, answer) = status().await;
        assert_eq!(served, 200);
        let mut refused = Vec::new();
        for _ in 0..3 {
            let (status, answer) = status().await;
            assert_eq!(
                (status, &answer.headers()["connection"]),
                (503, &HeaderValue::from_static("close"))
            );
            refused.push(answer);
        }
        client.write_all(b"more").await.unwrap();
        assert_eq!(first.read(&mut [0; 8]).await.unwrap(), 4);
        drop(answer);
        assert_eq!(first.read(&mut [0; 8]).await.unwrap(), 0);
    }
}
