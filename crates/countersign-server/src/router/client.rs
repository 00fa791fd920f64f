//! Who sent a request: the address of the connection, or what a proxy of ours says of it.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use http::{HeaderMap, HeaderName};

use crate::rules::proxies::Proxies;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client, where it is known; [`crate::body::Peer`] hands it to routes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client(pub(crate) IpAddr);

/// The address at the other end of the connection.
pub(super) fn peer(request: &Request) -> Option<IpAddr> {
    let connection = request.extensions().get::<ConnectInfo<SocketAddr>>();
    connection.map(|ConnectInfo(address)| address.ip())
}

/// The client of a request that came from `peer`.
pub(super) fn of(headers: &HeaderMap, peer: IpAddr, proxies: &Proxies) -> Client {
    // A line that is not text is no list of addresses: it ends the list like one that is wrong.
    let lines = headers.get_all(FORWARDED_FOR).iter();
    let entries = lines.flat_map(|line| line.to_str().unwrap_or("unreadable").split(','));
    Client(proxies.client(peer, entries))
}
