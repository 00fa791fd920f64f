//! What every request shares, and the server around it.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use axum::extract::FromRef;
use axum::response::{IntoResponse as _, Response};
use countersign::{AccessToken, Policy, SigningKey, Timestamp, Unverified};
use countersign_http::{
    CookieSource, Origins, Protect, Rejection, SharedKeys, StatusLists, VerifiedToken,
};
use http::StatusCode;

use crate::config::Settings;
use crate::cookies::Cookies;
use crate::error::{Error, REALM};
use crate::inspector::{self, Access};
use crate::metrics::Metrics;
use crate::router::Hosts;
use crate::rules::courtesy::Courtesy;
use crate::rules::demo;
use crate::rules::issue::Terms;
use crate::rules::keys::{self, Ring};
use crate::rules::leap::Leaps;
use crate::rules::password::Pool;
use crate::rules::proxies::Proxies;
use crate::rules::queue::Queue;
use crate::rules::rotation::RotationRule;
use crate::rules::seal::Seal;
use crate::rules::session::{Both, Known, Lifetimes};
use crate::rules::status::{self, Published, Signed};
use crate::rules::throttle::Limits;
use crate::store::Store;

mod connections;
mod folder;
mod idle;
mod listen;
mod mark;
mod patience;
mod requests;
mod serve;
mod stream;
mod tls;

pub(crate) use connections::Connections;
pub(crate) use folder::{InUse, Lock, check_existing, open_existing, settle_key};
pub(crate) use listen::{bind, in_the_clear};
pub use serve::{Facts, Server, SetupLink, start};

/// The time, as the server sees it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The state of a server; cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

