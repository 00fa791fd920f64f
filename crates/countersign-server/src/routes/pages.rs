//! Pages with forms, one file for each. A form posts to `/ui/…` and is answered with 303, or with the page once more and
//! what was wrong; it goes through the same functions as the API.

pub(crate) mod account;
pub(crate) mod health;
pub(crate) mod keys;
pub(crate) mod log_in;
pub(crate) mod log_out;
pub(crate) mod sign_up;
pub(crate) mod user;
pub(crate) mod user_changes;
pub(crate) mod users;

mod session;

use axum::response::Redirect;
use http::Uri;

use crate::routes::member::page_of;

/// The address of a form is not one to open; its page is.
pub(crate) async fn back(uri: Uri) -> Redirect {
    Redirect::to(&page_of(uri.path()))
}
