//! The arguments of the parent.

/// How long, and what.
#[derive(Debug)]
pub struct Options {
    /// Rounds of the Rust libraries; the others have a third of them.
    pub rounds: usize,
    /// Names of the peers; all where there is none, and only then are files written.
    pub only: Vec<String>,
    /// Leave the second part out, the one with the processor's SHA instructions.
    pub one_part: bool,
}

const USAGE: &str = "\
cargo run --release [-- [--rounds N] [--only NAME,…] [--one-part]]
  --rounds N     rounds of the Rust libraries (300); those of Node and Python have a third
  --only NAME,…  these libraries alone, beside countersign; prints, and writes no file
  --one-part     only without the processor's SHA instructions";

impl Options {
    pub fn read() -> Self {
        let mut options = Self { rounds: 300, only: Vec::new(), one_part: false };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().unwrap_or_else(|| usage());
            match argument.as_str() {
                "--rounds" => options.rounds = value().parse().unwrap_or_else(|_| usage()),
                "--only" => options.only = value().split(',').map(Into::into).collect(),
                "--one-part" => options.one_part = true,
                _ => usage(),
            }
        }
        options.rounds = options.rounds.max(3);
        options
    }

    pub fn wants(&self, name: &str) -> bool {
        name == "countersign" || self.only.is_empty() || self.only.iter().any(|only| only == name)
    }
}

fn usage() -> ! {
    eprintln!("{USAGE}");
    std::process::exit(2)
}
