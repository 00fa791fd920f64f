//! Loads a server and prints what it bears: see README.md.

mod client;
mod figures;
mod report;
mod server;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use client::Client;
use figures::Figures;
use report::Report;
use server::Server;

const CLIENTS: usize = 50;
const OFFERED: u32 = 500;
/// After so long a list is not handed out any more, but made anew.
const TOO_OLD: Duration = Duration::from_millis(2100);

type Load = (Vec<Duration>, usize);

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut secs = 10;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--secs" => secs = arguments.next().and_then(|text| text.parse().ok()).expect("--secs NUMBER"),
            other => panic!("unknown argument {other}"),
        }
    }
    let time = Duration::from_secs(secs);
    let command = server::build();
    let mut report = Report::default();
    report.say("# Results\n\nWritten by `cargo run --release --bin server`; README.md says what is done.\n");
    report.say(&report::circumstances());
    let server = Server::start(&command, &[]);
    report.say(&format!(
        "- SQLite, durability {}; {CLIENTS} clients, {secs} s for each figure; load and server share the machine\n",
        server.durability
    ));
    report.say(
        "| | a second | p50 ms | p95 ms | p99 ms | failures | resident MiB (most) |\n|---|---|---|---|---|---|---|",
    );
    server.sign_up().await;
    let mut sessions = server.log_in(CLIENTS).await;
    refresh(&mut report, &server, &mut sessions, time).await;
    let cached = profile(&mut report, "profile", &server, &sessions, time).await;
    let goal = format!("{:.0}/s", cached.per_second());
    report.goal("profile, token cache on", "20,000/s", &goal, cached.per_second() >= 20_000.0);
    let garbage = garbage(&mut report, &server, &sessions, time).await;
    beside(&mut report, &server, &mut sessions, time).await;
    let lists = status_lists(&mut report, &server).await;
    drop(server);
    let server = Server::start(&command, &["--token-cache", "0"]);
    server.sign_up().await;
    let sessions = server.log_in(CLIENTS).await;
    profile(&mut report, "profile, no token cache", &server, &sessions, time).await;
    report.say(&format!("\n{garbage}\n\n{lists}"));
    report.finish();
}

async fn refresh(report: &mut Report, server: &Server, sessions: &mut [Value], time: Duration) {
    let began = Instant::now();
    let loads: Vec<_> = sessions
        .iter()
        .cloned()
        .map(|session| tokio::spawn(refresh_on(server.address, session, began + time, None)))
        .collect();
    let mut figures = Figures::new(time);
    for (load, session) in loads.into_iter().zip(sessions) {
        let (load, last) = load.await.expect("no panic");
        figures.add(load);
        *session = last;
    }
    report.row("refresh", server, &figures);
    let measured = format!("{:.0}/s, p99 {:.1} ms", figures.per_second(), figures.percentile(99));
    report.goal("refresh", "2,500/s, durability FULL", &measured, figures.per_second() >= 2500.0);
}

/// Refreshes one session until `end`: at once, or every so often.
async fn refresh_on(
    address: SocketAddr,
    mut session: Value,
    end: Instant,
    every: Option<Duration>,
) -> (Load, Value) {
    let mut client = Client::connect(address).await.expect("a connection");
    let (mut times, mut failures) = (Vec::new(), 0);
    let mut tick = every.map(tokio::time::interval);
    while Instant::now() < end {
        // What comes late because the one before did is late by as much.
        let began = match &mut tick {
            Some(tick) => tick.tick().await.into_std(),
            None => Instant::now(),
        };
        let body = json!({"refresh_token": session["refresh_token"]}).to_string();
        let answer = client.post("/refresh", &body).await.expect("an answer");
        times.push(began.elapsed());
        if answer.status == 200 {
            session = answer.json();
        } else {
            failures += 1;
        }
    }
    ((times, failures), session)
}

async fn profile(
    report: &mut Report,
    name: &str,
    server: &Server,
    sessions: &[Value],
    time: Duration,
) -> Figures {
    let end = Instant::now() + time;
    let loads = sessions.iter().map(|session| {
        let token = session["access_token"].as_str().expect("a token").to_owned();
        let host = server.address;
        let request =
            format!("GET /profile HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\r\n");
        tokio::spawn(repeat(server.address, request, end, 200))
    });
    let loads: Vec<_> = loads.collect();
    let mut figures = Figures::new(time);
    for load in loads {
        figures.add(load.await.expect("no panic"));
    }
    report.row(name, server, &figures);
    figures
}

/// Sends one request again and again, and counts what is answered otherwise than expected.
async fn repeat(address: SocketAddr, request: String, end: Instant, status: u16) -> Load {
    let mut client = Client::connect(address).await.expect("a connection");
    let (mut times, mut failures) = (Vec::new(), 0);
    while Instant::now() < end {
        let began = Instant::now();
        let answer = client.send(request.as_bytes()).await.expect("an answer");
        times.push(began.elapsed());
        failures += usize::from(answer.status != status);
    }
    (times, failures)
}

