//! An issuer on a loopback port that answers as a test wants it to, also as nobody should. It stops when it is dropped.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

pub(crate) const OIDC: &str = "/.well-known/openid-configuration";
pub(crate) const RFC_8414: &str = "/.well-known/oauth-authorization-server";
pub(crate) const KEYS: &str = "/keys";

/// What a path answers.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// 200 with this body, and these headers beside `content-length`.
    Answer {
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// This status, and no document.
    Status(u16),
    /// 302 to this URL.
    Redirect(String),
    /// Reads the request and says nothing.
    Never,
    /// Closes the connection without a word.
    Hangup,
    /// One byte now and then.
    Drip(String),
    /// Says more bytes than it sends.
    Truncated(String),
    /// A hundred megabytes, with or without saying so beforehand.
    Huge { announced: bool },
    /// 304 whatever was asked, with this body's `ETag`.
    Unchanged,
    /// Waits for [`FaultServer::release`], then answers with this body.
    Held(String),
    /// The same for any other answer.
    Late(Box<Self>),
}

impl Fault {
    /// A document as it should be.
    pub(crate) fn json(body: &Value) -> Self {
        Self::with("application/json", body.to_string())
    }

    pub(crate) fn with(content_type: &str, body: String) -> Self {
        Self::Answer {
            headers: vec![("content-type", content_type.to_owned())],
            body,
        }
    }

    /// The same answer with one more header.
    pub(crate) fn and(self, name: &'static str, value: &str) -> Self {
        match self {
            Self::Answer { mut headers, body } => {
                headers.push((name, value.to_owned()));
                Self::Answer { headers, body }
            }
            other => other,
        }
    }
}

#[derive(Default)]
struct State {
    answers: Mutex<HashMap<String, Fault>>,
    /// The heads of all requests.
    requests: Mutex<Vec<String>>,
    connections: AtomicUsize,
    /// Bytes of bodies that could be written.
    sent: AtomicUsize,
}

pub(crate) struct FaultServer {
    pub(crate) url: String,
    state: Arc<State>,
    gate: Arc<Semaphore>,
    task: JoinHandle<()>,
}

impl FaultServer {
    /// Answers 404 everywhere.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (state, gate) = (Arc::new(State::default()), Arc::new(Semaphore::new(0)));
        let (shared, held) = (Arc::clone(&state), Arc::clone(&gate));
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                connections.spawn(serve(stream, Arc::clone(&shared), Arc::clone(&held)));
            }
        });
        Self {
            url,
            state,
            gate,
            task,
        }
    }

    /// An issuer with metadata and this key set.
    pub(crate) async fn issuer(keys: &Value) -> Self {
        let server = Self::start().await;
        server.answers(OIDC, Fault::json(&server.metadata(KEYS)));
        server.answers(KEYS, Fault::json(keys));
        server
    }

    /// The metadata of this server as an issuer, with the keys at `path`.
    pub(crate) fn metadata(&self, path: &str) -> Value {
        json!({"issuer": self.url, "jwks_uri": format!("{}{path}", self.url), "scopes_supported": []})
    }

    pub(crate) fn answers(&self, path: &str, fault: Fault) {
        self.state
            .answers
            .lock()
            .unwrap()
            .insert(path.to_owned(), fault);
    }

    /// Lets one answer that is held go.
    pub(crate) fn release(&self) {
        self.gate.add_permits(1);
    }

    /// How often `path` was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        let line = format!("GET {path} HTTP/1.1");
        self.heads()
            .iter()
            .filter(|head| head.starts_with(&line))
            .count()
    }

    /// The heads of the requests so far, in lower case but for the first line.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.state.requests.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn bytes_sent(&self) -> usize {
        self.state.sent.load(Ordering::SeqCst)
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, state: Arc<State>, gate: Arc<Semaphore>) {
    let Some(head) = read_head(&mut stream).await else {
        return;
    };
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    state.requests.lock().unwrap().push(head);
    let fault = state.answers.lock().unwrap().get(&path).cloned();
    // A client that has seen enough closes the connection: that is no failure of this server.
    let _ = answer(
        &mut stream,
        fault.unwrap_or(Fault::Status(404)),
        &state,
        &gate,
    )
    .await;
}

async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let (first, rest) = head.split_once("\r\n")?;
    Some(format!("{first}\r\n{}", rest.to_ascii_lowercase()))
}

async fn answer(
    stream: &mut TcpStream,
    fault: Fault,
    state: &State,
    gate: &Semaphore,
) -> std::io::Result<()> {
    let json = ("content-type", "application/json".to_owned());
    let fault = match fault {
        Fault::Late(then) => {
            gate.acquire().await.unwrap().forget();
            *then
        }
        other => other,
    };
    match fault {
        Fault::Late(_) => Ok(()),
        Fault::Answer { headers, body } => {
            let head = head(200, &headers, Some(body.len()));
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(body.as_bytes()).await
        }
        Fault::Status(status) => {
            let head = head(status, &[json], Some(2));
            stream.write_all(format!("{head}{{}}").as_bytes()).await
        }
        Fault::Redirect(to) => {
            let head = head(302, &[json, ("location", to)], Some(0));
            stream.write_all(head.as_bytes()).await
        }
        Fault::Unchanged => stream.write_all(head(304, &[], None).as_bytes()).await,
        Fault::Hangup => Ok(()),
        Fault::Never => std::future::pending().await,
        Fault::Drip(body) => {
            let text = head(200, &[json], Some(body.len())) + &body;
            for byte in text.bytes() {
                stream.write_all(&[byte]).await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(())
        }
        Fault::Truncated(body) => {
            let head = head(200, &[json], Some(body.len().saturating_add(10)));
            stream.write_all((head + &body).as_bytes()).await
        }
        Fault::Huge { announced } => {
            let head = head(200, &[json], announced.then_some(100_000_000));
            stream.write_all(head.as_bytes()).await?;
            let block = [b' '; 10_000];
            for _ in 0..10_000 {
                stream.write_all(&block).await?;
                state.sent.fetch_add(block.len(), Ordering::SeqCst);
            }
            Ok(())
        }
        Fault::Held(body) => {
            gate.acquire().await.unwrap().forget();
            let head = head(200, &[json], Some(body.len()));
            stream.write_all((head + &body).as_bytes()).await
        }
    }
}

/// Without a length, the body ends with the connection.
fn head(status: u16, headers: &[(&str, String)], length: Option<usize>) -> String {
    let mut head = format!("HTTP/1.1 {status} x\r\nconnection: close\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    if let Some(length) = length {
        write!(head, "content-length: {length}\r\n").unwrap();
    }
    head + "\r\n"
}
