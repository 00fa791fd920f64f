//! How cost grows: with the size of a token, the number of its claims, the keys of the set and the threads. HS256, whose
//! own cost is the smallest, so that ours shows most.

use std::hint::black_box;
use std::io;
use std::sync::Barrier;
use std::time::{Instant, SystemTime};

use countersign::{JwkSet, SigningKey, Timestamp, Verifier};
use harness::{Group, data, raw, serve};
use serde::Serialize;
use serde_json::Value;

use crate::cache;
use crate::machine::Part;
use crate::options::Options;
use crate::ours;
use crate::peers::Peer;
use crate::process::Process;
use crate::rounds::{Measured, interleave, quantile};

const SIZES: [(&str, usize); 5] =
    [("0.2 KiB", 205), ("0.5 KiB", 512), ("2 KiB", 2048), ("8 KiB", 8192), ("16 KiB", 16384)];
const CLAIMS: [(&str, usize); 3] = [("5", 5), ("50", 50), ("500", 500)];
const KEYS: [(&str, usize); 3] = [("1", 1), ("10", 10), ("100", 100)];
const THREADS: [(&str, usize); 2] = [("1", 1), ("2", 2)];

/// Verifications of one thread in one go: less than a scheduler's slice, so that most rounds are not interrupted.
const TURNS: usize = 400;

const HEADER: &str = r#"{"alg":"HS256","kid":"2026-11","typ":"JWT"}"#;

/// One line of a growth table.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// `size`, `claims`, `keys`, `threads` or `cache`.
    pub of: String,
    pub at: String,
    pub who: String,
    pub claims: Option<String>,
    /// Of one operation.
    pub us: f64,
    /// The reference of the same rounds.
    pub raw_us: f64,
    /// The median of the rounds' ratios.
    pub ratio_to_raw: f64,
    /// What is above the reference, in nanoseconds: the median of the rounds.
    pub above_raw_ns: f64,
    pub allocations: Option<f64>,
    /// How much larger the input is than in the step before.
    pub input_times: Option<f64>,
    /// How much larger what is above the reference is than in the step before; of threads, how much larger the ratio is,
    /// because the reference has to share the machine as well.
    pub cost_times: Option<f64>,
}

/// The process that measures this.
pub fn serve_growth() {
    let mut groups = Vec::new();
    groups.extend(SIZES.map(|(name, bytes)| sized("size", name, &padded(bytes))));
    groups.extend(CLAIMS.map(|(name, count)| sized("claims", name, &many(count))));
    groups.extend(KEYS.map(|(name, count)| keys(name, count)));
    groups.extend(THREADS.map(|(name, count)| threads(name, count)));
    groups.extend(cache::groups());
    serve(vec![], groups);
}

pub fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

const fn must() -> &'static str {
    r#""iss":"https://id.example.com","aud":"orders-api","exp":4102444800"#
}

