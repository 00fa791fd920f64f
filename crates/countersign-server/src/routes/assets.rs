//! `GET /assets/…`: what pages are made of, out of the binary.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::digest;
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::routes::entity_tag;
use crate::rules::secret;

const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

/// A page and what it is made of come from one binary: a browser asks each time whether it is still the same.
const ASK: HeaderValue = HeaderValue::from_static("no-cache");
/// Pages of others take what they load from here as it was a while ago.
const FOR_A_WHILE: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// A file out of the binary.
struct Asset {
    path: &'static str,
    media_type: &'static str,
    text: &'static str,
}

macro_rules! asset {
    ($path:literal, $media_type:expr) => {
        Asset {
            path: concat!("/assets/", $path),
            media_type: $media_type,
            text: include_str!(concat!("../../assets/", $path)),
        }
    };
}

/// Of this server's own pages.
const OWN: &[Asset] = &[
    asset!("style.css", STYLE),
    asset!("icon.svg", PICTURE),
    asset!("js/theme.js", SCRIPT),
    asset!("inspect.css", STYLE),
    asset!("js/inspect/main.js", SCRIPT),
    asset!("js/inspect/ask.js", SCRIPT),
    asset!("js/inspect/code.js", SCRIPT),
    asset!("js/inspect/compare.js", SCRIPT),
    asset!("js/inspect/decoded.js", SCRIPT),
    asset!("js/inspect/dom.js", SCRIPT),
    asset!("js/inspect/json.js", SCRIPT),
    asset!("js/inspect/ladder.js", SCRIPT),
    asset!("js/inspect/read.js", SCRIPT),
    asset!("js/inspect/time.js", SCRIPT),
    asset!("js/inspect/words.js", SCRIPT),
    asset!("js/inspect/workshop.js", SCRIPT),
    asset!("ladder.css", STYLE),
    asset!("flow.css", STYLE),
    asset!("life-of-a-token.svg", PICTURE),
    asset!("js/flow/main.js", SCRIPT),
    asset!("js/flow/picture.js", SCRIPT),
    asset!("js/flow/send.js", SCRIPT),
    asset!("js/flow/shown.js", SCRIPT),
    asset!("js/flow/story.js", SCRIPT),
    asset!("js/flow/token.js", SCRIPT),
    asset!("js/flow/world.js", SCRIPT),
];

/// What keeps a page logged in, for pages of any origin: docs/BROWSER.md.
const SESSION: Asset = asset!("js/session.js", SCRIPT);

/// The addresses of this server's own assets that begin like this.
pub(super) fn paths_under(folder: &'static str) -> impl Iterator<Item = &'static str> {
    let paths = OWN.iter().map(|asset| asset.path);
    paths.filter(move |path| path.starts_with(folder))
}

/// What this server's own pages are made of.
pub(crate) fn own<S: Clone + Send + Sync + 'static>() -> Router<S> {
    OWN.iter().fold(Router::new(), |router, asset| {
        let etag: Arc<str> = tag(asset.text).into();
        router.route(
            asset.path,
            get(async move |headers: HeaderMap| answer(asset, ASK, &etag, &headers)),
        )
    })
}

/// `GET /assets/js/session.js`.
pub(crate) async fn session(headers: HeaderMap) -> Response {
    static TAG: LazyLock<String> = LazyLock::new(|| tag(SESSION.text));
    answer(&SESSION, FOR_A_WHILE, &TAG, &headers)
}

fn answer(asset: &Asset, cache: HeaderValue, etag: &str, headers: &HeaderMap) -> Response {
    let mut response = if entity_tag::is_known(headers, etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let media_type = HeaderValue::from_static(asset.media_type);
        ([(CONTENT_TYPE, media_type)], asset.text).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, cache);
    entity_tag::write(headers, etag);
    response
}

fn tag(text: &str) -> String {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    format!("\"{}\"", secret::encode(digest.as_ref()))
}