/// What [`App`] shares.
pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) passwords: Pool,
    pub(crate) terms: Terms,
    pub(crate) cookies: Cookies,
    pub(crate) origins: Origins,
    pub(crate) cors_origins: Vec<String>,
    pub(crate) proxies: Proxies,
    pub(crate) needs_proxy: bool,
    pub(crate) hosts: Option<Hosts>,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) limits: Limits,
    pub(crate) rotation: RotationRule,
    pub(crate) courtesy: Courtesy,
    pub(crate) metrics: Metrics,
    leaps: Leaps,
    damaged: AtomicBool,
    status_lists: Published,
    pub(crate) inspector: Access,
    /// Where its answers are computed.
    pub(crate) inspections: Queue,
    /// The demonstration of a token's life: in development for everybody.
    pub(crate) demo: Access,
    known: Known,
    invalid_token_status: StatusCode,
    token_cache: usize,
    /// Says no in this server's name.
    refusals: Protect,
    clock: Clock,
    seal: Seal,
    /// Until this is closed.
    in_use: Mutex<Option<InUse>>,
    signing_alg: countersign::Algorithm,
    signing_secret: Option<SigningKey>,
    ring: RwLock<Arc<Ring>>,
    verifying: SharedKeys,
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    /// Says that the data folder is in use no more.
    pub(crate) fn release_folder(&self) {
        let lock = self.in_use.lock();
        *lock.unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Opens or makes the data folder, with its keys, for a server whose address is `issuer`, and whose listener is at `bound`
    /// where it has one of its own.
    pub(crate) async fn open(
        settings: &Settings,
        issuer: String,
        bound: Option<SocketAddr>,
        clock: Clock,
        leaps: Leaps,
    ) -> Result<Self, Error> {
        let now = clock().unix_secs();
        let (store, seal, in_use) = folder::open_or_make(settings).await?;
        let signing_secret = settings.signing_secret().cloned();
        let ring = keys::open(
            &store,
            &seal,
            settings.signing_alg(),
            signing_secret.clone(),
            now,
        )
        .await?;
        status::adopt(&store).await?;
        let verifying = SharedKeys::new(ring.verifying(now));
        let origins = origins(&issuer, settings.cors_origins())?;
        let refusals = Protect::with_keys(&issuer, &verifying)
            .audience(&issuer)
            .realm(REALM)
            .invalid_token_status(settings.invalid_token_status())
            .build()
            .map_err(|problem| Error::Argument(problem.to_string()))?;
        Ok(Self(Arc::new(Inner {
            store,
            passwords: Pool::new(&issuer)?,
            cookies: Cookies::of_public_url(&issuer),
            origins,
            cors_origins: settings.cors_origins().to_vec(),
            proxies: settings.proxies().clone(),
            needs_proxy: settings.needs_proxy(),
            hosts: bound.and_then(|bound| {
                Hosts::of_server(bound, settings.tls().is_some(), settings.public_url())
            }),
            terms: Terms {
                audiences: settings.audiences(&issuer),
                issuer,
                access_ttl: settings.access_ttl(),
            },
            lifetimes: settings.lifetimes(),
            // Who is told by proxies of ours who a client is can tell clients of private networks apart.
            limits: Limits::of(settings.is_development() || !settings.proxies().is_empty()),
            rotation: RotationRule::with_idle(settings.lifetimes().idle),
            courtesy: Courtesy::new(),
            metrics: Metrics::default(),
            leaps,
            damaged: AtomicBool::new(false),
            status_lists: Published::default(),
            inspector: settings.inspector(),
            inspections: inspector::threads(),
            demo: if settings.is_development() {
                Access::Public
            } else {
                Access::SignedIn
            },
            known: Known::default(),
            invalid_token_status: settings.invalid_token_status(),
            token_cache: settings.token_cache(),
            refusals,
            clock,
            seal,
            in_use: Mutex::new(Some(in_use)),
            signing_alg: settings.signing_alg(),
            signing_secret,
            ring: RwLock::new(Arc::new(ring)),
            verifying,
        })))
    }

    /// The time in whole seconds.
    pub(crate) fn now(&self) -> i64 {
        (self.clock)().unix_secs()
    }

    /// The time by which something may end: [`Leaps::believed`].
    pub(crate) fn believed_now(&self) -> i64 {
        self.leaps.believed(self.now())
    }

    /// By how many seconds the clock has leapt ahead, while that is in doubt.
    pub(crate) fn leap_in_doubt(&self) -> Option<i64> {
        self.leaps.in_doubt(self.now())
    }

    /// Whether the database has turned out to be broken since the start. It does not mend itself.
    pub(crate) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    /// Remembers that the database is broken, and says so once.
    pub(crate) fn found_damage(&self) {
        if !self.damaged.swap(true, Ordering::Relaxed) {
            tracing::error!(
                code = "database_damaged",
                "the database is damaged, and this server is not ready any more: stop it and put a copy in the database's place with `countersign restore`"
            );
        }
    }

    /// [`Self::found_damage`], where this is why something failed.
    pub(crate) fn note(&self, problem: &Error) {
        if problem.is_damage() {
            self.found_damage();
        }
    }

    /// The keys as they are now.
    pub(crate) fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The public keys as they are now, for whoever verifies tokens of this server.
    pub(crate) fn verifying_keys(&self) -> &SharedKeys {
        &self.verifying
    }

    /// The public address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.terms.issuer)
    }

    /// The audience that this server's own routes expect.
    pub(crate) fn own_audience(&self) -> &str {
        self.terms.audiences.first().unwrap_or(&self.terms.issuer)
    }

    /// The algorithm of access tokens.
    pub(crate) fn signing_alg(&self) -> countersign::Algorithm {
        self.signing_alg
    }

    /// The cookie that may carry an access token.
    pub(crate) fn access_cookie(&self) -> CookieSource {
        CookieSource::named(self.cookies.access_name(), self.origins.clone())
    }

    /// The layer that lets verified tokens of living sessions in.
    pub(crate) fn protect(&self) -> Result<Protect, Error> {
        let (clock, app) = (Arc::clone(&self.clock), self.clone());
        Protect::with_keys(&self.terms.issuer, &self.verifying)
            .audience(self.own_audience())
            .realm(REALM)
            .invalid_token_status(self.invalid_token_status)
            .cookie(self.access_cookie())
            .clock(move || clock())
            .cache(self.token_cache)
            // The session itself is asked, at every request.
            .without_status()
            .check(move |token| {
                let app = app.clone();
                async move { app.refuse_if_ended(&token).await }
            })
            .build()
            .map_err(|problem| Error::Argument(problem.to_string()))
    }

    /// What the service of the demonstration is behind: a service of its own that asks this server about no token. Being in
    /// the same process, it reads the keys and the status lists where they are published from.
    pub(crate) fn protect_demo(&self) -> Result<Protect, Error> {
        let (clock, app) = (Arc::clone(&self.clock), self.clone());
        let lists = StatusLists::new().read_by(move |url| {
            let app = app.clone();
            async move {
                let number = url.rsplit('/').next()?.parse().ok()?;
                let list = app.status_list(number).await.ok()??;
                String::from_utf8(list.plain.bytes.to_vec()).ok()
            }
        });
        Protect::with_keys(&self.terms.issuer, &self.verifying)
            .audience(demo::audience(&self.terms.issuer))
            .realm("demo")
            .clock(move || clock())
            .status_lists(lists)
            .require_status()
            .build()
            .map_err(|problem| Error::Argument(problem.to_string()))
    }

    /// The status list with this number, as it is published; `None` when there is none.
    ///
    /// # Errors
    /// As [`Published::list`].
    pub(crate) async fn status_list(&self, number: i64) -> Result<Option<Arc<Signed>>, Error> {
        self.status_lists
            .list(
                &self.store,
                self.ring(),
                &self.terms.issuer,
                number,
                self.now(),
            )
            .await
    }

    /// Verifies an access token of this server as of a time; whether its session lives is another question.
    ///
    /// # Errors
    /// Those of the check list.
    pub(crate) fn verify(&self, token: &str, at: i64) -> Result<AccessToken, countersign::Error> {
        let policy = Policy::access_token(&self.terms.issuer, self.own_audience());
        let keys = self.verifying.current();
        let parsed = Unverified::parse(token)?;
        let key = keys.find(parsed.header())?;
        let verified = parsed.verify::<AccessToken>(key, &policy, Timestamp::from_unix_secs(at))?;
        Ok(verified.into_claims())
    }

    /// The session of a verified access token and its user, where the token still says the truth.
    ///
    /// # Errors
    /// Errors of the database.
    pub(crate) async fn behind(&self, token: &AccessToken) -> Result<Option<Arc<Both>>, Error> {
        self.known.behind(&self.store, token, self.now()).await
    }

    /// Whether a verified access token of this server counts for whom it is, this server or the demonstration's service.
    ///
    /// # Errors
    /// Errors of the database.
    pub(crate) async fn counts(&self, token: &AccessToken) -> Result<bool, Error> {
        self.known.counts(&self.store, token, self.now()).await
    }

    /// A refusal of this server's own, as its layer would answer it.
    pub(crate) fn refuse(&self, rejection: Rejection) -> Response {
        self.refusals.refuse(rejection).into_response()
    }

    /// A token counts while its session does and while it says what its user's row says: the server knows at once.
    async fn refuse_if_ended(&self, token: &VerifiedToken) -> Result<(), Rejection> {
        let claims = token
            .claims::<AccessToken>()
            .map_err(|problem| Rejection::from(&problem))?;
        match self.behind(&claims).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(Rejection::revoked()),
            Err(problem) => {
                self.note(&problem);
                tracing::error!(code = problem.code(), error = %problem, "the session of a token could not be read");
                Err(Rejection::unavailable(std::time::Duration::from_secs(1)))
            }
        }
    }

    /// What is to be done now and then: new keys in time, forgotten limits, ended sessions.
    pub(crate) async fn keep_house(&self) -> Result<(), Error> {
        let kept = self.keep_house_once().await;
        if let Err(problem) = &kept {
            self.note(problem);
        }
        kept
    }

    async fn keep_house_once(&self) -> Result<(), Error> {
        let now = self.now();
        let ring = keys::open(
            &self.store,
            &self.seal,
            self.signing_alg,
            self.signing_secret.clone(),
            now,
        )
        .await?;
        let before = self.ring();
        let before = before.signing(before.opened_at());
        let signing = ring.signing(now).and_then(SigningKey::key_id);
        if let Some(kid) = signing.filter(|kid| before.and_then(SigningKey::key_id) != Some(kid)) {
            tracing::info!(kid, "tokens are signed with another key from now on");
        }
        self.verifying.replace(ring.verifying(now));
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
        self.sweep(now).await
    }

    /// Forgets what is over.
    async fn sweep(&self, now: i64) -> Result<(), Error> {
        let believed = self.leaps.believed(now);
        self.store
            .sweep_throttle(believed, now, self.limits.longest())
            .await?;
        let revoked = believed.saturating_sub(self.terms.access_ttl);
        self.store.sweep_sessions(believed, revoked).await?;
        status::sweep(&self.store, believed).await?;
        Ok(())
    }
}

/// For what needs to know no more of a server than its cookies.
impl FromRef<App> for Cookies {
    fn from_ref(app: &App) -> Self {
        app.cookies
    }
}

/// The pages that may change something here: this server's own, and those on the list.
fn origins(issuer: &str, others: &[String]) -> Result<Origins, Error> {
    let wrong = |problem: countersign_http::Error| Error::Argument(problem.to_string());
    let mut origins = Origins::new(issuer).map_err(wrong)?;
    for other in others {
        origins = origins.and(other).map_err(wrong)?;
    }
    Ok(origins)
}

/// The time of this machine.
pub(crate) fn system_clock() -> Clock {
    Arc::new(|| Timestamp::from(SystemTime::now()))
}
