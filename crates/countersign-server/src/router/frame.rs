//! What is around every answer: its request id, the headers that keep a browser careful, the refusal of what another
//! site's page may have started, and the end of a panic. One layer: each that there is costs every request.

use std::any::Any;
use std::convert::Infallible;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use countersign_http::Origins;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue};
use tower_layer::Layer;
use tower_service::Service;
use tracing::Instrument as _;
use uuid::fmt::Hyphenated;

use crate::app::App;
use crate::body;
use crate::cookies::Cookies;
use crate::error::{Damage, Error};
use crate::router::client::{self, Client};
use crate::router::host::Hosts;
use crate::router::request_id;
use crate::routes::refused;
use crate::rules::address;
use crate::rules::proxies::Proxies;
use crate::seldom::Seldom;

/// The longest address of a request, in bytes, as it was sent.
const URI_BYTES: usize = 8 * 1024;
/// Whoever keeps coming past the proxies is told of once in this time.
const WARN_AGAIN: Duration = Duration::from_mins(1);
/// How many are added here at most.
const OWN_HEADERS: usize = 9;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const NOTHING_AT_ALL: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The outermost layer.
#[derive(Clone)]
pub(crate) struct Frame(Arc<Inner>);

/// What the frame needs to know of the server.
struct Inner {
    https: bool,
    proxies: Proxies,
    /// What others send without a proxy of ours may have been read on its way.
    needs_proxy: bool,
    /// By which names it may be asked, where they are known.
    hosts: Option<Hosts>,
    /// Whose pages may change something here.
    origins: Origins,
    cookies: Cookies,
    /// What is to learn of answers that say more than themselves; `None` where there is no database.
    app: Option<App>,
    /// When it was last said that something came past the proxies.
    warned: Seldom,
}

impl Frame {
    /// That of a listener which only this machine reaches, under the one name of these pages.
    pub(crate) fn of_loopback(hosts: Hosts, own: Origins) -> Self {
        Self(Arc::new(Inner {
            https: false,
            proxies: Proxies::default(),
            needs_proxy: false,
            hosts: Some(hosts),
            origins: own,
            cookies: Cookies::Bare,
            app: None,
            warned: Seldom::new(WARN_AGAIN),
        }))
    }

    pub(crate) fn of(app: &App) -> Self {
        Self(Arc::new(Inner {
            https: app.cookies == Cookies::Prefixed,
            proxies: app.proxies.clone(),
            needs_proxy: app.needs_proxy,
            hosts: app.hosts.clone(),
            origins: app.origins.clone(),
            cookies: app.cookies,
            app: Some(app.clone()),
            warned: Seldom::new(WARN_AGAIN),
        }))
    }
}

impl Inner {
    /// The answer to a request that goes no further.
    fn refusal(&self, request: &Request, peer: Option<IpAddr>) -> Option<Response> {
        if let Err(problem) = self.check(request, peer) {
            return Some(problem.into_response());
        }
        // Requests that change something and that another site's page may have started.
        let checked = self.origins.check(request.method(), request.headers());
        let rejection = checked.err()?;
        Some(if request.uri().path().starts_with("/ui/") {
            refused::cross_site(request.headers(), self.cookies)
        } else if self.app.is_some() {
            Error::CrossSite.into_response()
        } else {
            // Where no other origin can be named.
            rejection.into_response()
        })
    }

    /// A broken database is found out by whoever asks for something in it.
    fn learn(&self, response: &Response) {
        if response.status().is_server_error()
            && response.extensions().get::<Damage>().is_some()
            && let Some(app) = &self.app
        {
            app.found_damage();
        }
    }

    /// Refuses what came in the clear from elsewhere, and by a name that is not ours; whoever watches over the server may
    /// still ask how it is.
    fn check(&self, request: &Request, peer: Option<IpAddr>) -> Result<(), Error> {
        if is_too_long(request) {
            return Err(Error::UriTooLong);
        }
        let is_safe = peer
            .is_none_or(|peer| peer.to_canonical().is_loopback() || self.proxies.contains(peer));
        let is_open = matches!(request.uri().path(), "/livez" | "/readyz");
        if self.needs_proxy && !is_safe && !is_open {
            self.warn_of(peer);
            return Err(Error::ProxyNeeded);
        }
        match &self.hosts {
            Some(hosts) if !is_open => hosts.check(request),
            _ => Ok(()),
        }
    }

    /// Counts what came past the proxies and says so, once in a while: it may be a proxy that nobody named.
    fn warn_of(&self, peer: Option<IpAddr>) {
        if let Some(app) = &self.app {
            app.metrics.count_unproxied();
        }
        let Some(peer) = peer else {
            return;
        };
        let Some(unsaid) = self.warned.happened(Instant::now()) else {
            return;
        };
        tracing::warn!(
            peer = %peer.to_canonical(),
            unsaid,
            "a request that came in the clear past the trusted proxies was answered 403 https_required; if this address is your proxy, add it to `--trusted-proxy`"
        );
    }
}

