//! `PATCH` and `DELETE /admin/v1/users/{id}`: what an administrator changes about an account. Its tokens say so at once.

use axum::Json as Answer;
use axum::extract::State;
use countersign::AccessToken;
use countersign_http::Claims;
use http::StatusCode;
use serde::Deserialize;

use crate::app::App;
use crate::body::{Json, Named};
use crate::error::Error;
use crate::offline::User;
use crate::rules::account::change;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    roles: Option<Vec<String>>,
    disabled: Option<bool>,
}

pub(crate) async fn patch(
    State(app): State<App>,
    Claims(token): Claims<AccessToken>,
    Named(id): Named,
    Json(body): Json<Change>,
) -> Result<Answer<User>, Error> {
    let Change { roles, disabled } = body;
    let change = change::Change { roles, disabled };
    let user = change::change(&app.store, &id, &change, &token.sub, app.now()).await?;
    tracing::info!(user = user.id, by = token.sub, "an account was changed");
    Ok(Answer(user.into()))
}

pub(crate) async fn delete(
    State(app): State<App>,
    Claims(token): Claims<AccessToken>,
    Named(id): Named,
) -> Result<StatusCode, Error> {
    change::delete(&app.store, &id, &token.sub, app.now()).await?;
    tracing::info!(user = id, by = token.sub, "an account was deleted");
    Ok(StatusCode::NO_CONTENT)
}
