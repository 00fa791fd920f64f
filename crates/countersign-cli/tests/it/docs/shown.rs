//! The documents as they are read and copied from: pieces of Rust, tables.

use std::collections::BTreeSet;
use std::fs;

use super::{document, root};

/// The pieces of Rust of a document.
fn pieces(document: &str) -> Vec<&str> {
    let fences = document.split("\n```rust").skip(1);
    fences
        .map(|rest| rest.split("\n```").next().unwrap())
        .collect()
}

#[test]
fn what_is_compiled_of_a_document_is_what_is_shown() {
    let readme = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let mut seen = 0;
    for (name, text) in [
        ("README.md", readme("README.md")),
        (
            "countersign-http",
            readme("crates/countersign-http/README.md"),
        ),
        ("SERVICES.md", document("SERVICES.md")),
    ] {
        for piece in pieces(&text) {
            seen += 1;
            let mut hidden = piece
                .lines()
                .filter(|line| *line == "#" || line.starts_with("# "));
            assert_eq!(hidden.next(), None, "{name}: rustdoc alone hides this");
        }
    }
    assert!(seen > 20, "{seen} pieces");
}

#[test]
fn the_readme_names_every_crate_that_its_pieces_and_the_recipes_use() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (_, listed) = readme.split_once("```toml\n[dependencies]\n").unwrap();
    let (listed, _) = listed.split_once("\n```").unwrap();
    let listed: BTreeSet<String> = listed
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name.replace('-', "_"))
        .collect();
    // gRPC is for whoever has tonic already.
    let others = ["std", "u8", "tonic", "tonic_health"];
    let services = document("SERVICES.md");
    let mut used = BTreeSet::new();
    for piece in [pieces(&readme), pieces(&services)].concat() {
        if piece.starts_with(",ignore") {
            continue;
        }
        // `a::b::C` is of the crate `a`; what stands between the braces of a `use` is of the crate before them.
        let mut is_use = false;
        for line in piece.lines() {
            let code = line.split("//").next().unwrap();
            if let Some((name, _)) = code
                .strip_prefix("use ")
                .and_then(|path| path.split_once("::"))
            {
                is_use = true;
                used.insert(name.to_owned());
            }
            if !is_use {
                let words = code.split(|c: char| !c.is_ascii_alphanumeric() && !"_:".contains(c));
                let paths = words.filter_map(|word| word.split_once("::"));
                let of_crates = paths.filter(|(first, rest)| {
                    first.starts_with(|c: char| c.is_ascii_lowercase()) && !rest.is_empty()
                });
                used.extend(of_crates.map(|(first, _)| first.to_owned()));
            }
            is_use &= !code.trim_end().ends_with(';');
        }
    }
    used.retain(|name| !listed.contains(name) && !others.contains(&name.as_str()));
    assert_eq!(used, BTreeSet::new(), "listed: {listed:?}");
}

#[test]
fn no_table_of_what_is_where_names_a_thing_twice() {
    for name in ["TESTING.md", "ARCHITECTURE.md"] {
        let text = document(name);
        let mut seen = BTreeSet::new();
        for line in text.lines() {
            let Some(row) = line.strip_prefix("| ") else {
                seen.clear();
                continue;
            };
            let (things, _) = row.split_once(" | ").unwrap();
            // A folder has one row; a file of one name stands in several crates.
            let named = things.split('`').skip(1).step_by(2);
            let named: Vec<&str> = named.filter(|thing| thing.ends_with('/')).collect();
            for thing in if named.is_empty() {
                vec![things]
            } else {
                named
            } {
                assert!(seen.insert(thing), "{name}: {thing} stands twice");
            }
        }
    }
}
