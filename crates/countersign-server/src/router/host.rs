//! One name only: a page of another site that had its own name point at this machine is refused (DNS rebinding).

use std::net::SocketAddr;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::HOST;

use crate::error::Error;

/// Refuses a request for any other host than the address that was bound.
pub(super) async fn only(State(own): State<SocketAddr>, request: Request, next: Next) -> Response {
    let own = own.to_string();
    let mut hosts = request.headers().get_all(HOST).iter();
    let is_own = hosts
        .next()
        .is_some_and(|host| host.as_bytes() == own.as_bytes());
    // In an address that is whole (RFC 9112 §3.2.2) stands the host that counts.
    let of_address = request.uri().authority();
    let agrees = of_address.is_none_or(|host| host.as_str() == own);
    if is_own && agrees && hosts.next().is_none() {
        next.run(request).await
    } else {
        Error::ForeignHost { own }.into_response()
    }
}
