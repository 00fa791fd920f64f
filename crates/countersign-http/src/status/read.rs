//! From where lists come: over HTTP, or by what a service in the issuer's own process says.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

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

    /// What is not there within `time` is let go of, as a connection is.
    async fn read(
        &self,
        url: String,
        time: Duration,
        max_bytes: usize,
    ) -> Result<Fetched, FetchError> {
        let read = tokio::time::timeout(time, (self.0)(url)).await;
        let text = read
            .map_err(|_| FetchError::Timeout)?
            .ok_or(FetchError::NotRead)?;
        if text.len() > max_bytes {
            return Err(FetchError::TooLarge { limit: max_bytes });
        }
        Ok(Fetched {
            body: text.into_bytes(),
            etag: None,
            max_age: None,
        })
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
    /// And how long it may take.
    Own(Reader, Duration),
}

impl Reading {
    /// The place that a URL names, where lists can be read there at all.
    pub(super) fn target(&self, url: &str) -> Result<Target, FetchError> {
        match self {
            Self::Http(_) => Target::parse(url),
            Self::Own(..) => Target::named(url),
        }
    }

    pub(super) async fn get(&self, target: &Target, wanted: Wanted) -> Result<Fetched, FetchError> {
        match self {
            Self::Http(fetcher) => fetcher.get(target, wanted).await,
            Self::Own(reader, time) => {
                reader
                    .read(target.url().to_string(), *time, wanted.max_bytes)
                    .await
            }
        }
    }

    /// The same where it is another than the one that has this `etag`, as far as that can be asked.
    pub(super) async fn news(
        &self,
        target: &Target,
        wanted: Wanted,
        etag: &HeaderValue,
    ) -> Result<Answer, FetchError> {
        match self {
            Self::Http(fetcher) => fetcher.news(target, wanted, etag).await,
            Self::Own(..) => self.get(target, wanted).await.map(Answer::Document),
        }
    }
}
