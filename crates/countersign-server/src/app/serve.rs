//! The server: a listener, the router behind it, and an end that cuts nobody off.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum_server::Handle;
use tokio::net::TcpListener;
use tokio::time::{Interval, MissedTickBehavior, sleep, timeout};

use super::connections::Connections;
use super::folder::{Lock, marked};
use super::listen::{bind, in_the_clear, over_tls};
use super::tls::Tls;
use super::{App, system_clock};
use crate::config::Settings;
use crate::error::Error;
use crate::router::{for_operators, router};
use crate::rules::address;
use crate::rules::leap::Leaps;
use crate::rules::setup::{self, SetupCode};
use crate::store::DURABILITY;

const HOUSEKEEPING: Duration = Duration::from_secs(60);
/// How long reading a certificate may take before it is told of.
const READ: Duration = Duration::from_secs(10);

/// How long the end may take, from when it was asked for: less than five seconds, after which who supervises a server kills it.
#[derive(Clone, Copy, Debug)]
struct Ending {
    /// How long for requests in flight.
    requests: Duration,
    /// How long for everything, the closing of the database with it.
    all: Duration,
}

impl Ending {
    const USUAL: Self = Self {
        requests: Duration::from_millis(4500),
        all: Duration::from_millis(4900),
    };
}

/// What there is to say about a server that has started.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Facts {
    /// Loopback and plain http: not for others.
    pub development: bool,
    /// The address as it was bound.
    pub address: SocketAddr,
    /// Whether the listener speaks TLS.
    pub tls: bool,
    /// The address at which the figures are told, as it was bound.
    pub metrics: Option<SocketAddr>,
    /// The public URL, which is `iss` in every token.
    pub issuer: String,
    /// Where the public keys are.
    pub jwks_uri: String,
    /// The keys in words: `ES256, one signing, one standby`.
    pub keys: String,
    /// The database file.
    pub database: PathBuf,
    /// What a commit survives, in SQLite's word.
    pub durability: &'static str,
    /// How to make the first administrator, while there is none.
    pub setup: Option<SetupLink>,
    /// What is fine in development and would not be elsewhere, one sentence each.
    pub warnings: Vec<String>,
}

/// Where and with which code the first administrator is made, once, within the hour.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SetupLink {
    /// The page.
    pub url: String,
    /// The one-time code.
    pub code: SetupCode,
    /// Whether the page was looked for where a server is by default, as nothing says where it is.
    pub is_assumed: bool,
}

impl SetupLink {
    pub(crate) fn new(public_url: &str, code: SetupCode) -> Self {
        Self {
            url: format!("{public_url}/setup"),
            code,
            is_assumed: false,
        }
    }
}

