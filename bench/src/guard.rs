//! The guard: how many instructions of our own an operation takes, counted by callgrind and held against the file
//! `instructions.json`. Times vary with the machine; these do not.
//!
//! Our own are those that run in an operation of Countersign, less those that run inside of aws-lc, less what the raw
//! reference has around its calls to aws-lc. What happens inside of aws-lc is random where it signs; how often it is
//! called is not, and is compared too, so a key that is parsed at every call is noticed.

mod callgrind;
mod counted;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{fs, io};

use serde::{Deserialize, Serialize};

pub use counted::run_counted;

/// How much a figure may grow unnoticed.
const TOLERANCE: f64 = 1.03;

/// The exit code for figures that cannot be compared here.
const SKIPPED: u8 = 3;

/// What the figures depend on beside the library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Conditions {
    rustc: String,
    libc: String,
    /// Whether the processor that valgrind shows to a program has AVX2.
    avx2: bool,
}

/// One operation.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Row {
    op: String,
    alg: String,
    claims: Option<String>,
    /// Our own.
    instructions: i64,
    /// Calls to aws-lc beyond those of the raw reference.
    calls: i64,
    /// Allocations beyond those of the raw reference.
    allocations: i64,
}

#[derive(Debug, Deserialize)]
struct Figures {
    conditions: Conditions,
    rows: Vec<Row>,
}

/// Counts, and compares or writes.
pub fn run(update: bool) -> io::Result<ExitCode> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("skipped: valgrind is not installed");
        return Ok(ExitCode::from(SKIPPED));
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.json");
    let counted = callgrind::count()?;
    let here = Figures { conditions: conditions(counted.avx2), rows: counted.rows };
    if update {
        fs::write(file, here.text()?)?;
        println!("{} figures written", here.rows.len());
        return Ok(ExitCode::SUCCESS);
    }
    let kept: Figures = serde_json::from_str(&fs::read_to_string(file)?)?;
    if kept.conditions != here.conditions {
        println!(
            "skipped: instructions.json was counted with {}, this is {}",
            kept.conditions.text(),
            here.conditions.text()
        );
        return Ok(ExitCode::from(SKIPPED));
    }
    Ok(compare(&kept.rows, &here.rows))
}

fn compare(kept: &[Row], here: &[Row]) -> ExitCode {
    let mut failed = false;
    println!("{:<24} {:>12} {:>12} {:>6} {:>11}", "", "instructions", "kept", "calls", "allocations");
    for row in here {
        let name = row.name();
        let Some(before) = kept.iter().find(|kept| kept.name() == name) else {
            println!("{name:<24} {:>12} FAILED: it has no figure in the file", row.instructions);
            failed = true;
            continue;
        };
        let mut verdict = String::new();
        if row.instructions as f64 > before.instructions as f64 * TOLERANCE {
            let more = 100.0 * (row.instructions as f64 / before.instructions as f64 - 1.0);
            verdict = format!("FAILED: {more:.1} % more instructions");
        } else if row.calls > before.calls {
            verdict = format!("FAILED: {} calls to aws-lc instead of {}", row.calls, before.calls);
        } else if row.allocations > before.allocations {
            verdict = format!("FAILED: {} allocations instead of {}", row.allocations, before.allocations);
        } else if (row.instructions as f64) * TOLERANCE < before.instructions as f64 {
            verdict = "fewer: the file can be updated".into();
        }
        failed |= verdict.starts_with("FAILED");
        println!(
            "{name:<24} {:>12} {:>12} {:>6} {:>11} {verdict}",
            row.instructions, before.instructions, row.calls, row.allocations
        );
    }
    if failed {
        println!(
            "If the growth is meant: cargo run --release -- guard --update, and commit the file with the change."
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

impl Row {
    fn name(&self) -> String {
        let name = format!("{} {} {}", self.op, self.alg, self.claims.as_deref().unwrap_or_default());
        name.trim_end().to_owned()
    }
}

impl Figures {
    /// JSON with one row a line.
    fn text(&self) -> io::Result<String> {
        let rows = self.rows.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
        let conditions = serde_json::to_string(&self.conditions)?;
        Ok(format!("{{\"conditions\":{conditions},\"rows\":[\n{}\n]}}\n", rows.join(",\n")))
    }
}

impl Conditions {
    fn text(&self) -> String {
        let avx2 = if self.avx2 { "with" } else { "without" };
        format!("{}, {}, {avx2} AVX2", self.rustc, self.libc)
    }
}

fn conditions(avx2: bool) -> Conditions {
    let first = |program: &str| {
        let output = Command::new(program).arg("--version").output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        text.unwrap_or_default().lines().next().unwrap_or("unknown").to_owned()
    };
    let libc = first("ldd");
    // "ldd (Debian GLIBC 2.36-9+deb12u14) 2.36"
    let libc = libc.rsplit(' ').next().unwrap_or("unknown");
    Conditions { rustc: first("rustc"), libc: format!("glibc {libc}"), avx2 }
}

/// A folder beside this program, emptied.
fn scratch() -> io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let folder = program.with_file_name("callgrind");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
