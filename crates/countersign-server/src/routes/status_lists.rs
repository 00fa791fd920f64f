//! `GET /status-lists/{n}`: which tokens were taken back (draft-ietf-oauth-status-list §8).

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::app::App;
use crate::error::Error;
use crate::routes::entity_tag;

const STATUS_LIST: HeaderValue = HeaderValue::from_static("application/statuslist+jwt");
// The list says itself for how long it may be kept; whoever stands between asks each time, which is cheap.
const ASK: HeaderValue = HeaderValue::from_static("public, no-cache");

pub(crate) async fn get(
    State(app): State<App>,
    Path(number): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let number = number
        .parse()
        .ok()
        .filter(|n: &i64| n.to_string() == number);
    let number = number.ok_or(Error::NotFound)?;
    let list = app
        .status_lists
        .list(&app.store, app.ring(), &app.terms.issuer, number, app.now())
        .await?
        .ok_or(Error::NotFound)?;
    let mut response = if entity_tag::is_known(&headers, &list.etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(CONTENT_TYPE, STATUS_LIST)], list.token.clone()).into_response()
    };
    response.headers_mut().insert(CACHE_CONTROL, ASK);
    entity_tag::write(response.headers_mut(), &list.etag);
    Ok(response)
}
