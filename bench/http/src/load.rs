//! A service in a process of its own, and `wrk` before it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde::Serialize;

use crate::cpu;
use crate::report::Item;
use crate::tokens::TOKENS;
use crate::Outcome;

/// Connections that `wrk` keeps busy, from one thread.
const CONNECTIONS: usize = 32;

/// What a batch showed.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Batch {
    pub requests: u64,
    pub requests_per_second: f64,
    /// CPU time of the service for each request, user and system, in microseconds.
    pub cpu_us: f64,
}

pub fn tools_are_there() -> Outcome<()> {
    for (tool, package) in [("wrk", "wrk"), ("taskset", "util-linux")] {
        if Command::new(tool).arg("--version").output().is_err() {
            return Err(format!("{tool} is not installed: apt-get install {package}").into());
        }
    }
    Ok(())
}

/// Where the service and `wrk` run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Both on the first core, the service with one thread: nobody waits for another core to wake up, and nobody's time
    /// depends on what the other core does.
    OneCore,
    /// Where the kernel puts them, with as many threads as tokio makes of itself.
    AsPlaced,
    /// As [`OneCore`](Self::OneCore), where `OPENSSL_ia32cap` takes the processor's SHA instructions away from the others and
    /// leaves them to this one: HS256 alone, which is what they are for.
    OneCoreSha,
}

/// What takes instructions away from aws-lc.
pub const MASK: &str = "OPENSSL_ia32cap";

impl Layout {
    /// What is measured here: the last only tells something new where the mask is there to be left out.
    pub fn all() -> impl Iterator<Item = Self> {
        let masked = std::env::var_os(MASK).is_some();
        [Self::OneCore, Self::AsPlaced].into_iter().chain(masked.then_some(Self::OneCoreSha))
    }

    /// The items that are measured in it.
    pub fn items(self) -> Vec<Item> {
        let measured = |item: &Item| self != Self::OneCoreSha || item.algorithm.0.is_symmetric();
        Item::all().into_iter().filter(measured).collect()
    }

    /// For a reader, and in `results.json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneCore => "one core",
            Self::AsPlaced => "as placed",
            Self::OneCoreSha => "one core, with SHA instructions",
        }
    }

    fn command(self, program: &Path) -> Command {
        match self {
            Self::OneCore | Self::OneCoreSha => {
                let mut command = Command::new("taskset");
                command.args(["-c", "0"]).arg(program).env("TOKIO_WORKER_THREADS", "1");
                if self == Self::OneCoreSha {
                    command.env_remove(MASK);
                }
                command
            }
            Self::AsPlaced => Command::new(program),
        }
    }
}

pub struct Service {
    item: Item,
    layout: Layout,
    child: Child,
    url: String,
    script: PathBuf,
}

impl Service {
    pub fn start(item: &Item, layout: Layout) -> Outcome<Self> {
        let mut child = layout
            .command(&std::env::current_exe()?)
            .args(["serve", item.row.name(), &item.algorithm.to_string()])
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let address = lines.next().ok_or("the service did not start")??;
        let tokens = lines.take(TOKENS).collect::<Result<Vec<_>, _>>()?;
        let script = std::env::temp_dir().join(format!("countersign-bench-{}.lua", child.id()));
        fs::write(&script, script_of(&tokens))?;
        Ok(Self { item: *item, layout, child, url: format!("http://{address}/orders"), script })
    }

    pub fn drive(&self, time: Duration) -> Outcome<Batch> {
        let before = cpu::time_of(self.child.id())?;
        let output = self
            .layout
            .command("wrk".as_ref())
            .args(["-t1", &format!("-c{CONNECTIONS}"), &format!("-d{}s", time.as_secs()), "-s"])
            .args([self.script.as_os_str(), self.url.as_ref()])
            .output()?;
        let spent = cpu::time_of(self.child.id())?.saturating_sub(before);
        let text = String::from_utf8(output.stdout)?;
        if text.contains("Non-2xx") || text.contains("Socket errors") {
            return Err(format!("{} {}: {text}", self.item.row, self.item.algorithm).into());
        }
        let requests: u64 = number_before(&text, " requests in ").ok_or("wrk counted nothing")?.parse()?;
        let line = text.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
        Ok(Batch {
            requests,
            requests_per_second: line.ok_or("wrk measured nothing")?.trim().parse()?,
            cpu_us: spent.as_secs_f64() * 1e6 / requests as f64,
        })
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.script);
    }
}

fn number_before<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    text.split(word).next()?.split_whitespace().last()
}

/// Sends one token after the other. The requests are written once: a load generator that writes strings measures itself.
fn script_of(tokens: &[String]) -> String {
    let mut script = "local requests = {}\nlocal tokens = {\n".to_owned();
    for token in tokens {
        script.push_str(&format!("  \"{token}\",\n"));
    }
    script.push_str(
        "}\n\
         init = function(args)\n\
         \x20 for i, token in ipairs(tokens) do\n\
         \x20   requests[i] = wrk.format(\"GET\", nil, {[\"Authorization\"] = \"Bearer \" .. token})\n\
         \x20 end\n\
         end\n\
         local next = 0\n\
         request = function()\n\
         \x20 next = next % #requests + 1\n\
         \x20 return requests[next]\n\
         end\n",
    );
    script
}
