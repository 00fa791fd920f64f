//! Every route: the table of contents of the server.

use std::net::SocketAddr;

use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Redirect;
use axum::routing::{delete, get, patch, post};
use axum::{Extension, Router};
use countersign_http::{Origins, Protect, require_role};

use crate::app::App;
use crate::error::Error;
use crate::inspector::{Access, Inspector};
use crate::routes::pages::user_changes as changes;
use crate::routes::pages::{
    account, back, health as health_page, keys, log_in, log_out, sign_up, user, users as users_page,
};
use crate::routes::{
    assets, audit, discovery, health, home, inspect, jwks, life, login, logout, password, profile,
    refresh, sessions, setup, signup, status_lists, theme, trouble, user_changes, users, visitor,
};
use crate::rules::roles::ADMIN;

mod by_program;
mod client;
mod cors;
mod frame;
mod host;
mod operators;
mod request_id;
mod typed;

pub(crate) use client::Client;
use frame::Frame;
pub(crate) use host::Hosts;
pub(crate) use operators::for_operators;

/// The whole server as one service.
///
/// # Errors
/// [`Error::Argument`] when the settings contradict each other.
pub(crate) fn router(app: App) -> Result<Router, Error> {
    let protect = app.protect()?;
    let demo = app.protect_demo()?;
    let for_users = Router::new()
        .route("/profile", get(profile::get))
        .route("/me", get(profile::get))
        .route("/sessions", get(sessions::get))
        .route("/sessions/{id}", delete(sessions::delete))
        .route("/password/change", post(password::change))
        .route_layer(protect.clone());
    let for_administrators = Router::new()
        .route("/admin/v1/users", get(users::get))
        .route(
            "/admin/v1/users/{id}",
            patch(user_changes::patch).delete(user_changes::delete),
        )
        .route("/admin/v1/audit", get(audit::get))
        .route_layer(from_fn(by_program::only))
        .route_layer(require_role(ADMIN))
        .route_layer(protect);
    let api = Router::new()
        // First-party sessions.
        .route("/signup", post(signup::post))
        .route("/login", post(login::post))
        .route("/refresh", post(refresh::post))
        .route("/logout", post(logout::post))
        .merge(for_users)
        .merge(for_administrators)
        .method_not_allowed_fallback(typed::not_allowed);
    // Outside of everything that refuses, so that a page on the list can read why.
    let api = match cors::for_listed(&app.cors_origins) {
        Some(layer) => api.layer(layer),
        None => api,
    };
    let public = Router::new()
        // Keys, what was taken back, and what this server can do.
        .route("/.well-known/jwks.json", get(jwks::get))
        .route("/status-lists/{n}", get(status_lists::get))
        .route("/.well-known/openid-configuration", get(discovery::get))
        .route(
            "/.well-known/oauth-authorization-server",
            get(discovery::get),
        )
        // A module for pages of any origin.
        .route("/assets/js/session.js", get(assets::session))
        .method_not_allowed_fallback(not_allowed)
        .layer(cors::for_public());
    Ok(Router::new()
        .merge(api)
        .merge(public)
        .merge(pages(&app, &demo)?)
        .merge(service_of_demo(demo))
        .merge(assets::own())
        // Operations.
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/version", get(health::version))
        .fallback(trouble::nothing_here)
        .method_not_allowed_fallback(not_allowed)
        .layer(Frame::of(&app))
        .with_state(app))
}

