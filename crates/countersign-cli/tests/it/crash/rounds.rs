//! A server that dies again and again under concurrent refreshes, at random points, and clients that go on with what they
//! have. `tests/crash.sh` runs this many times over.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::Bench;
use crate::support::server::{Answers, Server};

/// What a server calls itself whatever its port is, so that its tokens count after a restart.
pub(crate) const ISSUER: &str = "http://localhost";
/// The sessions that are refreshed all the time, each by two tabs.
const SESSIONS: usize = 6;
/// A grace window, and a second.
const GRACE: Duration = Duration::from_secs(11);
/// A restart that takes longer than this is longer than the grace window nearly is: its clients log in again.
const SLOW: Duration = Duration::from_secs(8);

/// What was counted.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    pub(crate) rounds: u64,
    pub(crate) refreshes: u64,
    /// Requests whose answer never came.
    pub(crate) lost: u64,
    /// Honest clients that were refused.
    pub(crate) logouts: u64,
    /// Answers with another token of the same generation, or with one that is not newer than what was shown.
    pub(crate) duplicates: u64,
    /// Sessions that were logged out and answered after a restart.
    pub(crate) revived: u64,
    /// Old tokens that were refused in the end, and what they were.
    pub(crate) refused: u64,
    pub(crate) slow: u64,
}

/// A session in a browser with two tabs: they share what the last answer brought.
struct Browser {
    jar: Mutex<Value>,
    first: String,
    /// The one token of each generation that was answered.
    seen: Mutex<HashMap<u64, String>>,
}

impl Browser {
    async fn log_in(server: &Server) -> Arc<Self> {
        let answer = server.log_in().await;
        let first = answer["refresh_token"].as_str().unwrap().to_owned();
        Arc::new(Self {
            jar: Mutex::new(answer),
            seen: Mutex::new(HashMap::from([(generation(&first), first.clone())])),
            first,
        })
    }

    fn token(&self, name: &str) -> String {
        self.jar.lock().unwrap()[name].as_str().unwrap().to_owned()
    }

    /// Takes an answer, as a browser does; the faults that are in it.
    fn take(&self, shown: &str, answer: Value) -> u64 {
        let token = answer["refresh_token"].as_str().unwrap().to_owned();
        let n = generation(&token);
        let is_newer = n > generation(shown);
        let mut seen = self.seen.lock().unwrap();
        let is_same = *seen.entry(n).or_insert_with(|| token.clone()) == token;
        let mut jar = self.jar.lock().unwrap();
        if n >= generation(jar["refresh_token"].as_str().unwrap()) {
            *jar = answer;
        }
        u64::from(!is_newer) + u64::from(!is_same)
    }
}

/// The number in `v1.session.number.…`.
fn generation(token: &str) -> u64 {
    token.split('.').nth(2).unwrap().parse().unwrap()
}

#[derive(Default)]
struct Tally {
    refreshes: AtomicU64,
    lost: AtomicU64,
    logouts: AtomicU64,
    duplicates: AtomicU64,
}

impl Tally {
    /// One refresh, and what became of it. False when the server did not answer.
    async fn refresh(&self, server: &Answers, browser: &Browser) -> bool {
        let shown = browser.token("refresh_token");
        let body = json!({ "refresh_token": shown });
        match server.try_post("/refresh", &body).await {
            None => {
                self.lost.fetch_add(1, Ordering::Relaxed);
                return false;
            }
            Some((200, answer)) => {
                self.refreshes.fetch_add(1, Ordering::Relaxed);
                let faults = browser.take(&shown, answer);
                self.duplicates.fetch_add(faults, Ordering::Relaxed);
            }
            // Too much at once is no refusal.
            Some((503, _)) => {}
            Some((status, answer)) => {
                eprintln!("refused: {status} {answer}");
                self.logouts.fetch_add(1, Ordering::Relaxed);
            }
        }
        true
    }
}

/// Two tabs that refresh at the same time, both wait, and do it again, until nobody answers.
async fn browse(server: Answers, browser: Arc<Browser>, tally: Arc<Tally>) {
    loop {
        let (one, other) = tokio::join!(
            tally.refresh(&server, &browser),
            tally.refresh(&server, &browser)
        );
        if !one || !other {
            return;
        }
    }
}

