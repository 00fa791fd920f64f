//! The process that runs under callgrind: every operation in turn, the time fixed, warmed up outside of the count.

use std::hint::black_box;

use countersign::Timestamp;
use harness::data::{ALGORITHMS, NOW, Owned, token};
use harness::{allocations, raw};
use serde::{Deserialize, Serialize};

use crate::ours;

/// Operations in one count.
pub const TIMES: u32 = 10;

/// Operations of which callgrind counts the calls: also those before the count, though not their instructions.
pub const CALLED: u32 = 4 * TIMES;

/// What was run; the n-th line that this process prints belongs to the n-th dump of callgrind.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Counted {
    pub op: String,
    pub alg: String,
    pub who: String,
    pub claims: Option<String>,
    pub allocations: f64,
    pub avx2: bool,
}

/// The name under which callgrind knows [`counted_operations`].
pub const ENTRY: &str = "counted_operations";

/// Callgrind counts from its entry to its end, and writes a dump there; for that it wants a name without a hash.
// SAFETY: no other function of this program has this name.
#[unsafe(no_mangle)]
#[inline(never)]
fn counted_operations(operation: &mut dyn FnMut()) {
    operations(operation);
}

/// Never inlined: before the count and in it the same code runs.
#[inline(never)]
fn operations(operation: &mut dyn FnMut()) {
    for _ in 0..TIMES {
        operation();
    }
}

fn count(op: &str, alg: &str, who: &str, claims: Option<&str>, operation: &mut dyn FnMut()) {
    operations(operation);
    let allocated = allocations(|| (0..2).for_each(|_| operations(operation)));
    counted_operations(operation);
    let counted = Counted {
        op: op.into(),
        alg: alg.into(),
        who: who.into(),
        claims: claims.map(Into::into),
        allocations: allocated as f64 / f64::from(2 * TIMES),
        avx2: avx2(),
    };
    println!("{}", serde_json::to_string(&counted).expect("what is counted can be written"));
}

#[cfg(target_arch = "x86_64")]
fn avx2() -> bool {
    std::arch::is_x86_feature_detected!("avx2")
}

#[cfg(not(target_arch = "x86_64"))]
const fn avx2() -> bool {
    false
}

/// All of verify first: signing is random, and leaves the heap otherwise in every run.
pub fn run_counted() {
    let now = Timestamp::from_unix_secs(NOW);
    for alg in ALGORITHMS {
        let (verifier, mut scratch, token) = (ours::verifier(alg), ours::Scratch::default(), token(alg));
        let ours = |claims, operation: &mut dyn FnMut()| {
            count("verify", alg, "countersign", Some(claims), operation);
        };
        count("verify", alg, "raw", None, &mut raw::verifying(alg));
        ours("borrowed", &mut || ours::borrowed(&verifier, &mut scratch, token, now));
        ours("registered", &mut || ours::registered(&verifier, &mut scratch, token, now));
        ours("owned", &mut || drop(black_box(ours::owned::<Owned>(&verifier, token, now))));
    }
    // What aws-lc prepares at the first signature is nobody's.
    ALGORITHMS.iter().for_each(|alg| raw::signing(alg)());
    for alg in ALGORITHMS {
        let (key, mut buffer, claims) = (ours::signing_key(alg), String::new(), Owned::new());
        count("sign", alg, "raw", None, &mut raw::signing(alg));
        count("sign", alg, "countersign", None, &mut || ours::sign(&key, &mut buffer, &claims));
    }
}
