//! The peers: what each is built from, how it is started, and why one may be missing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use harness::data;
use serde_json::json;

use crate::options::Options;

/// A process that can be started.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Measured against the same raw aws-lc-rs as countersign.
    pub rust: bool,
    program: PathBuf,
    arguments: Vec<String>,
}

impl Peer {
    /// This very program, in another role.
    pub fn countersign(role: &str) -> Self {
        let program = std::env::current_exe().expect("this program has a path");
        Self { rust: true, program, arguments: vec![role.into()] }
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        command
    }
}

/// The peers that are here, and a line for each that is not.
pub fn find(options: &Options) -> (Vec<Peer>, Vec<String>) {
    let (mut peers, mut absent) = (vec![Peer::countersign("measure")], Vec::new());
    for (name, rust, prepare) in ALL {
        if !options.wants(name) {
            continue;
        }
        eprintln!("preparing {name}");
        match prepare(name) {
            Ok((program, arguments)) => peers.push(Peer { rust, program, arguments }),
            Err(reason) => absent.push(format!("{name} was not measured: {reason}")),
        }
    }
    for line in &absent {
        eprintln!("{line}");
    }
    (peers, absent)
}

type Prepared = Result<(PathBuf, Vec<String>), String>;

/// Builds or installs a peer.
type Prepare = fn(&str) -> Prepared;

/// The name of each, whether it is a library in Rust, and what makes it.
const ALL: [(&str, bool, Prepare); 8] = [
    ("jsonwebtoken/aws_lc_rs", true, jsonwebtoken),
    ("jsonwebtoken/rust_crypto", true, jsonwebtoken),
    ("jwt-simple", true, jwt_simple),
    ("josekit", true, |_| {
        cargo("peer-josekit", &[]).map_err(|e| format!("{e} (it needs libssl-dev and pkg-config)"))
    }),
    ("fast-jwt", false, node),
    ("jose", false, node),
    ("jsonwebtoken (node)", false, node),
    ("PyJWT", false, python),
];

fn jsonwebtoken(name: &str) -> Prepared {
    let (program, _) = cargo("peer-jsonwebtoken", &[])?;
    Ok((program, vec![name.replace("jsonwebtoken/", "")]))
}

fn jwt_simple(_: &str) -> Prepared {
    // BoringSSL needs cmake and libclang; without them the crate has its crypto in Rust.
    cargo("peer-jwt-simple", &[])
        .or_else(|_| cargo("peer-jwt-simple", &["--no-default-features", "--features", "pure-rust"]))
}

/// Builds a package of this workspace beside this program.
fn cargo(package: &str, features: &[&str]) -> Prepared {
    let manifest = here().join("Cargo.toml");
    let target = target();
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--release", "--locked", "--quiet", "--package", package]);
    command.args(features).arg("--manifest-path").arg(manifest).arg("--target-dir").arg(&target);
    quietly(&mut command)?;
    Ok((target.join("release").join(package), Vec::new()))
}

fn node(name: &str) -> Prepared {
    let folder = scratch("node")?;
    quietly(Command::new("npm").args(["ci", "--silent"]).current_dir(&folder))?;
    let library = if name == "jsonwebtoken (node)" { "jsonwebtoken" } else { name };
    Ok(("node".into(), vec![text(&folder.join("measure.mjs")), work(&folder)?, library.into(), name.into()]))
}

fn python(_: &str) -> Prepared {
    let folder = scratch("python")?;
    let python = folder.join(".venv/bin/python");
    if !python.exists() {
        quietly(Command::new("python3").args(["-m", "venv", ".venv"]).current_dir(&folder))?;
    }
    let install =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"];
    quietly(Command::new(&python).args(install).current_dir(&folder))?;
    Ok((python, vec![text(&folder.join("measure.py")), work(&folder)?]))
}

/// A folder beside the build, with what `peers/NAME` holds: nothing is installed into the tree.
fn scratch(name: &str) -> Result<PathBuf, String> {
    let (from, to) = (here().join("peers").join(name), target().join("peers").join(name));
    let copied = fs::create_dir_all(&to).and_then(|()| fs::read_dir(&from)).and_then(|files| {
        for file in files {
            let file = file?;
            if file.file_type()?.is_file() {
                fs::copy(file.path(), to.join(file.file_name()))?;
            }
        }
        Ok(to)
    });
    copied.map_err(|error| error.to_string())
}

/// The work as a file, for what is not written in Rust.
fn work(folder: &Path) -> Result<String, String> {
    let key = |alg| data::pem(alg).map(|pem| json!({"private": pem.private, "public": pem.public}));
    let algorithms: Vec<_> = data::ALGORITHMS
        .iter()
        .map(|alg| json!({"alg": alg, "token": data::token(alg), "key": key(alg)}))
        .collect();
    let secret: String = data::SECRET.iter().map(|octet| format!("{octet:02x}")).collect();
    let claims: serde_json::Value = serde_json::from_str(data::CLAIMS).map_err(|e| e.to_string())?;
    let work = json!({
        "iss": data::ISSUER, "aud": data::AUDIENCE, "kid": data::KID,
        "claims": claims, "secret": secret, "algorithms": algorithms,
    });
    let path = folder.join("work.json");
    fs::write(&path, work.to_string()).map_err(|error| error.to_string())?;
    Ok(text(&path))
}

/// Runs it; where it fails, the first line of what it says about that is the reason.
fn quietly(command: &mut Command) -> Result<(), String> {
    let program = text(command.get_program().as_ref());
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = said.lines().find(|line| line.contains("error") || line.contains("ERR"));
    Err(line.or(said.lines().next()).unwrap_or("it failed and said nothing").trim().to_owned())
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The target folder that this program stands in.
fn target() -> PathBuf {
    let program = std::env::current_exe().expect("this program has a path");
    program.ancestors().nth(2).unwrap_or(&program).to_owned()
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
