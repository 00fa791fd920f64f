//! From where lists come: over HTTP, or by what a service in the issuer's own process says.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::HeaderValue;

use crate::fetch::{Answer, FetchError, Fetched, Fetcher, Target, Wanted};

type Read = dyn Fn(String) -> Pin<Box<dyn Future<Output = Option<String>> + Send>> + Send + Sync;

/// What brings a list by its URL.
#[derive(Clone)]
pub(super) struct Reader(Arc<Read>);

impl Reader {
    pub(super) fn of<F, Fut>(read: F) -> Self
    where
        F: Fn(String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Option<String>> + Send + 'static,
    {
        Self(Arc::new(move |url| Box::pin(read(url))))
    }

    async fn read(&self, url: String, max_bytes: usize) -> Result<Answer, FetchError> {
        let text = (self.0)(url).await.ok_or(FetchError::NotRead)?;
        if text.len() > max_bytes {
            return Err(FetchError::TooLarge { limit: max_bytes });
        }
        Ok(Answer::Document(Fetched {
            body: text.into_bytes(),
            etag: None,
            max_age: None,
        }))
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader")
    }
}

/// One way to a list.
pub(super) enum Reading {
    Http(Fetcher),
    Own(Reader),
}

impl Reading {
    /// The place that a URL names, where lists can be read there at all.
    pub(super) fn target(&self, url: &str) -> Result<Target, FetchError> {
        match self {
            Self::Http(_) => Target::parse(url),
            Self::Own(_) => Target::named(url),
        }
    }

    pub(super) async fn get(
        &self,
        target: &Target,
        wanted: Wanted,
        etag: Option<&HeaderValue>,
    ) -> Result<Answer, FetchError> {
        match self {
            Self::Http(fetcher) => fetcher.get(target, wanted, etag).await,
            Self::Own(reader) => {
                reader
                    .read(target.url().to_string(), wanted.max_bytes)
                    .await
            }
        }
    }
}