/// A number that differs from round to round and from run to run.
fn random(seed: &mut u64, below: u64) -> u64 {
    // xorshift64*
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    (seed.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % below
}

/// Lets a server die `rounds` times, or fewer where the time is over; `looks_back` shows the first tokens again in the end.
pub(crate) async fn run(rounds: u64, time: Duration, looks_back: bool) -> Counted {
    let bench = Bench::new();
    let mut server = Server::start_as(&bench, ISSUER);
    server.sign_up().await;
    let tally = Arc::new(Tally::default());
    let mut counted = Counted::default();
    let mut browsers = log_in(&server).await;
    let began = Instant::now();
    let mut seed = u64::from(std::process::id()).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    while counted.rounds < rounds && began.elapsed() < time {
        counted.rounds += 1;
        let leaving = server.log_in().await;
        let load = browsers.iter().map(|browser| {
            let browsing = browse(server.answers(), Arc::clone(browser), Arc::clone(&tally));
            tokio::spawn(browsing)
        });
        let load: Vec<_> = load.collect();
        let wait = Duration::from_micros(random(&mut seed, 60_000));
        let (answers, nothing) = (server.answers(), json!({}));
        let leaving_now = answers.try_post_as("/logout", &leaving, &nothing);
        let dying = async {
            tokio::time::sleep(wait).await;
            Server::kill_now(server.pid());
        };
        let (left, ()) = tokio::join!(leaving_now, dying);
        let died = Instant::now();
        for task in load {
            task.await.unwrap();
        }
        server.wait();
        server = Server::start_as(&bench, ISSUER);
        // What was answered before the end counts after it.
        if left.is_some_and(|(status, _)| status == 200) {
            let token = leaving["token"].as_str().unwrap();
            counted.revived += u64::from(server.get("/profile", token).await.0 == 200);
        }
        if died.elapsed() > SLOW {
            counted.slow += 1;
            browsers = log_in(&server).await;
            continue;
        }
        for browser in &browsers {
            let answers = server.answers();
            assert!(tally.refresh(&answers, browser).await);
            let (status, _) = server.get("/profile", &browser.token("token")).await;
            tally
                .logouts
                .fetch_add(u64::from(status != 200), Ordering::Relaxed);
        }
    }
    if looks_back {
        // Real time, because the server's clock is this machine's: no window of these refreshes is open after it.
        tokio::time::sleep(GRACE).await;
        for browser in &browsers {
            counted.refused += u64::from(is_refused(&server, browser).await);
        }
    }
    server.stop();
    counted.refreshes = tally.refreshes.load(Ordering::Relaxed);
    counted.lost = tally.lost.load(Ordering::Relaxed);
    counted.logouts = tally.logouts.load(Ordering::Relaxed);
    counted.duplicates = tally.duplicates.load(Ordering::Relaxed);
    counted
}

async fn log_in(server: &Server) -> Vec<Arc<Browser>> {
    let mut browsers = Vec::new();
    for _ in 0..SESSIONS {
        browsers.push(Browser::log_in(server).await);
    }
    browsers
}

/// Whether the first token of a session, used long ago, is refused and ends it.
async fn is_refused(server: &Server, browser: &Browser) -> bool {
    let refresh = async |token: &str| {
        let body = json!({ "refresh_token": token });
        server.post("/refresh", &body).await.0
    };
    // Two refreshes in a window of their own: the first token is one from before the last in any case.
    let latest = browser.token("refresh_token");
    let answers = server.answers();
    let tally = Tally::default();
    assert!(tally.refresh(&answers, browser).await && tally.refresh(&answers, browser).await);
    assert_eq!(tally.logouts.load(Ordering::Relaxed), 0);
    let before_window = browser.first != latest;
    let old = refresh(&browser.first).await;
    let now = refresh(&browser.token("refresh_token")).await;
    !before_window || (old, now) == (401, 401)
}

pub(crate) fn sessions() -> u64 {
    u64::try_from(SESSIONS).unwrap()
}
