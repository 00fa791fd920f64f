//! Rounds, and what is made of them: only what was timed in one round of one process is compared.

use std::io;

use harness::{IN_A_ROW, Item, data};

use crate::machine::Part;
use crate::peers::Peer;
use crate::process::Process;

/// The times of one item, round after round, beside its reference.
#[derive(Clone, Debug)]
pub struct Measured {
    pub item: Item,
    /// Nanoseconds of one operation.
    pub nanos: Vec<f64>,
    /// The same round's time of the reference of the same process.
    pub raw: Vec<f64>,
}

impl Measured {
    /// Microseconds when the machine is quiet: a tenth of the rounds were faster.
    pub fn us(&self) -> f64 {
        quantile(&self.nanos, 0.1) / 1000.0
    }

    /// The median of the ratios of each round.
    pub fn ratio_to_raw(&self) -> f64 {
        let ratios: Vec<f64> = self.nanos.iter().zip(&self.raw).map(|(own, raw)| own / raw).collect();
        quantile(&ratios, 0.5)
    }

    /// The median of the differences of each round, in nanoseconds.
    pub fn above_raw(&self) -> f64 {
        let above: Vec<f64> = self.nanos.iter().zip(&self.raw).map(|(own, raw)| own - raw).collect();
        quantile(&above, 0.5)
    }
}

pub fn quantile(values: &[f64], at: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = ((sorted.len() as f64 - 1.0) * at).round() as usize;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

/// What a part of the report is made of.
#[derive(Debug)]
pub struct Rows {
    pub measured: Vec<Measured>,
    /// What the processes said of themselves.
    pub versions: Vec<String>,
}

/// All peers, side by side; those in Rust first, then the others.
pub fn run(peers: &[Peer], part: &Part, rounds: usize) -> io::Result<Rows> {
    let mut rows = Rows { measured: Vec::new(), versions: Vec::new() };
    for (rust, rounds) in [(true, rounds), (false, rounds / 3)] {
        let commands = peers.iter().filter(|peer| peer.rust == rust).map(|peer| part.command(peer));
        let mut processes = commands.map(Process::start).collect::<io::Result<Vec<_>>>()?;
        let ops = ["verify", "sign"];
        let groups: Vec<_> = ops.iter().flat_map(|op| data::ALGORITHMS.map(|alg| (*op, alg))).collect();
        rows.measured.extend(interleave(&mut processes, &groups, rounds.max(1))?);
        rows.versions.extend(processes.iter().flat_map(|process| process.listing.versions.clone()));
    }
    rows.versions.sort();
    rows.versions.dedup();
    Ok(rows)
}

/// Asks every process for a few rounds of every group, and again.
pub fn interleave(
    processes: &mut [Process],
    groups: &[(&str, &str)],
    rounds: usize,
) -> io::Result<Vec<Measured>> {
    let mut all: Vec<Vec<Measured>> = processes
        .iter()
        .map(|process| {
            let items = process.listing.items.iter().cloned();
            items.map(|item| Measured { item, nanos: Vec::new(), raw: Vec::new() }).collect()
        })
        .collect();
    for _ in 0..rounds.div_ceil(IN_A_ROW) {
        for (op, alg) in groups {
            for (process, measured) in processes.iter_mut().zip(&mut all) {
                for times in process.rounds(op, alg)? {
                    let group = measured
                        .iter_mut()
                        .filter(|measured| measured.item.op == *op && measured.item.alg == *alg);
                    for (measured, nanos) in group.zip(&times) {
                        measured.nanos.push(*nanos);
                        measured.raw.extend(times.first());
                    }
                }
            }
        }
    }
    Ok(all.into_iter().flatten().collect())
}
