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

#[test]
fn the_recipe_for_leaving_another_library_shows_what_the_bench_measures() {
    let measured = include_str!("../../../../bench/http/src/before.rs");
    let (_, check) = measured.split_once("pub async fn check").unwrap();
    let recipes = include_str!("../../../../docs/SERVICES.md");
    assert!(recipes.contains(&format!("```rust,ignore\npub async fn check{check}```\n")));
}
