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
    Ok(match app.store.user_by_id(&token.sub).await? {
        Some(user) => Json(AboutUser {
            message: format!("Welcome, {}", user.email),
            user: user.into(),
        })
        .into_response(),
        None => app.refuse(Rejection::revoked()),
    })
}
