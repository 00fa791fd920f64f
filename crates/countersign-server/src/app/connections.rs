//! How many connections there may be, in all and from one network, so that nobody holds so many that others find none.
//!
//! What is over is closed at once: to wait would take a place as well. How long a connection may say nothing, and how
//! long a head may be, is set where a listener is made ([`super::listen`]).

use std::collections::HashMap;
use std::future::{Ready, ready};
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum_server::accept::Accept;
use tokio::net::TcpStream;

use super::stream::Connection;
use crate::rules::address;
use crate::rules::proxies::Proxies;
use crate::seldom::Seldom;

const IN_ALL: usize = 1000;
/// Enough for everyone behind one address of an office.
const OF_ONE_NETWORK: usize = 200;
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
    in_all: usize,
    of_one_network: usize,
    proxies: Proxies,
    taken: Mutex<Taken>,
    refused: Seldom,
}

#[derive(Debug, Default)]
struct Taken {
    in_all: usize,
    by_network: HashMap<String, usize>,
}

impl Connections {
    /// As many as this process may have files open, a thousand at most.
    pub(crate) fn of_this_process(proxies: Proxies) -> Self {
        let files = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
        let files = open_files(&files).map_or(IN_ALL, |files| files.saturating_sub(OWN_FILES));
        Self::new(files.clamp(1, IN_ALL), OF_ONE_NETWORK, proxies)
    }

    /// For the figures, which are to be had also when the world has taken every other place.
    pub(super) fn for_figures() -> Self {
        Self::new(OF_FIGURES, OF_FIGURES, Proxies::default())
    }

    fn new(in_all: usize, of_one_network: usize, proxies: Proxies) -> Self {
        Self(Arc::new(Places {
            in_all,
            of_one_network,
            proxies,
            taken: Mutex::default(),
            refused: Seldom::new(SAY_AGAIN),
        }))
    }

    /// A place for a connection from `peer`, until it is dropped; `None` when there is none left.
    fn place(&self, peer: IpAddr) -> Option<Place> {
        // Behind a proxy every client has the proxy's address; the proxy keeps count of them.
        let is_proxy = address::is_internal(peer) || self.0.proxies.contains(peer);
        let network = (!is_proxy).then(|| address::prefix(peer));
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.in_all >= self.0.in_all {
            return None;
        }
        if let Some(network) = &network {
            let of_network = taken.by_network.entry(network.clone()).or_default();
            if *of_network >= self.0.of_one_network {
                return None;
            }
            *of_network = of_network.saturating_add(1);
        }
        taken.in_all = taken.in_all.saturating_add(1);
        Some(Place {
            places: Arc::clone(&self.0),
            network,
        })
    }
}

/// A place that one connection has.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    network: Option<String>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self
            .places
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        taken.in_all = taken.in_all.saturating_sub(1);
        let Some(network) = &self.network else { return };
        if let Some(of_network) = taken.by_network.get_mut(network) {
            *of_network = of_network.saturating_sub(1);
            if *of_network == 0 {
                taken.by_network.remove(network);
            }
        }
    }
}

impl<S> Accept<TcpStream, S> for Connections {
    type Stream = Connection<TcpStream>;
    type Service = S;
    type Future = Ready<io::Result<(Connection<TcpStream>, S)>>;

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
            Ok((connection.at(place), service))
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
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_network_cannot_take_every_place() {
        let connections = Connections::new(10, 2, Proxies::default());
        let held: Vec<_> = ["192.0.2.1", "192.0.2.2"]
            .map(|address| connections.place(ip(address)).unwrap())
            .into();
        assert!(connections.place(ip("192.0.2.3")).is_none());
        assert!(connections.place(ip("198.51.100.1")).is_some());
        drop(held);
        assert!(connections.place(ip("192.0.2.3")).is_some());
        let taken = connections.0.taken.lock().unwrap();
        assert_eq!((taken.in_all, taken.by_network.len()), (0, 0));
    }

    #[test]
    fn a_proxy_is_many_clients() {
        let proxies = Proxies::new(["203.0.113.5".parse().unwrap()]);
        let connections = Connections::new(10, 2, proxies);
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
        assert!(Connections::of_this_process(Proxies::default()).0.in_all <= IN_ALL);
    }

    #[tokio::test]
    async fn a_connection_without_a_place_is_closed_at_once_and_one_with_a_place_gives_it_back() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let connections = Connections::new(1, 1, Proxies::default());
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
}
