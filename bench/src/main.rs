//! Countersign beside other libraries and beside the bare primitive: see README.md.
//!
//! Without arguments this is the parent: it builds the peers, asks every process for its times, round after round, and
//! writes what it found. With `measure` or `grow` it is one of those processes. With `guard` it counts instructions
//! instead of time.

mod cache;
mod goals;
mod growth;
mod guard;
mod machine;
mod measured;
mod options;
mod ours;
mod peers;
mod process;
mod report;
mod rounds;

use std::io;
use std::process::ExitCode;

use harness::Counting;

use machine::Machine;
use options::Options;
use report::Report;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> io::Result<ExitCode> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("measure") => measured::serve_ours(),
        Some("grow") => growth::serve_growth(),
        Some("counted") => guard::run_counted(),
        Some("guard") => return guard::run(&arguments),
        _ => run(&Options::read())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn run(options: &Options) -> io::Result<()> {
    let machine = Machine::look();
    let (peers, absent) = peers::find(options);
    let parts = machine.parts(options);
    let proof = machine.prove_the_mask(&parts)?;
    let mut measured = Vec::new();
    for part in &parts {
        eprintln!("measuring {}, {} rounds", part.name, options.rounds);
        measured.push(rounds::run(&peers, part, options.rounds)?);
    }
    let growth = options.only.is_empty().then(|| growth::run(&parts[0], options)).transpose()?;
    let report = Report { machine, parts, proof, measured, absent, growth };
    println!("{}", report.markdown());
    if options.only.is_empty() {
        report.write()?;
    }
    Ok(())
}
