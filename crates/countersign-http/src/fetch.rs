//! One document from one URL, and nothing that an issuer could use against the service that asks.
//!
//! Https only (plain http on loopback), no redirect, no cookie, no referrer, no proxy; each name is resolved once, the
//! addresses are checked, and it is these that are connected to; time and size are bounded while the answer arrives;
//! nothing is decompressed. Key sets, metadata and status lists all come through here.

mod address;
mod error;
mod freshness;
mod target;
mod words;

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};

pub use error::FetchError;
pub(crate) use target::Target;

use address::CheckedNames;

/// The most that is read of a key set or of an issuer's metadata.
pub(crate) const MAX_DOCUMENT_BYTES: usize = 256 * 1024;

/// The longest `ETag` that is kept.
const MAX_ETAG_BYTES: usize = 512;

/// The most that may be waited for an answer.
const MAX_TIMEOUT: Duration = Duration::from_secs(60);

/// That a time in the settings is not longer than it may be.
///
/// # Errors
/// [`FetchError::SettingTooLong`].
pub(crate) fn within(
    setting: &'static str,
    value: Duration,
    limit: Duration,
) -> Result<(), FetchError> {
    if value > limit {
        return Err(FetchError::SettingTooLong { setting, limit });
    }
    Ok(())
}

/// How a [`Fetcher`] connects.
#[derive(Clone, Debug)]
pub(crate) struct Connecting {
    /// For name, connection and TLS.
    pub(crate) connect_timeout: Duration,
    /// For the whole answer.
    pub(crate) timeout: Duration,
    /// Certificates (DER) that are believed beside those of the system, for an issuer with a private authority.
    pub(crate) extra_roots: Vec<Vec<u8>>,
    /// Trusts no host to stand inside the house, not even those that were configured.
    pub(crate) only_public: bool,
}

impl Connecting {
    /// How long so many answers may take, one after the other. What is late by more than one of them comes never.
    pub(crate) fn patience(&self, answers: u32) -> Duration {
        self.timeout.saturating_mul(answers.saturating_add(1))
    }

    /// With so long for one answer, and for the way to it: who says how long he waits says it of all of it.
    pub(crate) fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
        self.connect_timeout = timeout;
    }

    /// That an answer may not take longer than anything may.
    ///
    /// # Errors
    /// [`FetchError::SettingTooLong`].
    pub(crate) fn check(&self) -> Result<(), FetchError> {
        within("timeout", self.timeout, MAX_TIMEOUT)
    }
}

impl Default for Connecting {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            timeout: Duration::from_secs(5),
            extra_roots: Vec::new(),
            only_public: false,
        }
    }
}

/// What is asked for: how it is called, by which types it may come, and how large it may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) accept: &'static str,
    /// Whether a media type (lower case, without parameters; empty where there is none) can be it.
    pub(crate) comes_as: fn(&str) -> bool,
    pub(crate) max_bytes: usize,
}

impl Wanted {
    /// A JSON document: a key set (RFC 7517 §8.5) or metadata (RFC 8414 §3.2).
    pub(crate) const JSON: Self = Self {
        accept: "application/json, application/jwk-set+json",
        comes_as: |media_type| {
            // The last ones are what object stores and raw file servers say; a page of HTML never is a document.
            matches!(
                media_type,
                "" | "application/json"
                    | "text/json"
                    | "text/plain"
                    | "application/octet-stream"
                    | "binary/octet-stream"
            ) || (media_type.starts_with("application/") && media_type.ends_with("+json"))
        },
        max_bytes: MAX_DOCUMENT_BYTES,
    };

    /// A status list token (draft-ietf-oauth-status-list §8.2).
    pub(crate) const STATUS_LIST: Self = Self {
        accept: "application/statuslist+jwt",
        comes_as: |media_type| {
            // The last ones again: a list may lie with a host that knows nothing of it. Its signature says what it is.
            matches!(
                media_type,
                "" | "application/statuslist+jwt"
                    | "application/jwt"
                    | "text/plain"
                    | "application/octet-stream"
                    | "binary/octet-stream"
            )
        },
        max_bytes: countersign::MAX_JWS_BYTES,
    };
}

