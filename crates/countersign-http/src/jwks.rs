//! The keys of an issuer, fetched from it: by the URL of its key set, or by discovery.
//!
//! What is asked when, and how long an answer counts, is [`refresh`](crate::refresh)'s to say; what may be asked at all,
//! [`fetch`](crate::fetch)'s. Here stand the numbers, what a key set is, and what follows from a `kid` that is not in it.

mod builder;
mod discovery;
mod missing;
mod unusable;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use countersign::{Algorithm, JwkSet};

pub use builder::RemoteKeysBuilder;

use crate::clock::{Clock, Moment};
use crate::fetch::{Answer, Connecting, FetchError, Fetched, Fetcher, Target, Wanted};
use crate::health::{self, KeysState};
use crate::keys::{AtHand, Missing};
use crate::refresh::{Asked, Basis, Loaded, Refresher, Standing, Subject, View};
use discovery::Discovery;
use missing::MissingNames;
use unusable::why_useless;

/// The keys of one issuer, fetched when a token first needs them and renewed before they expire.
///
/// Nothing is fetched before that: a service starts while its issuer is down. Cheap to clone, and all clones share what was
/// fetched: several [`Protect`](crate::Protect) of one issuer ask it once.
///
/// - One fetch at a time, in a tokio task of its own; at most one attempt in 30 s (from 1 s up while there are no keys yet).
/// - Keys live as long as `Cache-Control: max-age` says, within 60 s and 24 h, or 10 min where it says nothing. They are
///   renewed in the background when three quarters of that have gone by.
/// - While the issuer cannot be asked, its keys count on for an hour ([`RemoteKeysBuilder::stale_limit`]), then no more.
/// - The metadata of an issuer is read each time, so that keys which have moved are followed.
/// - A `kid` that is not in the set has it fetched again, once in a cool-down for all such names together.
/// - A set replaces the one before it whole: a removed key is dead.
/// - Https only (plain http on loopback), 256 KiB, 100 keys, no redirect, no proxy. A `jwks_uri` on another host than the
///   issuer's must lead to a public address.
///
/// ```
/// use countersign_http::{Protect, RemoteKeys};
///
/// let keys = RemoteKeys::discover("https://id.example")?;
/// let orders = Protect::with_keys("https://id.example", &keys).audience("orders-api").build()?;
/// let billing = Protect::with_keys("https://id.example", &keys).audience("billing-api").build()?;
/// # Ok::<(), countersign_http::Error>(())
/// ```
#[derive(Clone)]
pub struct RemoteKeys(Arc<Remote>);

struct Remote {
    loader: Arc<Loader>,
    keys: Refresher<Document>,
    missing: MissingNames,
    /// For whoever asks the same issuer for something else.
    connecting: Connecting,
}

/// What follows while there are no keys.
const WITHOUT_KEYS: &str = "tokens of this issuer are refused with 503";

/// How often who loads keys looks for them: once before the fetch, once after it, and once more where a clock has leapt.
const MAX_LOOKS: usize = 3;

/// What is asked for a key set.
enum Source {
    Url(Target),
    Issuer(Discovery),
}

impl Source {
    /// A word of the service's own settings.
    fn name(&self) -> &str {
        match self {
            Self::Url(target) => target.as_str(),
            Self::Issuer(discovery) => discovery.issuer(),
        }
    }

    /// How the log calls what is there.
    fn keys(&self) -> String {
        match self {
            Self::Url(target) => format!("the keys of {}", target.shown()),
            Self::Issuer(discovery) => format!("the keys of {}", discovery.issuer()),
        }
    }

    /// Where the set is now.
    async fn place(&self, fetcher: &Fetcher) -> Result<Target, FetchError> {
        match self {
            Self::Url(target) => Ok(target.clone()),
            Self::Issuer(discovery) => discovery.keys_url(fetcher).await,
        }
    }

    /// `error` with the URL that was asked, where the settings do not name it.
    fn failed(&self, error: FetchError, asked: &Target) -> FetchError {
        match self {
            Self::Url(_) => error,
            Self::Issuer(_) => error.at(asked.shown()),
        }
    }

    /// What `error` says to somebody who has not the settings before him.
    fn detail(&self, error: &FetchError) -> String {
        match self {
            Self::Url(target) => format!("{}: {error}", target.shown()),
            Self::Issuer(_) => error.to_string(),
        }
    }
}

impl RemoteKeys {
    /// The keys that the metadata of `issuer` names (OpenID Connect Discovery §4, else RFC 8414 §3). The `issuer` in the
    /// metadata must be this very text.
    ///
    /// # Errors
    /// [`FetchError::UrlInvalid`], [`FetchError::SchemeMissing`], [`FetchError::SchemeRefused`] and [`FetchError::Tls`]; nothing is fetched yet.
    pub fn discover(issuer: &str) -> Result<Self, FetchError> {
        Self::builder().discover(issuer)
    }

