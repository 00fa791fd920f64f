//! `POST /ui/theme`: light, dark, or what the system says. Kept in a cookie, so that pages need no script for it.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use countersign_http::cookie_value;
use http::HeaderMap;
use serde::Deserialize;

use crate::body::PageForm;
use crate::cookies::Cookies;
use crate::error::Error;
use crate::routes::next::Next;
use crate::routes::shell::Shell;
use crate::routes::trouble;

/// The light that somebody reads in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Theme {
    /// As the system says.
    #[default]
    System,
    Light,
    Dark,
}

/// A choice as the foot of a page offers it.
pub(crate) struct Choice {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) is_chosen: bool,
}

impl Theme {
    const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// What a request's cookie says; anything else is no choice.
    pub(crate) fn of(headers: &HeaderMap, cookies: Cookies) -> Self {
        let chosen = cookie_value(headers, cookies.theme_name()).ok().flatten();
        let mut all = Self::ALL.into_iter();
        all.find(|theme| chosen == Some(theme.name()))
            .unwrap_or_default()
    }

    /// The light that a page must have, whatever the system says.
    pub(crate) fn forced(self) -> Option<&'static str> {
        (self != Self::System).then(|| self.name())
    }

    /// All there are.
    pub(crate) fn choices(self) -> [Choice; 3] {
        Self::ALL.map(|theme| Choice {
            name: theme.name(),
            label: match theme {
                Self::System => "As the system",
                Self::Light => "Light",
                Self::Dark => "Dark",
            },
            is_chosen: theme == self,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Choosing {
    theme: Theme,
    next: String,
}

pub(crate) async fn post(
    State(cookies): State<Cookies>,
    shell: Shell,
    body: Result<PageForm<Choosing>, Error>,
) -> Response {
    let chosen = match body {
        Ok(PageForm(chosen)) => chosen,
        Err(problem) => return trouble::trouble(shell, &problem),
    };
    let mut headers = HeaderMap::new();
    cookies.set_theme(&mut headers, chosen.theme.forced());
    let next = Next::parse(&chosen.next).unwrap_or_else(Next::front);
    (headers, Redirect::to(next.as_str())).into_response()
}