/// An answer with a document in it.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) body: Vec<u8>,
    pub(crate) etag: Option<HeaderValue>,
    /// How long it stays fresh by its own word, unclamped.
    pub(crate) max_age: Option<Duration>,
}

/// What came of asking for news.
#[derive(Debug)]
pub(crate) enum Answer {
    Document(Fetched),
    /// 304: what the `ETag` stands for is still right, for as long as this says.
    Unchanged {
        max_age: Option<Duration>,
    },
}

/// Asks the issuer's host, and others that its documents name.
///
/// What the service itself was told to trust (the configured hosts) may stand anywhere, inside the house too. A URL on
/// another host was learned from somebody else's document, and must point at a public address; so must every URL where the
/// service was not told it by its own settings ([`Connecting::only_public`]).
#[derive(Clone, Debug)]
pub(crate) struct Fetcher {
    client: reqwest::Client,
    configured: Arc<[String]>,
}

impl Fetcher {
    /// For the hosts of `configured` URLs; the settings of the machine (proxies, say) count for nothing.
    ///
    /// # Errors
    /// [`FetchError::SettingTooLong`], and [`FetchError::Tls`] where an https URL is configured and there are no root certificates to believe.
    pub(crate) fn new(configured: &[Target], connecting: &Connecting) -> Result<Self, FetchError> {
        connecting.check()?;
        let hosts: Arc<[String]> = configured
            .iter()
            .filter(|_| !connecting.only_public)
            .map(|target| target.host().to_owned())
            .collect();
        // Features of reqwest that another crate of the same build turns on must not change what this one does.
        let client = reqwest::Client::builder()
            .tls_backend_rustls()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .pool_max_idle_per_host(0)
            .connect_timeout(connecting.connect_timeout)
            .timeout(connecting.timeout)
            .user_agent(concat!("countersign-http/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(CheckedNames::of_system(Arc::clone(&hosts)));
        let mut roots = Vec::new();
        for document in &connecting.extra_roots {
            roots.extend(certificates(document)?);
        }
        let has_own_roots = !roots.is_empty();
        // An issuer on loopback and plain http needs no roots, and a machine without any can still ask it.
        let client = if configured.iter().all(Target::is_plain_http) {
            client.tls_certs_only(roots)
        } else if roots.is_empty() {
            client
        } else {
            client.tls_certs_merge(roots)
        };
        Ok(Self {
            client: client.build().map_err(|error| {
                if has_own_roots {
                    FetchError::root_certificate(&error)
                } else {
                    FetchError::tls(&error)
                }
            })?,
            configured: hosts,
        })
    }

    /// Asks `target` for what is `wanted`.
    ///
    /// Needs a tokio runtime around it.
    ///
    /// # Errors
    /// [`FetchError`].
    pub(crate) async fn get(&self, target: &Target, wanted: Wanted) -> Result<Fetched, FetchError> {
        read(self.ask(target, wanted, None).await?, wanted).await
    }

    /// The same where it is another than the one that has this `etag`.
    ///
    /// # Errors
    /// [`FetchError`].
    pub(crate) async fn news(
        &self,
        target: &Target,
        wanted: Wanted,
        etag: &HeaderValue,
    ) -> Result<Answer, FetchError> {
        let response = self.ask(target, wanted, Some(etag)).await?;
        if response.status() == StatusCode::NOT_MODIFIED {
            let max_age = freshness::max_age(response.headers());
            return Ok(Answer::Unchanged { max_age });
        }
        read(response, wanted).await.map(Answer::Document)
    }

    async fn ask(
        &self,
        target: &Target,
        wanted: Wanted,
        etag: Option<&HeaderValue>,
    ) -> Result<reqwest::Response, FetchError> {
        self.may_ask(target)?;
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(FetchError::NoRuntime);
        }
        let mut request = self
            .client
            .get(target.url())
            .header(ACCEPT, wanted.accept)
            .header(ACCEPT_ENCODING, "identity");
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        request.send().await.map_err(|error| FetchError::of(&error))
    }

    /// The rules about a URL that need no name resolved.
    fn may_ask(&self, target: &Target) -> Result<(), FetchError> {
        let configured = self.configured.iter().any(|host| host == target.host());
        if target.is_plain_http() && !configured {
            return Err(FetchError::SchemeRefused);
        }
        match target.address() {
            Some(address) if !configured && !address::is_public(address) => {
                Err(FetchError::AddressRefused)
            }
            _ => Ok(()),
        }
    }
}

/// The certificates of a document in DER, which is one, or in PEM.
fn certificates(document: &[u8]) -> Result<Vec<reqwest::Certificate>, FetchError> {
    const PEM: &[u8] = b"-----BEGIN ";
    let certificates = if document.windows(PEM.len()).any(|at| at == PEM) {
        reqwest::Certificate::from_pem_bundle(document)
    } else {
        reqwest::Certificate::from_der(document).map(|one| vec![one])
    };
    let certificates = certificates.map_err(|error| FetchError::root_certificate(&error))?;
    if certificates.is_empty() {
        return Err(FetchError::RootCertificate {
            reason: "there is no certificate in it".to_owned(),
        });
    }
    Ok(certificates)
}

/// Status, headers, then the body, each refused as soon as it can be. A 304 here is the answer to nobody's question.
async fn read(mut response: reqwest::Response, wanted: Wanted) -> Result<Fetched, FetchError> {
    match response.status() {
        StatusCode::OK => {}
        status if status.is_redirection() && status != StatusCode::NOT_MODIFIED => {
            return Err(FetchError::Redirect);
        }
        status => {
            return Err(FetchError::Status {
                found: status.as_u16(),
            });
        }
    }
    check_form(response.headers(), wanted)?;
    let too_large = FetchError::TooLarge {
        limit: wanted.max_bytes,
    };
    let announced = response.content_length();
    if announced.is_some_and(|length| usize::try_from(length).is_ok_and(|n| n > wanted.max_bytes)) {
        return Err(too_large);
    }
    let max_age = freshness::max_age(response.headers());
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| FetchError::of(&error))?
    {
        if body.len().saturating_add(chunk.len()) > wanted.max_bytes {
            return Err(too_large);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Fetched {
        body,
        etag: etag(response.headers()),
        max_age,
    })
}

/// RFC 9110 §8.8.3; one that is too long to be sent back every time is none.
fn etag(headers: &HeaderMap) -> Option<HeaderValue> {
    let etag = headers.get(ETAG)?;
    (etag.len() <= MAX_ETAG_BYTES).then(|| etag.clone())
}

/// Nothing that would have to be unpacked, and no other kind of document.
fn check_form(headers: &HeaderMap, wanted: Wanted) -> Result<(), FetchError> {
    let packed = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if packed {
        return Err(FetchError::ContentEncoding);
    }
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|value| value.trim().to_ascii_lowercase())
        .unwrap_or_default();
    if (wanted.comes_as)(&media_type) {
        Ok(())
    } else {
        Err(FetchError::ContentType)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: http::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn accepts_json_however_it_is_labelled() {
        for media_type in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/jwk-set+json",
            "text/plain;charset=UTF-8",
            "binary/octet-stream",
        ] {
            let answer = check_form(&headers(CONTENT_TYPE, media_type), Wanted::JSON);
            assert_eq!(answer, Ok(()), "{media_type}");
        }
        assert_eq!(check_form(&HeaderMap::new(), Wanted::JSON), Ok(()));
    }

