//! What the inspector needs to know of where it runs: in a server, or alone on somebody's own machine.

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRef;

use crate::app::{App, Clock, system_clock};
use crate::cookies::Cookies;
use crate::error::Error;
use crate::rules::inspect::{Published, Rate};

mod alone;

pub use alone::{LoneInspector, start_inspector};

/// Who may open the inspector of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Whoever comes by.
    Public,
    /// Whoever has an account and is logged in.
    SignedIn,
    /// Nobody: it is not there.
    Off,
}

impl Access {
    /// Whether somebody may open it.
    pub(crate) fn admits(self, is_signed_in: bool) -> bool {
        match self {
            Self::Public => true,
            Self::SignedIn => is_signed_in,
            Self::Off => false,
        }
    }
}

/// The state of the inspector's routes; cheap to clone.
#[derive(Clone)]
pub(crate) struct Inspector(Arc<Inner>);

/// What [`Inspector`] shares.
pub(crate) struct Inner {
    /// Where it runs, for the page to say.
    pub(crate) place: String,
    pub(crate) access: Access,
    pub(crate) published: Published,
    cookies: Cookies,
    clock: Clock,
    /// The server whose limits count; alone, everything comes from one person's own machine.
    server: Option<App>,
    rate: Rate,
}

impl Deref for Inspector {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Inspector {
    /// That of a server.
    pub(crate) fn of(app: &App) -> Self {
        let clock = app.clone();
        let issuer = &app.terms.issuer;
        Self(Arc::new(Inner {
            place: issuer.clone(),
            access: app.inspector,
            published: Published::with_own(issuer, app.verifying_keys().clone()),
            cookies: app.cookies,
            clock: Arc::new(move || countersign::Timestamp::from_unix_secs(clock.now())),
            server: Some(app.clone()),
            rate: Rate::default(),
        }))
    }

    /// One without a server and without a database.
    pub(crate) fn alone(place: String) -> Self {
        Self(Arc::new(Inner {
            cookies: Cookies::of_public_url(&place),
            place,
            access: Access::Public,
            published: Published::default(),
            clock: system_clock(),
            server: None,
            rate: Rate::default(),
        }))
    }

    pub(crate) fn is_alone(&self) -> bool {
        self.server.is_none()
    }

    pub(crate) fn now(&self) -> i64 {
        (self.clock)().unix_secs()
    }

    /// Counts an answer to a client, where clients can be told apart.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`].
    pub(crate) fn count(&self, peer: Option<IpAddr>) -> Result<(), Error> {
        let network = self
            .server
            .as_ref()
            .and_then(|app| app.limits.network_of(peer));
        network.map_or(Ok(()), |network| self.rate.count(network, self.now()))
    }
}

impl FromRef<Inspector> for Cookies {
    fn from_ref(inspector: &Inspector) -> Self {
        inspector.cookies
    }
}
