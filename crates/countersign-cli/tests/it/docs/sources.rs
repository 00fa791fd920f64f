//! What the documents say of the sources as a whole, held against them.

use std::fs;
use std::path::Path;

use super::root;

/// The code of every file of every crate, without its comments and without its unit tests.
fn sources() -> Vec<(String, String)> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        walk(&entry.unwrap().path().join("src"), &mut sources);
    }
    assert!(sources.len() > 100, "the sources are not where they were");
    sources
}

fn walk(folder: &Path, sources: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, sources);
        } else {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let lines = code.lines().filter(|line| !line.trim().starts_with("//"));
            let name = path
                .strip_prefix(root())
                .unwrap()
                .to_string_lossy()
                .replace('\\', "/");
            sources.push((name, lines.collect::<Vec<_>>().join("\n")));
        }
    }
}

/// The files in which one of these words stands, whatever its case.
fn holding(words: &[&str]) -> Vec<String> {
    let holds = |code: &str| {
        let code = code.to_ascii_lowercase();
        words.iter().any(|word| code.contains(word))
    };
    let mut names: Vec<String> = sources()
        .into_iter()
        .filter(|(_, code)| holds(code))
        .map(|(name, _)| name)
        .collect();
    names.sort();
    names
}

/// The texts that are handed to the functions of sqlx whose names begin with `query`.
fn statements(code: &str) -> Vec<&str> {
    let calls = code.split("query").skip(1).filter_map(|rest| {
        let rest =
            rest.trim_start_matches(|letter: char| letter.is_ascii_alphanumeric() || letter == '_');
        let rest = if let Some(types) = rest.strip_prefix("::<") {
            types.split_once(">(")?.1
        } else {
            rest.strip_prefix('(')?
        };
        rest.trim_start().split([')', ',']).next()
    });
    calls.map(str::trim).collect()
}

fn is_constant(statement: &str) -> bool {
    !statement.is_empty()
        && statement
            .chars()
            .all(|letter| letter.is_ascii_uppercase() || letter == '_')
}

#[test]
fn every_sql_statement_is_a_constant_and_stands_in_the_store() {
    assert_eq!(
        statements("sqlx::query(ALL).bind(a); query_as::<_, User>(\n  BY_ID,\n)"),
        ["ALL", "BY_ID"]
    );
    assert!(is_constant("BY_ID") && !is_constant("&format!(\"SELECT {x}\"") && !is_constant("sql"));
    let mut seen = 0;
    for (name, code) in sources() {
        if name.starts_with("crates/countersign-server/src/store") {
            for statement in statements(&code) {
                assert!(is_constant(statement), "{name}: {statement}");
                seen += 1;
            }
        } else {
            assert!(!code.contains("sqlx::query"), "{name}");
        }
    }
    assert!(seen > 20, "the statements are not where they were");
}

#[test]
fn nobody_is_believed_who_says_in_a_header_where_a_request_comes_from_or_goes_to() {
    let words = [
        "forwarded",
        "x-real-ip",
        "client-ip",
        "header::host",
        "::host}",
        " host,",
        "\"host\"",
    ];
    // The one place that reads what a proxy says, and asks whether it is one of ours; and the one that believes no name but
    // the address that was bound.
    assert_eq!(
        holding(&words),
        [
            "crates/countersign-server/src/router/client.rs",
            "crates/countersign-server/src/router/host.rs",
        ]
    );
}

#[test]
fn no_map_and_no_pattern_can_be_steered_by_who_sends_its_keys() {
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let manifest = entry.unwrap().path().join("Cargo.toml");
        let text = fs::read_to_string(&manifest).unwrap();
        for name in [
            "ahash",
            "fnv",
            "foldhash",
            "fxhash",
            "hashbrown",
            "regex",
            "rustc-hash",
        ] {
            assert!(
                !text.lines().any(|line| line.starts_with(name)),
                "{name} in {}",
                manifest.display()
            );
        }
    }
    // The cache of tokens hashes with std's own, keyed at random, and its parts find by that hash; so are requests named, by
    // numbers that nobody sends.
    assert_eq!(
        holding(&["buildhasher", "regex::"]),
        [
            "crates/countersign-server/src/router/request_id.rs",
            "crates/countersign/src/cache.rs",
            "crates/countersign/src/cache/shard.rs",
        ]
    );
}

#[test]
fn unsafe_code_is_forbidden_in_every_crate_and_every_version_is_locked() {
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("\n[workspace.lints.rust]\nunsafe_code = \"forbid\"\n"));
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let manifest = entry.unwrap().path().join("Cargo.toml");
        let text = fs::read_to_string(&manifest).unwrap();
        assert!(
            text.contains("\n[lints]\nworkspace = true\n"),
            "{}",
            manifest.display()
        );
    }
    assert!(root().join("Cargo.lock").exists());
}
