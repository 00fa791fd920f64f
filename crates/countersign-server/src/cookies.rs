//! Cookies, those of a session and two of pages: the only place with their names and attributes.
//!
//! Under https the names carry `__Host-`, so that no sibling domain can plant one (RFC 6265bis §4.1.3.2). On plain http,
//! which is for development on the own machine, browsers refuse that prefix, and the names are bare.

use std::sync::LazyLock;

use countersign_http::{Rejection, cookie_value};
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};

use crate::error::Error;
use crate::rules::secret::Secret;

/// How long a browser remembers in which light somebody reads.
const THEME_SECS: i64 = 365 * 24 * 60 * 60;
/// How long a notice waits for the page that tells it.
const NOTICE_SECS: i64 = 60;

/// Which names and attributes this server's cookies have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookies {
    /// https: `__Host-at` and `__Host-rt`, Secure.
    Prefixed,
    /// Plain http: `at` and `rt`.
    Bare,
}

impl Cookies {
    pub(crate) fn of_public_url(url: &str) -> Self {
        if url.starts_with("https://") {
            Self::Prefixed
        } else {
            Self::Bare
        }
    }

    /// The cookie with the access token.
    pub(crate) fn access_name(self) -> &'static str {
        match self {
            Self::Prefixed => "__Host-at",
            Self::Bare => "at",
        }
    }

    /// The cookie with the refresh token.
    pub(crate) fn refresh_name(self) -> &'static str {
        match self {
            Self::Prefixed => "__Host-rt",
            Self::Bare => "rt",
        }
    }

    /// The cookie with the light that somebody reads in.
    pub(crate) fn theme_name(self) -> &'static str {
        match self {
            Self::Prefixed => "__Host-theme",
            Self::Bare => "theme",
        }
    }

    /// The cookie with what the next page tells.
    pub(crate) fn notice_name(self) -> &'static str {
        match self {
            Self::Prefixed => "__Host-notice",
            Self::Bare => "notice",
        }
    }

    /// The refresh token that came with a request.
    ///
    /// # Errors
    /// 400 when two cookies have the name: one of them was planted.
    pub(crate) fn refresh_token(self, headers: &HeaderMap) -> Result<Option<Secret>, Rejection> {
        Ok(cookie_value(headers, self.refresh_name())?.map(|value| Secret::new(value.to_owned())))
    }

    /// Gives both tokens to the browser, for as long as the session lives.
    ///
    /// # Errors
    /// [`Error::Crypto`] never in practice: both values are base64url and dots.
    pub(crate) fn set(
        self,
        headers: &mut HeaderMap,
        access: &Secret,
        refresh: &Secret,
        max_age: i64,
    ) -> Result<(), Error> {
        for (name, value) in [(self.access_name(), access), (self.refresh_name(), refresh)] {
            let text = self.line(name, value.expose(), max_age);
            let mut line = HeaderValue::try_from(text).map_err(|_| Error::Crypto)?;
            line.set_sensitive(true);
            headers.append(SET_COOKIE, line);
        }
        Ok(())
    }

    /// Takes both away.
    pub(crate) fn clear(self, headers: &mut HeaderMap) {
        // Whoever sends what is no token is answered with them as often as they like: they are written once.
        static PREFIXED: LazyLock<[Option<HeaderValue>; 2]> =
            LazyLock::new(|| Cookies::Prefixed.cleared());
        static BARE: LazyLock<[Option<HeaderValue>; 2]> = LazyLock::new(|| Cookies::Bare.cleared());
        let lines = match self {
            Self::Prefixed => &PREFIXED,
            Self::Bare => &BARE,
        };
        for line in lines.iter().flatten() {
            headers.append(SET_COOKIE, line.clone());
        }
    }

    fn cleared(self) -> [Option<HeaderValue>; 2] {
        [self.access_name(), self.refresh_name()]
            .map(|name| HeaderValue::try_from(self.line(name, "", 0)).ok())
    }

    /// Whether an answer gives or takes tokens.
    pub(crate) fn are_in(self, headers: &HeaderMap) -> bool {
        let names = [self.access_name(), self.refresh_name()];
        let mut lines = headers
            .get_all(SET_COOKIE)
            .iter()
            .map(HeaderValue::as_bytes);
        lines.any(|line| {
            let name = line.split(|byte| *byte == b'=').next();
            names.iter().any(|one| Some(one.as_bytes()) == name)
        })
    }

    /// Keeps the light that somebody chose, or forgets it.
    pub(crate) fn set_theme(self, headers: &mut HeaderMap, theme: Option<&'static str>) {
        let secs = theme.map_or(0, |_| THEME_SECS);
        self.add(headers, self.theme_name(), theme.unwrap_or_default(), secs);
    }

    /// Lets the next page tell what was done.
    pub(crate) fn set_notice(self, headers: &mut HeaderMap, notice: &'static str) {
        self.add(headers, self.notice_name(), notice, NOTICE_SECS);
    }

    /// It was told.
    pub(crate) fn clear_notice(self, headers: &mut HeaderMap) {
        self.add(headers, self.notice_name(), "", 0);
    }

    fn add(self, headers: &mut HeaderMap, name: &str, value: &str, max_age: i64) {
        if let Ok(line) = HeaderValue::try_from(self.line(name, value, max_age)) {
            headers.append(SET_COOKIE, line);
        }
    }

    fn line(self, name: &str, value: &str, max_age: i64) -> String {
        let secure = match self {
            Self::Prefixed => " Secure;",
            Self::Bare => "",
        };
        format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly;{secure} SameSite=Lax")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(cookies: Cookies) -> Vec<String> {
        let mut headers = HeaderMap::new();
        cookies
            .set(
                &mut headers,
                &Secret::new("a.b.c".to_owned()),
                &Secret::new("v1.x".to_owned()),
                60,
            )
            .unwrap();
        headers
            .get_all(SET_COOKIE)
            .iter()
            .map(|line| line.to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn https_cookies_are_prefixed_and_secure() {
        assert_eq!(
            Cookies::of_public_url("https://id.example"),
            Cookies::Prefixed
        );
        assert_eq!(
            lines(Cookies::Prefixed),
            [
                "__Host-at=a.b.c; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Lax",
                "__Host-rt=v1.x; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Lax",
            ]
        );
    }

    #[test]
    fn plain_http_cookies_are_bare() {
        assert_eq!(
            Cookies::of_public_url("http://127.0.0.1:8080"),
            Cookies::Bare
        );
        assert_eq!(
            lines(Cookies::Bare)[0],
            "at=a.b.c; Path=/; Max-Age=60; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn clearing_names_both_with_no_time_left() {
        let mut headers = HeaderMap::new();
        Cookies::Prefixed.clear(&mut headers);
        let lines: Vec<_> = headers.get_all(SET_COOKIE).iter().collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(
            lines[1],
            "__Host-rt=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"
        );
    }
}
