//! The README's tour: the text is the script's, and the script runs against the built command.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What stands between the two marks of the script, each on a line of its own.
fn tour() -> String {
    let script = fs::read_to_string(root().join("examples/tour.sh")).unwrap();
    let (_, rest) = script.split_once("\n# tour:begin\n").unwrap();
    let (tour, _) = rest.split_once("# tour:end\n").unwrap();
    tour.to_owned()
}

#[test]
fn the_readme_shows_the_tour_that_is_run() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let shown = format!("```console\n{}```\n", tour());
    assert!(
        readme.contains(&shown),
        "README.md does not hold this block, which is the tour of examples/tour.sh:\n{shown}"
    );
}

#[test]
fn the_tour_runs_as_the_readme_shows_it() {
    if Command::new("curl").arg("--version").output().is_err() {
        println!("skipped: curl is not installed, the tour needs it");
        return;
    }
    let output = Command::new("bash")
        .arg(root().join("examples/tour.sh"))
        .env("COUNTERSIGN", env!("CARGO_BIN_EXE_countersign"))
        .env("TOUR_TTL", "2")
        .output()
        .unwrap();
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{stdout}\n{stderr}");
    assert!(stdout.ends_with("The tour passed.\n"), "{stdout}");
}
