//! A process that measures, from its parent's side. The other side is `harness::serve`.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use harness::Listing;
use serde::de::DeserializeOwned;

/// A child and the lines that go to and from it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    pub listing: Listing,
}

impl Process {
    /// Starts it and reads what it measures.
    pub fn start(mut command: Command) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("the pipes are there"));
        };
        let mut from = BufReader::new(from);
        let listing = line(&mut from)?;
        Ok(Self { child, to, from, listing })
    }

    /// Some rounds of one group: nanoseconds of each of its items, or nothing where it has no such group.
    pub fn rounds(&mut self, op: &str, alg: &str) -> io::Result<Vec<Vec<f64>>> {
        writeln!(self.to, "{op} {alg}")?;
        self.to.flush()?;
        Ok(line::<Option<_>>(&mut self.from)?.unwrap_or_default())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has nothing to finish: it only waits for the next question.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn line<T: DeserializeOwned>(from: &mut impl BufRead) -> io::Result<T> {
    let mut text = String::new();
    if from.read_line(&mut text)? == 0 {
        return Err(io::Error::other("a measuring process stopped; its reason stands above"));
    }
    Ok(serde_json::from_str(&text)?)
}
