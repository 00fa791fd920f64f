//! The same tokens through Countersign and its peers. See README.md beside this folder.
//!
//! - `differential generate FOLDER` writes `keys.jsonl` and `tokens.jsonl`.
//! - `differential verify FOLDER PEER` verifies what the peer signed: `FOLDER/PEER.signed.jsonl`.
//! - `differential compare FOLDER SPLITS PEER…` compares `FOLDER/PEER.verified.jsonl` with our own outcomes.

mod compare;
mod keys;
mod mutated;
mod random;
mod row;
mod valid;

use std::fs::{File, read_to_string};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;

use keys::{ALGORITHMS, Key};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let passed = match words.as_slice() {
        ["generate", folder] => {
            generate(Path::new(folder));
            true
        }
        ["verify", folder, peer] => row::verify_signed(Path::new(folder), peer),
        ["compare", folder, splits, peers @ ..] if !peers.is_empty() => {
            compare::compare(Path::new(folder), Path::new(splits), peers)
        }
        _ => {
            eprintln!(
                "usage: differential generate FOLDER | verify FOLDER PEER | compare FOLDER SPLITS PEER…"
            );
            return ExitCode::from(2);
        }
    };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn generate(folder: &Path) {
    let keys: Vec<Key> = ALGORITHMS.into_iter().map(Key::generate).collect();
    write_lines(&folder.join("keys.jsonl"), keys.iter().map(Key::to_json));
    let rows = valid::tokens(&keys).into_iter().chain(mutated::tokens(&keys));
    write_lines(&folder.join("tokens.jsonl"), rows.enumerate().map(|(id, row)| row.to_json(id)));
}

fn write_lines(path: &Path, lines: impl Iterator<Item = Value>) {
    let mut file = BufWriter::new(File::create(path).expect("a file that can be written"));
    for line in lines {
        writeln!(file, "{line}").expect("a file that can be written");
    }
    file.flush().expect("a file that can be written");
}

fn read_lines(path: &Path) -> Vec<Value> {
    let text = read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}