/// A refresh token whose first tag does not hold, as a whole request.
fn garbage_request(host: SocketAddr, sessions: &[Value]) -> String {
    let token = sessions[0]["refresh_token"].as_str().expect("a token");
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    parts[3] = "A".repeat(22);
    let body = json!({"refresh_token": parts.join(".")}).to_string();
    let length = body.len();
    format!(
        "POST /refresh HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// One request from all clients for a while; the server's processor for each, in microseconds.
async fn cost(
    report: &mut Report,
    name: &str,
    server: &Server,
    request: &str,
    status: u16,
    time: Duration,
) -> f64 {
    let before = server.processor();
    let end = Instant::now() + time;
    let loads: Vec<_> =
        (0..CLIENTS).map(|_| tokio::spawn(repeat(server.address, request.to_owned(), end, status))).collect();
    let mut figures = Figures::new(time);
    for load in loads {
        figures.add(load.await.expect("no panic"));
    }
    report.row(name, server, &figures);
    (server.processor() - before) * 1e6 / figures.count() as f64
}

async fn garbage(report: &mut Report, server: &Server, sessions: &[Value], time: Duration) -> String {
    let bare = format!("GET /livez HTTP/1.1\r\nhost: {}\r\n\r\n", server.address);
    let bare = cost(report, "livez, for comparison", server, &bare, 200, time).await;
    let each = cost(report, "garbage", server, &garbage_request(server.address, sessions), 401, time).await;
    let measured = format!("{each:.1} µs, a bare request {bare:.1} µs");
    report.goal("processor for a garbage token", "15 µs", &measured, each <= 15.0);
    format!(
        "A request with garbage cost {each:.1} µs of the server's processor, HTTP and the answer included; `GET /livez`, \
         which does nothing, {bare:.1} µs."
    )
}

/// As much garbage as the machine sends, until it is told to stop; how much was answered.
struct Flood {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    clients: Vec<JoinHandle<()>>,
}

impl Flood {
    fn start(address: SocketAddr, request: &str) -> Self {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let clients = (0..CLIENTS).map(|_| {
            let (stop, sent, request) = (Arc::clone(&stop), Arc::clone(&sent), request.to_owned());
            tokio::spawn(async move {
                let mut client = Client::connect(address).await.expect("a connection");
                while !stop.load(Ordering::Relaxed) {
                    client.send(request.as_bytes()).await.expect("an answer");
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        let clients = clients.collect();
        Self { stop, sent, clients }
    }

    async fn end(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.await.expect("no panic");
        }
        self.sent.load(Ordering::Relaxed)
    }
}

async fn offered(server: &Server, sessions: &mut [Value], time: Duration) -> Figures {
    let every = Duration::from_secs(1) * u32::try_from(CLIENTS).expect("few") / OFFERED;
    let end = Instant::now() + time;
    let loads: Vec<_> = sessions
        .iter()
        .cloned()
        .map(|session| tokio::spawn(refresh_on(server.address, session, end, Some(every))))
        .collect();
    let mut figures = Figures::new(time);
    for (load, session) in loads.into_iter().zip(sessions.iter_mut()) {
        let (load, last) = load.await.expect("no panic");
        figures.add(load);
        *session = last;
    }
    figures
}

async fn beside(report: &mut Report, server: &Server, sessions: &mut [Value], time: Duration) {
    let request = garbage_request(server.address, sessions);
    let alone = offered(server, sessions, time).await;
    report.row("500/s offered, alone", server, &alone);
    let flood = Flood::start(server.address, &request);
    let flooded = offered(server, sessions, time).await;
    let sent = flood.end().await as f64 / time.as_secs_f64();
    report.row(&format!("500/s offered, beside {sent:.0}/s of garbage"), server, &flooded);
    let failures = flooded.failures.to_string();
    report.goal("honest refreshes that fail beside garbage", "0", &failures, flooded.failures == 0);
    let (before, after) = (alone.percentile(99), flooded.percentile(99));
    let measured = format!("{before:.2} ms, then {after:.2} ms");
    report.goal("their p99", "at most doubles", &measured, after <= 2.0 * before);
}

/// The list as it is, and with 1, 10,000 and half a million places taken back: made anew with all of them, made anew with
/// one more, then as it is kept.
async fn status_lists(report: &mut Report, server: &Server) -> String {
    let mut text = String::from(
        "| list of 1,048,576 places, taken back | bytes | made anew ms | with one more ms | p50 ms | p99 ms |\n|---|---|---|---|---|---|",
    );
    let mut before = 0;
    for (seed, places) in [0, 1, 10_000, 500_000].into_iter().enumerate() {
        if places > 0 && !server.take_back(places, seed) {
            text.push_str("\n\nMore could not be taken back: there is no python3.");
            break;
        }
        let (all, bytes) = made_anew(server).await;
        assert!(places == 0 || bytes != before, "the list is still the one from before");
        let one_more = if places > 0 && server.take_back(1, seed + 100) {
            format!("{:.1}", made_anew(server).await.0)
        } else {
            "–".to_owned()
        };
        let mut client = Client::connect(server.address).await.expect("a connection");
        let mut times = Vec::new();
        for _ in 0..200 {
            times.push(list(&mut client).await.0);
        }
        before = bytes;
        let mut figures = Figures::new(Duration::from_secs(1));
        figures.add((times, 0));
        let (p50, p99) = (figures.percentile(50), figures.percentile(99));
        text.push_str(&format!("\n| {places} | {bytes} | {all:.1} | {one_more} | {p50:.2} | {p99:.2} |"));
        if places == 500_000 {
            report.goal(
                "a status list of a million, half of it taken back",
                "10 ms",
                &format!("p99 {p99:.2} ms"),
                p99 < 10.0,
            );
        }
    }
    text
}

/// The list when the one before is too old to be handed out: how many milliseconds it took, and its bytes.
async fn made_anew(server: &Server) -> (f64, usize) {
    tokio::time::sleep(TOO_OLD).await;
    let mut client = Client::connect(server.address).await.expect("a connection");
    let (time, bytes) = list(&mut client).await;
    (time.as_secs_f64() * 1000.0, bytes)
}

async fn list(client: &mut Client) -> (Duration, usize) {
    let began = Instant::now();
    let answer = client.get("/status-lists/0", "").await.expect("an answer");
    assert_eq!(answer.status, 200);
    (began.elapsed(), answer.body.len())
}
