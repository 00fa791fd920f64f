//! What a status list of a million tokens costs: measured by a program of its own, `src/bin/status.rs`, because what counts
//! allocations takes time at each of them, and the services are not to pay for it.

use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::Outcome;

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct StatusCosts {
    pub entries: usize,
    /// What is held after reading one, in bytes.
    pub held_bytes: i64,
    pub look_ns: f64,
    /// By the share of tokens that were taken back, in percent: bytes as published, ms to publish, ms to read.
    pub lists: Vec<(f64, usize, f64, f64)>,
}

/// Has it measured.
pub fn measure() -> Outcome<StatusCosts> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let run = ["run", "--release", "--quiet", "--bin", "status", "--manifest-path"];
    let output = Command::new(cargo).args(run).arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
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
