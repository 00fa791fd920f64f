//! The issuer's small web server, on a thread of its own, so that no runtime of the test has to turn for it.

use std::future::IntoFuture;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::thread;

use axum::extract::{Request, State as Shared};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use tokio::sync::oneshot;

use super::state::{State, Which};

/// A port that the system picks, and the URL that leads there.
pub(super) fn listen() -> io::Result<(TcpListener, String)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let url = format!("http://{}", listener.local_addr()?);
    Ok((listener, url))
}

/// The server while it runs; it stops when this is dropped.
pub(super) struct Serving {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Serving {
    pub(super) fn start(listener: TcpListener, state: Arc<State>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("local-issuer".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
                        return;
                    };
                    tokio::spawn(axum::serve(listener, router(state)).into_future());
                    // Whether a word comes or the issuer is gone, it is over.
                    let _ = stopped.await;
                });
            })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that has panicked is over as well.
            let _ = thread.join();
        }
    }
}

fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/.well-known/openid-configuration", get(metadata))
        .route("/.well-known/oauth-authorization-server", get(metadata))
        .route("/.well-known/jwks.json", get(jwks))
        .route(Which::Changing.path(), get(status_list))
        .route(Which::TakenBack.path(), get(taken_back))
        .layer(middleware::from_fn(up))
        .layer(Extension(Arc::clone(&state)))
        .with_state(state)
}

/// Nobody is answered while the issuer is down.
async fn up(Extension(state): Extension<Arc<State>>, request: Request, next: Next) -> Response {
    if state.is_down() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    next.run(request).await
}

async fn metadata(Shared(state): Shared<Arc<State>>) -> Response {
    ([(CONTENT_TYPE, "application/json")], state.metadata()).into_response()
}

async fn jwks(Shared(state): Shared<Arc<State>>) -> Response {
    let set = state.keys().verifying().to_public_json();
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "max-age=300"),
    ];
    (headers, set).into_response()
}

async fn status_list(Shared(state): Shared<Arc<State>>, headers: HeaderMap) -> Response {
    published(&state, Which::Changing, &headers)
}

async fn taken_back(Shared(state): Shared<Arc<State>>, headers: HeaderMap) -> Response {
    published(&state, Which::TakenBack, &headers)
}

fn published(state: &State, list: Which, headers: &HeaderMap) -> Response {
    let Ok((token, etag)) = state.status_list(list) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if headers
        .get(IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == etag.as_bytes())
    {
        return (StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response();
    }
    let headers = [
        (CONTENT_TYPE, "application/statuslist+jwt".to_owned()),
        (ETAG, etag),
    ];
    (headers, token).into_response()
}
