#![doc = include_str!("../README.md")]

mod authenticate;
mod bearer;
#[cfg_attr(
    not(feature = "remote"),
    expect(dead_code, reason = "only what is fetched has an age")
)]
mod clock;
mod cross_site;
mod error;
mod expected;
mod explain;
mod extract;
#[cfg(feature = "remote")]
mod fetch;
mod front;
mod future;
mod guard;
mod health;
mod issuer;
#[cfg(feature = "remote")]
mod jwks;
mod keys;
mod layer;
mod outcomes;
mod protect;
#[cfg(feature = "remote")]
mod refresh;
mod rejection;
mod replay;
mod shown;
#[cfg(feature = "remote")]
mod status;
#[cfg(feature = "testing")]
pub mod testing;
mod token;
mod verify;

pub use bearer::{CookieSource, RequestHead, cookie_value, unverified_bearer};
pub use cross_site::Origins;
pub use error::Error;
pub use extract::Claims;
#[cfg(feature = "remote")]
pub use fetch::FetchError;
pub use future::ProtectedFuture;
pub use guard::{Guarded, Require, require, require_role, require_scope};
pub use health::{Health, IssuerHealth, KeysState, ListsHealth, ListsState};
pub use issuer::Issuer;
#[cfg(feature = "remote")]
pub use jwks::{RemoteKeys, RemoteKeysBuilder};
pub use keys::{Keys, SharedKeys};
pub use layer::Protected;
pub use protect::{Protect, ProtectBuilder};
pub use rejection::Rejection;
pub use replay::SingleUse;
#[cfg(feature = "remote")]
pub use status::StatusLists;
pub use token::VerifiedToken;

/// The examples of the repository's README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// The recipes for services, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/SERVICES.md")]
struct Services;
