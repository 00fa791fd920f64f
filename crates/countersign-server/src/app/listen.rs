//! A listener, whoever it is for: how long the head of a request may take and how long it may be, how many connections there
//! may be, and what they speak.

use std::net::SocketAddr;
use std::time::Duration;

use axum_server::tls_rustls::RustlsAcceptor;
use axum_server::{Handle, Server};
use tokio::net::TcpListener;

use super::connections::Connections;
use super::idle::UntilIdle;
use super::tls::Tls;
use crate::error::Error;

/// How long the head of a request may take, from its first byte or from the opening of its connection.
const HEAD: Duration = Duration::from_secs(5);
/// The longest head of a request, in bytes; what is longer is answered 431.
const HEAD_BYTES: usize = 32 * 1024;
/// The same for HTTP/2, which counts otherwise.
const HEAD_LIST_BYTES: u32 = 32 * 1024;
/// How many requests one HTTP/2 connection may have in flight.
const STREAMS: u32 = 100;
/// How often a silent HTTP/2 connection is asked whether it is still there.
const PING: Duration = Duration::from_secs(20);

/// Binds an address, and says which one that has become.
///
/// # Errors
/// [`Error::Listen`].
pub(crate) async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    let failed = |source| Error::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// Answers on a listener in the clear, with HTTP/1.1, until the handle says that it is over.
pub(crate) fn in_the_clear(
    listener: TcpListener,
    connections: Connections,
    handle: Handle<SocketAddr>,
) -> Server<SocketAddr, Connections> {
    limited(listener, handle).http1_only().acceptor(connections)
}

/// The same over TLS, where whoever can speaks HTTP/2.
pub(super) fn over_tls(
    listener: TcpListener,
    tls: &Tls,
    connections: Connections,
    handle: Handle<SocketAddr>,
) -> Server<SocketAddr, RustlsAcceptor<UntilIdle>> {
    let mut server = limited(listener, handle);
    server
        .http_builder()
        .http2()
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD_LIST_BYTES)
        .keep_alive_interval(PING)
        .keep_alive_timeout(HEAD);
    let acceptor = RustlsAcceptor::new(tls.config())
        .handshake_timeout(HEAD)
        .acceptor(UntilIdle(connections));
    server.acceptor(acceptor)
}

fn limited(listener: TcpListener, handle: Handle<SocketAddr>) -> Server<SocketAddr> {
    let mut server = Server::from_listener(listener)
        .first_request_timeout(HEAD)
        .handle(handle);
    server
        .http_builder()
        .http1()
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES);
    server
}
