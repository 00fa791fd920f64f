//! Running callgrind, and reading what it wrote.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::{fs, io};

use super::counted::{CALLED, Counted, ENTRY, TIMES};
use super::{Row, scratch};

/// All rows.
pub struct Count {
    pub rows: Vec<Row>,
    /// For each row: functions, and how many instructions more they took in it than in the reference.
    pub profiles: Vec<Vec<(String, i64)>>,
    pub avx2: bool,
}

/// What one dump says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Cost {
    /// Instructions outside of aws-lc.
    own: i64,
    /// Calls from Rust into aws-lc, by function.
    calls: BTreeMap<String, u32>,
    /// Instructions of every function, without those that it calls.
    functions: BTreeMap<String, i64>,
}

impl Cost {
    /// Calls in one operation. What callgrind saw of a function before, in the making of keys, is a fraction of one.
    fn calls(&self) -> i64 {
        self.calls.values().map(|calls| (f64::from(*calls) / f64::from(CALLED)).round() as i64).sum()
    }

    /// By function, what one operation takes more than the reference, the most first.
    fn above(&self, raw: &Self) -> Vec<(String, i64)> {
        let functions = self.functions.iter().map(|(name, instructions)| {
            let more = instructions - raw.functions.get(name).copied().unwrap_or_default();
            // 'N marks the N-th level of a recursion.
            let symbol = name.split('\'').next().unwrap_or(name);
            (format!("{:#}", rustc_demangle::demangle(symbol)), more / i64::from(TIMES))
        });
        let mut functions: Vec<_> = functions.filter(|(_, more)| *more != 0).collect();
        functions.sort_by_key(|(_, more)| -more);
        functions
    }
}

pub fn count() -> io::Result<Count> {
    let folder = scratch()?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", "--collect-atstart=no"])
        .args(["--toggle-collect", "--dump-after"].map(|flag| format!("{flag}={ENTRY}")))
        .args(["--demangle=no", "--compress-strings=no", "--compress-pos=no"])
        .arg(format!("--callgrind-out-file={}", folder.join("dump").display()))
        .arg(std::env::current_exe()?)
        .arg("counted")
        // The environment lies on the stack: with an empty one everything else lies where it always does. Instructions
        // that valgrind might not know are turned off, wherever this runs.
        .env_clear()
        .env("OPENSSL_ia32cap", "~0x0:~0x20000000")
        .output()?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let listed = String::from_utf8_lossy(&output.stdout);
    let mut count = Count { rows: Vec::new(), profiles: Vec::new(), avx2: false };
    let mut raw = (Cost::default(), 0.0);
    for (number, line) in listed.lines().enumerate() {
        let counted: Counted = serde_json::from_str(line)?;
        let cost = read(&folder.join(format!("dump.{}", number + 1)))?;
        count.avx2 = counted.avx2;
        if counted.who == "raw" {
            raw = (cost, counted.allocations);
            continue;
        }
        count.profiles.push(cost.above(&raw.0));
        count.rows.push(Row {
            op: counted.op,
            alg: counted.alg,
            claims: counted.claims,
            instructions: (cost.own - raw.0.own) / i64::from(TIMES),
            calls: cost.calls() - raw.0.calls(),
            // ECDSA allocates at random, so only the mean is whole.
            allocations: (counted.allocations - raw.1).round() as i64,
        });
    }
    Ok(count)
}

fn read(dump: &Path) -> io::Result<Cost> {
    parse(&fs::read_to_string(dump)?)
        .ok_or_else(|| io::Error::other(format!("{} is no dump", dump.display())))
}

/// What an allocation costs depends on the heap's past, which is random where aws-lc signs: it is counted instead.
const ALLOCATING: [&str; 5] = ["malloc", "calloc", "realloc", "posix_memalign", "free"];

/// The format of callgrind's dumps, without compression: `fn=` opens a function's lines, `cfn=` and `calls=` say that the
/// next line is the cost of calls. From the total is taken what Rust's calls into aws-lc and to the allocator cost, all
/// that they call included.
fn parse(dump: &str) -> Option<Cost> {
    let number = |text: &str| text.split(' ').nth(1)?.parse::<i64>().ok();
    let (mut cost, mut total) = (Cost::default(), None);
    let (mut function, mut callee, mut called) = ("", "", None);
    for line in dump.lines() {
        if let Some(name) = line.strip_prefix("fn=") {
            function = name;
        } else if let Some(name) = line.strip_prefix("cfn=") {
            callee = name;
        } else if let Some(calls) = line.strip_prefix("calls=") {
            called = calls.split(' ').next()?.parse::<u32>().ok();
        } else if line.starts_with("totals:") {
            total = number(line);
        } else if let Some(calls) = called.take() {
            let into_aws_lc = callee.starts_with("aws_lc_");
            if is_rust(function) && (into_aws_lc || ALLOCATING.contains(&callee)) {
                cost.own -= number(line)?;
            }
            if is_rust(function) && into_aws_lc {
                *cost.calls.entry(callee.to_owned()).or_default() += calls;
            }
        } else if line.starts_with(|first: char| first.is_ascii_digit()) {
            *cost.functions.entry(function.to_owned()).or_default() += number(line)?;
        }
    }
    cost.own += total?;
    Some(cost)
}

/// A name that rustc made, in either of its manglings, or the one that has none.
fn is_rust(name: &str) -> bool {
    name.starts_with("_ZN") || name.starts_with("_R") || name == ENTRY
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = "fl=a.rs
fn=_ZN6crates4workE
10 100
cfn=_ZN6crates4moreE
calls=2 30
11 70
cfn=aws_lc_0_1_0_HMAC_Update
calls=82 0
12 500

fn=_ZN6crates4moreE
30 20
cfn=malloc
calls=1 0
31 50

fn=aws_lc_0_1_0_HMAC_Update
0 300
cfn=aws_lc_0_1_0_sha256
calls=3 0
0 200

totals: 670
";

    #[test]
    fn counts_what_is_outside_of_the_primitive_and_the_calls_into_it() {
        let cost = parse(DUMP).unwrap();
        assert_eq!((cost.own, cost.calls()), (120, 2));
        assert_eq!(cost.functions.values().sum::<i64>(), 420);
    }

    #[test]
    fn rejects_a_dump_without_a_total() {
        assert_eq!(parse("fn=_ZN6crates4workE\n10 100\n"), None);
    }
}
