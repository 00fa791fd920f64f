//! A process that measures: it lists its items, then takes times of one group whenever its parent asks.
//!
//! The talk is one line of JSON each way. First the child sends its [`Listing`]; for each line `op alg` it answers a few
//! rounds: the nanoseconds of one operation of every item of that group, in the order of the list.

use std::io::{BufRead, Write, stdin, stdout};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
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
                let begun = on_the_processor();
                work();
                on_the_processor() - begun
            }
            Self::Allocations => allocations(work) as f64,
        }
    }
}

/// Nanoseconds that this thread has run: while others have the processor, that clock stands still.
fn on_the_processor() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 * 1e9 + now.tv_nsec as f64
}

/// Rounds to a question. The first after a wait finds nothing in the caches; the median passes over it.
pub const IN_A_ROW: usize = 4;

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

    /// A group whose operations say themselves how many nanoseconds one took, because they run on threads of their own.
    pub fn timed(op: &'static str, alg: &'static str, raw: impl FnMut() -> f64 + 'static) -> Self {
        let mut group = Self { op, alg, measured: Vec::new() };
        group.push_timed("aws-lc-rs", None, true, raw);
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

    /// Adds an operation to a group of [`timed`](Self::timed) ones.
    pub fn add_timed(&mut self, who: &str, claims: Option<&str>, operation: impl FnMut() -> f64 + 'static) {
        self.push_timed(who, claims, false, operation);
    }

    fn push(&mut self, who: &str, claims: Option<&str>, raw: bool, mut run: Run) {
        let batch = batch_of(&mut run);
        let allocations = Some(run(64, Measure::Allocations) / 64.0);
        let item = self.item(who, claims, raw, allocations);
        self.measured.push(Measured { item, run, batch });
    }

    fn push_timed(
        &mut self,
        who: &str,
        claims: Option<&str>,
        raw: bool,
        mut operation: impl FnMut() -> f64 + 'static,
    ) {
        let item = self.item(who, claims, raw, None);
        self.measured.push(Measured { item, run: Box::new(move |_, _| operation()), batch: 1 });
    }

    fn item(&self, who: &str, claims: Option<&str>, raw: bool, allocations: Option<f64>) -> Item {
        let (op, alg, who, claims) = (self.op.into(), self.alg.into(), who.into(), claims.map(Into::into));
        Item { op, alg, who, claims, allocations, raw }
    }

    /// One round: a batch of every item, each warmed up by another batch. In every other round the other way about, so
    /// that a machine that gets faster or slower favours none; and every two rounds at another place of the stack, because
    /// where its frames lie makes the same code of aws-lc faster or slower by two in a hundred.
    fn round(&mut self, number: usize) -> Vec<f64> {
        let mut times = vec![0.0; self.measured.len()];
        let mut both: Vec<_> = self.measured.iter_mut().zip(&mut times).collect();
        if number % 2 == 1 {
            both.reverse();
        }
        for (measured, nanos) in both {
            let Measured { run, batch, .. } = measured;
            deeper(number / 2 % PLACES, &mut || {
                run(*batch, Measure::Nanoseconds);
                *nanos = run(*batch, Measure::Nanoseconds) / f64::from(*batch);
            });
        }
        times
    }
}

/// Places of the stack, spread over a page.
const PLACES: usize = 16;

/// Calls `work` so many steps further down the stack.
#[inline(never)]
fn deeper(steps: usize, work: &mut dyn FnMut()) {
    if steps == 0 {
        return work();
    }
    let step = std::hint::black_box([0_u8; 208]);
    deeper(steps - 1, work);
    std::hint::black_box(&step);
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
    for (asked, line) in stdin().lock().lines().enumerate() {
        let line = line.expect("the parent writes text");
        let group = groups.iter_mut().find(|group| line == format!("{} {}", group.op, group.alg));
        say(&group.map(|group| {
            let rounds = asked * IN_A_ROW..(asked + 1) * IN_A_ROW;
            rounds.map(|number| group.round(number)).collect::<Vec<_>>()
        }));
    }
}

fn say(what: &impl Serialize) {
    let mut out = stdout().lock();
    serde_json::to_writer(&mut out, what).expect("what is measured can be written");
    writeln!(out).and_then(|()| out.flush()).expect("the parent listens");
}
