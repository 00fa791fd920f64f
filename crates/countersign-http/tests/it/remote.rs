//! Keys that are fetched: discovery, rotation, and everything that an issuer can do wrong.

mod discovery;
mod faults;
mod flights;
mod issuers;
mod logged;
mod rotation;
mod tls;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::Router;
use countersign::{Algorithm, ClaimsSet, SigningKey, Timestamp};
use countersign_http::{IssuerHealth, Protect, RemoteKeys};
use serde_json::{Value, json};

use crate::fault_server::{Fault, FaultServer, KEYS, OIDC};
use crate::harness::{AUDIENCE, Answer, NOW, app, bearer, claims_of, send, signed};

/// The time of a service, which a test moves.
#[derive(Clone)]
struct Time(Arc<AtomicI64>);

impl Time {
    fn new() -> Self {
        Self(Arc::new(AtomicI64::new(NOW.unix_secs())))
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix_secs(self.0.load(Ordering::SeqCst))
    }

    fn passes(&self, secs: i64) {
        self.0.fetch_add(secs, Ordering::SeqCst);
    }
}

/// A service that trusts the issuer of a [`FaultServer`], at a time of its own.
struct Service {
    issuer: String,
    auth: Protect,
    app: Router,
    time: Time,
}

impl Service {
    fn of(server: &FaultServer) -> Self {
        Self::with(server, &RemoteKeys::discover(&server.url).unwrap())
    }

    /// One that waits as long as this fault wants it to.
    fn facing(fault: &Fault, server: &FaultServer) -> Self {
        let keys = RemoteKeys::builder();
        let keys = match fault {
            Fault::Never | Fault::Drip(_) => keys.timeout(Duration::from_millis(150)),
            _ => keys,
        };
        Self::with(server, &keys.discover(&server.url).unwrap())
    }

    /// Until its keys are there: on a busy machine a good answer may come too late for one that does not wait long.
    async fn warms_up(&self, key: &SigningKey) {
        for _ in 0..100 {
            if self.status(key).await == 200 {
                return;
            }
            self.time.passes(30);
        }
        panic!("the keys do not come");
    }

    fn with(server: &FaultServer, keys: &RemoteKeys) -> Self {
        let time = Time::new();
        let clock = time.clone();
        let auth = Protect::with_keys(&server.url, keys)
            .audience(AUDIENCE)
            .clock(move || clock.now())
            .build()
            .unwrap();
        Self {
            issuer: server.url.clone(),
            app: app(auth.clone()),
            auth,
            time,
        }
    }

    fn claims(&self) -> ClaimsSet {
        let claims = claims_of(&self.issuer, AUDIENCE);
        claims.expires_in(self.time.now(), Duration::from_secs(600))
    }

    fn token(&self, key: &SigningKey) -> String {
        signed(key, "at+jwt", &self.claims())
    }

    async fn answer(&self, token: &str) -> Answer {
        send(&self.app, bearer(token)).await
    }

    #[track_caller]
    fn passes(&self, key: &SigningKey) -> impl Future<Output = ()> {
        let (app, token) = (self.app.clone(), self.token(key));
        async move { send(&app, bearer(&token)).await.is_ok("in") }
    }

    async fn status(&self, key: &SigningKey) -> u16 {
        self.answer(&self.token(key)).await.status
    }

    fn health(&self) -> IssuerHealth {
        self.auth.health().issuers.remove(0)
    }
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::ES256).unwrap()
}

/// The set that publishes these keys.
fn set(keys: &[&SigningKey]) -> Value {
    let keys: Vec<Value> = keys.iter().map(|key| public(key)).collect();
    json!({ "keys": keys })
}

fn public(key: &SigningKey) -> Value {
    let jwk = key.verifying_key().to_public_jwk().unwrap();
    serde_json::to_value(jwk).unwrap()
}

/// Until `happens`; whatever runs in the background goes on meanwhile.
async fn until(mut happens: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if happens() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it does not happen");
}
