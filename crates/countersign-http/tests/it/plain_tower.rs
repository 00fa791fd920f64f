//! The same layer in front of a tower service that knows nothing of axum.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use countersign_http::{Protect, Rejection, VerifiedToken, require_role};
use http::header::WWW_AUTHENTICATE;
use http::{Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tower::limit::ConcurrencyLimit;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::harness::{bearer, get, good_token, protect};

/// A request body of one's own type; the answer is the token's subject.
async fn subject(request: Request<Vec<u8>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let sub = VerifiedToken::of(request.extensions()).and_then(|token| token.registered().sub());
    Ok(Response::new(Full::from(
        sub.unwrap_or("nobody").to_owned(),
    )))
}

async fn call(auth: Protect, request: http::request::Builder) -> (u16, Option<String>, String) {
    let service = ServiceBuilder::new()
        .layer(auth)
        .service(service_fn(subject));
    let response = service
        .oneshot(request.body(vec![1]).unwrap())
        .await
        .unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let challenge = parts
        .headers
        .get(WWW_AUTHENTICATE)
        .map(|value| value.to_str().unwrap().to_owned());
    (
        parts.status.as_u16(),
        challenge,
        String::from_utf8(body.to_vec()).unwrap(),
    )
}

#[tokio::test]
async fn a_plain_service_finds_the_token_in_the_request() {
    let auth = protect().build().unwrap();
    assert_eq!(
        call(auth.clone(), bearer(&good_token())).await,
        (200, None, "ada".to_owned())
    );
    assert_eq!(
        call(auth.optional(), get()).await,
        (200, None, "nobody".to_owned())
    );
}

#[tokio::test]
async fn a_refusal_of_grpc_ends_with_its_headers_and_a_served_body_knows_its_length() {
    let service = ServiceBuilder::new()
        .layer(protect().build().unwrap())
        .service(service_fn(subject));
    let grpc = get()
        .method("POST")
        .version(http::Version::HTTP_2)
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    for (request, length) in [(grpc, 0), (bearer(&good_token()), 3)] {
        let request = request.body(vec![1]).unwrap();
        let body = service.clone().oneshot(request).await.unwrap().into_body();
        assert_eq!(body.is_end_stream(), length == 0);
        assert_eq!(body.size_hint().exact(), Some(length));
    }
}

#[tokio::test]
async fn a_plain_service_is_closed_the_same_way() {
    let (status, challenge, body) = call(protect().build().unwrap(), get()).await;
    assert_eq!(
        (status, challenge.as_deref()),
        (401, Some("Bearer realm=\"orders\""))
    );
    assert!(body.contains("\"message\":\"No token provided\""), "{body}");
}

#[tokio::test]
async fn a_guard_stands_before_a_plain_service_too() {
    let layers = ServiceBuilder::new()
        .layer(protect().build().unwrap())
        .layer(require_role("admin"));
    let service = layers.service(service_fn(subject));
    let response = service
        .oneshot(bearer(&good_token()).body(Vec::new()).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), 403);
}

#[test]
fn a_rejection_is_a_response_of_any_body_made_of_bytes() {
    let response: Response<Full<Bytes>> = Rejection::no_credential().into_response_of();
    assert_eq!(response.status(), 401);
    // Outside of a layer there is no realm to name.
    assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
}

#[test]
fn a_handlers_own_refusal_speaks_for_the_layer() {
    let auth = protect()
        .invalid_token_status(StatusCode::FORBIDDEN)
        .build()
        .unwrap();
    let response: Response<Bytes> = auth.refuse(Rejection::revoked()).into_response_of();
    assert_eq!(response.status(), 403);
    let challenge = response.headers()[WWW_AUTHENTICATE].to_str().unwrap();
    assert!(
        challenge.starts_with("Bearer realm=\"orders\", error=\"invalid_token\""),
        "{challenge}"
    );
}

/// Panics when it is called without having been polled ready, as tower allows.
#[derive(Default)]
struct Strict {
    ready: bool,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Service<Request<Vec<u8>>> for Strict {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Vec<u8>>) -> Self::Future {
        assert!(
            std::mem::take(&mut self.ready),
            "called before it was ready"
        );
        std::future::ready(Ok(Response::new(Full::default())))
    }
}

