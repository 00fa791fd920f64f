//! A status list of a million tokens: what it costs to hold, to look one up, to read and to publish.

use std::hint::black_box;
use std::time::Instant;

use countersign::{MAX_STATUS_LIST_BYTES, Status, StatusBits, StatusList};
use serde::Serialize;

use crate::Outcome;

const ENTRIES: usize = 1_000_000;
const BATCHES: usize = 21;
const LOOKS: u64 = 1_000_000;

#[derive(Clone, Debug, Serialize)]
pub struct StatusCosts {
    pub entries: usize,
    /// What is held after reading one, in bytes.
    pub held_bytes: i64,
    pub look_ns: f64,
    /// By the share of tokens that were taken back, in percent: bytes as published, ms to publish, ms to read.
    pub lists: Vec<(f64, usize, f64, f64)>,
}

pub fn measure() -> Outcome<StatusCosts> {
    let mut lists = Vec::new();
    for percent in [0.0, 0.1, 1.0, 10.0, 50.0] {
        let list = list(percent)?;
        let encoded = list.encode();
        let publish = median((0..BATCHES).map(|_| timed(|| black_box(&list).encode())).collect());
        let read = median((0..BATCHES).map(|_| timed(|| StatusList::decode(black_box(&encoded), MAX_STATUS_LIST_BYTES))).collect());
        lists.push((percent, encoded.lst.len(), publish * 1e3, read * 1e3));
    }
    let encoded = list(1.0)?.encode();
    let mut read = None;
    let held = allocation_counter::measure(|| {
        read = StatusList::decode(&encoded, MAX_STATUS_LIST_BYTES).ok();
    });
    let list = read.ok_or("a list that was just made")?;
    Ok(StatusCosts { entries: ENTRIES, held_bytes: held.bytes_current, look_ns: look(&list), lists })
}

/// At indices all over the list, so that the cache of the processor is no help.
fn look(list: &StatusList) -> f64 {
    let mut index = 1_u64;
    let mut batches = Vec::new();
    for _ in 0..BATCHES {
        let began = Instant::now();
        for _ in 0..LOOKS {
            index = index.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let _ = black_box(list.get(black_box((index >> 33) % ENTRIES as u64)));
        }
        batches.push(began.elapsed().as_secs_f64() / LOOKS as f64 * 1e9);
    }
    median(batches)
}

fn list(percent: f64) -> Outcome<StatusList> {
    let mut list = StatusList::new(StatusBits::One, ENTRIES)?;
    let mut state = 7_u64;
    for index in 0..ENTRIES as u64 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if ((state >> 33) % 100_000) as f64 / 1_000.0 < percent {
            list.set(index, Status::INVALID)?;
        }
    }
    Ok(list)
}

fn timed<T>(work: impl FnOnce() -> T) -> f64 {
    let began = Instant::now();
    black_box(work());
    began.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

impl StatusCosts {
    pub fn table(&self) -> String {
        let verdict = |holds: bool| if holds { "holds" } else { "missed" };
        let mut text = format!(
            "| a list of {} tokens | goal | measured | |\n|---|---|---|---|\n\
             | memory | 150 KB | {:.1} KB | {} |\n| a look-up, at a random index | 50 ns | {:.1} ns | {} |\n\n\
             | taken back | `lst`, bytes | to publish, ms | to read, ms |\n|---|---|---|---|\n",
            self.entries,
            self.held_bytes as f64 / 1e3,
            verdict(self.held_bytes <= 150_000),
            self.look_ns,
            verdict(self.look_ns <= 50.0),
        );
        for (percent, bytes, publish, read) in &self.lists {
            text.push_str(&format!("| {percent} % | {bytes} | {publish:.2} | {read:.2} |\n"));
        }
        text
    }
}
