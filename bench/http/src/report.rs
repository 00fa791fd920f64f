//! From batches to the medians of ratios, and to the goals.

use serde::Serialize;
use serde_json::{Value, json};

use crate::load::{Batch, Layout, MASK};
use crate::service::Row;
use crate::status::StatusCosts;
use crate::tokens::{ALGORITHMS, Alg};

/// One service: a way to protect under one algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    pub row: Row,
    pub algorithm: Alg,
}

impl Item {
    /// By algorithm, so that what is compared is timed side by side.
    pub fn all() -> Vec<Self> {
        ALGORITHMS
            .into_iter()
            .flat_map(|algorithm| Row::ALL.into_iter().map(move |row| Self { row, algorithm }))
            .collect()
    }
}

pub struct Round {
    pub batches: Vec<(Item, Batch)>,
}

impl Round {
    fn of(&self, row: Row, algorithm: Alg) -> Option<Batch> {
        let item = Item { row, algorithm };
        self.batches.iter().find(|(found, _)| *found == item).map(|(_, batch)| *batch)
    }

    /// What the check costs: the CPU time of a request less that of one without a check.
    fn tax(&self, row: Row, algorithm: Alg) -> Option<f64> {
        Some(self.of(row, algorithm)?.cpu_us - self.of(Row::None, algorithm)?.cpu_us)
    }

    /// Our tax, to theirs.
    fn share(&self, row: Row, algorithm: Alg) -> Option<f64> {
        Some(self.tax(row, algorithm)? / self.tax(Row::Jsonwebtoken, algorithm)?)
    }

    /// The CPU time of a request, to that of one without a check.
    fn times(&self, row: Row, algorithm: Alg) -> Option<f64> {
        Some(self.of(row, algorithm)?.cpu_us / self.of(Row::None, algorithm)?.cpu_us)
    }
}

pub struct Measured {
    pub layouts: Vec<(Layout, Vec<Round>)>,
    pub seconds: u64,
    pub status: StatusCosts,
}

/// What is to be reached: the share of jsonwebtoken's tax, and the times of an unprotected route with cached tokens.
const GOALS: [(usize, f64); 4] = [(0, 0.45), (1, 0.75), (2, 0.95), (3, 0.95)];
const CACHED_GOAL: f64 = 1.10;

/// What the rounds say of one thing.
struct Spread {
    least: f64,
    median: f64,
    most: f64,
}

impl Spread {
    /// `None` of what no round measured.
    fn of(rounds: &[Round], of: impl Fn(&Round) -> Option<f64>) -> Option<Self> {
        let mut values: Vec<f64> = rounds.iter().filter_map(of).collect();
        values.sort_by(f64::total_cmp);
        Some(Self { least: *values.first()?, median: *values.get(values.len() / 2)?, most: *values.last()? })
    }
}

impl Measured {
    pub fn page(&self) -> String {
        let rounds = self.layouts.first().map_or(0, |(_, rounds)| rounds.len());
        let mut page = format!(
            "# A protected route\n\nWritten by `cargo run --release` in this folder; README.md says how to read it.\n\n\
             - {rounds} rounds, {} s for each item in each round, 1,000 tokens in turn, {}\n{}\n",
            self.seconds,
            machine(),
            mask(),
        );
        page.push_str(&self.goals());
        for (layout, rounds) in &self.layouts {
            page.push_str(&costs(*layout, rounds));
        }
        page.push_str("\n## Status list\n\n");
        page.push_str(&self.status.table());
        page
    }

