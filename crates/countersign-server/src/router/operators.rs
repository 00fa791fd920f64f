//! What the operator's own tools ask for, behind a listener of its own.

use axum::Router;
use axum::routing::get;

use crate::app::App;
use crate::error::Error;
use crate::routes::metrics;

/// `/metrics`, and nothing else.
pub(crate) fn for_operators(app: App) -> Router {
    Router::new()
        .route("/metrics", get(metrics::get))
        .fallback(async || Error::NotFound)
        .with_state(app)
}
