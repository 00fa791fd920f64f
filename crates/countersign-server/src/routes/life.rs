//! `/flow`: the life of a token, played with a session of the visitor's own. The page, how that session begins, and the
//! service that its tokens open. It goes on at `/refresh` and ends at `/logout`, like any other.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use axum::{Extension, Json as Answered};
use countersign::{AccessToken, Report};
use countersign_http::{Claims, Protect};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::body::{Json, Peer};
use crate::error::Error;
use crate::routes::assets;
use crate::routes::member::Member;
use crate::routes::page::page;
use crate::routes::shell::Shell;
use crate::routes::tokens::{self, Mode};
use crate::routes::trouble;
use crate::routes::visitor::Visitor;
use crate::rules::address;
use crate::rules::demo;
use crate::rules::secret::Secret;
use crate::rules::session::{self, Both, Device, Proof};
use crate::rules::throttle::Attempt;
use crate::store::sessions::SessionRow;
use crate::store::users::UserRow;

/// What the script has from another page.
const SHARED: [&str; 2] = ["/assets/js/inspect/dom.js", "/assets/js/inspect/ladder.js"];

#[derive(Template)]
#[template(path = "life.html")]
struct Life {
    shell: Shell,
    /// Who the service is.
    audience: String,
    /// Seconds that an access token lives at most.
    ttl: i64,
    is_own: bool,
    /// Why it cannot be played, if it cannot.
    disabled: Option<String>,
    /// What the page's script is made of, to be loaded at once.
    modules: Vec<&'static str>,
}

/// A token to be explained.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    token: Secret,
}

/// What the service answers to whoever it lets in.
#[derive(Serialize)]
pub(crate) struct Served {
    message: &'static str,
    sub: String,
    /// When the token that opened this ends.
    exp: i64,
}

pub(crate) async fn get(
    State(app): State<App>,
    member: Result<Member, Response>,
    shell: Shell,
) -> Response {
    let is_own = match member {
        Ok(_) => true,
        Err(_) if app.demo.admits(false) => false,
        Err(to_the_log_in) => return to_the_log_in,
    };
    let disabled = match is_disabled(&app, is_own).await {
        Ok(is_disabled) => is_disabled.then(|| Error::DemoDisabled.to_string()),
        Err(problem) => return trouble::trouble(shell, &problem),
    };
    let life = Life {
        shell,
        audience: demo::audience(&app.terms.issuer),
        ttl: demo::access_ttl(app.terms.access_ttl),
        is_own,
        disabled,
        modules: assets::paths_under("/assets/js/flow/")
            .chain(SHARED)
            .collect(),
    };
    page(StatusCode::OK, &life)
}

async fn is_disabled(app: &App, is_own: bool) -> Result<bool, Error> {
    if is_own {
        return Ok(false);
    }
    demo::is_off_for_strangers(&app.store).await
}

/// `POST /flow/session`: a session, without a password: whoever is signed in has shown theirs, and of a stranger none is
/// asked.
pub(crate) async fn begin(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Peer(peer): Peer,
) -> Result<Response, Error> {
    let member = admit(&app, &visitor)?;
    let now = app.now();
    let attempt = Attempt::demo(&app.limits, member.map(|both| both.user.id.as_str()), peer);
    attempt.charge(&app.store, now).await?;
    let device = Device {
        name: Some(demo::DEVICE.to_owned()),
        address: peer.map(address::prefix),
    };
    let opened = open(&app, member, &attempt, &device, now).await;
    let (user, session) = attempt.settle(&app.store, opened).await?;
    tracing::info!(user = user.id, sid = session.id, "a demonstration began");
    tokens::answer(&app, "Demonstration begun", &user, &session, Mode::Token)
}

async fn open(
    app: &App,
    member: Option<&Both>,
    attempt: &Attempt,
    device: &Device,
    now: i64,
) -> Result<(UserRow, SessionRow), Error> {
    let user = match member {
        Some(both) => both.user.clone(),
        None => demo::strangers(&app.store, &app.passwords, now).await?,
    };
    let begun_by = member.map(|both| both.session.id.as_str());
    let (kind, ring) = (demo::kind(&user, begun_by), app.ring());
    let proof = Proof {
        user,
        renewed_hash: None,
    };
    session::start(
        &app.store,
        ring.refresh(),
        proof,
        attempt,
        device,
        kind,
        now,
    )
    .await?
    .ok_or(Error::LogInNeeded)
}

/// `POST /flow/explain`: what the service finds in a token, step by step. The service itself tells that to nobody.
pub(crate) async fn explain(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(service): Extension<Protect>,
    Json(question): Json<Question>,
) -> Result<Answered<Report>, Error> {
    admit(&app, &visitor)?;
    Ok(Answered(service.explain(question.token.expose())))
}

/// `GET /flow/service`: what is protected.
pub(crate) async fn service(Claims(token): Claims<AccessToken>) -> Answered<Served> {
    Answered(Served {
        message: "The service lets you in",
        sub: token.sub.clone(),
        exp: token.exp,
    })
}

/// Whose demonstration it is; `None` for a stranger, where strangers may have one.
fn admit<'v>(app: &App, visitor: &'v Visitor) -> Result<Option<&'v Both>, Error> {
    match visitor {
        Visitor::Member(both) => Ok(Some(both)),
        Visitor::Guest if app.demo.admits(false) => Ok(None),
        Visitor::Guest => Err(Error::LogInNeeded),
        Visitor::Unknown => Err(Error::NotReady("your session could not be looked up")),
    }
}