/// A token of so many bytes, all but the smallest of them text of one claim.
fn padded(bytes: usize) -> String {
    let token = |pad: usize| {
        let claims = match pad {
            0 => format!("{{{}}}", must()),
            _ => format!(r#"{{{},"p":"{}"}}"#, must(), "x".repeat(pad)),
        };
        raw::compact("HS256", HEADER, &claims)
    };
    let pad = (0..bytes).rev().find(|pad| token_bytes(*pad) <= bytes).unwrap_or(0);
    token(pad)
}

fn token_bytes(pad: usize) -> usize {
    let encoded = |bytes: usize| (bytes * 4).div_ceil(3);
    let claims = must().len() + 2 + if pad == 0 { 0 } else { pad + 7 };
    encoded(HEADER.len()) + encoded(claims) + encoded(32) + 2
}

/// A token of so many claims.
fn many(count: usize) -> String {
    let own: String = (3..count).map(|number| format!(r#","c{number:03}":{}"#, number + 100)).collect();
    raw::compact("HS256", HEADER, &format!("{{{}{own}}}", must()))
}

fn sized(of: &'static str, at: &'static str, token: &str) -> Group {
    let key = raw::Verifier::new("HS256");
    let (input, signature) = raw::parts(token);
    let input = input.to_owned();
    let mut group = Group::new(of, at, move || assert!(key.verify(input.as_bytes(), &signature)));

    let (verifier, mut scratch) = (ours::verifier("HS256"), ours::Scratch::default());
    let text = token.to_owned();
    group.add("countersign", Some("registered"), move || {
        ours::registered(&verifier, &mut scratch, &text, now());
    });
    let (verifier, text) = (ours::verifier("HS256"), token.to_owned());
    group.add("countersign", Some("owned"), move || {
        black_box(ours::owned::<Value>(&verifier, &text, now()));
    });
    group
}

/// A set of so many keys; the token names the one in the middle.
fn keys(at: &'static str, count: usize) -> Group {
    let key = |number: usize| {
        let mut secret = data::SECRET.to_vec();
        secret[31] = number as u8;
        let key = SigningKey::from_secret(countersign::Algorithm::HS256, secret);
        key.expect("the secret is good").with_key_id(format!("2026-11-{number:03}"))
    };
    let claims: Value = serde_json::from_str(data::CLAIMS).expect("the claims are an object");
    let token = key(count / 2).sign(&claims).expect("the claims are good");
    let set = JwkSet::new((0..count).map(|number| key(number).verifying_key()));
    let verifier = Verifier::new(set, ours::policy());

    let mut group = Group::new("keys", at, raw::verifying("HS256"));
    let mut scratch = ours::Scratch::default();
    group.add("countersign", Some("registered"), move || {
        ours::registered(&verifier, &mut scratch, &token, now());
    });
    group
}

/// One verifier, shared.
fn threads(at: &'static str, count: usize) -> Group {
    let raw = raw::Verifier::new("HS256");
    let (input, signature) = raw::parts(data::token("HS256"));
    let mut group = Group::timed("threads", at, move || {
        on_threads(count, TURNS, || (), |(), _| assert!(raw.verify(input.as_bytes(), &signature)))
    });
    let verifier = ours::verifier("HS256");
    group.add_timed("countersign", Some("registered"), move || {
        on_threads(count, TURNS, ours::Scratch::default, |scratch, _| {
            ours::registered(&verifier, scratch, data::token("HS256"), now());
        })
    });
    group
}

/// Operations on several threads at once, so many on each: nanoseconds of one, on the thread that took longest.
pub fn on_threads<T>(
    threads: usize,
    turns: usize,
    own: impl Fn() -> T + Sync,
    operation: impl Fn(&mut T, usize) + Sync,
) -> f64 {
    let together = Barrier::new(threads);
    let work = |thread: usize| {
        let mut own = own();
        // Each begins elsewhere, so that two threads rarely want the same at once.
        let mut go = |many: usize| (0..many).for_each(|turn| operation(&mut own, turn + thread * turns / 2));
        go(turns / 4);
        together.wait();
        let begun = Instant::now();
        go(turns);
        begun.elapsed().as_secs_f64() * 1e9 / turns as f64
    };
    std::thread::scope(|scope| {
        let work = &work;
        let handles: Vec<_> = (0..threads).map(|thread| scope.spawn(move || work(thread))).collect();
        let times = handles.into_iter().map(|handle| handle.join().expect("no operation panics"));
        times.fold(0.0, f64::max)
    })
}

/// The parent's side.
pub fn run(part: &Part, options: &Options) -> io::Result<Vec<Step>> {
    eprintln!("measuring how cost grows, {}", part.name);
    let peer = Peer::countersign("grow");
    let mut processes = [Process::start(part.command(&peer))?];
    let small: Vec<_> = [("size", &SIZES[..]), ("claims", &CLAIMS), ("keys", &KEYS)]
        .iter()
        .flat_map(|(of, steps)| steps.iter().map(|(at, _)| (*of, *at)))
        .collect();
    let large: Vec<_> = ["threads", "cache"].iter().flat_map(|of| [(*of, "1"), (*of, "2")]).collect();
    let mut measured = interleave(&mut processes, &small, options.rounds)?;
    measured.retain(|measured| !measured.nanos.is_empty());
    let many = interleave(&mut processes, &large, (options.rounds / 2).max(3))?;
    measured.extend(many.into_iter().filter(|measured| !measured.nanos.is_empty()));
    Ok(steps(&measured))
}

fn steps(measured: &[Measured]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for one in measured.iter().filter(|one| !one.item.raw) {
        let item = &one.item;
        let before = steps
            .iter()
            .rev()
            .find(|step| step.of == item.op && step.who == item.who && step.claims == item.claims);
        let above_raw_ns = one.above_raw();
        steps.push(Step {
            of: item.op.clone(),
            at: item.alg.clone(),
            who: item.who.clone(),
            claims: item.claims.clone(),
            us: one.us(),
            raw_us: quantile(&one.raw, 0.1) / 1000.0,
            ratio_to_raw: one.ratio_to_raw(),
            above_raw_ns,
            allocations: item.allocations,
            input_times: before.map(|before| input(&item.op, &item.alg) / input(&item.op, &before.at)),
            cost_times: before.map(|before| match item.op.as_str() {
                "threads" => one.ratio_to_raw() / before.ratio_to_raw,
                _ => above_raw_ns / before.above_raw_ns,
            }),
        });
    }
    steps
}

/// How large the input of a step is: octets of a token, or how many.
fn input(of: &str, at: &str) -> f64 {
    let at = |steps: &[(&str, usize)]| {
        steps.iter().find(|(name, _)| *name == at).map_or(f64::NAN, |(_, value)| *value as f64)
    };
    match of {
        "size" => at(&SIZES),
        "claims" => at(&CLAIMS),
        "keys" => at(&KEYS),
        _ => at(&THREADS),
    }
}
