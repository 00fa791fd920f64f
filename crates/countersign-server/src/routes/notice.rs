//! What a form has done, told once on the page after it: in a cookie, so that no link can claim it.

use axum::response::{IntoResponse as _, Redirect, Response};
use countersign_http::cookie_value;
use http::HeaderMap;

use crate::cookies::Cookies;

/// What can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    AdministratorMade,
}

impl Notice {
    const ALL: [Self; 1] = [Self::AdministratorMade];

    /// What the cookie of a request says.
    pub(crate) fn of(headers: &HeaderMap, cookies: Cookies) -> Option<Self> {
        let said = cookie_value(headers, cookies.notice_name())
            .ok()
            .flatten()?;
        Self::ALL.into_iter().find(|notice| notice.name() == said)
    }

    /// Leads on to the page that tells it.
    pub(crate) fn on(self, cookies: Cookies, page: &str) -> Response {
        let mut headers = HeaderMap::new();
        cookies.set_notice(&mut headers, self.name());
        (headers, Redirect::to(page)).into_response()
    }

    fn name(self) -> &'static str {
        self.both().0
    }

    pub(crate) fn text(self) -> &'static str {
        self.both().1
    }

    fn both(self) -> (&'static str, &'static str) {
        match self {
            Self::AdministratorMade => (
                "administrator-made",
                "You are the first administrator. The code is spent.",
            ),
        }
    }
}
