//! The server that is loaded: the command as it is shipped, on a data folder of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::client::Client;

pub const EMAIL: &str = "ada@example.com";
pub const PASSWORD: &str = "lantern orbit quilt mosaic 42";

const TAKE_BACK: &str = "
import random, sqlite3, sys, time
database = sqlite3.connect(sys.argv[1], timeout=30)
places = random.Random(int(sys.argv[3])).sample(range(1 << 20), int(sys.argv[2]))
with database:
    database.execute('UPDATE revocation_epoch SET epoch = epoch + 1')
    (epoch,) = database.execute('SELECT epoch FROM revocation_epoch').fetchone()
    until = int(time.time()) + 86400
    database.executemany('INSERT OR IGNORE INTO revocations VALUES (?, ?, ?)', [(place, epoch, until) for place in places])
";

pub struct Server {
    child: Child,
    folder: PathBuf,
    pub address: SocketAddr,
    pub durability: String,
}

/// Builds the command, unless one is named, and tells where it is.
pub fn build() -> PathBuf {
    if let Some(named) = std::env::var_os("COUNTERSIGN") {
        return named.into();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let built = Command::new("cargo")
        .args(["build", "--release", "--quiet", "-p", "countersign-cli"])
        .current_dir(&root)
        .status()
        .expect("cargo runs");
    assert!(built.success(), "the command does not build");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    target.join("release/countersign")
}

impl Server {
    pub fn start(command: &Path, flags: &[&str]) -> Self {
        let folder = std::env::temp_dir().join(format!("countersign-bench-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let mut child = Command::new(command)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(&folder)
            .args(flags)
            .env("COUNTERSIGN_LOG", "warn")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let (mut address, mut durability) = (None, String::new());
        for line in lines.by_ref() {
            let line = line.expect("a line");
            if let Some((_, rest)) = line.split_once("durability: ") {
                durability = rest.trim_end_matches(')').to_owned();
            }
            if let Some(url) = line.trim().strip_prefix("issuer") {
                address = url.trim().strip_prefix("http://").and_then(|address| address.parse().ok());
            }
            if line.trim().starts_with("console") {
                break;
            }
        }
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, folder, address: address.expect("an address"), durability }
    }

    pub async fn sign_up(&self) {
        let mut client = Client::connect(self.address).await.expect("a connection");
        let body = json!({"email": EMAIL, "password": PASSWORD}).to_string();
        let answer = client.post("/signup", &body).await.expect("an answer");
        assert_eq!(answer.status, 201, "{:?}", answer.json());
    }

    /// As many sessions as are asked for, one after another: each is a password hash.
    pub async fn log_in(&self, sessions: usize) -> Vec<Value> {
        let mut client = Client::connect(self.address).await.expect("a connection");
        let body = json!({"email": EMAIL, "password": PASSWORD}).to_string();
        let mut tokens = Vec::new();
        while tokens.len() < sessions {
            let answer = client.post("/login", &body).await.expect("an answer");
            assert_eq!(answer.status, 200, "{:?}", answer.json());
            tokens.push(answer.json());
        }
        tokens
    }

    /// Takes so many random places of the first list back, behind the server's back. Needs Python, whose library reads
    /// SQLite; tells whether it could.
    pub fn take_back(&self, places: usize, seed: usize) -> bool {
        let database = self.folder.join("countersign.db");
        let done = Command::new("python3")
            .args(["-c", TAKE_BACK])
            .arg(database)
            .args([places.to_string(), seed.to_string()])
            .status();
        done.is_ok_and(|status| status.success())
    }

    /// Resident memory now and at most, in MiB.
    pub fn memory(&self) -> (f64, f64) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kib: f64 = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0.0);
            kib / 1024.0
        };
        (of("VmRSS:"), of("VmHWM:"))
    }

    /// The time of the processor that it has used, in seconds.
    pub fn processor(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let after = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks: f64 =
            after.split_whitespace().skip(11).take(2).filter_map(|text| text.parse::<f64>().ok()).sum();
        // USER_HZ is 100 wherever Linux runs.
        ticks / 100.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
