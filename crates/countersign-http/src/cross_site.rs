//! May a request that carries cookies change something? The one cross-site rule.
//!
//! A browser attaches cookies to a request whichever page started it, so a cookie alone never proves
//! that this site's own page did. `Sec-Fetch-Site` (Fetch Metadata) and `Origin` (RFC 6454 §7) say where
//! the request came from, and a page cannot forge either.

use std::sync::Arc;

use http::header::{COOKIE, HeaderName, ORIGIN, UPGRADE};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, Method, Uri};

use crate::error::Error;
use crate::rejection::Rejection;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The origins whose pages may send requests that change something: the public URL's own, and a list.
///
/// Cheap to clone.
///
/// ```
/// use countersign_http::Origins;
/// use http::{HeaderMap, Method};
///
/// let origins = Origins::new("https://shop.example/start")?.and("https://admin.shop.example")?;
/// let mut headers = HeaderMap::new();
/// headers.insert("cookie", "at=…".parse()?);
/// headers.insert("origin", "https://evil.example".parse()?);
/// assert!(origins.check(&Method::POST, &headers).is_err());
/// headers.insert("origin", "https://shop.example".parse()?);
/// assert!(origins.check(&Method::POST, &headers).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Origins(Arc<[String]>);

impl Origins {
    /// The origin of `url` (its scheme, host and port), usually the service's public URL. Its path is not looked at, because
    /// an origin has none (RFC 6454 §4): `https://shop.example/app` stands for every page of `https://shop.example`, and what
    /// others put on that host may send requests too.
    ///
    /// # Errors
    /// [`Error::OriginInvalid`] when `url` is not an http or https URL with a host and without a user name.
    pub fn new(url: &str) -> Result<Self, Error> {
        Ok(Self(Arc::from([origin_of(url)?])))
    }

    /// One more origin, that of `url`.
    ///
    /// # Errors
    /// As [`Origins::new`].
    pub fn and(self, url: &str) -> Result<Self, Error> {
        let one_more = origin_of(url)?;
        Ok(Self(self.0.iter().cloned().chain([one_more]).collect()))
    }

    /// Whether `origin`, as a browser writes it, is one of these.
    #[must_use]
    pub fn contains(&self, origin: &str) -> bool {
        self.0.iter().any(|allowed| allowed == origin)
    }

    /// Refuses a request that changes something unless it comes from one of these origins.
    ///
    /// `GET`, `HEAD`, `OPTIONS` and `TRACE` pass, except when they ask to become a WebSocket: through
    /// that, anything may change. Any other request passes with `Sec-Fetch-Site: same-origin` or `none`, else with
    /// an `Origin` of these, else only when it has neither header and no cookie (a program, not a page).
    ///
    /// # Errors
    /// [`Rejection::cross_site`], status 403, code `cross_site`.
    pub fn check(&self, method: &Method, headers: &HeaderMap) -> Result<(), Rejection> {
        if method.is_safe() && !asks_for_websocket(headers) {
            return Ok(());
        }
        let site = Sent::of(headers, &SEC_FETCH_SITE);
        if matches!(site, Sent::Once("same-origin" | "none")) {
            return Ok(());
        }
        match (site, Sent::of(headers, &ORIGIN)) {
            (_, Sent::Once(origin)) if self.contains(origin) => Ok(()),
            (Sent::Not, Sent::Not) if !headers.contains_key(COOKIE) => Ok(()),
            _ => Err(Rejection::cross_site()),
        }
    }
}

/// A header that is to be sent at most once.
enum Sent<'h> {
    Not,
    Once(&'h str),
    Unreadable,
}

impl<'h> Sent<'h> {
    fn of(headers: &'h HeaderMap, name: &HeaderName) -> Self {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Self::Not,
            (Some(value), None) => value.to_str().map_or(Self::Unreadable, Self::Once),
            (Some(_), Some(_)) => Self::Unreadable,
        }
    }
}

/// RFC 6455 §4.1: a page of any site may open a WebSocket to this one, and its cookies come along.
fn asks_for_websocket(headers: &HeaderMap) -> bool {
    let mut protocols = headers
        .get_all(UPGRADE)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    protocols.any(|protocol| protocol.trim_ascii().eq_ignore_ascii_case(b"websocket"))
}

/// The origin as a browser writes it (RFC 6454 §6.2): lower case, without the scheme's own port.
fn origin_of(url: &str) -> Result<String, Error> {
    let uri: Uri = url.parse().map_err(|_| Error::OriginInvalid)?;
    let own_port = match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => 443,
        Some(scheme) if *scheme == Scheme::HTTP => 80,
        _ => return Err(Error::OriginInvalid),
    };
    let authority = uri.authority().ok_or(Error::OriginInvalid)?;
    if authority.host().is_empty() || authority.as_str().contains('@') {
        return Err(Error::OriginInvalid);
    }
    let scheme = if own_port == 443 { "https" } else { "http" };
    let host = authority.host().to_ascii_lowercase();
    Ok(match port_of(authority)? {
        Some(port) if port != own_port => format!("{scheme}://{host}:{port}"),
        _ => format!("{scheme}://{host}"),
    })
}

fn port_of(authority: &Authority) -> Result<Option<u16>, Error> {
    match authority.as_str().strip_prefix(authority.host()) {
        Some("") => Ok(None),
        _ => authority.port_u16().map(Some).ok_or(Error::OriginInvalid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_a_browser_writes_it() {
        for (url, origin) in [
            ("https://ID.example/auth?x", "https://id.example"),
            ("https://id.example:443", "https://id.example"),
            ("http://id.example:80/", "http://id.example"),
            ("https://id.example:80", "https://id.example:80"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:8080/", "http://[::1]:8080"),
        ] {
            assert_eq!(origin_of(url).as_deref(), Ok(origin), "{url}");
        }
    }

    #[test]
    fn a_path_makes_no_smaller_origin() {
        let origins = Origins::new("https://shop.example/app").unwrap();
        assert!(origins.contains("https://shop.example"));
        assert!(!origins.contains("https://shop.example/app"));
    }

    #[test]
    fn refuses_a_url_without_an_origin() {
        for url in [
            "",
            "id.example",
            "/path",
            "null",
            "ftp://id.example",
            "https://ada@id.example",
            "https://id.example:99999",
            "https://id.example:",
            "data:text/html,x",
        ] {
            assert_eq!(origin_of(url), Err(Error::OriginInvalid), "{url}");
        }
    }

    #[test]
    fn a_null_origin_and_a_longer_name_are_not_on_the_list() {
        let origins = Origins::new("https://id.example").unwrap();
        for origin in [
            "null",
            "",
            "https://id.example.evil",
            "https://id.example/",
            "http://id.example",
        ] {
            assert!(!origins.contains(origin), "{origin}");
        }
        assert!(origins.contains("https://id.example"));
    }
}
