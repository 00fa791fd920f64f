//! `POST /login`: an address and a password for a session.

use std::net::IpAddr;

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use http::header::USER_AGENT;
use serde::Deserialize;

use crate::app::App;
use crate::body::{Json, Peer};
use crate::error::Error;
use crate::routes::tokens::{self, Mode};
use crate::rules::password::{self, Checking, Password};
use crate::rules::secret::Secret;
use crate::rules::session::{self, Device, Kind, Proof};
use crate::rules::throttle::{Attempt, Limits};
use crate::rules::{address, device, email};
use crate::store::sessions::SessionRow;
use crate::store::users::UserRow;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    email: String,
    password: Secret,
    session: Option<Mode>,
}

pub(crate) async fn post(
    State(app): State<App>,
    Peer(peer): Peer,
    headers: HeaderMap,
    Json(body): Json<Credentials>,
) -> Result<Response, Error> {
    let (user, session) = log_in(&app, peer, &headers, &body.email, &body.password).await?;
    tokens::answer(
        &app,
        "Login successful",
        &user,
        &session,
        body.session.unwrap_or_default(),
    )
}

/// A session for an address and its password, whoever asks and however.
pub(super) async fn log_in(
    app: &App,
    peer: Option<IpAddr>,
    headers: &HeaderMap,
    email: &str,
    password: &Secret,
) -> Result<(UserRow, SessionRow), Error> {
    let now = app.now();
    let counted = email::counted_as(email);
    let attempt = Attempt::login(&app.store, &app.limits, &counted, peer, now).await?;
    // Who may not try takes no place; and who finds none is charged nothing and makes nobody wait.
    attempt.look(&app.store, now).await?;
    let checking = app.passwords.checking(Limits::site_of(peer).as_deref())?;
    attempt.charge(&app.store, now).await?;
    let login = Login {
        app,
        checking,
        attempt: &attempt,
        device: Device {
            name: headers
                .get(USER_AGENT)
                .and_then(|value| value.to_str().ok())
                .and_then(device::in_words),
            address: peer.map(address::prefix),
        },
        now,
    };
    let password = Password::new(password.expose());
    let opened = login.open(email, &password).await;
    let (user, session) = attempt.settle(&app.store, opened).await?;
    tracing::info!(user = user.id, sid = session.id, "logged in");
    Ok((user, session))
}

struct Login<'a> {
    app: &'a App,
    checking: Checking,
    attempt: &'a Attempt,
    device: Device,
    now: i64,
}

impl Login<'_> {
    /// A session for whoever has this password. The account may have changed while it was hashed: another log-in may
    /// have renewed the hash, and then the password is looked at once more; or the password was changed, or the
    /// account disabled, and then it no longer opens anything.
    async fn open(&self, email: &str, password: &Password) -> Result<(UserRow, SessionRow), Error> {
        for _ in 0..2 {
            let proof = self.prove(email, password).await?;
            let (app, ring) = (self.app, self.app.ring());
            let started = session::start(
                &app.store,
                ring.refresh(),
                proof,
                self.attempt,
                &self.device,
                Kind::first_party(app.lifetimes),
                self.now,
            );
            if let Some(opened) = started.await? {
                return Ok(opened);
            }
        }
        Err(Error::InvalidCredentials)
    }

    /// The account whose password this is. Unknown, wrong and disabled take the same work and end the same way.
    async fn prove(&self, email: &str, password: &Password) -> Result<Proof, Error> {
        if !password.has_possible_length() {
            return Err(Error::InvalidCredentials);
        }
        let user = self
            .app
            .store
            .user_by_one_of(&email::spellings(email))
            .await?;
        let stored = user.as_ref().map(|user| user.password_hash.clone());
        let known = user.as_ref().map(|user| user.id.clone());
        let holds = self.checking.verify(password.clone(), stored).await?;
        let user = user
            .filter(|user| holds && !user.disabled)
            .ok_or(Error::InvalidCredentials)
            .inspect_err(|_| tracing::info!(user = known, "log-in failed"))?;
        let renewed_hash = if password::is_outdated(&user.password_hash) {
            self.renew(password).await?
        } else {
            None
        };
        Ok(Proof { user, renewed_hash })
    }

    async fn renew(&self, password: &Password) -> Result<Option<String>, Error> {
        match self.checking.rehash(password.clone()).await {
            Ok(hash) => Ok(Some(hash)),
            // The next log-in does it.
            Err(Error::Busy { .. }) => Ok(None),
            Err(problem) => Err(problem),
        }
    }
}

#[cfg(test)]
mod tests;