    #[test]
    fn a_status_list_comes_by_its_own_type_or_by_none_and_never_as_a_page() {
        let form = |media_type| check_form(&headers(CONTENT_TYPE, media_type), Wanted::STATUS_LIST);
        for media_type in [
            "application/statuslist+jwt",
            "Application/JWT",
            "text/plain",
        ] {
            assert_eq!(form(media_type), Ok(()), "{media_type}");
        }
        for media_type in [
            "text/html",
            "application/json",
            "application/statuslist+cwt",
        ] {
            assert_eq!(
                form(media_type),
                Err(FetchError::ContentType),
                "{media_type}"
            );
        }
    }

    #[test]
    fn rejects_pages_and_pictures() {
        for media_type in [
            "text/html",
            "application/xhtml+xml",
            "image/png",
            "application/jwt",
        ] {
            let answer = check_form(&headers(CONTENT_TYPE, media_type), Wanted::JSON);
            assert_eq!(answer, Err(FetchError::ContentType), "{media_type}");
        }
    }

    #[test]
    fn rejects_what_would_have_to_be_unpacked() {
        for coding in ["gzip", "br", "zstd", "deflate", "identity, gzip", "x"] {
            let answer = check_form(&headers(CONTENT_ENCODING, coding), Wanted::JSON);
            assert_eq!(answer, Err(FetchError::ContentEncoding), "{coding}");
        }
        let plain = check_form(&headers(CONTENT_ENCODING, "Identity"), Wanted::JSON);
        assert_eq!(plain, Ok(()));
    }

