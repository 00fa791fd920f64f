//! The harness: a folder of its own for each test, the command in it, and servers that die with their test.

pub(crate) mod server;

pub(crate) use server::Server;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A secret for HS256 that is strong enough.
pub(crate) const SECRET: &str = "9vKq-2mXw7Rt_cZ4Lh0Yp8BnD5sGfJ3e";

/// A folder, and the command run in it with an empty environment.
pub(crate) struct Bench {
    dir: TempDir,
}

/// How a run of the command ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names of what is in the folder, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.env_clear().current_dir(self.dir.path());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.run_with(args, &[], "")
    }

    pub(crate) fn run_with(&self, args: &[&str], env: &[(&str, &str)], stdin: &str) -> Run {
        let mut child = self
            .command()
            .args(args)
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that ends without reading closes the pipe: no failure of the test.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        Run::from(child.wait_with_output().unwrap())
    }

    /// A JWK for `alg` in `NAME.jwk`, its public half in `NAME.pub.jwk` where it has one.
    pub(crate) fn key(&self, alg: &str, name: &str) {
        let (out, public) = (format!("{name}.jwk"), format!("{name}.pub.jwk"));
        let mut args = vec!["key", "generate", alg, "--out", &out];
        if !alg.starts_with("HS") {
            args.extend(["--public-out", &public]);
        }
        self.run(&args).ok();
    }

    /// A token for `orders-api` by `https://id.example`, with further flags of `sign`.
    pub(crate) fn token(&self, key: &str, more: &[&str]) -> String {
        let mut args = vec!["sign", "--key", key, "--iss", "https://id.example"];
        args.extend(["--aud", "orders-api", "--sub", "ada"]);
        args.extend(more);
        self.run(&args).ok().trim_end().to_owned()
    }
}

impl Run {
    /// The standard output of a run that succeeded.
    pub(crate) fn ok(&self) -> &str {
        assert_eq!(self.code, 0, "{self:?}");
        &self.stdout
    }

    /// A run that ended in `code`, with one line on standard error that holds every one of `parts`.
    pub(crate) fn fails(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        let lines: Vec<&str> = self.stderr.lines().collect();
        assert!(
            matches!(lines.as_slice(), [line] if line.starts_with("error: ")),
            "{self:?}"
        );
        for part in parts {
            assert!(self.stderr.contains(part), "no {part:?} in {self:?}");
        }
    }

    /// A command line that clap refuses: exit 2, and the message may take several lines.
    pub(crate) fn misused(&self, part: &str) {
        assert_eq!(self.code, 2, "{self:?}");
        assert!(self.stderr.contains(part), "no {part:?} in {self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