/// Or, where there was something to wait for first, one that has become ready since.
#[tokio::test]
async fn the_service_that_was_ready_is_the_one_that_is_called() {
    let plain = protect().build().unwrap();
    let checked = protect().check(|_| async { Ok(()) }).build().unwrap();
    for auth in [plain, checked] {
        let mut service = auth.layer(Strict::default());
        for _ in 0..2 {
            let request = bearer(&good_token()).body(Vec::new()).unwrap();
            let response = service.ready().await.unwrap().call(request).await.unwrap();
            assert_eq!(response.status(), 200);
        }
    }
}

/// Lets in one request at a time: its place is taken when it is ready, and given back when it has answered.
struct OnePlace {
    free: Arc<Semaphore>,
    place: Option<OwnedSemaphorePermit>,
    waiting: Option<Pin<Box<dyn Future<Output = OwnedSemaphorePermit> + Send>>>,
}

impl OnePlace {
    fn of(free: Arc<Semaphore>) -> Self {
        Self {
            free,
            place: None,
            waiting: None,
        }
    }
}

impl Clone for OnePlace {
    fn clone(&self) -> Self {
        Self::of(Arc::clone(&self.free))
    }
}

impl Service<Request<Vec<u8>>> for OnePlace {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        if self.place.is_none() {
            let free = Arc::clone(&self.free);
            let wait = || async { free.acquire_owned().await.unwrap() };
            let waiting = self.waiting.get_or_insert_with(|| Box::pin(wait()));
            self.place = Some(std::task::ready!(waiting.as_mut().poll(cx)));
            self.waiting = None;
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Vec<u8>>) -> Self::Future {
        assert!(self.place.take().is_some(), "called before it was ready");
        std::future::ready(Ok(Response::new(Full::default())))
    }
}

#[tokio::test]
async fn a_request_that_has_not_passed_holds_no_place_of_another() {
    let (asked, open) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let seen = (Arc::clone(&asked), Arc::clone(&open));
    let slow = protect().check(move |_| {
        let (asked, open) = seen.clone();
        async move {
            asked.notify_one();
            open.notified().await;
            Ok(())
        }
    });
    let free = Arc::new(Semaphore::new(1));
    let place = OnePlace::of(Arc::clone(&free));
    let mut slow = slow.build().unwrap().layer(place.clone());
    let mut refused = protect().build().unwrap().layer(place.clone());
    let mut quick = protect().build().unwrap().layer(place);
    let request = || bearer(&good_token()).body(Vec::new()).unwrap();
    // The caller keeps the service, so that whatever it holds is held.
    let waiting = tokio::spawn(slow.ready().await.unwrap().call(request()));
    asked.notified().await;
    assert_eq!(free.available_permits(), 1);
    let nobody = get().body(Vec::new()).unwrap();
    let answer = refused.ready().await.unwrap().call(nobody).await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), free.available_permits()),
        (401, 1)
    );
    let answer = quick.ready().await.unwrap().call(request()).await.unwrap();
    assert_eq!(answer.status(), 200);
    open.notify_one();
    assert_eq!(waiting.await.unwrap().unwrap().status(), 200);
    drop((slow, refused));
}

#[tokio::test]
async fn a_request_that_a_guard_refuses_holds_no_place_of_another() {
    let mut other = ConcurrencyLimit::new(service_fn(subject), 1);
    let layers = ServiceBuilder::new()
        .layer(protect().build().unwrap())
        .layer(require_role("admin"));
    // The caller keeps the service, so that whatever it holds is held.
    let mut guarded = layers.service(other.clone());
    let request = bearer(&good_token()).body(Vec::new()).unwrap();
    let answer = guarded.ready().await.unwrap().call(request).await.unwrap();
    assert_eq!(answer.status(), 403);
    let ready = std::future::poll_fn(|cx| {
        Poll::Ready(Service::<Request<Vec<u8>>>::poll_ready(&mut other, cx))
    });
    assert!(ready.await.is_ready());
    drop(guarded);
}
