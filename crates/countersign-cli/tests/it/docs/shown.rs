//! The documents as they are read and copied from.

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
