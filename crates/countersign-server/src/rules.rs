//! The decisions: no HTTP type and no SQL in here.

pub(crate) mod account;
pub(crate) mod address;
pub(crate) mod aside;
pub(crate) mod audit;
pub(crate) mod courtesy;
pub(crate) mod demo;
pub(crate) mod device;
pub(crate) mod disk;
pub(crate) mod email;
pub(crate) mod inspect;
pub(crate) mod issue;
pub(crate) mod keys;
pub(crate) mod leap;
pub(crate) mod owner;
pub(crate) mod password;
pub(crate) mod proxies;
pub(crate) mod queue;
pub(crate) mod refresh_token;
pub(crate) mod roles;
pub(crate) mod rotation;
pub(crate) mod seal;
pub(crate) mod secret;
pub(crate) mod session;
pub(crate) mod setup;
pub(crate) mod status;
pub(crate) mod throttle;
