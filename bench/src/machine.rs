//! The machine, the versions and the day, as they are found; and the mask that turns the SHA instructions off.

use std::io;
use std::process::Command;

use crate::options::Options;
use crate::peers::Peer;
use crate::process::Process;
use crate::rounds::{interleave, quantile};

/// aws-lc, BoringSSL and OpenSSL take bits away from what the processor says of itself: the second word of this is
/// CPUID leaf 7, EBX and ECX; bit 29 of EBX is SHA.
const WITHOUT_SHA: &str = "~0x0:~0x20000000";

/// What is measured under one setting of the processor.
#[derive(Clone, Debug)]
pub struct Part {
    pub name: String,
    mask: Option<&'static str>,
}

impl Part {
    /// The command of a peer, under this setting.
    pub fn command(&self, peer: &Peer) -> Command {
        let mut command = peer.command();
        command.env_remove("OPENSSL_ia32cap");
        if let Some(mask) = self.mask {
            command.env("OPENSSL_ia32cap", mask);
        }
        command
    }

    fn raw_hs256(&self) -> io::Result<Process> {
        Process::start(self.command(&Peer::countersign("measure")))
    }
}

/// What the figures were taken on and with.
#[derive(Debug)]
pub struct Machine {
    pub processor: String,
    pub system: String,
    pub rustc: String,
    pub date: String,
    has_sha: bool,
}

impl Machine {
    pub fn look() -> Self {
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let field = |name: &str| {
            let line = cpuinfo.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.split_once(": ")).map_or("unknown", |(_, value)| value).trim()
        };
        let flags: Vec<_> = field("flags").split(' ').collect();
        let said: Vec<_> = ["avx2", "adx", "avx512f", "avx512ifma", "sha_ni", "hypervisor"]
            .into_iter()
            .filter(|flag| flags.contains(flag))
            .collect();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            processor: format!(
                "{}, family {} model {}, {cores} cores ({})",
                field("model name"),
                field("cpu family"),
                field("model\t"),
                said.join(" ")
            ),
            system: output("uname", &["-srm"]),
            rustc: output("rustc", &["--version"]),
            date: output("date", &["-u", "+%Y-%m-%d"]),
            has_sha: flags.contains(&"sha_ni"),
        }
    }

    /// Without the SHA instructions first: that is what the goals are for.
    pub fn parts(&self, options: &Options) -> Vec<Part> {
        if !self.has_sha {
            return vec![Part { name: "the processor as it is".into(), mask: None }];
        }
        let mut parts = vec![
            Part { name: "SHA-NI off".into(), mask: Some(WITHOUT_SHA) },
            Part { name: "SHA-NI on".into(), mask: None },
        ];
        parts.truncate(if options.one_part { 1 } else { 2 });
        parts
    }

    /// Shows that the mask works: the raw HS256 with and without it, in the same rounds.
    pub fn prove_the_mask(&self, parts: &[Part]) -> io::Result<Option<String>> {
        let Some(off) = parts.first().filter(|part| part.mask.is_some()) else { return Ok(None) };
        let on = Part { name: String::new(), mask: None };
        let mut processes = [off.raw_hs256()?, on.raw_hs256()?];
        let measured = interleave(&mut processes, &[("verify", "HS256")], 101)?;
        let raw: Vec<_> = measured
            .iter()
            .filter(|measured| measured.item.raw && !measured.nanos.is_empty())
            .map(|measured| quantile(&measured.nanos, 0.5))
            .collect();
        let [off, on] = raw[..] else { return Err(io::Error::other("both measure HS256")) };
        if off < on * 1.5 {
            return Err(io::Error::other(format!(
                "OPENSSL_ia32cap={WITHOUT_SHA} changes nothing: raw HS256 takes {off:.0} ns with it, {on:.0} ns without"
            )));
        }
        Ok(Some(format!(
            "`OPENSSL_ia32cap={WITHOUT_SHA}` turns the SHA instructions off: raw HS256 takes {:.2} µs with it, {:.2} µs \
             without ({:.1} times), in the same rounds.",
            off / 1000.0,
            on / 1000.0,
            off / on
        )))
    }
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output
        .map_or_else(|_| "unknown".into(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The versions that Cargo.lock holds of these crates.
pub fn locked(names: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = include_str!("../Cargo.lock").lines();
    while let Some(line) = lines.next() {
        let value =
            |line: &str, key: &str| line.strip_prefix(key).map(|value| value.trim_matches('"').to_owned());
        let Some(name) = value(line, "name = ") else { continue };
        let version = lines.next().and_then(|line| value(line, "version = ")).unwrap_or_default();
        if names.contains(&name.as_str()) {
            found.push(format!("{name} {version}"));
        }
    }
    found
}
