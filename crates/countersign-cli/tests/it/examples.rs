//! The examples of the command, as people type them: `tests/cmd/*.trycmd`, which run in `tests/data`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::Bench;

/// The explanations that the README shows.
const EXPLAINED: [&str; 4] = ["good", "expired", "forged", "wrong-audience"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd")
}

/// Every file of examples, by name.
fn examples() -> Vec<(String, String)> {
    let mut examples = Vec::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "trycmd")
        {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            examples.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    examples.sort();
    examples
}

#[test]
fn the_examples_run_as_they_are_written() {
    trycmd::TestCases::new()
        .register_bin("countersign", Path::new(env!("CARGO_BIN_EXE_countersign")))
        .env("NO_COLOR", "1")
        .case(folder().join("*.trycmd"));
}

#[test]
fn every_example_is_one_of_this_command_so_that_none_is_skipped() {
    let examples = examples();
    assert!(examples.len() >= 14, "{}", examples.len());
    for (name, text) in examples {
        let commands: Vec<&str> = text.lines().filter(|line| line.starts_with("$ ")).collect();
        assert!(!commands.is_empty(), "{name}");
        for command in commands {
            assert!(command.starts_with("$ countersign "), "{name}: {command}");
        }
        assert!(folder().join(format!("{name}.in")).exists(), "{name}");
    }
}

#[test]
fn every_subcommand_has_an_example() {
    let bench = Bench::new();
    fs::create_dir(bench.path("man")).unwrap();
    bench.run(&["man", "--out", "man"]).ok();
    let pages: Vec<String> = fs::read_dir(bench.path("man"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".1").map(str::to_owned))
        .filter(|name| !name.contains("help"))
        .collect();
    let is_leaf = |page: &&String| {
        !pages
            .iter()
            .any(|other| other.starts_with(&format!("{page}-")))
    };
    let leaves: Vec<&String> = pages.iter().filter(is_leaf).collect();
    assert!(leaves.len() >= 20, "{leaves:?}");
    let examples: String = examples().into_iter().map(|(_, text)| text).collect();
    for leaf in leaves {
        let words = leaf.replace("setup-link", "setup_link").replace('-', " ");
        let start = format!("\n$ {} ", words.replace('_', "-"));
        let alone = start.trim_end().to_owned() + "\n";
        assert!(
            examples.contains(&start) || examples.contains(&alone),
            "{words}"
        );
    }
}

/// What a terminal shows of an example: without the exit code, which nobody sees.
fn on_a_terminal(example: &str) -> String {
    let (_, block) = example.split_once("\n```console\n").unwrap();
    let (block, _) = block.split_once("\n```\n").unwrap();
    let lines: Vec<&str> = block
        .trim_end()
        .lines()
        .filter(|line| !line.starts_with("? "))
        .collect();
    format!("```console\n{}\n```\n", lines.join("\n"))
}

#[test]
fn the_readme_shows_the_explanations() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    for name in EXPLAINED {
        let example = fs::read_to_string(folder().join(format!("explain-{name}.trycmd"))).unwrap();
        let shown = on_a_terminal(&example);
        assert!(shown.contains("\n 1 ✓ "), "{shown}");
        assert!(
            readme.contains(&shown),
            "README.md does not hold this block, which is tests/cmd/explain-{name}.trycmd as a terminal shows it:\n{shown}"
        );
    }
}