    /// The key set at `url`.
    ///
    /// # Errors
    /// As [`RemoteKeys::discover`].
    pub fn at(url: &str) -> Result<Self, FetchError> {
        Self::builder().at(url)
    }

    /// With other limits, or certificates of one's own.
    pub fn builder() -> RemoteKeysBuilder {
        RemoteKeysBuilder::new()
    }

    /// The keys, fetched now where that has not been done: for a service that wants to begin warm, and for tools.
    ///
    /// # Errors
    /// Why they cannot be had.
    pub async fn load(&self) -> Result<Arc<JwkSet>, FetchError> {
        let clock = Clock::system();
        let mut waited = false;
        for _ in 0..MAX_LOOKS {
            match self.0.keys.look(clock.moment(), waited) {
                View::Held(document) => return Ok(Arc::clone(&document.set)),
                View::Wait(flight) => flight.await,
                View::Nothing { .. } => break,
            }
            waited = true;
        }
        let condition = self.0.keys.condition(clock.moment());
        Err(condition.last_error.unwrap_or(FetchError::Timeout))
    }

    /// The text of the key set as it is now, past everything that is kept: for tools that show it.
    ///
    /// ```no_run
    /// # async fn show() -> Result<(), countersign_http::FetchError> {
    /// let text = countersign_http::RemoteKeys::at("https://id.example/keys")?.fetch_text().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Why it cannot be had.
    pub async fn fetch_text(&self) -> Result<Vec<u8>, FetchError> {
        let Loader {
            source, fetcher, ..
        } = &*self.0.loader;
        let target = source.place(fetcher).await?;
        match fetcher.get(&target, Wanted::JSON).await {
            Ok(fetched) => Ok(fetched.body),
            Err(error) => Err(source.failed(error, &target)),
        }
    }

    /// The URL of the issuer or of its key set.
    pub(crate) fn home(&self) -> &str {
        self.0.loader.source.name()
    }

    pub(crate) fn connecting(&self) -> &Connecting {
        &self.0.connecting
    }

    fn new(source: Source, fetcher: Fetcher, description: RemoteKeysBuilder) -> Self {
        let RemoteKeysBuilder {
            connecting,
            rule,
            rsa_algorithm,
        } = description.patient();
        let subject = Subject {
            what: source.keys(),
            without: WITHOUT_KEYS,
        };
        let loader = Arc::new(Loader {
            source,
            fetcher,
            rsa_algorithm,
        });
        let shared = Arc::clone(&loader);
        let keys = Refresher::new(subject, rule, move |basis| {
            let loader = Arc::clone(&shared);
            Box::pin(async move { loader.load(basis).await })
        });
        Self(Arc::new(Remote {
            loader,
            keys,
            missing: MissingNames::new(rule.cool_down),
            connecting,
        }))
    }

    /// How long a fetch may take in all.
    pub(crate) fn patience(&self) -> Duration {
        self.0.keys.patience()
    }

    /// The set to look a key up in, or what there is instead. Whoever has `waited` does not wait again.
    pub(crate) fn view(&self, now: Moment, waited: bool) -> View<JwkSet> {
        match self.0.keys.look(now, waited) {
            View::Held(document) => View::Held(Arc::clone(&document.set)),
            View::Wait(flight) => View::Wait(flight),
            View::Nothing { retry_after } => View::Nothing { retry_after },
        }
    }

