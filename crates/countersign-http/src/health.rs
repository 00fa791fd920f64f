//! How it stands with the keys: for the health check and the metrics of the service.

use std::time::Duration;

use countersign::JwkSet;
use serde::Serialize;

/// How it stands with each issuer's keys; from [`Protect::health`](crate::Protect::health).
///
/// ```
/// use axum::{Json, Router, http::StatusCode, routing::get};
/// use countersign_http::{Health, Protect};
///
/// # async fn orders() {}
/// # fn app() -> Result<Router, countersign_http::Error> {
/// let auth = Protect::issuer("http://127.0.0.1:8080").audience("orders-api").build()?;
/// let health = auth.clone();
/// let ready = move || async move {
///     let health: Health = health.health();
///     (if health.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(health))
/// };
/// Ok(Router::new().route("/orders", get(orders)).layer(auth).merge(Router::new().route("/readyz", get(ready))))
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Health {
    /// One for each issuer, in the order in which they were named.
    pub issuers: Vec<IssuerHealth>,
}

impl Health {
    /// Whether tokens of every issuer can be verified now.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let mut issuers = self.issuers.iter();
        issuers.all(|issuer| issuer.state != KeysState::Missing && issuer.usable_keys > 0)
    }
}

/// How it stands with the keys of one issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct IssuerHealth {
    /// The issuer, as it was named.
    pub issuer: String,
    /// Whether its keys count.
    pub state: KeysState,
    /// How many keys can be used.
    pub usable_keys: usize,
    /// How many keys of the set cannot: of an unknown kind, too weak, for encryption, or private and published.
    pub unusable_keys: usize,
    /// Since when the set was last known to be right, in whole seconds; `None` for keys that nobody fetches.
    #[serde(rename = "age_secs", serialize_with = "whole_seconds")]
    pub age: Option<Duration>,
    /// The code of the last attempt to fetch them, where it failed: that of a [`FetchError`](crate::FetchError).
    pub last_error: Option<&'static str>,
}

/// Whether keys count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeysState {
    /// They do.
    Fresh,
    /// They do still, while they cannot be fetched again.
    Stale,
    /// There are none: not yet, or no longer.
    Missing,
}

/// What is known of a source of keys.
pub(crate) struct Standing {
    pub(crate) state: KeysState,
    pub(crate) age: Option<Duration>,
    pub(crate) last_error: Option<&'static str>,
}

impl IssuerHealth {
    pub(crate) fn new(issuer: &str, standing: &Standing, keys: Option<&JwkSet>) -> Self {
        Self {
            issuer: issuer.to_owned(),
            state: standing.state,
            usable_keys: keys.map_or(0, |set| set.keys().count()),
            unusable_keys: keys.map_or(0, |set| set.unusable().len()),
            age: standing.age,
            last_error: standing.last_error,
        }
    }
}

fn whole_seconds<S: serde::Serializer>(
    age: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    age.map(|age| age.as_secs()).serialize(serializer)
}
