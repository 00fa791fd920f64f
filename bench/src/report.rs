//! The tables: printed, and written beside this program's sources.

mod tables;

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use serde::Serialize;

use crate::growth::Step;
use crate::machine::{Machine, Part, locked};
use crate::rounds::{Measured, Rows};

/// Crates whose versions say what was measured.
const VERSIONS: [&str; 9] = [
    "aws-lc-rs",
    "aws-lc-sys",
    "boring",
    "countersign",
    "josekit",
    "jsonwebtoken",
    "jwt-simple",
    "moka",
    "serde_json",
];

/// All that was found.
#[derive(Debug)]
pub struct Report {
    pub machine: Machine,
    pub parts: Vec<Part>,
    pub proof: Option<String>,
    pub measured: Vec<Rows>,
    /// A line for each library that could not be measured.
    pub absent: Vec<String>,
    pub growth: Option<Vec<Step>>,
}

/// A row of `results.json`.
#[derive(Serialize)]
struct Row<'r> {
    op: &'r str,
    alg: &'r str,
    who: &'r str,
    claims: Option<&'r str>,
    us: f64,
    ratio_to_raw: f64,
    allocations: Option<f64>,
}

impl Report {
    pub fn markdown(&self) -> String {
        let mut text =
            String::from("# Results\n\nWritten by `cargo run --release`; README.md says how to read it.\n\n");
        self.head(&mut text);
        for (part, rows) in self.parts.iter().zip(&self.measured) {
            let measured = listed(rows);
            let _ = writeln!(text, "\n## {}, µs when quiet (times raw aws-lc-rs)\n", part.name);
            text += &tables::peers(&measured, "verify", true);
            text += &tables::peers(&measured, "sign", true);
            if std::ptr::eq(rows, &raw const self.measured[0]) {
                text += &tables::goals(&measured);
            }
            if measured.iter().any(|measured| tables::is_elsewhere(measured)) {
                let _ = writeln!(text, "### Node and Python, {} (times their own primitive)\n", part.name);
                text += &tables::peers(&measured, "verify", false);
                text += &tables::peers(&measured, "sign", false);
            }
        }
        if let Some(growth) = &self.growth {
            let _ = writeln!(text, "## How cost grows, HS256, {}\n", self.parts[0].name);
            text += &tables::growth(growth);
        }
        let notes = fs::read_to_string(here().join("notes.md")).unwrap_or_default();
        text + &notes + &protected_route()
    }

    fn head(&self, text: &mut String) {
        let mut versions = locked(&VERSIONS);
        versions.extend(self.measured.iter().flat_map(|rows| rows.versions.clone()));
        versions.sort_by_key(|version| version.to_lowercase());
        versions.dedup();
        let Machine { processor, system, rustc, date, .. } = &self.machine;
        let _ = writeln!(text, "- {date}, {rustc}\n- {processor}\n- {system}\n- {}", versions.join(", "));
        for line in self.proof.iter().chain(&self.absent) {
            let _ = writeln!(text, "- {line}");
        }
        if self.proof.is_some() {
            text.push_str(
                "- The mask holds for aws-lc, BoringSSL and OpenSSL. What is written in Rust asks the processor itself: \
                 jsonwebtoken/rust_crypto has the SHA instructions in both parts.\n",
            );
        }
    }

    /// `results.json` holds the rows that the goals are for; those with the SHA instructions stand in a file of their own.
    pub fn write(&self) -> io::Result<()> {
        fs::write(here().join("RESULTS.md"), self.markdown())?;
        for (name, rows) in ["results.json", "results-sha-ni.json"].iter().zip(&self.measured) {
            let rows: Vec<_> = listed(rows).into_iter().map(row).collect();
            fs::write(here().join(name), lines(&rows)?)?;
        }
        let growth = self.growth.iter().flatten().map(|step| Step {
            us: rounded(step.us),
            raw_us: rounded(step.raw_us),
            ratio_to_raw: rounded(step.ratio_to_raw),
            above_raw_ns: rounded(step.above_raw_ns),
            input_times: step.input_times.map(rounded),
            cost_times: step.cost_times.map(rounded),
            ..step.clone()
        });
        fs::write(here().join("growth.json"), lines(&growth.collect::<Vec<_>>())?)
    }
}

/// The rows to show: of the references, which every process has of its own, those of the first.
fn listed(rows: &Rows) -> Vec<&Measured> {
    let mut listed: Vec<&Measured> = Vec::new();
    for measured in rows.measured.iter().filter(|measured| !measured.nanos.is_empty()) {
        let item = &measured.item;
        let again = listed.iter().any(|other| {
            (&other.item.op, &other.item.alg, &other.item.who) == (&item.op, &item.alg, &item.who)
        });
        if !item.raw || !again {
            listed.push(measured);
        }
    }
    listed
}

fn row(measured: &Measured) -> Row<'_> {
    let item = &measured.item;
    Row {
        op: &item.op,
        alg: &item.alg,
        who: &item.who,
        claims: item.claims.as_deref(),
        us: rounded(measured.us()),
        ratio_to_raw: rounded(measured.ratio_to_raw()),
        allocations: item.allocations,
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// JSON with one object a line.
fn lines<T: Serialize>(rows: &[T]) -> io::Result<String> {
    let rows = rows.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
    Ok(format!("[\n{}\n]\n", rows.join(",\n")).replace(".0,", ",").replace(".0}", "}"))
}

/// The page of `bench/http`, as it was last written, one level down.
fn protected_route() -> String {
    let page = fs::read_to_string(here().join("http/RESULTS.md")).unwrap_or_default();
    let lines = page.lines().map(|line| match line.strip_prefix('#') {
        Some(_) => format!("#{line}\n"),
        None => format!("{line}\n"),
    });
    lines.filter(|line| !line.starts_with("Written by")).fold("\n".to_owned(), |page, line| page + &line)
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
