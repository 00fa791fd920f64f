//! What is printed is what is built.

#[test]
fn the_readme_shows_the_quick_start_example_itself() {
    let readme = include_str!("../../README.md");
    let example = include_str!("../../examples/quickstart.rs");
    let (_doc, code) = example.split_once("\n\n").unwrap();
    assert!(readme.contains(&format!("```rust,no_run\n{code}```\n")));
}
