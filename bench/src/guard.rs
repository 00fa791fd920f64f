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

/// How much a figure may grow unnoticed: this share of it, and so many instructions at least. A figure may be near zero, or
/// below: the raw reference clears 4.5 KB for a signature of EdDSA, and we do not.
const TOLERANCE: f64 = 0.03;
const AT_LEAST: f64 = 30.0;

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

/// Counts, and compares; with `--update` it writes the figures, with `--profile` it says where they come from.
pub fn run(arguments: &[String]) -> io::Result<ExitCode> {
    let given = |flag: &str| arguments.iter().any(|argument| argument == flag);
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("skipped: valgrind is not installed");
        return Ok(ExitCode::from(SKIPPED));
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.json");
    let counted = callgrind::count()?;
    if given("--profile") {
        profile(&counted);
        return Ok(ExitCode::SUCCESS);
    }
    let here = Figures { conditions: conditions(counted.avx2), rows: counted.rows };
    if given("--update") {
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
    println!("{:<24} {:>12} {:>12} {:>6} {:>11}", "", "instructions", "kept", "calls", "allocations");
    let mut failed = false;
    for row in &here.rows {
        let before = kept.rows.iter().find(|kept| kept.name() == row.name());
        let verdict = row.verdict(before);
        failed |= verdict.starts_with("FAILED");
        println!(
            "{:<24} {:>12} {:>12} {:>6} {:>11} {verdict}",
            row.name(),
            row.instructions,
            before.map_or(0, |before| before.instructions),
            row.calls,
            row.allocations
        );
    }
    if failed {
        println!(
            "If the growth is meant: cargo run --release -- guard --update, and commit the file with the change."
        );
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// The functions that take most, of HS256: the other algorithms differ inside of aws-lc.
fn profile(counted: &callgrind::Count) {
    let rows = counted.rows.iter().zip(&counted.profiles).filter(|(row, _)| row.alg == "HS256");
    for (row, functions) in rows {
        println!("{}: {} instructions", row.name(), row.instructions);
        for (function, more) in functions.iter().take(20) {
            println!("{more:>8} {function}");
        }
    }
}

impl Row {
    fn name(&self) -> String {
        let name = format!("{} {} {}", self.op, self.alg, self.claims.as_deref().unwrap_or_default());
        name.trim_end().to_owned()
    }

    /// What is to be said against the figures that were kept.
    fn verdict(&self, before: Option<&Self>) -> String {
        let Some(before) = before else { return "FAILED: it has no figures in the file".into() };
        let grown = self.instructions - before.instructions;
        let unnoticed = (before.instructions as f64 * TOLERANCE).abs().max(AT_LEAST);
        if grown as f64 > unnoticed {
            format!("FAILED: {grown} more instructions")
        } else if self.calls > before.calls {
            format!(
                "FAILED: {} calls to aws-lc beyond the reference's instead of {}",
                self.calls, before.calls
            )
        } else if self.allocations > before.allocations {
            format!("FAILED: {} allocations instead of {}", self.allocations, before.allocations)
        } else if (grown as f64) < -unnoticed {
            "fewer: the file can be updated".into()
        } else {
            String::new()
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn row(instructions: i64, calls: i64, allocations: i64) -> Row {
        Row { op: "verify".into(), alg: "HS256".into(), claims: None, instructions, calls, allocations }
    }

    #[test]
    fn accepts_what_has_not_grown_by_more_than_three_in_a_hundred() {
        for here in [row(1_000, 0, 2), row(1_030, 0, 2), row(980, 0, 1)] {
            assert_eq!(here.verdict(Some(&row(1_000, 0, 2))), "");
        }
        assert_eq!(row(-240, 0, 2).verdict(Some(&row(-265, 0, 2))), "");
        assert!(row(900, 0, 2).verdict(Some(&row(1_000, 0, 2))).starts_with("fewer"));
    }

    #[test]
    fn rejects_what_has_grown_and_what_is_not_in_the_file() {
        for (here, why) in [
            (row(1_031, 0, 2), "31 more instructions"),
            (row(1_000, 1, 2), "1 calls to aws-lc"),
            (row(1_000, 0, 3), "3 allocations"),
        ] {
            let verdict = here.verdict(Some(&row(1_000, 0, 2)));
            assert!(verdict.starts_with(&format!("FAILED: {why}")), "{verdict}");
        }
        assert!(row(1, 0, 0).verdict(None).starts_with("FAILED"));
    }
}
