//! A URL that may be asked at all: https, or plain http on loopback; no user name, no fragment.

use std::net::IpAddr;

use reqwest::Url;

use super::FetchError;
use super::address::is_local_name;
use crate::shown::shown;

/// The most characters that a URL may have.
const MAX_URL_BYTES: usize = 2048;

/// A URL whose form is right. Whether its addresses are is asked when its name is resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    url: Url,
    host: String,
    address: Option<IpAddr>,
}

impl Target {
    /// Reads `text`.
    ///
    /// # Errors
    /// [`FetchError::UrlInvalid`], [`FetchError::SchemeMissing`], and [`FetchError::SchemeRefused`] for plain http that leaves this machine.
    pub(crate) fn parse(text: &str) -> Result<Self, FetchError> {
        let target = Self::named(text)?;
        let stays_here = match target.address {
            Some(address) => address.to_canonical().is_loopback(),
            None => is_local_name(&target.host),
        };
        if target.is_plain_http() && !stays_here {
            return Err(FetchError::SchemeRefused);
        }
        Ok(target)
    }

    /// Reads `text` as the name of something that nobody goes out to fetch.
    ///
    /// # Errors
    /// As [`Self::parse`], and plain http is not refused.
    pub(crate) fn named(text: &str) -> Result<Self, FetchError> {
        if text.len() > MAX_URL_BYTES {
            return Err(FetchError::UrlInvalid);
        }
        if is_host_and_port(text) {
            return Err(FetchError::SchemeMissing);
        }
        Self::of(Url::parse(text).map_err(|_| FetchError::UrlInvalid)?)
    }

    /// The same host with another path.
    pub(crate) fn with_path(&self, path: &str) -> Self {
        let mut target = self.clone();
        target.url.set_path(path);
        target.url.set_query(None);
        target
    }

    fn of(url: Url) -> Result<Self, FetchError> {
        if !matches!(url.scheme(), "https" | "http") {
            return Err(FetchError::SchemeRefused);
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(FetchError::UrlInvalid);
        }
        let host = url.host_str().ok_or(FetchError::UrlInvalid)?.to_owned();
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
        Ok(Self { url, address, host })
    }

    pub(crate) fn url(&self) -> Url {
        self.url.clone()
    }

    /// The URL, as it will be asked for.
    pub(crate) fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// The URL as it may stand in a log: without its query, which may hold a secret, escaped and cut short.
    pub(crate) fn shown(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        let mark = if self.has_query() { "?…" } else { "" };
        format!("{}{mark}", shown(url.as_str()))
    }

    /// Scheme, host and port (RFC 6454 §4).
    pub(crate) fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The path, as it will be sent.
    pub(crate) fn path(&self) -> &str {
        self.url.path()
    }

    /// Whether it has a query, which an issuer has not (RFC 8414 §2).
    pub(crate) fn has_query(&self) -> bool {
        self.url.query().is_some()
    }

    /// The host in lower case; an IPv6 address in its brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The address, where the host is one and no name.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.address
    }

    pub(crate) fn is_plain_http(&self) -> bool {
        self.url.scheme() == "http"
    }
}

/// `localhost:8080`, in which a parser of URLs takes the host for the scheme.
fn is_host_and_port(text: &str) -> bool {
    text.split_once(':').is_some_and(|(host, port)| {
        let is_name = |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'.');
        !host.is_empty()
            && host.bytes().all(is_name)
            && port.starts_with(|digit: char| digit.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_https_anywhere_and_plain_http_on_this_machine() {
        for url in [
            "https://id.example",
            "https://id.example:8443/tenant/keys?v=1",
            "https://10.0.0.1/keys",
            "http://127.0.0.1:8080",
            "http://127.8.8.8/",
            "http://[::1]:8080/",
            "http://localhost:8080/keys",
            "http://id.localhost/keys",
        ] {
            assert!(Target::parse(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn rejects_plain_http_to_elsewhere_and_every_other_scheme() {
        for url in [
            "http://id.example",
            "http://10.0.0.1/keys",
            "http://localhost.example/keys",
            "http://0.0.0.0/keys",
            "file:///etc/passwd",
            "data:application/json,{}",
            "ftp://id.example/keys",
            "unix:/run/keys",
        ] {
            assert_eq!(Target::parse(url), Err(FetchError::SchemeRefused), "{url}");
        }
    }

    #[test]
    fn a_host_and_a_port_alone_lack_a_scheme() {
        for url in ["localhost:8080", "id.example:443/tenant", "127.0.0.1:8080"] {
            assert_eq!(Target::parse(url), Err(FetchError::SchemeMissing), "{url}");
        }
        for url in ["id.example", ":8080", "[::1]:8080"] {
            assert_eq!(Target::parse(url), Err(FetchError::UrlInvalid), "{url}");
        }
    }

    #[test]
    fn rejects_what_is_no_url_or_holds_more_than_an_address() {
        let long = format!("https://id.example/{}", "a".repeat(MAX_URL_BYTES));
        for url in [
            "",
            "id.example",
            "//id.example",
            "https://",
            "https://ada@id.example",
            "https://:secret@id.example",
            "https://id.example/#keys",
            "https://id.example:99999",
            &long,
        ] {
            assert_eq!(Target::parse(url), Err(FetchError::UrlInvalid), "{url}");
        }
    }

    #[test]
    fn a_host_is_one_whatever_way_it_is_written() {
        for (url, host) in [
            ("https://ID.Example/", "id.example"),
            ("https://0x7f.1/", "127.0.0.1"),
            ("https://2130706433/", "127.0.0.1"),
            ("https://[0:0:0:0:0:0:0:1]/", "[::1]"),
        ] {
            assert_eq!(Target::parse(url).unwrap().host(), host);
        }
    }
}
