//! What is printed is what is built.

#[test]
fn both_readmes_show_the_quick_start_example_itself() {
    let example = include_str!("../../examples/quickstart.rs");
    let (_doc, code) = example.split_once("\n\n").unwrap();
    for readme in [
        include_str!("../../README.md"),
        include_str!("../../../../README.md"),
    ] {
        assert!(readme.contains(&format!("```rust,no_run\n{code}```\n")));
    }
}
