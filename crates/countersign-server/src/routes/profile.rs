//! `GET /profile`, also `/me`: who the token is about, as the database knows them now.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use countersign::AccessToken;
use countersign_http::{Claims, Rejection};

use crate::app::App;
use crate::error::Error;
use crate::routes::user::AboutUser;

pub(crate) async fn get(
    State(app): State<App>,
    Claims(token): Claims<AccessToken>,
) -> Result<Response, Error> {
    Ok(match app.behind(&token).await? {
        Some(both) => Json(AboutUser {
            message: format!("Welcome, {}", both.user.email),
            user: both.user.clone().into(),
        })
        .into_response(),
        None => app.refuse(Rejection::revoked()),
    })
}
