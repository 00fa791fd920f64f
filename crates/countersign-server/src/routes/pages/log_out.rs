//! `POST /ui/log-out`: the end of this browser's session.

use axum::extract::State;
use axum::response::Response;
use http::request::Parts;

use crate::app::App;
use crate::error::Error;
use crate::routes::notice::Notice;
use crate::routes::shell::Shell;
use crate::routes::{logout, trouble};

pub(crate) async fn post(State(app): State<App>, parts: Parts, shell: Shell) -> Response {
    if logout::of_browser(&app, &parts).await {
        out(&app)
    } else {
        let problem = Error::NotReady("the session could not be ended; try again");
        trouble::trouble(shell, &problem)
    }
}

/// Nobody is logged in with this browser any more.
pub(super) fn out(app: &App) -> Response {
    let mut response = Notice::LoggedOut.on(app.cookies, "/log-in");
    app.cookies.clear(response.headers_mut());
    response
}
