//! The harness: a server, its clock, and requests to it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use countersign::Timestamp;
use countersign_server::{Embedded, Error, Flags, Settings};
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;
use tower::ServiceExt as _;

pub(crate) const ISSUER: &str = "http://127.0.0.1:8080";
pub(crate) const EMAIL: &str = "ada@example.com";
pub(crate) const PASSWORD: &str = "lantern orbit quilt mosaic 42";
pub(crate) const START: i64 = 1_800_000_000;
pub(crate) const MINUTE: i64 = 60;
pub(crate) const DAY: i64 = 24 * 60 * MINUTE;

pub(crate) struct TestApp {
    pub(crate) server: Embedded,
    pub(crate) router: Router,
    environment: Vec<(String, String)>,
    clock: Arc<AtomicI64>,
    folder: TempDir,
}

impl TestApp {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// A server with these settings.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        Self::since(START, settings).await
    }

    /// A server whose clock begins where the system's stands, beside which the operator's commands make sense.
    pub(crate) async fn in_present() -> Self {
        let now = Timestamp::from(std::time::SystemTime::now()).unix_secs();
        Self::since(now, &[]).await
    }

    async fn since(start: i64, settings: &[(&str, &str)]) -> Self {
        let environment: Vec<_> = settings
            .iter()
            .map(|(key, value)| (format!("COUNTERSIGN_{key}"), (*value).to_owned()))
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(start));
        let server = open(folder.path(), &environment, &clock).await.unwrap();
        Self {
            router: server.router().unwrap(),
            server,
            environment,
            clock,
            folder,
        }
    }

    /// A server with Ada's account, and the tokens of a log-in.
    pub(crate) async fn with_session() -> (Self, Tokens) {
        let app = Self::new().await;
        app.sign_up(EMAIL).await;
        let tokens = app.log_in(EMAIL).await;
        (app, tokens)
    }

    pub(crate) fn settings(&self) -> Settings {
        settings(self.folder.path(), &self.environment).unwrap()
    }

    pub(crate) fn data(&self) -> &Path {
        self.folder.path()
    }

    /// The same data folder, opened again with other settings besides.
    pub(crate) async fn reopen_with(&mut self, settings: &[(&str, &str)]) -> Result<(), Error> {
        for (key, value) in settings {
            let name = format!("COUNTERSIGN_{key}");
            self.environment.retain(|(known, _)| *known != name);
            self.environment.push((name, (*value).to_owned()));
        }
        self.server.close().await;
        self.server = open(self.folder.path(), &self.environment, &self.clock).await?;
        self.router = self.server.router()?;
        Ok(())
    }

    /// Changes the database behind the server's back, as an operator could.
    pub(crate) async fn tamper(&self, sql: &'static str, value: &str) {
        let database = SqliteConnectOptions::new().filename(self.data().join("countersign.db"));
        let mut connection = SqliteConnection::connect_with(&database).await.unwrap();
        let changed = sqlx::query(sql)
            .bind(value)
            .execute(&mut connection)
            .await
            .unwrap();
        assert_eq!(changed.rows_affected(), 1);
        connection.close().await.unwrap();
    }

    /// One text out of the database.
    pub(crate) async fn look_up(&self, sql: &'static str) -> String {
        let database = SqliteConnectOptions::new().filename(self.data().join("countersign.db"));
        let mut connection = SqliteConnection::connect_with(&database).await.unwrap();
        let found = sqlx::query_scalar(sql)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
        found
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }

    /// Lets time pass.
    pub(crate) fn wait(&self, secs: i64) {
        self.clock.fetch_add(secs, Ordering::SeqCst);
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        self.send_from("127.0.0.1:55555", request).await
    }

    pub(crate) async fn send_from(&self, peer: &str, mut request: Request<Body>) -> Answer {
        request
            .extensions_mut()
            .insert(ConnectInfo::<SocketAddr>(peer.parse().unwrap()));
        Answer::of(self.router.clone().oneshot(request).await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    /// What the operator's own listener tells.
    pub(crate) async fn metrics(&self) -> String {
        let request = Request::get("/metrics").body(Body::empty()).unwrap();
        let router = self.server.metrics_router();
        let answer = Answer::of(router.oneshot(request).await.unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(
            answer
                .header("content-type")
                .starts_with("text/plain; version=0.0.4")
        );
        answer.body
    }

    pub(crate) async fn get_as(&self, path: &str, token: &str) -> Answer {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A request with a token and, unless it is null, a body.
    pub(crate) async fn send_as(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: &Value,
    ) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        let request = if body.is_null() {
            request.body(Body::empty())
        } else {
            let request = request.header(header::CONTENT_TYPE, "application/json");
            request.body(Body::from(body.to_string()))
        };
        self.send(request.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(post(path, body)).await
    }

    pub(crate) async fn sign_up(&self, email: &str) {
        let answer = self
            .post("/signup", &json!({"email": email, "password": PASSWORD}))
            .await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    }

    pub(crate) async fn log_in(&self, email: &str) -> Tokens {
        let answer = self
            .post("/login", &json!({"email": email, "password": PASSWORD}))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        Tokens::of(&answer)
    }

    pub(crate) async fn refresh(&self, refresh_token: &str) -> Answer {
        self.post("/refresh", &json!({"refresh_token": refresh_token}))
            .await
    }

    /// An account with the role `admin`, by the one-time code.
    pub(crate) async fn administrator(&self) -> Tokens {
        let code = self
            .server
            .offer_setup()
            .await
            .unwrap()
            .unwrap()
            .to_string();
        let answer = self
            .post(
                "/setup",
                &json!({"code": code, "email": "root@example.com", "password": PASSWORD}),
            )
            .await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        self.log_in("root@example.com").await
    }
}

fn settings(folder: &Path, environment: &[(String, String)]) -> Result<Settings, Error> {
    let data = Some(folder.to_owned());
    Settings::load(
        Flags {
            data,
            ..Flags::default()
        },
        environment.to_vec(),
    )
}

async fn open(
    folder: &Path,
    environment: &[(String, String)],
    clock: &Arc<AtomicI64>,
) -> Result<Embedded, Error> {
    let clock = Arc::clone(clock);
    let clock = Arc::new(move || Timestamp::from_unix_secs(clock.load(Ordering::SeqCst)));
    Embedded::open(&settings(folder, environment)?, ISSUER, clock).await
}

pub(crate) fn post(path: &str, body: &Value) -> Request<Body> {
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
    request.body(Body::from(body.to_string())).unwrap()
}

/// What a log-in or a refresh hands out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Tokens {
    pub(crate) fn of(answer: &Answer) -> Self {
        let body = answer.json();
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        Self {
            access: text("access_token"),
            refresh: text("refresh_token"),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    async fn of(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The values of `Set-Cookie`.
    pub(crate) fn cookies(&self) -> Vec<&str> {
        self.headers
            .get_all(header::SET_COOKIE)
            .iter()
            .map(|value| value.to_str().unwrap())
            .collect()
    }

    /// Asserts a problem of RFC 9457 with this status, code and message.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, code: &str, message: &str) {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{self:?}"
        );
        assert_eq!(self.header("cache-control"), "no-store", "{self:?}");
        let has_challenge = self.headers.contains_key(header::WWW_AUTHENTICATE);
        assert!(status != 401 || has_challenge, "{self:?}");
        let body = self.json();
        assert_eq!(
            (&body["code"], &body["message"]),
            (&json!(code), &json!(message)),
            "{self:?}"
        );
        assert_eq!(
            (&body["status"], &body["type"]),
            (&json!(status), &json!("about:blank")),
            "{self:?}"
        );
        assert!(
            body["detail"]
                .as_str()
                .is_some_and(|detail| !detail.is_empty()),
            "{self:?}"
        );
        assert!(
            body["title"]
                .as_str()
                .is_some_and(|title| !title.is_empty()),
            "{self:?}"
        );
    }
}

/// The claims of a token, unverified.
pub(crate) fn claims(token: &str) -> Value {
    countersign::dangerous::decode_unverified(token)
        .unwrap()
        .claims
        .clone()
}

/// The token with one character after its first dot changed.
pub(crate) fn tampered(token: &str) -> String {
    let (head, rest) = token.split_once('.').unwrap();
    let other = |c| if c == 'A' { 'B' } else { 'A' };
    let changed: String = rest
        .chars()
        .enumerate()
        .map(|(at, c)| if at == 9 { other(c) } else { c })
        .collect();
    format!("{head}.{changed}")
}