/// A server that is bound and ready, and answers once it runs.
pub struct Server {
    app: App,
    listener: TcpListener,
    metrics: Option<TcpListener>,
    tls: Option<Tls>,
    facts: Facts,
    lock: Lock,
    housekeeping: Duration,
    ending: Ending,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

/// Binds the address, then opens or makes the data folder and its keys. Prints nothing.
///
/// # Errors
/// [`Error::Listen`] before anything is made; [`Error::File`], [`Error::DatabaseUnusable`], [`Error::KeyEncryptionKey`],
/// [`Error::KeyEncryptionKeyWrong`].
pub async fn start(settings: Settings) -> Result<Server, Error> {
    // Before anything is made: what others would reach without TLS must not come to be.
    let tls = settings.tls().map(Tls::open).transpose()?;
    let (listener, address) = bind(settings.listen()).await?;
    let metrics = match settings.metrics_listen() {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let clock = system_clock();
    let leaps = Leaps::watched(clock().unix_secs());
    let issuer = settings.issuer(address);
    let marked = marked(&settings);
    let app = App::open(&settings, issuer, Some(address), clock, leaps).await?;
    let lock = Lock::of(&settings)?;
    lock.mark(&settings, marked).await?;
    let mut warnings = warnings(&settings, &app, &lock).await?;
    let is_replaced = lock.is_of_another() && setup::is_offered(&app.store, app.now()).await?;
    let code = setup::offer(&app.store, app.now()).await?;
    if is_replaced && code.is_some() {
        warnings.push(
            "the code for the first administrator that the other server printed is void; the one of this server counts, for both".to_owned(),
        );
    }
    let facts = Facts {
        tls: tls.is_some(),
        development: settings.is_development(),
        address,
        metrics: metrics.as_ref().map(|(_, address)| *address),
        issuer: app.terms.issuer.clone(),
        jwks_uri: app.url("/.well-known/jwks.json"),
        keys: app.ring().describe(app.now()),
        database: settings.database(),
        durability: DURABILITY,
        setup: code.map(|code| SetupLink::new(&app.terms.issuer, code)),
        warnings,
    };
    Ok(Server {
        app,
        listener,
        metrics: metrics.map(|(listener, _)| listener),
        tls,
        facts,
        lock,
        housekeeping: HOUSEKEEPING,
        ending: Ending::USUAL,
    })
}

async fn warnings(settings: &Settings, app: &App, lock: &Lock) -> Result<Vec<String>, Error> {
    let mut warnings = Vec::new();
    if settings.is_development() {
        warnings.push(
            "cookies are named `at` and `rt` and travel without Secure, because the public URL is http".to_owned(),
        );
    }
    if settings.is_plain_elsewhere() {
        warnings.push(format!(
            "{} is not this machine, and it is http: whoever comes under it sends passwords and tokens in the clear; set `--public-url` to https://…, with a certificate or behind a proxy",
            app.terms.issuer
        ));
    }
    if settings.has_idle_for_nothing() {
        warnings.push(
            "`session_idle_ttl` is longer than `session_ttl` and says nothing: no session lasts so long".to_owned(),
        );
    }
    let address = settings.listen().ip();
    let is_internal = address::is_internal(address) || address.is_unspecified();
    let may_have_proxy = settings.tls().is_none() && settings.proxies().is_empty();
    if !settings.is_development() && is_internal && may_have_proxy {
        warnings.push(
            "clients with a loopback or private address are taken for a proxy and not limited by network; limit them there, or say who the proxies are with `--trusted-proxy`".to_owned(),
        );
    }
    if lock.is_of_another() {
        warnings.push(format!(
            "another server runs on the data folder {}; stop one of them",
            settings.data().display()
        ));
    }
    let issuer = &app.terms.issuer;
    let before = app.store.replace_issuer(issuer).await?;
    if let Some(before) = before.filter(|before| before != issuer) {
        warnings.push(format!(
            "the issuer was {before} and is {issuer}, so access tokens from before are refused; set `--public-url {before}` to keep it"
        ));
    }
    Ok(warnings)
}

impl Server {
    /// What there is to say about it.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Answers requests until `shutdown` is ready, then finishes what is in flight, within five seconds.
    ///
    /// # Errors
    /// [`Error::Serve`] when the listener fails.
    pub async fn run(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Error> {
        // The lock is held to the end.
        let Self {
            app,
            listener,
            metrics,
            tls,
            lock,
            housekeeping: every,
            ending,
            ..
        } = self;
        let handle = Handle::<SocketAddr>::new();
        let lock = Arc::new(Mutex::new(lock));
        let housekeeping = tokio::spawn(keep_house(app.clone(), Arc::clone(&lock), every));
        let renewal = tls
            .clone()
            .map(|tls| tokio::spawn(keep_certificate(tls, every)));
        if let Some(listener) = metrics {
            tokio::spawn(tell_figures(app.clone(), listener, handle.clone()));
        }
        let end = handle.clone();
        let over = tokio::spawn(async move {
            shutdown.await;
            end.graceful_shutdown(Some(ending.requests));
            sleep(ending.all).await;
        });
        let served = answer(&app, listener, tls, handle).await;
        housekeeping.abort();
        if let Some(renewal) = renewal {
            renewal.abort();
        }
        tokio::select! {
            () = app.store.close() => app.release_folder(),
            _ = over => tracing::warn!(
                "the database is locked by another process and was not closed; nothing that was committed is lost"
            ),
        }
        // It knows the lock too, and ends where it next waits.
        let _ = housekeeping.await;
        drop(lock);
        served
    }
}

/// Answers the world until the handle says that it is over.
async fn answer(
    app: &App,
    listener: TcpListener,
    tls: Option<Tls>,
    handle: Handle<SocketAddr>,
) -> Result<(), Error> {
    let service = router(app.clone())?.into_make_service_with_connect_info::<SocketAddr>();
    let connections = Connections::of_this_process(app.proxies.clone());
    let served = match tls {
        None => {
            let server = in_the_clear(listener, connections, handle);
            server.serve(service).await
        }
        Some(tls) => {
            let server = over_tls(listener, &tls, connections, handle);
            server.serve(service).await
        }
    };
    served.map_err(Error::Serve)
}

/// Serves the figures until the server ends. That they cannot be told any more is no reason to end it.
async fn tell_figures(app: App, listener: TcpListener, handle: Handle<SocketAddr>) {
    let server = in_the_clear(listener, Connections::for_figures(), handle);
    if let Err(error) = server.serve(for_operators(app).into_make_service()).await {
        tracing::error!(%error, "the figures are no longer told");
    }
}

async fn keep_house(app: App, lock: Arc<Mutex<Lock>>, every: Duration) {
    let mut tick = from_then_on(every).await;
    loop {
        tick.tick().await;
        lock.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .try_again();
        if let Err(problem) = app.keep_house().await {
            tracing::error!(code = problem.code(), error = %problem, "housekeeping failed; it is tried again");
        }
    }
}

/// Apart from the housekeeping, which waits for no file: on a network that hangs, a read never ends.
async fn keep_certificate(tls: Tls, every: Duration) {
    let mut tick = from_then_on(every).await;
    loop {
        tick.tick().await;
        let tls = tls.clone();
        let mut renewing = tokio::task::spawn_blocking(move || tls.renew());
        if timeout(READ, &mut renewing).await.is_err() {
            tracing::error!(
                "the files of the certificate cannot be read, their file system does not answer; the certificate before stays"
            );
            // Never two at once.
            let _ = renewing.await;
        }
    }
}

async fn from_then_on(every: Duration) -> Interval {
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick is at once, and everything was just opened.
    tick.tick().await;
    tick
}

#[cfg(test)]
mod tests;
