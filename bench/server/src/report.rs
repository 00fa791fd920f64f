//! What is printed and kept: the figures, and whether the goals hold.

use std::path::Path;
use std::process::Command;

use crate::figures::Figures;
use crate::server::Server;

/// The text of RESULTS.md, as it grows.
#[derive(Default)]
pub struct Report {
    text: String,
    goals: Vec<String>,
}

impl Report {
    pub fn say(&mut self, line: &str) {
        println!("{line}");
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A row of the table of figures.
    pub fn row(&mut self, name: &str, server: &Server, figures: &Figures) {
        let (now, most) = server.memory();
        self.say(&format!("| {name} | {figures} | {now:.0} ({most:.0}) |"));
    }

    pub fn goal(&mut self, what: &str, goal: &str, measured: &str, holds: bool) {
        let verdict = if holds { "holds" } else { "missed" };
        self.goals.push(format!("| {what} | {goal} | {measured} | {verdict} |"));
    }

    /// Tells the goals, and writes everything.
    pub fn finish(mut self) {
        self.say("\n## Goals\n\n| | goal | measured | |\n|---|---|---|---|");
        for goal in std::mem::take(&mut self.goals) {
            self.say(&goal);
        }
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("RESULTS.md");
        std::fs::write(file, self.text).expect("RESULTS.md can be written");
    }
}

/// The day, the compiler and the machine.
pub fn circumstances() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown", |rest| rest.trim_start_matches(['\t', ' ', ':']));
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "- {}, {}\n- {model}, {cores} cores, {}; load before the run {load}",
        output("date", &["-u", "+%Y-%m-%d"]),
        output("rustc", &["--version"]),
        output("uname", &["-srm"]),
    )
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output
        .map_or_else(|_| "unknown".into(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
