//! One service: a route behind one of the ways to check a token, or behind none.

use std::fmt;
use std::io::Write;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use axum::{Extension, Router};
use countersign::SigningKey;
use countersign_http::{Claims, Protect};
use serde::Serialize;

use crate::before::{self, Order};
use crate::signature::Alone;
use crate::tokens::{AUD, Alg, ISS, TOKENS, key, tokens};
use crate::Outcome;

/// How the route is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Row {
    /// Not at all; the token comes all the same, and is not looked at.
    None,
    /// In the handler, the signature and nothing else of the token.
    Signature,
    /// `jsonwebtoken` in a middleware.
    Jsonwebtoken,
    Protect,
    /// `Protect` that remembers verified tokens.
    Cached,
}

impl Row {
    pub const ALL: [Self; 5] = [Self::None, Self::Signature, Self::Jsonwebtoken, Self::Protect, Self::Cached];

    /// For a command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Signature => "signature",
            Self::Jsonwebtoken => "jsonwebtoken",
            Self::Protect => "protect",
            Self::Cached => "cached",
        }
    }
}

impl FromStr for Row {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|row| row.name() == name).ok_or_else(|| format!("no row {name}"))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "no check",
            Self::Signature => "the signature alone",
            Self::Jsonwebtoken => "jsonwebtoken in a middleware",
            Self::Protect => "`Protect`",
            Self::Cached => "`Protect`, cached",
        })
    }
}

/// Serves until it is ended; first it says, a line each, where it is and which tokens it takes.
pub fn serve(row: Row, algorithm: Alg) -> Outcome<()> {
    let key = key(algorithm)?;
    let app = app(row, algorithm, &key)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", listener.local_addr()?)?;
        for token in tokens(&key)? {
            writeln!(out, "{token}")?;
        }
        out.flush()?;
        drop(out);
        Ok(axum::serve(listener, app).await?)
    })
}

/// Calls the route in this process, without a connection: what a profiler should see.
pub fn calls(row: Row, algorithm: Alg, times: usize) -> Outcome<()> {
    use tower::ServiceExt as _;
    let key = key(algorithm)?;
    // As `axum::serve` does it for each connection: else the layers would be put around the handler anew for each request.
    let app = app(row, algorithm, &key)?.with_state::<()>(());
    let tokens = tokens(&key)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let began = std::time::Instant::now();
    for token in tokens.iter().cycle().take(times) {
        let request = axum::http::Request::get("/orders").header("host", "x").header("authorization", format!("Bearer {token}"));
        let response = runtime.block_on(app.clone().oneshot(request.body(axum::body::Body::empty())?))?;
        assert!(response.status().is_success());
    }
    eprintln!("{row} {algorithm}: {:.0} ns", began.elapsed().as_secs_f64() * 1e9 / times as f64);
    Ok(())
}

fn app(row: Row, algorithm: Alg, key: &SigningKey) -> Outcome<Router> {
    let protect = || {
        Protect::with_keys(ISS, key.verifying_key()).audience(AUD).algorithm(algorithm.0).plain_jwt()
    };
    let ours = |Claims(order): Claims<Order>| async move { answer(&order) };
    Ok(match row {
        // The same answer, so that what differs is the check.
        Row::None => {
            let order = Order {
                sub: "0198c0de-7e57-7000-8000-000000000000".to_owned(),
                scope: "openid".to_owned(),
                roles: vec!["user".to_owned()],
            };
            let handler = |State(order): State<Arc<Order>>| async move { answer(&order) };
            Router::new().route("/orders", get(handler)).with_state(Arc::new(order))
        }
        Row::Signature => {
            let alone = Arc::new(Alone::new(algorithm, key)?);
            let handler = |State(alone): State<Arc<Alone>>, headers: HeaderMap| async move {
                if alone.holds(&headers) { Ok(ANSWER) } else { Err(StatusCode::UNAUTHORIZED) }
            };
            Router::new().route("/orders", get(handler)).with_state(alone)
        }
        Row::Jsonwebtoken => Router::new()
            .route("/orders", get(|Extension(order): Extension<Order>| async move { answer(&order) }))
            .layer(axum::middleware::from_fn_with_state(checker(algorithm, key)?, before::check)),
        Row::Protect => Router::new().route("/orders", get(ours)).layer(protect().build()?),
        Row::Cached => {
            // Shards fill unevenly: with room for just as many, some would be forgotten.
            Router::new().route("/orders", get(ours)).layer(protect().cache(4 * TOKENS).build()?)
        }
    })
}

/// As long as the other answers.
const ANSWER: &str = "the orders of 0198c0de-7e57-7000-8000-000000000000";

fn answer(order: &Order) -> String {
    debug_assert!(!order.scope.is_empty() && !order.roles.is_empty());
    format!("the orders of {}", order.sub)
}

fn checker(algorithm: Alg, key: &SigningKey) -> Outcome<Arc<before::Checker>> {
    use countersign::Algorithm as Ours;
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use jsonwebtoken::{Algorithm, DecodingKey};
    let jwk: serde_json::Value = serde_json::from_str(&key.to_jwk().to_json())?;
    let text = |name: &str| jwk[name].as_str().unwrap_or_default().to_owned();
    let (theirs, decoding) = match algorithm.0 {
        Ours::HS256 => (Algorithm::HS256, DecodingKey::from_secret(&URL_SAFE_NO_PAD.decode(text("k"))?)),
        Ours::RS256 => (Algorithm::RS256, DecodingKey::from_rsa_components(&text("n"), &text("e"))?),
        Ours::ES256 => (Algorithm::ES256, DecodingKey::from_ec_components(&text("x"), &text("y"))?),
        Ours::EdDSA => (Algorithm::EdDSA, DecodingKey::from_ed_components(&text("x"))?),
        other => return Err(format!("{other} is not measured").into()),
    };
    Ok(before::Checker::new(decoding, theirs, ISS, AUD))
}
