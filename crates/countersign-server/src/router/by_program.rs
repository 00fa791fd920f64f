//! What the API changes about accounts, it changes for programs, which hold a token. A browser sends its cookie by itself,
//! also one that was left open: there the pages do the same, and ask for the password again.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use countersign_http::unverified_bearer;

use crate::error::Error;

/// Refuses a request that changes something and whose token came in a cookie. Stands behind what has verified the token.
pub(super) async fn only(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let from_cookie = None;
    match unverified_bearer(&parts, from_cookie) {
        Ok(Some(_)) => next.run(Request::from_parts(parts, body)).await,
        Ok(None) => Error::BearerNeeded.into_response(),
        Err(rejection) => rejection.into_response(),
    }
}
