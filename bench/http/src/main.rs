//! What a protected route costs: axum on loopback, driven by `wrk`. README.md says how to read it.

mod before;
mod cpu;
mod load;
mod report;
mod service;
mod signature;
mod status;
mod tokens;

use std::error::Error;
use std::time::Duration;

use load::Layout;
use report::{Measured, Round};

pub type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", row, algorithm] => service::serve(row.parse()?, algorithm.parse()?),
        ["calls", row, algorithm, times] => service::calls(row.parse()?, algorithm.parse()?, times.parse()?),
        ["status"] => {
            println!("{}", status::measure()?.table());
            Ok(())
        }
        [] => run(5, 2),
        [rounds, seconds] => run(rounds.parse()?, seconds.parse()?),
        _ => Err("countersign-bench-http [ROUNDS SECONDS] | status".into()),
    }
}

/// Every item once in each round, in short batches: machines drift, and only what is timed in the same round is compared.
fn run(rounds: usize, seconds: u64) -> Outcome<()> {
    load::tools_are_there()?;
    let mut layouts = Vec::new();
    for layout in Layout::all() {
        layouts.push((layout, rounds_of(layout, rounds, seconds)?));
    }
    let measured = Measured { layouts, seconds, status: status::measure()? };
    std::fs::write("results.json", serde_json::to_string_pretty(&measured.json())? + "\n")?;
    std::fs::write("RESULTS.md", measured.page())?;
    print!("{}", measured.page());
    Ok(())
}

fn rounds_of(layout: Layout, rounds: usize, seconds: u64) -> Outcome<Vec<Round>> {
    let items = layout.items();
    let services = items.iter().map(|item| load::Service::start(item, layout)).collect::<Outcome<Vec<_>>>()?;
    for service in &services {
        service.drive(Duration::from_secs(1))?;
    }
    (1..=rounds)
        .map(|round| {
            let mut batches = Vec::new();
            for (item, service) in items.iter().zip(&services) {
                batches.push((*item, service.drive(Duration::from_secs(seconds))?));
            }
            eprintln!("{}: round {round} of {rounds}", layout.name());
            Ok(Round { batches })
        })
        .collect()
}
