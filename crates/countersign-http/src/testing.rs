//! An issuer for the tests of services: in the test's own process, on a port of this machine alone.
//!
//! It is one that a service meets in earnest, only smaller: discovery, a key set with a key in waiting, a status list, and
//! tokens of every kind that a service has to refuse. No network is needed, no other process, and no waiting: it has a clock
//! of its own, which a test moves.
//!
//! It comes with the feature `testing`, which belongs into the tests alone:
//!
//! ```toml
//! [dev-dependencies]
//! countersign-http = { version = "0.1", features = ["testing"] }
//! ```
//!
//! ```
//! use std::time::Duration;
//!
//! use axum::{Router, body::Body, routing::get};
//! use countersign_http::{Claims, Protect, testing::LocalIssuer};
//! use http::{Request, StatusCode};
//! use tower::ServiceExt;
//!
//! #[derive(serde::Deserialize)]
//! struct Customer { sub: String }
//!
//! fn app(auth: Protect) -> Router {
//!     let hello = |Claims(customer): Claims<Customer>| async move { format!("hello, {}", customer.sub) };
//!     Router::new().route("/hello", get(hello)).layer(auth)
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = LocalIssuer::start()?;
//! let app = app(issuer.protect().audience("orders-api").build()?);
//! let status = async |token: &str| {
//!     let request = Request::get("/hello").header("authorization", format!("Bearer {token}")).body(Body::empty());
//!     app.clone().oneshot(request.unwrap()).await.unwrap().status()
//! };
//!
//! let token = issuer.token("orders-api").subject("ada");
//! assert_eq!(status(&token.valid()?).await, StatusCode::OK);
//! for bad in [
//!     token.expired()?,
//!     token.not_yet_valid()?,
//!     token.forged()?,
//!     token.for_another_audience()?,
//!     token.of_another_type()?,
//!     token.revoked()?,
//! ] {
//!     assert_eq!(status(&bad).await, StatusCode::UNAUTHORIZED);
//! }
//!
//! let token = token.valid()?;
//! issuer.rotate()?;
//! assert_eq!(status(&token).await, StatusCode::OK);
//! issuer.revoke(&token)?;
//! issuer.clock().advance(Duration::from_secs(5));     // for how long a status list may be kept
//! assert_eq!(status(&token).await, StatusCode::UNAUTHORIZED);
//! # Ok(()) }
//! ```

mod clock;
mod serve;
mod state;
mod token;

use std::fmt;
use std::io;
use std::sync::Arc;

use countersign::{Algorithm, Error, JwkSet};

pub use clock::MovedClock;
pub use token::Token;

use crate::protect::{Protect, ProtectBuilder};
use serve::Serving;
use state::State;

/// An issuer in this process; it is gone when it is dropped.
pub struct LocalIssuer {
    state: Arc<State>,
    _serving: Serving,
}

impl LocalIssuer {
    /// Starts one that signs with ES256, at the time that it is now.
    ///
    /// # Errors
    /// Where there is no free port, no thread or no randomness.
    pub fn start() -> io::Result<Self> {
        Self::start_with(Algorithm::ES256)
    }

    /// Starts one that signs with another algorithm. Keys that are secrets are published nowhere: such an issuer's own are
    /// with [`keys`](Self::keys).
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with(algorithm: Algorithm) -> io::Result<Self> {
        let (listener, url) = serve::listen()?;
        let state = Arc::new(State::new(url, algorithm).map_err(io::Error::other)?);
        Ok(Self {
            _serving: Serving::start(listener, Arc::clone(&state))?,
            state,
        })
    }

    /// Its URL, which is the `iss` of its tokens.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.state.url
    }

    /// A protection that trusts this issuer and reads its clock.
    pub fn protect(&self) -> ProtectBuilder {
        let clock = self.clock();
        Protect::issuer(self.url()).clock(move || clock.now())
    }

    /// The time as it sees it; all clones are the same clock.
    #[must_use]
    pub fn clock(&self) -> MovedClock {
        self.state.clock.clone()
    }

    /// The keys that its tokens can be verified with: the one that signs, the one in waiting, and those before.
    #[must_use]
    pub fn keys(&self) -> JwkSet {
        self.state.keys().verifying()
    }

    /// A token of this issuer for `audience`: an access token about `test-user`, for ten minutes, with a place in the status
    /// list.
    #[must_use]
    pub fn token(&self, audience: impl Into<String>) -> Token {
        Token::new(Arc::clone(&self.state), audience.into())
    }

    /// Signs with the key in waiting from now on and publishes another one. Keys before stay published, and their tokens
    /// valid, until [`drop_old_keys`](Self::drop_old_keys).
    ///
    /// # Errors
    /// [`Error::Crypto`] where there is no randomness.
    pub fn rotate(&self) -> Result<(), Error> {
        self.state.keys().rotate()
    }

    /// Publishes the keys before no longer: a service that asks again knows them no more.
    pub fn drop_old_keys(&self) {
        self.state.keys().drop_old();
    }

    /// Takes a token of this issuer back. Whoever holds the status list learns of it when they fetch it again, which is
    /// five seconds later by the clock.
    ///
    /// # Errors
    /// Those of reading it, where the text is no token with a place in a status list.
    pub fn revoke(&self, token: &str) -> Result<(), Error> {
        self.state.revoke(token)
    }

    /// Answers 503 to everybody from now on, until [`come_back`](Self::come_back).
    pub fn go_down(&self) {
        self.state.set_down(true);
    }

    /// Answers again.
    pub fn come_back(&self) {
        self.state.set_down(false);
    }
}

impl fmt::Debug for LocalIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalIssuer")
            .field("url", &self.state.url)
            .finish_non_exhaustive()
    }
}
