//! One cookie, by name, exactly once (RFC 6265 §5.4), and the origins that may send it with a change.

use http::HeaderMap;
use http::header::COOKIE;

use super::{BearerError, is_token_byte};
use crate::cross_site::Origins;
use crate::error::Error;
use crate::rejection::Rejection;

/// A named cookie as the place of the token, for services that a browser calls.
///
/// A browser sends cookies by itself, so a request that changes something must also come from one of the
/// `origins`: see [`Origins::check`].
///
/// ```
/// use countersign_http::{CookieSource, Origins};
/// # let _ =
/// CookieSource::named("__Host-at", Origins::new("https://shop.example")?);
/// # Ok::<(), countersign_http::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CookieSource {
    name: String,
    origins: Origins,
}

impl CookieSource {
    /// The cookie `name` (its case counts), trusted on requests that change something from `origins` only.
    #[must_use]
    pub fn named(name: impl Into<String>, origins: Origins) -> Self {
        Self {
            name: name.into(),
            origins,
        }
    }

    pub(crate) fn checked(self) -> Result<Self, Error> {
        if self.name.is_empty() || !self.name.bytes().all(is_token_byte) {
            return Err(Error::CookieNameInvalid);
        }
        Ok(self)
    }

    pub(crate) fn origins(&self) -> &Origins {
        &self.origins
    }

    pub(crate) fn value<'h>(&self, headers: &'h HeaderMap) -> Result<Option<&'h str>, BearerError> {
        find(headers, &self.name)
    }
}

/// The value of the cookie `name`; `None` when there is none or it is empty.
///
/// # Errors
/// 400 `invalid_request` when two cookies have that name: one of them was planted, and no one can tell which.
pub fn cookie_value<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Rejection> {
    find(headers, name).map_err(Rejection::from)
}

fn find<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, BearerError> {
    let mut found = None;
    // HTTP/2 may spread the cookies over several headers (RFC 9113 §8.2.3).
    for header in headers.get_all(COOKIE) {
        for pair in header.as_bytes().split(|byte| *byte == b';') {
            let mut parts = pair.splitn(2, |byte| *byte == b'=').map(<[u8]>::trim_ascii);
            let (Some(key), Some(value)) = (parts.next(), parts.next()) else {
                continue;
            };
            if key != name.as_bytes() {
                continue;
            }
            if found.replace(value).is_some() {
                return Err(BearerError::CookieRepeated);
            }
        }
    }
    // Bytes that are not UTF-8 are in no token: U+FFFD is refused by the parser as the bad credential it is.
    Ok(found
        .filter(|value| !value.is_empty())
        .map(|value| std::str::from_utf8(value).unwrap_or("\u{fffd}")))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(values: &[&[u8]]) -> HeaderMap {
        values
            .iter()
            .map(|value| (COOKIE, HeaderValue::from_bytes(value).unwrap()))
            .collect()
    }

    #[test]
    fn finds_the_one_cookie_of_the_name() {
        for (values, expected) in [
            (&[b"at=x" as &[u8]] as &[&[u8]], Some("x")),
            (&[b"a=1; at=x;b=2"], Some("x")),
            (&[b"a=1", b"at=x"], Some("x")),
            (&[b"AT=x"], None),
            (&[b"__Host-at=x"], None),
            (&[b"at2=x; cat=y; at"], None),
            (&[b"at="], None),
            (&[b"at=x=y"], Some("x=y")),
            (&[b"at=\xff"], Some("\u{fffd}")),
            (&[], None),
        ] {
            assert_eq!(find(&headers(values), "at"), Ok(expected), "{values:?}");
        }
    }

    #[test]
    fn rejects_two_cookies_of_one_name() {
        for values in [
            &[b"at=x; at=y" as &[u8]] as &[&[u8]],
            &[b"at=x", b"at=x"],
            &[b"at=; at=x"],
            &[b"at =x; at=y"],
        ] {
            assert_eq!(
                find(&headers(values), "at"),
                Err(BearerError::CookieRepeated),
                "{values:?}"
            );
        }
    }

    #[test]
    fn rejects_a_name_that_no_cookie_can_have() {
        let origins = Origins::new("https://id.example").unwrap();
        for name in ["", "a t", "at=", "at;", "ä"] {
            let source = CookieSource::named(name, origins.clone());
            assert_eq!(
                source.checked().unwrap_err(),
                Error::CookieNameInvalid,
                "{name}"
            );
        }
        assert!(CookieSource::named("__Host-at", origins).checked().is_ok());
    }
}
