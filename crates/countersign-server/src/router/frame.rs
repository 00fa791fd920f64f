//! What is around every answer: its request id, the headers that keep a browser careful, and the end of a panic.

use std::any::Any;
use std::net::IpAddr;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use countersign_http::Origins;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue};
use tracing::Instrument as _;
use uuid::Uuid;

use crate::app::App;
use crate::cookies::Cookies;
use crate::error::Error;
use crate::router::client::{self, Client};
use crate::routes::refused;
use crate::rules::address;
use crate::rules::proxies::Proxies;

/// The longest address of a request, in bytes, as it was sent.
const URI_BYTES: usize = 8 * 1024;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const NOTHING_AT_ALL: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// What the frame needs to know of the server.
#[derive(Clone)]
pub(crate) struct Frame {
    https: bool,
    proxies: Proxies,
    /// What others send without a proxy of ours may have been read on its way.
    needs_proxy: bool,
}

impl Frame {
    /// Refuses what came in the clear from elsewhere; whoever watches over the server may still ask how it is.
    fn check(&self, request: &Request, peer: Option<IpAddr>) -> Result<(), Error> {
        if is_too_long(request) {
            return Err(Error::UriTooLong);
        }
        let is_safe = peer
            .is_none_or(|peer| peer.to_canonical().is_loopback() || self.proxies.contains(peer));
        let is_open = matches!(request.uri().path(), "/livez" | "/readyz");
        if self.needs_proxy && !is_safe && !is_open {
            return Err(Error::ProxyNeeded);
        }
        Ok(())
    }

    /// That of a listener which only this machine reaches.
    pub(crate) fn of_loopback() -> Self {
        Self {
            https: false,
            proxies: Proxies::default(),
            needs_proxy: false,
        }
    }

    pub(crate) fn of(app: &App) -> Self {
        Self {
            https: app.cookies == Cookies::Prefixed,
            proxies: app.proxies.clone(),
            needs_proxy: app.needs_proxy,
        }
    }
}

/// Names the request, answers it, and completes the headers of the answer.
pub(crate) async fn around(
    State(frame): State<Frame>,
    mut request: Request,
    next: Next,
) -> Response {
    // Ours, whatever the client sent: nobody else writes into the log.
    let id = Uuid::new_v4().to_string();
    let peer = client::peer(&request);
    let checked = frame.check(&request, peer);
    let client = peer.map(|peer| client::of(request.headers(), peer, &frame.proxies));
    if let Some(client) = client {
        request.extensions_mut().insert(client);
    }
    // The path only: a query may hold what does not belong into a log.
    let path = if is_too_long(&request) {
        "…"
    } else {
        request.uri().path()
    };
    let network = client.map(|Client(address)| address::prefix(address));
    let span = tracing::info_span!("request", id, method = %request.method(), path, network);
    let began = Instant::now();
    let mut response = match checked {
        Ok(()) => next.run(request).instrument(span.clone()).await,
        Err(problem) => problem.into_response(),
    };
    complete(response.headers_mut(), frame.https);
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    span.in_scope(|| {
        tracing::debug!(
            status = response.status().as_u16(),
            micros = began.elapsed().as_micros(),
            "answered"
        )
    });
    response
}

fn is_too_long(request: &Request) -> bool {
    let query = request.uri().query().unwrap_or_default();
    request.uri().path().len().saturating_add(query.len()) > URI_BYTES
}

fn complete(headers: &mut HeaderMap, https: bool) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    // No page of another origin shares a window or a process with what is here.
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    headers
        .entry(CONTENT_SECURITY_POLICY)
        .or_insert(NOTHING_AT_ALL);
    // What may be stored says so; everything else may hold a token or a credential.
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    if https {
        headers.insert(
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
}

/// Refuses requests that change something and that another site's page may have started.
pub(crate) async fn refuse_cross_site(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Response {
    match app.origins.check(request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(_) if request.uri().path().starts_with("/ui/") => {
            refused::cross_site(request.headers(), app.cookies)
        }
        Err(rejection) => rejection.into_response(),
    }
}

/// Refuses requests that pages of other origins may have started, also those that may call the rest of the server.
pub(crate) async fn refuse_other_origins(
    State(own): State<Origins>,
    request: Request,
    next: Next,
) -> Response {
    match own.check(request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(rejection) => rejection.into_response(),
    }
}

/// The answer after a panic, whose text is for the log alone.
pub(crate) fn panicked(panic: Box<dyn Any + Send + 'static>) -> http::Response<Body> {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(
        panic = text.unwrap_or("without a text"),
        "a handler panicked"
    );
    Error::Panic.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(https: bool) -> HeaderMap {
        let mut headers = HeaderMap::new();
        complete(&mut headers, https);
        headers
    }

    #[test]
    fn hsts_is_for_https_alone() {
        assert!(headers(true).contains_key(STRICT_TRANSPORT_SECURITY));
        assert!(!headers(false).contains_key(STRICT_TRANSPORT_SECURITY));
    }

    #[test]
    fn a_panic_is_a_problem_without_its_text() {
        let response = panicked(Box::new("password was hunter2"));
        assert_eq!(response.status(), 500);
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
    }
}