    #[test]
    fn rejects_what_would_have_to_be_unpacked_in_whichever_of_several_headers_it_says_so() {
        for codings in [["identity", "gzip"], ["gzip", "identity"]] {
            let codings =
                codings.map(|coding| (CONTENT_ENCODING, HeaderValue::from_static(coding)));
            let answer = check_form(&HeaderMap::from_iter(codings), Wanted::JSON);
            assert_eq!(answer, Err(FetchError::ContentEncoding));
        }
    }

    #[test]
    fn an_etag_that_is_too_long_to_be_sent_back_is_none() {
        for (bytes, kept) in [(MAX_ETAG_BYTES, true), (MAX_ETAG_BYTES + 1, false)] {
            let value = HeaderValue::try_from("e".repeat(bytes)).unwrap();
            let headers = HeaderMap::from_iter([(ETAG, value.clone())]);
            assert_eq!(etag(&headers), kept.then_some(value), "{bytes}");
        }
    }

    #[test]
    fn a_timeout_that_is_set_is_that_of_the_connection_too() {
        for secs in [1, 4, 30] {
            let mut connecting = Connecting::default();
            assert!(connecting.connect_timeout < connecting.timeout);
            let timeout = Duration::from_secs(secs);
            connecting.set_timeout(timeout);
            let Connecting {
                connect_timeout,
                timeout: whole,
                ..
            } = connecting;
            assert_eq!((connect_timeout, whole), (timeout, timeout));
        }
    }

    #[tokio::test]
    async fn rejects_a_learned_url_that_points_inside_before_anything_is_sent() {
        let inside = [
            ("https://169.254.169.254/latest", FetchError::AddressRefused),
            ("https://[::1]/keys", FetchError::AddressRefused),
            ("https://[::ffff:10.0.0.1]/keys", FetchError::AddressRefused),
            ("https://0x7f.1/keys", FetchError::AddressRefused),
            ("https://localhost/keys", FetchError::AddressRefused),
            ("http://127.0.0.1/keys", FetchError::SchemeRefused),
            ("http://localhost/keys", FetchError::SchemeRefused),
        ];
        let only_public = Connecting {
            only_public: true,
            ..Connecting::default()
        };
        for (url, refusal) in inside {
            let target = Target::parse(url).unwrap();
            let home = Target::parse("https://id.example").unwrap();
            let learned = Fetcher::new(&[home], &Connecting::default()).unwrap();
            // Who trusts no host inside the house learns all of them.
            let named = Fetcher::new(std::slice::from_ref(&target), &only_public).unwrap();
            for fetcher in [learned, named] {
                let answer = fetcher.get(&target, Wanted::JSON).await;
                assert_eq!(answer.unwrap_err(), refusal, "{url}");
            }
        }
    }

    #[test]
    fn without_a_runtime_the_answer_is_an_error_and_no_panic() {
        let home = Target::parse("http://127.0.0.1:9").unwrap();
        let fetcher = Fetcher::new(std::slice::from_ref(&home), &Connecting::default()).unwrap();
        let mut asking = std::pin::pin!(fetcher.get(&home, Wanted::JSON));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match asking.as_mut().poll(&mut context) {
            std::task::Poll::Ready(answer) => {
                assert_eq!(answer.unwrap_err(), FetchError::NoRuntime);
            }
            std::task::Poll::Pending => panic!("it waits for nothing"),
        }
    }
}
