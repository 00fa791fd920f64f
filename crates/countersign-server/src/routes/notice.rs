//! What a form has done, told once on the page after it: in a cookie, so that no link can claim it.

use axum::response::{IntoResponse as _, Redirect, Response};
use countersign_http::cookie_value;
use http::HeaderMap;

use crate::cookies::Cookies;

/// What can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    AdministratorMade,
    SignedUp,
    AccountMade,
    LoggedOut,
    PasswordChanged,
    SessionEnded,
    OthersEnded,
    SessionsEnded,
    RolesChanged,
    UserDisabled,
    UserEnabled,
    UserDeleted,
}

impl Notice {
    const ALL: [Self; 12] = [
        Self::AdministratorMade,
        Self::SignedUp,
        Self::AccountMade,
        Self::LoggedOut,
        Self::PasswordChanged,
        Self::SessionEnded,
        Self::OthersEnded,
        Self::SessionsEnded,
        Self::RolesChanged,
        Self::UserDisabled,
        Self::UserEnabled,
        Self::UserDeleted,
    ];

    /// What the cookie of a request says.
    pub(crate) fn of(headers: &HeaderMap, cookies: Cookies) -> Option<Self> {
        let said = cookie_value(headers, cookies.notice_name())
            .ok()
            .flatten()?;
        Self::ALL.into_iter().find(|notice| notice.name() == said)
    }

    /// Leads on to the page that tells it.
    pub(crate) fn on(self, cookies: Cookies, page: &str) -> Response {
        self.beside(HeaderMap::new(), cookies, page)
    }

    /// As [`Notice::on`], beside other cookies.
    pub(crate) fn beside(self, mut headers: HeaderMap, cookies: Cookies, page: &str) -> Response {
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
                "You are the first administrator, and the code is spent. Log in with your address and your password.",
            ),
            Self::SignedUp => ("signed-up", "Your account is made, and you are logged in."),
            Self::AccountMade => ("account-made", "Your account is made. Log in with it."),
            Self::LoggedOut => ("logged-out", "You are logged out."),
            Self::PasswordChanged => (
                "password-changed",
                "Your password is changed, and your other sessions have ended.",
            ),
            Self::SessionEnded => ("session-ended", "The session has ended."),
            Self::OthersEnded => ("others-ended", "The other sessions have ended."),
            Self::SessionsEnded => ("sessions-ended", "The sessions have ended."),
            Self::RolesChanged => ("roles-changed", "The roles are changed."),
            Self::UserDisabled => (
                "user-disabled",
                "The account is disabled, and its sessions have ended.",
            ),
            Self::UserEnabled => ("user-enabled", "The account can be used again."),
            Self::UserDeleted => (
                "user-deleted",
                "The account is deleted, and its sessions have ended.",
            ),
        }
    }
}
