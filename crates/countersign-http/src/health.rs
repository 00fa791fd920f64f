//! How it stands with keys and status lists: for the health check and the metrics of the service.

use std::time::Duration;

use countersign::JwkSet;
use serde::Serialize;

/// How it stands with each issuer's keys and status lists; from [`Protect::health`](crate::Protect::health).
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
    /// Whether tokens of every issuer can be verified now, and looked up in the status lists that they name.
    ///
    /// One of several issuers that is down makes this false, and a load balancer that asks for it then sends nobody to any
    /// replica, those with tokens of the other issuers neither: see [`is_any_ready`](Self::is_any_ready).
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.issuers.iter().all(IssuerHealth::is_ready)
    }

    /// Whether tokens of one issuer at least can be verified now, and looked up in the status lists that they name: with
    /// several issuers, what says whether it makes sense to send anybody here.
    #[must_use]
    pub fn is_any_ready(&self) -> bool {
        self.issuers.iter().any(IssuerHealth::is_ready)
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
    /// What is wrong, in words: why that attempt failed, or why no key of the set can be used. It may
    /// hold URLs of the issuer, and is for whoever runs the service.
    pub detail: Option<String>,
    /// How it stands with its status lists; `None` where none are looked at.
    pub status: Option<ListsHealth>,
}

impl IssuerHealth {
    /// Whether tokens of this issuer can be verified now, and looked up in the status lists that they name.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let lists = self.status.as_ref().map(|lists| lists.state);
        self.state != KeysState::Missing
            && self.usable_keys > 0
            && lists != Some(ListsState::Missing)
    }
}

/// How it stands with the status lists of one issuer: those that tokens have named within the last hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ListsHealth {
    /// Whether they count: of several, that of the worst.
    pub state: ListsState,
    /// Since when the oldest of them was last known to be right, in whole seconds; those left out that are
    /// [unused](ListsState::Unused). `None` where there is no other.
    #[serde(rename = "age_secs", serialize_with = "whole_seconds")]
    pub age: Option<Duration>,
    /// The code of the last attempt to fetch one, where it failed: that of a [`FetchError`](crate::FetchError).
    pub last_error: Option<&'static str>,
}

/// Whether status lists count, from well to ill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ListsState {
    /// No token has named one lately, or none since it ended: the next one has it fetched.
    Unused,
    /// They do.
    Fresh,
    /// They do still, while one cannot be fetched again.
    Stale,
    /// One cannot be had, and tokens that name it pass, as the service wants it (`StatusLists::fail_open`).
    Open,
    /// One cannot be had: tokens that name it are refused with 503.
    Missing,
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
    /// There are none: not yet, no longer, or none that can be used.
    Missing,
}

/// What is known of a source of keys.
pub(crate) struct Standing {
    pub(crate) state: KeysState,
    pub(crate) age: Option<Duration>,
    pub(crate) last_error: Option<&'static str>,
    pub(crate) detail: Option<String>,
}

impl Standing {
    /// Of keys that nobody fetches.
    pub(crate) fn at_hand() -> Self {
        Self {
            state: KeysState::Fresh,
            age: None,
            last_error: None,
            detail: None,
        }
    }
}

impl IssuerHealth {
    /// `keys` are those that are held, also where none of them can be used.
    pub(crate) fn new(issuer: &str, standing: Standing, keys: Option<&JwkSet>) -> Self {
        let usable_keys = keys.map_or(0, |set| set.keys().count());
        Self {
            issuer: issuer.to_owned(),
            state: match usable_keys {
                0 => KeysState::Missing,
                _ => standing.state,
            },
            usable_keys,
            unusable_keys: keys.map_or(0, |set| set.unusable().len()),
            age: standing.age,
            last_error: standing.last_error,
            detail: standing.detail,
            status: None,
        }
    }
}

fn whole_seconds<S: serde::Serializer>(
    age: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    age.map(|age| age.as_secs()).serialize(serializer)
}