impl<S> Layer<S> for Frame {
    type Service = Framed<S>;

    fn layer(&self, inner: S) -> Framed<S> {
        Framed {
            frame: Arc::clone(&self.0),
            inner,
        }
    }
}

/// What is inside the frame.
#[derive(Clone)]
pub(crate) struct Framed<S> {
    frame: Arc<Inner>,
    inner: S,
}

impl<S> Service<Request> for Framed<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    /// Names the request, has it answered, and completes the headers of the answer.
    fn call(&mut self, mut request: Request) -> Self::Future {
        // Ours, whatever the client sent: nobody else writes into the log.
        let mut id = [0; Hyphenated::LENGTH];
        let id: &str = request_id::next().hyphenated().encode_lower(&mut id);
        let frame = Arc::clone(&self.frame);
        let peer = client::peer(&request);
        let client = peer.map(|peer| client::of(request.headers(), peer, &frame.proxies));
        if let Some(client) = client {
            request.extensions_mut().insert(client);
        }
        DefaultBodyLimit::max(body::MAX_BYTES).apply(&mut request);
        let span = tracing::info_span!(
            "request",
            id,
            method = %request.method(),
            path = path(&request),
            network = client.map(|Client(address)| address::prefix(address)),
        );
        let id = HeaderValue::from_str(id);
        let began = tracing::enabled!(tracing::Level::DEBUG).then(Instant::now);
        let called = match span.in_scope(|| frame.refusal(&request, peer)) {
            Some(refusal) => Err(refusal),
            None => catch_unwind(AssertUnwindSafe(|| self.inner.call(request))).map_err(panicked),
        };
        let answered = async move {
            let mut response = match called {
                Ok(answering) => caught(answering).await,
                Err(response) => response,
            };
            frame.learn(&response);
            complete(response.headers_mut(), frame.https);
            if let Ok(id) = id {
                response.headers_mut().insert(REQUEST_ID, id);
            }
            tracing::debug!(
                status = response.status().as_u16(),
                micros = began.map(|began| began.elapsed().as_micros()),
                "answered"
            );
            Ok(response)
        };
        Box::pin(answered.instrument(span))
    }
}

/// The answer of a service, or that to its panic.
async fn caught(answering: impl Future<Output = Result<Response, Infallible>>) -> Response {
    let mut answering = pin!(answering);
    // Nothing of what panicked is looked at again.
    let answered = std::future::poll_fn(|cx| {
        match catch_unwind(AssertUnwindSafe(|| answering.as_mut().poll(cx))) {
            Ok(polled) => polled,
            Err(panic) => Poll::Ready(Ok(panicked(panic))),
        }
    });
    match answered.await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// The path only: a query may hold what does not belong into a log.
fn path(request: &Request) -> &str {
    if is_too_long(request) {
        "…"
    } else {
        request.uri().path()
    }
}

fn is_too_long(request: &Request) -> bool {
    let query = request.uri().query().unwrap_or_default();
    request.uri().path().len().saturating_add(query.len()) > URI_BYTES
}

fn complete(headers: &mut HeaderMap, https: bool) {
    // Once, and not little by little.
    headers.reserve(OWN_HEADERS);
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
fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
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

    async fn framed<F>(answer: impl FnMut(Request) -> F + Clone) -> Response
    where
        F: Future<Output = Result<Response, Infallible>> + Send + 'static,
    {
        let hosts = Hosts::only(([127, 0, 0, 1], 80).into());
        let own = Origins::new("http://127.0.0.1").unwrap();
        let mut framed = Frame::of_loopback(hosts, own).layer(tower::service_fn(answer));
        let request = Request::get("http://127.0.0.1/").body(axum::body::Body::empty());
        let request = request.unwrap();
        framed.call(request).await.unwrap()
    }

    #[tokio::test]
    async fn a_panic_is_a_framed_problem_without_its_text_whenever_it_comes() {
        let at_once = framed(|_| -> std::future::Ready<_> { panic!("password was hunter2") });
        let later = framed(async |_| {
            tokio::task::yield_now().await;
            panic!("password was hunter2")
        });
        for response in [at_once.await, later.await] {
            assert_eq!(response.status(), 500);
            assert!(response.headers().contains_key(REQUEST_ID));
            assert_eq!(
                response.headers()["content-type"],
                "application/problem+json"
            );
            let body = axum::body::to_bytes(response.into_body(), 1_000)
                .await
                .unwrap();
            assert!(
                !String::from_utf8(body.to_vec())
                    .unwrap()
                    .contains("hunter2")
            );
        }
    }
}
