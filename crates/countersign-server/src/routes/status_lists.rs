//! `GET /status-lists/{n}`: which tokens were taken back (draft-ietf-oauth-status-list §8).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::app::App;
use crate::body::Named;
use crate::error::Error;
use crate::routes::entity_tag;

const STATUS_LIST: HeaderValue = HeaderValue::from_static("application/statuslist+jwt");
// The list says itself for how long it may be kept; whoever stands between asks each time, which is cheap.
const ASK: HeaderValue = HeaderValue::from_static("public, no-cache");

const GZIP: HeaderValue = HeaderValue::from_static("gzip");
const BY_CODING: HeaderValue = HeaderValue::from_static("accept-encoding");

pub(crate) async fn get(
    State(app): State<App>,
    Named(number): Named,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let number = number
        .parse()
        .ok()
        .filter(|n: &i64| n.to_string() == number);
    let number = number.ok_or(Error::NotFound)?;
    let list = app.status_list(number).await?.ok_or(Error::NotFound)?;
    let takes_gzip = takes_gzip(&headers);
    let sent = if takes_gzip { &list.gzip } else { &list.plain };
    let mut response = if entity_tag::is_known(&headers, &sent.etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = ([(CONTENT_TYPE, STATUS_LIST)], sent.bytes.clone()).into_response();
        if takes_gzip {
            response.headers_mut().insert(CONTENT_ENCODING, GZIP);
        }
        response
    };
    response.headers_mut().insert(CACHE_CONTROL, ASK);
    response.headers_mut().append(VARY, BY_CODING);
    entity_tag::write(response.headers_mut(), &sent.etag);
    Ok(response)
}

/// Whether gzip is named, and not with a weight of nothing (RFC 9110 §12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| {
        let (coding, weight) = one.split_once(';').unwrap_or((one, ""));
        let weight = weight.trim().to_ascii_lowercase();
        let is_nothing = weight.strip_prefix("q=").is_some_and(|q| {
            q.starts_with('0') && q.bytes().all(|byte| matches!(byte, b'0' | b'.'))
        });
        coding.trim().eq_ignore_ascii_case("gzip") && !is_nothing
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_for_whoever_names_it() {
        for (text, takes) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("deflate, gzip ; q=1.0", true),
            ("gzip;q=0.001", true),
            ("gzip;q=0", false),
            ("gzip; Q=0.000", false),
            ("identity", false),
            ("xgzip", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(text));
            assert_eq!(takes_gzip(&headers), takes, "{text}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
