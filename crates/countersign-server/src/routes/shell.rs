//! What is around the main part of every page: where one can go from here, in which light, and what was just done.

use std::convert::Infallible;

use axum::extract::{FromRef, FromRequestParts};
use http::HeaderMap;
use http::request::Parts;

use crate::VERSION;
use crate::cookies::Cookies;
use crate::routes::member::page_of;
use crate::routes::navigation::{self, Doors, Entry, Reader};
use crate::routes::notice::Notice;
use crate::routes::theme::Theme;
use crate::routes::visitor::Visitor;

/// The field `shell` of every page's template.
#[derive(Default)]
pub(crate) struct Shell {
    pub(crate) theme: Theme,
    /// Path and query of the page.
    pub(crate) here: String,
    pub(crate) groups: Vec<Vec<Entry>>,
    pub(crate) is_signed_in: bool,
    /// What the form before this page has done.
    pub(crate) notice: Option<&'static str>,
}

impl Shell {
    /// Around a page of a server or of a part of it; where nobody can be signed in, it leads nowhere else.
    pub(crate) fn of(headers: &HeaderMap, cookies: Cookies, here: &str) -> Self {
        Self {
            theme: Theme::of(headers, cookies),
            here: here.to_owned(),
            groups: Vec::new(),
            is_signed_in: false,
            notice: None,
        }
    }

    fn led_by(mut self, reader: Reader, doors: Doors) -> Self {
        self.groups = navigation::entries(reader, &self.here, doors);
        self.is_signed_in = reader != Reader::Guest;
        self
    }

    pub(crate) fn version(&self) -> &'static str {
        VERSION
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Shell
where
    Cookies: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let cookies = Cookies::from_ref(state);
        let address = parts.uri.path_and_query();
        let here = address.map_or("/", |address| address.as_str());
        let shell = if here.starts_with("/ui/") {
            // A form that is shown again stands on the page that it was sent from.
            Self::of(&parts.headers, cookies, &page_of(parts.uri.path()))
        } else {
            Self::of(&parts.headers, cookies, here)
        };
        let extensions = &parts.extensions;
        let (Some(visitor), Some(doors)) = (extensions.get::<Visitor>(), extensions.get::<Doors>())
        else {
            return Ok(shell);
        };
        let notice = Notice::of(&parts.headers, cookies).map(Notice::text);
        Ok(Self {
            notice,
            ..shell.led_by(visitor.reader(), *doors)
        })
    }
}