    /// What there is instead of a set without a single usable key: it counts like any other, and is asked for again sooner.
    pub(crate) fn anything(&self, now: Moment, waited: bool) -> AtHand<'static> {
        if waited {
            return AtHand::Nothing {
                retry_after: self.0.keys.condition(now).retry_after,
            };
        }
        match self.0.keys.ask_again(now) {
            Asked::Wait(flight) => AtHand::Wait(flight),
            Asked::CoolingDown { retry_after, .. } => AtHand::Nothing { retry_after },
        }
    }

    /// What is held within its limit, also where none of its keys can be used.
    pub(crate) fn held(&self, now: Moment) -> Option<Arc<JwkSet>> {
        let document = self.0.keys.brought(now)?;
        Some(Arc::clone(&document.set))
    }

    pub(crate) fn standing(&self, now: Moment) -> health::Standing {
        let condition = self.0.keys.condition(now);
        let failed = condition.last_error.as_ref();
        health::Standing {
            state: match condition.standing {
                Standing::Fresh => KeysState::Fresh,
                Standing::Stale => KeysState::Stale,
                Standing::Missing => KeysState::Missing,
            },
            age: condition.age,
            last_error: failed.map(FetchError::code),
            detail: failed
                .map(|error| self.0.loader.source.detail(error))
                .or_else(|| why_useless(&*self.held(now)?)),
        }
    }

    /// What to do about a `kid` that is not in `seen`. Whoever has `waited` for an answer already does not wait again.
    pub(crate) fn missing(
        &self,
        kid: Option<&str>,
        seen: &Arc<JwkSet>,
        now: Moment,
        waited: bool,
    ) -> Missing {
        if waited {
            let condition = self.0.keys.condition(now);
            // Who has waited in vain has not learnt what the fetch will bring.
            if condition.last_error.is_some() || condition.is_underway {
                return Missing::Unavailable {
                    retry_after: condition.retry_after,
                };
            }
            // Who has waited for a fetch that others began may have been told only that nothing is new; whose `ETag` lies
            // says that of a set with the key in it.
            if condition.came_whole {
                self.0.missing.remember(kid, now);
            }
            return Missing::Unknown;
        }
        if self.0.missing.knows(kid, now) {
            return Missing::Unknown;
        }
        match self.0.keys.ask_again(now) {
            Asked::Wait(flight) => Missing::Wait(flight),
            Asked::CoolingDown {
                retry_after,
                failed,
            } => match self.0.keys.view(now) {
                // Another request had the set fetched again since this one looked into it.
                View::Held(document) if !Arc::ptr_eq(&document.set, seen) => {
                    Missing::Wait(Box::pin(std::future::ready(())))
                }
                _ if failed => Missing::Unavailable { retry_after },
                _ => Missing::Unknown,
            },
        }
    }
}

/// Brings the set of one source.
struct Loader {
    source: Source,
    fetcher: Fetcher,
    /// For RSA keys that do not say theirs.
    rsa_algorithm: Option<Algorithm>,
}

/// A set, and how it came.
struct Document {
    set: Arc<JwkSet>,
    target: Target,
    /// The same text from the same place again is no new set.
    text: Vec<u8>,
    /// Whether any of its keys can be used.
    useful: bool,
}

impl Loader {
    /// The set, and where it is now. The `ETag` of what is held says nothing of what is at another place.
    async fn ask(&self, basis: &Basis<Document>) -> Result<(Answer, Target), FetchError> {
        let target = self.source.place(&self.fetcher).await?;
        let held = basis.held.as_ref();
        let stays = held.is_some_and(|held| held.target == target);
        let answer = match basis.etag.as_ref().filter(|_| stays) {
            Some(etag) => self.fetcher.news(&target, Wanted::JSON, etag).await,
            None => {
                let fetched = self.fetcher.get(&target, Wanted::JSON).await;
                fetched.map(Answer::Document)
            }
        };
        match answer {
            Ok(answer) => Ok((answer, target)),
            Err(error) => Err(self.source.failed(error, &target)),
        }
    }

    async fn load(&self, basis: Basis<Document>) -> Result<Loaded<Document>, FetchError> {
        let (answer, target) = self.ask(&basis).await?;
        let Fetched {
            body: text,
            etag,
            max_age,
        } = match answer {
            Answer::Unchanged { max_age } => return Ok(Loaded::Unchanged { max_age }),
            Answer::Document(fetched) => fetched,
        };
        let held = basis.held.as_deref();
        if held.is_some_and(|held| held.target == target && held.text == text) {
            return Ok(Loaded::Again { etag, max_age });
        }
        let set = self
            .read(&text)
            .map_err(|error| self.source.failed(error.into(), &target))?;
        for key in set.unusable() {
            tracing::debug!(
                index = key.index,
                code = key.reason.code(),
                "a key of the set cannot be used"
            );
        }
        let useful = self.tell(&set, held);
        Ok(Loaded::New {
            value: Document {
                set: Arc::new(set),
                target,
                text,
                useful,
            },
            etag,
            max_age,
        })
    }

    fn read(&self, text: &[u8]) -> Result<JwkSet, countersign::Error> {
        let set = JwkSet::parse_published(text)?;
        match self.rsa_algorithm {
            Some(algorithm) => set.assuming(algorithm),
            None => Ok(set),
        }
    }

    /// Whether any key of `set` can be used. That none can is one line for whoever runs the service, and so is the end of it.
    fn tell(&self, set: &JwkSet, held: Option<&Document>) -> bool {
        let was_useful = held.is_none_or(|held| held.useful);
        let why = why_useless(set);
        match &why {
            Some(why) if was_useful => tracing::warn!(
                what = self.source.keys(),
                why,
                without = WITHOUT_KEYS,
                "none of them can be used"
            ),
            None if !was_useful => {
                tracing::info!(what = self.source.keys(), "they can be used again");
            }
            _ => {}
        }
        why.is_none()
    }
}

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RemoteKeys").field(&self.0.keys).finish()
    }
}