/// Pages, which work without JavaScript, and where their forms go.
fn pages(app: &App, demo: &Protect) -> Result<Router<App>, Error> {
    let pages = Router::new()
        .route("/", get(home::get))
        .route("/setup", get(setup::get).post(setup::post))
        .route("/sign-up", get(sign_up::get))
        .route("/log-in", get(log_in::get))
        .route("/account", get(account::get))
        .route("/admin", get(users_page::first))
        .route("/admin/users", get(users_page::get))
        .route("/admin/users/{id}", get(user::get))
        .route("/admin/keys", get(keys::get))
        .route("/admin/health", get(health_page::get))
        // The life of a token, and what its page asks for.
        .route("/flow", get(life::get))
        .route("/flow/session", post(life::begin))
        .route(
            "/flow/explain",
            post(life::explain).layer(Extension(demo.clone())),
        )
        // Their forms.
        .route("/ui/setup", get(back).post(setup::post_form))
        .route("/ui/sign-up", get(back).post(sign_up::post))
        .route("/ui/log-in", get(back).post(log_in::post))
        .route("/ui/log-out", post(log_out::post))
        .route(
            "/ui/account/password",
            get(back).post(account::change_password),
        )
        .route("/ui/account/session", get(back).post(account::end_one))
        .route("/ui/account/sessions", get(back).post(account::end_many))
        .route(
            "/ui/admin/users/{id}/roles",
            get(back).post(changes::set_roles),
        )
        .route(
            "/ui/admin/users/{id}/disable",
            get(back).post(changes::disable),
        )
        .route(
            "/ui/admin/users/{id}/enable",
            get(back).post(changes::enable),
        )
        .route(
            "/ui/admin/users/{id}/delete",
            get(back).post(changes::delete),
        )
        .route(
            "/ui/admin/users/{id}/sessions",
            get(back).post(changes::end_sessions),
        )
        .route("/ui/theme", post(theme::post));
    let pages = match app.inspector {
        Access::Off => pages,
        _ => pages.merge(inspector(Inspector::of(app))?),
    };
    Ok(pages
        .method_not_allowed_fallback(not_allowed)
        .layer(from_fn_with_state(app.clone(), visitor::around)))
}

/// Tokens taken apart: the page, and what it asks.
fn inspector<S>(inspector: Inspector) -> Result<Router<S>, Error> {
    let own = own_pages(&inspector)?;
    Ok(Router::new()
        .route("/inspect", get(inspect::get))
        .route("/ui/inspect", get(back).post(inspect::post_form))
        .route("/inspect/explain", post(inspect::explain))
        .route("/inspect/experiment", post(inspect::experiment))
        .route("/inspect/sign", post(inspect::sign))
        .route("/inspect/program", post(inspect::program))
        .layer(from_fn_with_state(inspector.clone(), inspect::admit))
        // Not those on the list of `cors_origin`: this answers its own page.
        .layer(from_fn_with_state(own, frame::refuse_other_origins))
        .layer(DefaultBodyLimit::max(inspect::MAX_BYTES))
        .with_state(inspector))
}

/// The origin of the inspector's pages.
fn own_pages(inspector: &Inspector) -> Result<Origins, Error> {
    Origins::new(&inspector.place).map_err(|problem| Error::Argument(problem.to_string()))
}

/// The inspector alone, at an address of this machine and under no other name.
///
/// # Errors
/// [`Error::Argument`] when the place of the inspector is no URL.
pub(crate) fn lone_inspector(alone: Inspector, address: SocketAddr) -> Result<Router, Error> {
    let frame = Frame::of_loopback(Hosts::only(address), own_pages(&alone)?);
    let cookies = Router::new()
        .route("/ui/theme", post(theme::post))
        .with_state(alone.clone());
    Ok(inspector(alone)?
        .merge(cookies)
        .merge(assets::own())
        .route("/", get(async || Redirect::to("/inspect")))
        .fallback(async || Error::NotFound)
        .method_not_allowed_fallback(not_allowed)
        .layer(frame))
}

/// What the tokens of the demonstration open, and nothing else does.
fn service_of_demo(demo: Protect) -> Router<App> {
    Router::new()
        .route("/flow/service", get(life::service))
        .route_layer(demo)
        .method_not_allowed_fallback(not_allowed)
}

async fn not_allowed() -> Error {
    Error::MethodNotAllowed
}
