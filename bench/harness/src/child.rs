//! A process that measures: it lists its items, then takes times of one group whenever its parent asks.
//!
//! The talk is one line of JSON each way. First the child sends its [`Listing`]; for each line `op alg` it answers the
//! nanoseconds of one operation of every item of that group, in the order of the list.

use std::io::{BufRead, Write, stdin, stdout};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::allocations;

/// How long a batch takes, about. Short, so that an interruption spoils one batch of one round.
const BATCH: Duration = Duration::from_micros(100);

/// Runs an operation so often, and says what that took.
type Run = Box<dyn FnMut(u32, Measure) -> f64>;

#[derive(Clone, Copy)]
enum Measure {
    Nanoseconds,
    Allocations,
}

impl Measure {
    fn of(self, work: impl FnOnce()) -> f64 {
        match self {
            Self::Nanoseconds => {
                let begun = Instant::now();
                work();
                begun.elapsed().as_secs_f64() * 1e9
            }
            Self::Allocations => allocations(work) as f64,
        }
    }
}

/// What is measured, and where it stands in the tables.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Item {
    /// `verify` or `sign`.
    pub op: String,
    pub alg: String,
    pub who: String,
    /// `borrowed`, `registered` or `owned`.
    pub claims: Option<String>,
    /// Of one operation; none where the language cannot count them.
    pub allocations: Option<f64>,
    /// The reference of its group.
    #[serde(default)]
    pub raw: bool,
}

/// What a child says of itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Listing {
    /// What was measured with: names and versions that no lock file holds.
    #[serde(default)]
    pub versions: Vec<String>,
    pub items: Vec<Item>,
}

/// The items of one operation and algorithm; the first is the raw reference.
pub struct Group {
    op: &'static str,
    alg: &'static str,
    measured: Vec<Measured>,
}

struct Measured {
    item: Item,
    run: Run,
    batch: u32,
}

impl Group {
    pub fn new(op: &'static str, alg: &'static str, raw: impl FnMut() + 'static) -> Self {
        let mut group = Self { op, alg, measured: Vec::new() };
        group.push("aws-lc-rs", None, true, repeated(raw));
        group
    }

    /// Adds an operation that can be repeated as it stands.
    pub fn add(&mut self, who: &str, claims: Option<&str>, operation: impl FnMut() + 'static) {
        self.push(who, claims, false, repeated(operation));
    }

    /// Adds an operation that uses up what `prepare` makes for it outside of the time.
    pub fn add_with<T>(
        &mut self,
        who: &str,
        claims: Option<&str>,
        prepare: impl Fn() -> T + 'static,
        mut operation: impl FnMut(T) + 'static,
    ) {
        let run = move |times, measure: Measure| {
            let prepared: Vec<T> = (0..times).map(|_| prepare()).collect();
            measure.of(|| prepared.into_iter().for_each(&mut operation))
        };
        self.push(who, claims, false, Box::new(run));
    }

    fn push(&mut self, who: &str, claims: Option<&str>, raw: bool, mut run: Run) {
        let batch = batch_of(&mut run);
        let item = Item {
            op: self.op.into(),
            alg: self.alg.into(),
            who: who.into(),
            claims: claims.map(Into::into),
            allocations: Some(run(64, Measure::Allocations) / 64.0),
            raw,
        };
        self.measured.push(Measured { item, run, batch });
    }

    /// One round: a batch of every item, each warmed up; in every other round the other way about, so that a machine
    /// that gets faster or slower favours none.
    fn round(&mut self, backwards: bool) -> Vec<f64> {
        let mut times = vec![0.0; self.measured.len()];
        let mut both: Vec<_> = self.measured.iter_mut().zip(&mut times).collect();
        if backwards {
            both.reverse();
        }
        for (measured, nanos) in both {
            let Measured { run, batch, .. } = measured;
            run(*batch, Measure::Nanoseconds);
            *nanos = run(*batch, Measure::Nanoseconds) / f64::from(*batch);
        }
        times
    }
}

fn repeated(mut operation: impl FnMut() + 'static) -> Run {
    Box::new(move |times, measure| measure.of(|| (0..times).for_each(|_| operation())))
}

/// How many operations fill a batch, by the fastest of a few tries.
fn batch_of(run: &mut Run) -> u32 {
    let tries = (0..8).map(|_| run(4, Measure::Nanoseconds) / 4.0);
    let fastest = tries.fold(f64::INFINITY, f64::min);
    (BATCH.as_nanos() as f64 / fastest).round().clamp(1.0, 10_000.0) as u32
}

/// Lists the items and takes times until the parent has no more questions.
pub fn serve(versions: Vec<String>, mut groups: Vec<Group>) {
    let items =
        groups.iter().flat_map(|group| group.measured.iter().map(|measured| measured.item.clone())).collect();
    say(&Listing { versions, items });
    for (round, line) in stdin().lock().lines().enumerate() {
        let line = line.expect("the parent writes text");
        let group = groups.iter_mut().find(|group| line == format!("{} {}", group.op, group.alg));
        say(&group.map(|group| group.round(round % 2 == 1)));
    }
}

fn say(what: &impl Serialize) {
    let mut out = stdout().lock();
    serde_json::to_writer(&mut out, what).expect("what is measured can be written");
    writeln!(out).and_then(|()| out.flush()).expect("the parent listens");
}