    /// Judged by the first layout; the others stand beside it.
    fn goals(&self) -> String {
        let names: String = self.layouts.iter().map(|(layout, _)| format!(" {} | |", layout.name())).collect();
        let mut text = format!(
            "## Goals, medians of the ratios of each round (the least and the most)\n\n| | goal |{names}\n|---|---|{}\n",
            "---|---|".repeat(self.layouts.len())
        );
        let mut row = |what: String, goal: f64, percent: bool, of: &dyn Fn(&Round) -> Option<f64>| {
            let show = |value: f64| if percent { format!("{:.0} %", value * 1e2) } else { format!("{value:.2}") };
            text.push_str(&format!("| {what} | {} |", show(goal)));
            for (_, rounds) in &self.layouts {
                let Some(Spread { least, median, most }) = Spread::of(rounds, of) else {
                    text.push_str(" | |");
                    continue;
                };
                let verdict = if median <= goal { "holds" } else { "missed" };
                text.push_str(&format!(" {} ({} to {}) | {verdict} |", show(median), show(least), show(most)));
            }
            text.push('\n');
        };
        for (index, goal) in GOALS {
            let algorithm = ALGORITHMS[index];
            let what = format!("{algorithm}: tax of `Protect`, to jsonwebtoken's");
            row(what, goal, true, &|round| round.share(Row::Protect, algorithm));
        }
        for algorithm in ALGORITHMS {
            let what = format!("{algorithm}: a request with a cached token, to one without a check");
            row(what, CACHED_GOAL, false, &|round| round.times(Row::Cached, algorithm));
        }
        // No goal: what is left of a tax where nothing is done beside the signature.
        for algorithm in ALGORITHMS {
            text.push_str(&format!("| {algorithm}: tax of the signature alone, to jsonwebtoken's | |"));
            for (_, rounds) in &self.layouts {
                match Spread::of(rounds, |round| round.share(Row::Signature, algorithm)) {
                    Some(share) => text.push_str(&format!(" {:.0} % | |", share.median * 1e2)),
                    None => text.push_str(" | |"),
                }
            }
            text.push('\n');
        }
        text
    }

    pub fn json(&self) -> Value {
        let rounds = |rounds: &[Round]| -> Vec<Value> {
            rounds
                .iter()
                .map(|round| {
                    let batches = round.batches.iter();
                    batches
                        .map(|(item, batch)| json!({"row": item.row, "alg": item.algorithm.to_string(), "batch": batch}))
                        .collect()
                })
                .collect()
        };
        let layouts: Value =
            self.layouts.iter().map(|(layout, of)| (layout.name().to_owned(), Value::from(rounds(of)))).collect();
        json!({"seconds": self.seconds, "machine": machine(), "rounds": layouts, "status_list": self.status})
    }
}

fn costs(layout: Layout, rounds: &[Round]) -> String {
    let algorithms = ALGORITHMS.into_iter().filter(|of| layout.items().iter().any(|item| item.algorithm == *of));
    let algorithms: Vec<_> = algorithms.collect();
    let head: String = algorithms.iter().map(|algorithm| format!(" {algorithm} |")).collect();
    let mut text = format!(
        "\n## CPU time of the service for each request, µs (requests/s): {}\n\n| |{head}\n|---|{}\n",
        layout.name(),
        "---|".repeat(algorithms.len())
    );
    for row in Row::ALL {
        text.push_str(&format!("| {row} |"));
        for algorithm in algorithms.iter().copied() {
            let median = |of: fn(Batch) -> f64| Spread::of(rounds, |round| round.of(row, algorithm).map(of));
            let (cpu, rate) = (median(|batch| batch.cpu_us), median(|batch| batch.requests_per_second));
            if let (Some(cpu), Some(rate)) = (cpu, rate) {
                text.push_str(&format!(" {:.1} ({:.1}k) |", cpu.median, rate.median / 1e3));
            }
        }
        text.push('\n');
    }
    text
}

fn machine() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split(':').nth(1)).unwrap_or("?").trim().to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{}, family {} model {}, {cores} cores", field("vendor_id"), field("cpu family"), field("model\t"))
}

/// Whether the SHA instructions were turned off, as bench/ does in its first part.
fn mask() -> String {
    match std::env::var(MASK) {
        Ok(mask) => format!("- `{MASK}={mask}`, but for what is named with SHA instructions\n"),
        Err(_) => String::new(),
    }
}
