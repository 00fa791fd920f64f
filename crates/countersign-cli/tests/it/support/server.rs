//! A server on loopback, on a port that the system picks; it is killed when the test ends, however it ends.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use reqwest::Client;
use serde_json::{Value, json};

use super::Bench;

/// What a person logs in with.
pub(crate) const EMAIL: &str = "ada@example.com";
pub(crate) const PASSWORD: &str = "lantern orbit quilt mosaic 42";

/// What answers at a server's address, also after it died: nothing then. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Answers {
    url: String,
    client: Client,
}

impl Answers {
    /// `None` when the connection broke.
    pub(crate) async fn try_post(&self, path: &str, body: &Value) -> Option<(u16, Value)> {
        answer(self.client.post(format!("{}{path}", self.url)).json(body)).await
    }

    /// The same with the access token of a log-in.
    pub(crate) async fn try_post_as(
        &self,
        path: &str,
        tokens: &Value,
        body: &Value,
    ) -> Option<(u16, Value)> {
        let request = self.client.post(format!("{}{path}", self.url)).json(body);
        answer(request.bearer_auth(tokens["token"].as_str().unwrap())).await
    }
}

/// A running server, with its data in `data/` and its standard error in `server.log` of the bench.
pub(crate) struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    pub(crate) url: String,
    pub(crate) banner: String,
    client: Client,
}

impl Server {
    pub(crate) fn start(bench: &Bench) -> Self {
        Self::start_with(bench, &["--listen", "127.0.0.1:0"], &[])
    }

    /// The same under a public URL of its own, which stays the issuer whatever the port is.
    pub(crate) fn start_as(bench: &Bench, public_url: &str) -> Self {
        let flags = ["--listen", "127.0.0.1:0", "--public-url", public_url];
        Self::start_with(bench, &flags, &[])
    }

    pub(crate) fn start_with(bench: &Bench, flags: &[&str], env: &[(&str, &str)]) -> Self {
        let log = File::options()
            .create(true)
            .append(true)
            .open(bench.path("server.log"))
            .unwrap();
        let mut child = bench
            .command()
            .args(["serve", "--data", "data"])
            .args(flags)
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut server = Self {
            stdout: BufReader::new(child.stdout.take().unwrap()),
            child,
            url: String::new(),
            banner: String::new(),
            client: Client::builder().no_proxy().build().unwrap(),
        };
        while !server.banner.contains("\n  console ") {
            let line = server.line();
            assert_ne!(line, "", "no banner: {}", bench.read("server.log"));
            // Where it listens elsewhere than its name says, that line comes second.
            let url = ["  issuer ", "  listen "].map(|name| line.strip_prefix(name));
            if let Some(url) = url.into_iter().flatten().next() {
                url.trim().clone_into(&mut server.url);
            }
            server.banner.push_str(&line);
        }
        server
    }

    /// The next line of standard output, empty at its end.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    pub(crate) fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        send(name, self.child.id());
    }

    /// Ends the server in an orderly way.
    pub(crate) fn stop(mut self) {
        self.signal("TERM");
        assert!(self.wait().success());
    }

    /// Waits for the end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// kill -9, without a look at what it was doing.
    pub(crate) fn kill_now(pid: u32) {
        send("KILL", pid);
    }

    pub(crate) fn answers(&self) -> Answers {
        Answers {
            url: self.url.clone(),
            client: self.client.clone(),
        }
    }

    /// The figures, where the server was started with a listener for them.
    pub(crate) async fn metrics(&self) -> String {
        let mut lines = self.banner.lines();
        let url = lines
            .find_map(|line| line.strip_prefix("  metrics "))
            .unwrap();
        let answer = self.client.get(url.trim()).send().await.unwrap();
        answer.text().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> (u16, Value) {
        let request = self.client.get(format!("{}{path}", self.url));
        answer(request.bearer_auth(token)).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.try_post(path, body).await.unwrap()
    }

    /// `None` when the connection broke.
    pub(crate) async fn try_post(&self, path: &str, body: &Value) -> Option<(u16, Value)> {
        self.answers().try_post(path, body).await
    }

    pub(crate) async fn sign_up(&self) {
        let (status, body) = self.post("/signup", &credentials()).await;
        assert_eq!(status, 201, "{body}");
    }

    pub(crate) async fn log_in(&self) -> Value {
        let (status, body) = self.post("/login", &credentials()).await;
        assert_eq!(status, 200, "{body}");
        body
    }
}

fn send(signal: &str, pid: u32) {
    let status = Command::new("kill")
        .args([format!("-{signal}"), pid.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

pub(crate) fn credentials() -> Value {
    json!({ "email": EMAIL, "password": PASSWORD })
}

async fn answer(request: reqwest::RequestBuilder) -> Option<(u16, Value)> {
    let response = request.send().await.ok()?;
    let status = response.status().as_u16();
    Some((status, response.json().await.ok()?))
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
