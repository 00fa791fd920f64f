//! From an issuer to the URL of its keys (OpenID Connect Discovery §4, RFC 8414 §3).

use serde_json::{Map, Value};

use crate::fetch::{FetchError, Fetcher, Target, Wanted};
use crate::shown::shown;

/// One issuer, whose metadata says where its keys are.
pub(super) struct Discovery {
    issuer: String,
    home: Target,
}

impl Discovery {
    pub(super) fn of(issuer: &str) -> Result<Self, FetchError> {
        let home = Target::parse(issuer)?;
        // RFC 8414 §2: an issuer has no query.
        if home.has_query() {
            return Err(FetchError::UrlInvalid);
        }
        Ok(Self {
            issuer: issuer.to_owned(),
            home,
        })
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn home(&self) -> &Target {
        &self.home
    }

    /// Where the keys are now. Nothing of an earlier answer is kept: whoever holds the place that they have left is asked for
    /// nothing any more.
    pub(super) async fn keys_url(&self, fetcher: &Fetcher) -> Result<Target, FetchError> {
        let [first, second] = self.places();
        let (document, place) = match fetcher.get(&first, Wanted::JSON).await {
            Err(error) if error.says_not_here() => {
                let answer = fetcher.get(&second, Wanted::JSON).await;
                let answer = answer.map_err(|other| {
                    if other.says_not_here() {
                        // Where neither is there, the first is what most people meant.
                        error.at(format!("{} and {}", first.shown(), second.shown()))
                    } else {
                        other.at(second.shown())
                    }
                });
                (answer?, second)
            }
            answer => (answer.map_err(|error| error.at(first.shown()))?, first),
        };
        self.read(&document.body, &place)
    }

    /// OpenID Connect Discovery §4 appends to the issuer's path; RFC 8414 §3.1 inserts before it.
    fn places(&self) -> [Target; 2] {
        let path = self.home.path().trim_end_matches('/');
        [
            format!("{path}/.well-known/openid-configuration"),
            format!("/.well-known/oauth-authorization-server{path}"),
        ]
        .map(|path| self.home.with_path(&path))
    }

    /// Where the keys are, by a document from `place`.
    fn read(&self, document: &[u8], place: &Target) -> Result<Target, FetchError> {
        let url = self
            .keys_url_in(document)
            .map_err(|error| error.at(place.shown()))?;
        Target::parse(&url).map_err(|error| match Target::named(&url) {
            Ok(refused) => error.at(refused.shown()),
            // It may hold anything.
            Err(_) => error.at(format!("the `jwks_uri` in {}", place.shown())),
        })
    }

    fn keys_url_in(&self, document: &[u8]) -> Result<String, FetchError> {
        let metadata: Map<String, Value> = countersign::parse_strict(document)?;
        let text = |name| metadata.get(name).and_then(Value::as_str);
        // RFC 8414 §3.3: identical, or nothing of it may be used.
        let found = text("issuer").unwrap_or_default();
        if found != self.issuer {
            return Err(FetchError::IssuerMismatch {
                asked: shown(&self.issuer),
                found: shown(found),
            });
        }
        let url = text("jwks_uri").ok_or(FetchError::KeysUrlMissing)?;
        Ok(url.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(issuer: &str) -> [String; 2] {
        let discovery = Discovery::of(issuer).unwrap();
        discovery.places().map(|place| place.url().to_string())
    }

    #[test]
    fn the_metadata_of_an_issuer_stands_in_two_places() {
        for issuer in ["https://id.example", "https://id.example/"] {
            assert_eq!(
                places(issuer),
                [
                    "https://id.example/.well-known/openid-configuration",
                    "https://id.example/.well-known/oauth-authorization-server"
                ]
            );
        }
    }

    #[test]
    fn the_path_of_an_issuer_stands_before_the_one_name_and_behind_the_other() {
        for issuer in [
            "https://id.example/tenants/1",
            "https://id.example/tenants/1/",
        ] {
            assert_eq!(
                places(issuer),
                [
                    "https://id.example/tenants/1/.well-known/openid-configuration",
                    "https://id.example/.well-known/oauth-authorization-server/tenants/1"
                ]
            );
        }
    }

    #[test]
    fn rejects_an_issuer_that_is_no_address() {
        for issuer in [
            "id.example",
            "https://id.example/?tenant=1",
            "https://id.example/#1",
        ] {
            assert_eq!(Discovery::of(issuer).err(), Some(FetchError::UrlInvalid));
        }
        let plain = Discovery::of("http://id.example").err();
        assert_eq!(plain, Some(FetchError::SchemeRefused));
    }

    #[test]
    fn rejects_metadata_of_another_issuer_however_alike() {
        let discovery = Discovery::of("https://id.example/1").unwrap();
        let read = |issuer: &str| {
            let text = format!("{{\"issuer\":{issuer},\"jwks_uri\":\"https://id.example/keys\"}}");
            discovery.keys_url_in(text.as_bytes()).err()
        };
        assert_eq!(read("\"https://id.example/1\""), None);
        for other in [
            "\"https://id.example/1/\"",
            "\"https://id.example/2\"",
            "\"https://ID.example/1\"",
            "\"https://id.example:443/1\"",
            "\"\"",
            "null",
            "1",
            "[\"https://id.example/1\"]",
        ] {
            let refused = matches!(read(other), Some(FetchError::IssuerMismatch { .. }));
            assert!(refused, "{other}");
        }
        let message = read("\"https://id.example/1/\"").unwrap().to_string();
        for name in ["\"https://id.example/1/\"", "\"https://id.example/1\""] {
            assert!(message.contains(name), "{message}");
        }
        let hostile = format!("\"\\u001b[31m\\n{}\"", "x".repeat(10_000));
        let message = read(&hostile).unwrap().to_string();
        assert!(message.contains("\\u{1b}[31m\\nx"), "{message}");
        assert!(message.len() < 500 && !message.contains('\n'), "{message}");
    }

    #[test]
    fn rejects_metadata_whose_keys_may_not_be_asked_for() {
        let discovery = Discovery::of("https://id.example").unwrap();
        let read = |rest: &str| {
            let text = format!("{{\"issuer\":\"https://id.example\"{rest}}}");
            let read = discovery.read(text.as_bytes(), discovery.home());
            read.err().map(|error| match error {
                FetchError::At { cause, .. } => *cause,
                other => other,
            })
        };
        assert_eq!(read(""), Some(FetchError::KeysUrlMissing));
        for (url, refusal) in [
            ("http://id.example/keys", FetchError::SchemeRefused),
            ("file:///etc/keys", FetchError::SchemeRefused),
            ("/keys", FetchError::UrlInvalid),
        ] {
            assert_eq!(
                read(&format!(",\"jwks_uri\":\"{url}\"")),
                Some(refusal),
                "{url}"
            );
        }
        let twice =
            read(",\"jwks_uri\":\"https://id.example/1\",\"jwks_uri\":\"https://id.example/2\"");
        assert!(matches!(twice, Some(FetchError::Document(_))), "{twice:?}");
    }
}
