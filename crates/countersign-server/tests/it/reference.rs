//! docs/API.md against the router: it names every route, and none that is not there.

use std::collections::BTreeSet;

const REFERENCE: &str = include_str!("../../../../docs/API.md");
const ROUTERS: [&str; 2] = [
    include_str!("../../src/router.rs"),
    include_str!("../../src/router/operators.rs"),
];
const METHODS: [&str; 4] = ["get", "post", "patch", "delete"];

/// `GET /path` of everything that follows `.route(` in a source, as far as the next.
fn routes(source: &str) -> impl Iterator<Item = String> {
    source.split(".route(").skip(1).flat_map(|rest| {
        let path = rest.split('"').nth(1).unwrap();
        // A method begins the handler, or is a call on another.
        METHODS
            .into_iter()
            .filter(|method| {
                [" ", "\n", "."]
                    .iter()
                    .any(|before| rest.contains(&format!("{before}{method}(")))
            })
            // What a form's address answers to GET leads back to its page.
            .filter(|method| !(*method == "get" && path.starts_with("/ui/")))
            .map(|method| format!("{} {path}", method.to_uppercase()))
            .collect::<Vec<_>>()
    })
}

/// Whatever in the reference is `METHOD /path` in quotes for code.
fn named() -> BTreeSet<String> {
    let quoted = REFERENCE.split('`').skip(1).step_by(2);
    let is_route = |text: &&str| {
        let method = text.split(' ').next().unwrap_or_default();
        METHODS.iter().any(|known| known.to_uppercase() == method) && text.contains(" /")
    };
    quoted.filter(is_route).map(str::to_owned).collect()
}

#[test]
fn the_reference_names_every_route_and_no_other() {
    let there: BTreeSet<String> = ROUTERS.into_iter().flat_map(routes).collect();
    assert!(there.len() > 40, "{there:?}");
    for route in [
        "GET /setup",
        "POST /setup",
        "DELETE /sessions/{id}",
        "GET /metrics",
    ] {
        assert!(there.contains(route), "{route}: {there:?}");
    }
    assert_eq!(named(), there);
}
