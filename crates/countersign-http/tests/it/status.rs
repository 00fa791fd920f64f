//! Status lists: who was taken back, how soon that is known, and everything that an issuer can do wrong.

mod believed;
mod faults;
mod health;
mod held;
mod settings;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use countersign::{
    Algorithm, JwkSet, SigningHeader, SigningKey, Status, StatusBits, StatusList, StatusListToken,
    StatusReference,
};
use countersign_http::testing::MovedClock;
use countersign_http::{Health, Protect, ProtectBuilder, StatusLists};
use serde_json::Value;
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::fault_server::{Fault, FaultServer};
use crate::harness::{AUDIENCE, Answer, NOW, app, bearer, claims_of, listens, send, signed};

const LIST: &str = "/status-lists/1";
const TTL: u64 = 5;

/// An issuer with one key and one list, and a service that has the key at hand: nothing but lists is fetched.
struct Scene {
    server: FaultServer,
    key: SigningKey,
    clock: MovedClock,
    auth: Protect,
    app: Router,
    settled: Settled,
}

impl Scene {
    async fn new() -> Self {
        Self::with(|lists| lists).await
    }

    /// With these words about lists.
    async fn with(lists: impl FnOnce(StatusLists) -> StatusLists) -> Self {
        Self::built(|protect| protect.status_lists(lists(StatusLists::new()))).await
    }

    async fn built(build: impl FnOnce(ProtectBuilder) -> ProtectBuilder) -> Self {
        let settled = Settled::watched();
        let server = FaultServer::start().await;
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let clock = MovedClock::at(NOW);
        let reader = clock.clone();
        let protect = Protect::with_keys(&server.url, key.verifying_key())
            .audience(AUDIENCE)
            .realm("orders")
            .clock(move || reader.now());
        let auth = build(protect).build().unwrap();
        let app = app(auth.clone());
        let scene = Self {
            server,
            key,
            clock,
            auth,
            app,
            settled,
        };
        scene.publishes(&scene.claims());
        scene
    }

    fn passes_by(&self, secs: u64) {
        self.clock.advance(Duration::from_secs(secs));
    }

    fn uri(&self) -> String {
        format!("{}{LIST}", self.server.url)
    }

    /// What is right of a list of a hundred tokens, none of them taken back.
    fn claims(&self) -> StatusListToken {
        self.claims_of(&StatusList::new(StatusBits::One, 100).unwrap())
    }

    fn claims_of(&self, list: &StatusList) -> StatusListToken {
        let now = self.clock.now();
        StatusListToken {
            iss: Some(self.server.url.clone()),
            sub: self.uri(),
            iat: now.unix_secs(),
            exp: Some(now.saturating_add(Duration::from_secs(3_600)).unix_secs()),
            ttl: Some(TTL),
            status_list: list.encode(),
        }
    }

    fn publishes(&self, claims: &StatusListToken) {
        self.server
            .answers(LIST, list(claims.sign(&self.key).unwrap()));
    }

    /// A list in which these are taken back.
    fn revokes(&self, indices: &[u64]) {
        let mut list = StatusList::new(StatusBits::One, 100).unwrap();
        for index in indices {
            list.set(*index, Status::INVALID).unwrap();
        }
        self.publishes(&self.claims_of(&list));
    }

    /// A token of now, at this place of the list.
    fn token(&self, index: u64) -> String {
        self.token_with(StatusReference::new(self.uri(), index))
    }

    /// One that names no list.
    fn unlisted(&self) -> String {
        let claims = claims_of(&self.server.url, AUDIENCE)
            .expires_in(self.clock.now(), Duration::from_secs(7_200));
        signed(&self.key, "at+jwt", &claims)
    }

    fn token_with(&self, status: impl Into<Value>) -> String {
        let claims = claims_of(&self.server.url, AUDIENCE)
            .expires_in(self.clock.now(), Duration::from_secs(7_200))
            .claim("status", status)
            .unwrap();
        signed(&self.key, "at+jwt", &claims)
    }

    async fn answer(&self, token: &str) -> Answer {
        send(&self.app, bearer(token)).await
    }

    async fn status(&self, token: &str) -> u16 {
        self.answer(token).await.status
    }

    fn health(&self) -> Health {
        self.auth.health()
    }

    fn asked(&self) -> usize {
        self.server.asked(LIST)
    }

    /// Until the list was asked for so often, and what came of it is held.
    async fn is_asked(&self, times: usize) {
        for _ in 0..2_000 {
            if self.settled.count() >= times {
                assert_eq!(self.asked(), times);
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("it is not asked");
    }
}

/// How many fetches have come to their end, whatever that was: each is one line of the log, written when what it brought
/// is held.
struct Settled {
    events: Arc<AtomicUsize>,
    _watching: DefaultGuard,
}

struct Counting(Arc<AtomicUsize>);

impl<S: Subscriber> Layer<S> for Counting {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let is_of_fetch = event.metadata().target() == "countersign_http::refresh";
        self.0.fetch_add(usize::from(is_of_fetch), Ordering::SeqCst);
    }
}

impl Settled {
    /// Of everything that runs on the thread of this test.
    fn watched() -> Self {
        listens();
        let events = Arc::default();
        let counting = tracing_subscriber::registry().with(Counting(Arc::clone(&events)));
        Self {
            events,
            _watching: counting.set_default(),
        }
    }

    fn count(&self) -> usize {
        self.events.load(Ordering::SeqCst)
    }
}

/// A status list token as its issuer serves it.
fn list(token: String) -> Fault {
    Fault::with("application/statuslist+jwt", token)
}

fn is_revoked(answer: &Answer) {
    answer
        .is_problem(401, "token_revoked", "Invalid token")
        .challenges(
            "Bearer realm=\"orders\", error=\"invalid_token\", error_description=\"the token was revoked\"",
        );
}
