//! HTTP only: what a request says, and what it is answered. One file for each thing that can be asked for.

pub(crate) mod assets;
pub(crate) mod audit;
pub(crate) mod discovery;
pub(crate) mod health;
pub(crate) mod home;
pub(crate) mod inspect;
pub(crate) mod jwks;
pub(crate) mod life;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod metrics;
pub(crate) mod pages;
pub(crate) mod password;
pub(crate) mod profile;
pub(crate) mod refresh;
pub(crate) mod refused;
pub(crate) mod sessions;
pub(crate) mod setup;
pub(crate) mod signup;
pub(crate) mod status_lists;
pub(crate) mod theme;
pub(crate) mod trouble;
pub(crate) mod user_changes;
pub(crate) mod users;
pub(crate) mod visitor;

mod entity_tag;
mod form;
mod member;
mod navigation;
mod next;
mod notice;
mod page;
mod shell;
mod tokens;
mod user;
mod when;
