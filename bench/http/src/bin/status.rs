//! A status list of a million tokens: what it costs to hold, to look one up, to read and to publish. Prints JSON.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use countersign::{MAX_STATUS_LIST_BYTES, Status, StatusBits, StatusList};
use serde_json::json;

type Outcome<T> = Result<T, Box<dyn Error>>;

const ENTRIES: usize = 1_000_000;
const BATCHES: usize = 21;
const LOOKS: u64 = 1_000_000;

fn main() -> Outcome<()> {
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
    let costs = json!({
        "entries": ENTRIES,
        "held_bytes": held.bytes_current,
        "look_ns": look(&list),
        "lists": lists,
    });
    println!("{costs}");
    Ok(())
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
