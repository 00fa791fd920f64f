//! What the inspector needs to know of where it runs: in a server, or alone on somebody's own machine.

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use axum::extract::FromRef;
use countersign::AccessToken;

use crate::app::{App, Clock, system_clock};
use crate::cookies::Cookies;
use crate::error::Error;
use crate::rules::inspect::{Published, Rate, Session};
use crate::rules::queue::Queue;

mod alone;

pub use alone::{LoneInspector, start_inspector};

/// How many answers wait for a thread, and how long.
const WAITING: usize = 16;
const DEADLINE: Duration = Duration::from_secs(3);

/// Those who cannot be told apart: who come from private addresses, each of which may be a proxy for everybody.
const EVERYBODY: &str = "everybody";

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
    work: Queue,
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
            work: app.inspections.clone(),
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
            work: threads(),
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

    /// Computes an answer off the async threads: what somebody pastes may take long, and nothing else waits for it.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many are computed already.
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        self.work.place()?.run(work).await
    }

    /// What became of the session behind a token that our own keys have verified.
    pub(crate) async fn session(&self, token: &AccessToken) -> Session {
        let Some(app) = &self.server else {
            return Session::Unknown;
        };
        match app.counts(token).await {
            Ok(true) => Session::Lives,
            Ok(false) => Session::Over,
            Err(problem) => {
                tracing::error!(code = problem.code(), error = %problem, "the session of a token could not be read");
                Session::Unknown
            }
        }
    }

    /// Counts an answer to whoever asks: the account, where somebody is signed in, else the network, else all together who
    /// cannot be told apart. Alone, everything comes from one person's own machine and nothing is counted.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`].
    pub(crate) fn count(&self, user: Option<&str>, peer: Option<IpAddr>) -> Result<(), Error> {
        let Some(app) = &self.server else {
            return Ok(());
        };
        let whom = match user {
            Some(user) => format!("account {user}"),
            None => app
                .limits
                .network_of(peer)
                .unwrap_or_else(|| EVERYBODY.to_owned()),
        };
        self.rate.count(whom, self.now())
    }
}

/// The threads that compute answers: one core stays free for everything else.
pub(crate) fn threads() -> Queue {
    let cores = available_parallelism().map_or(1, usize::from);
    Queue::new(cores.saturating_sub(1).max(1), WAITING, DEADLINE)
}

impl FromRef<Inspector> for Cookies {
    fn from_ref(inspector: &Inspector) -> Self {
        inspector.cookies
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use http::{Request, Response, StatusCode};
    use serde_json::{Value, json};
    use tower::ServiceExt as _;

    use super::*;
    use crate::config::{Flags, Settings};
    use crate::router::router;
    use crate::rules::leap::Leaps;

    async fn server() -> (tempfile::TempDir, App, Router) {
        let folder = tempfile::tempdir().unwrap();
        let flags = Flags {
            data: Some(folder.path().to_owned()),
            ..Flags::default()
        };
        let settings = Settings::load(flags, []).unwrap();
        let issuer = "http://127.0.0.1:8080".to_owned();
        let app = App::open(&settings, issuer, None, system_clock(), Leaps::default())
            .await
            .unwrap();
        let router = router(app.clone()).unwrap();
        (folder, app, router)
    }

    async fn post(router: &Router, path: &str, kind: &str, body: String) -> Response<Body> {
        let request = Request::post(path).header("content-type", kind);
        let request = request.body(Body::from(body)).unwrap();
        router.clone().oneshot(request).await.unwrap()
    }

    async fn ask(router: &Router, path: &str, body: &Value) -> Response<Body> {
        post(router, path, "application/json", body.to_string()).await
    }

    async fn is_alive(router: &Router) -> bool {
        let request = Request::get("/livez").body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap().status() == StatusCode::OK
    }

    #[tokio::test]
    async fn where_too_many_inspections_run_the_next_is_told_to_come_back_and_nothing_else_waits() {
        let (_folder, app, router) = server().await;
        let key = json!({"form": "text", "text": "k7Qx0vYw2mNfT4uZ9aLpR8cHsJ3eBgDi"});
        let question = json!({"token": "eyJhbGciOiJIUzI1NiJ9.e30.AA", "key": key});
        let asked = [
            ("/inspect/explain", question.clone()),
            (
                "/inspect/experiment",
                json!({"attempt": "alg_none", "token": question["token"]}),
            ),
            (
                "/inspect/sign",
                json!({"header": "{\"alg\":\"HS256\"}", "payload": "{}", "key": key}),
            ),
            (
                "/inspect/program",
                json!({"language": "rust", "question": question}),
            ),
        ];
        let form = ("application/x-www-form-urlencoded", "token=a.b.c");
        let mut places = Vec::new();
        while let Ok(place) = app.inspections.place() {
            places.push(place);
        }
        assert!(places.len() > WAITING);
        for (path, body) in &asked {
            let refused = ask(&router, path, body).await;
            assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
            assert_eq!(refused.headers()["retry-after"], "2", "{path}");
        }
        let refused = post(&router, "/ui/inspect", form.0, form.1.to_owned()).await;
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()["retry-after"], "2");
        assert!(is_alive(&router).await);
        drop(places);
        for (path, body) in &asked {
            let answered = ask(&router, path, body).await;
            assert_eq!(answered.status(), StatusCode::OK, "{path}");
        }
        let answered = post(&router, "/ui/inspect", form.0, form.1.to_owned()).await;
        assert_eq!(answered.status(), StatusCode::OK);
    }

    #[test]
    fn alone_nobody_has_to_wait_however_often_they_ask() {
        let inspector = Inspector::alone("http://127.0.0.1:1".to_owned());
        let own = Some(IpAddr::from([127, 0, 0, 1]));
        for _ in 0..5_000 {
            inspector.count(None, own).unwrap();
        }
    }

    /// All that is asynchronous runs on the one thread of this test: what is computed there would hold everything up.
    #[tokio::test]
    async fn inspections_are_computed_beside_the_threads_of_everything_else() {
        let (_folder, app, _router) = server().await;
        let inspector = Inspector::of(&app);
        let here = std::thread::current().id();
        let there = inspector.compute(|| std::thread::current().id()).await;
        assert_ne!(there.unwrap(), here);
    }
}
