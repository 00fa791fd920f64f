//! From batches to the medians of ratios, and to the goals.

use serde::Serialize;
use serde_json::{Value, json};

use crate::load::Batch;
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
    pub rounds: Vec<Round>,
    pub seconds: u64,
    pub status: StatusCosts,
}

/// What is to be reached: the share of jsonwebtoken's tax, and the times of an unprotected route with cached tokens.
const GOALS: [(usize, f64); 4] = [(0, 0.45), (1, 0.75), (2, 0.95), (3, 0.95)];
const CACHED_GOAL: f64 = 1.10;

impl Measured {
    fn median(&self, of: impl Fn(&Round) -> Option<f64>) -> f64 {
        let mut values: Vec<f64> = self.rounds.iter().filter_map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    }

    pub fn page(&self) -> String {
        let mut page = format!(
            "# A protected route\n\nWritten by `cargo run --release` in this folder; README.md says how to read it.\n\n\
             - {} rounds, {} s for each item in each round, 1,000 tokens in turn, {}\n{}\n",
            self.rounds.len(),
            self.seconds,
            machine(),
            mask(),
        );
        page.push_str("## CPU time of the service for each request, µs (requests/s)\n\n|");
        let head: String = ALGORITHMS.iter().map(|algorithm| format!(" {algorithm} |")).collect();
        page.push_str(&format!(" |{head}\n|---|{}\n", "---|".repeat(ALGORITHMS.len())));
        for row in Row::ALL {
            page.push_str(&format!("| {row} |"));
            for algorithm in ALGORITHMS {
                let cpu = self.median(|round| Some(round.of(row, algorithm)?.cpu_us));
                let rate = self.median(|round| Some(round.of(row, algorithm)?.requests_per_second));
                page.push_str(&format!(" {cpu:.1} ({:.1}k) |", rate / 1e3));
            }
            page.push('\n');
        }
        page.push_str(&self.goals());
        page.push_str("\n## Status list\n\n");
        page.push_str(&self.status.table());
        page
    }

    fn goals(&self) -> String {
        let mut text = "\n## Goals, medians of the ratios of each round\n\n| | goal | measured | |\n|---|---|---|---|\n".to_owned();
        let verdict = |holds: bool| if holds { "holds" } else { "missed" };
        for (index, goal) in GOALS {
            let algorithm = ALGORITHMS[index];
            let share = self.median(|round| round.share(Row::Protect, algorithm));
            text.push_str(&format!(
                "| {algorithm}: tax of `Protect`, to jsonwebtoken's | {:.0} % | {:.0} % | {} |\n",
                goal * 1e2,
                share * 1e2,
                verdict(share <= goal)
            ));
        }
        for algorithm in ALGORITHMS {
            let times = self.median(|round| round.times(Row::Cached, algorithm));
            text.push_str(&format!(
                "| {algorithm}: a request with a cached token, to one without a check | {CACHED_GOAL:.2} | {times:.2} | {} |\n",
                verdict(times <= CACHED_GOAL)
            ));
        }
        text
    }

    pub fn json(&self) -> Value {
        let rounds: Vec<Value> = self
            .rounds
            .iter()
            .map(|round| {
                round
                    .batches
                    .iter()
                    .map(|(item, batch)| json!({"row": item.row, "alg": item.algorithm.to_string(), "batch": batch}))
                    .collect()
            })
            .collect();
        json!({"seconds": self.seconds, "machine": machine(), "rounds": rounds, "status_list": self.status})
    }
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
    match std::env::var("OPENSSL_ia32cap") {
        Ok(mask) => format!("- `OPENSSL_ia32cap={mask}`\n"),
        Err(_) => String::new(),
    }
}
