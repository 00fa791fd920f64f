#![doc = include_str!("../README.md")]

mod authenticate;
mod bearer;
mod body;
#[cfg(feature = "remote")]
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the key sets that use it come next")
)]
mod clock;
mod cross_site;
mod error;
mod extract;
#[cfg(feature = "remote")]
#[expect(dead_code, reason = "the key sets that use it come next")]
mod fetch;
mod future;
mod guard;
mod keys;
mod layer;
mod protect;
#[cfg(feature = "remote")]
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the key sets that use it come next")
)]
mod refresh;
mod rejection;
mod token;

pub use bearer::{CookieSource, cookie_value, unverified_bearer};
pub use body::ProtectedBody;
pub use cross_site::Origins;
pub use error::Error;
pub use extract::Claims;
#[cfg(feature = "remote")]
pub use fetch::FetchError;
pub use future::ProtectedFuture;
pub use guard::{Guarded, Require, require, require_role, require_scope};
pub use keys::{Keys, SharedKeys};
pub use layer::Protected;
pub use protect::{Protect, ProtectBuilder};
pub use rejection::Rejection;
pub use token::VerifiedToken;

/// The examples of the repository's README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
