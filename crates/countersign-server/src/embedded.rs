//! The server inside another program: its router, without a listener and with a clock of the program's own.

use std::fmt;

use axum::Router;

use crate::app::{App, Clock};
use crate::config::Settings;
use crate::error::Error;
use crate::router::{for_operators, router};
use crate::rules::leap::Leaps;
use crate::rules::setup::{self, SetupCode};

/// An auth server without a listener; cheap to clone.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::{sync::Arc, time::SystemTime};
/// use countersign_server::{Embedded, Flags, Settings};
///
/// # let folder = tempfile::tempdir()?;
/// # let data = folder.path().to_owned();
/// let settings = Settings::load(Flags { data: Some(data), ..Flags::default() }, [])?;
/// let auth = Embedded::open(&settings, "http://127.0.0.1:3000", Arc::new(|| SystemTime::now().into())).await?;
/// let app: axum::Router = auth.router()?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Embedded(App);

impl Embedded {
    /// Opens or makes the data folder. `issuer` is the public URL, where the settings name none.
    ///
    /// # Errors
    /// As [`start`](crate::start), without those of a listener.
    pub async fn open(settings: &Settings, issuer: &str, clock: Clock) -> Result<Self, Error> {
        let issuer = settings.public_url().unwrap_or(issuer).to_owned();
        // The clock is the program's own, and so is what it does.
        let leaps = Leaps::default();
        // And so is the listener, with the names by which it is asked.
        let bound = None;
        let app = App::open(settings, issuer, bound, clock, leaps).await?;
        Ok(Self(app))
    }

    /// All routes. Client addresses come from axum's `ConnectInfo<SocketAddr>`.
    ///
    /// # Errors
    /// [`Error::Argument`] when the settings contradict each other.
    pub fn router(&self) -> Result<Router, Error> {
        router(self.0.clone())
    }

    /// `GET /metrics`, for a listener that the world does not reach.
    pub fn metrics_router(&self) -> Router {
        for_operators(self.0.clone())
    }

    /// A new one-time code for the first administrator, which replaces the one before; `None` when there is one.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn offer_setup(&self) -> Result<Option<SetupCode>, Error> {
        setup::offer(&self.0.store, self.0.now()).await
    }

    /// What is to be done every minute or so: new keys in time, ended sessions forgotten.
    ///
    /// # Errors
    /// Errors of the database and of key generation.
    pub async fn keep_house(&self) -> Result<(), Error> {
        self.0.keep_house().await
    }

    /// Finishes what is under way and closes the database.
    pub async fn close(&self) {
        self.0.store.close().await;
        self.0.release_folder();
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded")
            .field("issuer", &self.0.terms.issuer)
            .finish_non_exhaustive()
    }
}
