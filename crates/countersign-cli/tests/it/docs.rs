//! docs/THREATS.md and docs/RFC.md against the sources: every row names a rule's file and its test, or what it waits for.
//!
//! Paths are those of the repository. A test is written as cargo knows it, after its package: `countersign::it::keys::name`
//! stands in `tests/it/keys.rs`, `countersign::jwk::strength::tests::name` in `src/jwk/strength.rs`.

mod shown;
mod sources;
mod table;
mod tests_of_sources;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use table::{Fault, Row};

/// The RFCs of which docs/RFC.md says what is held, and one draft.
const RFCS: [&str; 24] = [
    "6749", "6750", "7009", "7515", "7516", "7517", "7518", "7519", "7523", "7638", "7662", "7797",
    "7800", "8037", "8414", "8725", "8812", "9068", "9207", "9278", "9449", "9457", "9864", "9964",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn document(name: &str) -> String {
    fs::read_to_string(root().join("docs").join(name)).unwrap()
}

/// 1 to 115, and S1 to S56.
fn threat_numbers() -> Vec<String> {
    let of_verifiers = (1..=115).map(|number: u32| number.to_string());
    of_verifiers
        .chain((1..=56).map(|number: u32| format!("S{number}")))
        .collect()
}

/// Every row itself, and every number exactly once.
fn faults_of_threats(document: &str) -> Vec<Fault> {
    let (rows, mut faults) = table::rows(document);
    faults.extend(rows.iter().flat_map(|row| row.faults(&root())));
    let numbers = threat_numbers();
    for number in &numbers {
        match rows.iter().filter(|row| row.name == *number).count() {
            0 => faults.push(Fault::new(number, "is missing")),
            1 => {}
            _ => faults.push(Fault::new(number, "stands twice")),
        }
    }
    let foreign = rows.iter().filter(|row| !numbers.contains(&row.name));
    faults.extend(foreign.map(|row| Fault::new(&row.name, "is no row of the catalogue")));
    faults
}

/// Every row itself, a table for every RFC, and no section of one twice.
fn faults_of_rfcs(document: &str) -> Vec<Fault> {
    let (rows, mut faults) = table::rows(document);
    faults.extend(rows.iter().flat_map(|row| row.faults(&root())));
    for rfc in RFCS {
        let of_rfc = |row: &&Row| row.heading.split_whitespace().nth(1) == Some(rfc);
        let sections: Vec<&str> = rows
            .iter()
            .filter(of_rfc)
            .map(|row| row.name.as_str())
            .collect();
        if sections.is_empty() {
            faults.push(Fault::new(&format!("RFC {rfc}"), "has no table"));
        }
        let mut seen = BTreeSet::new();
        let twice = sections.iter().filter(|section| !seen.insert(**section));
        faults.extend(
            twice.map(|section| Fault::new(&format!("RFC {rfc} {section}"), "stands twice")),
        );
    }
    faults
}

fn told(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("\n{fault}")).collect()
}

#[test]
fn every_threat_has_a_rule_and_a_test_or_waits_for_what_is_not_there() {
    let faults = faults_of_threats(&document("THREATS.md"));
    assert!(faults.is_empty(), "docs/THREATS.md:{}", told(&faults));
}

#[test]
fn every_section_of_an_rfc_has_a_rule_and_a_test_or_waits_for_what_is_not_there() {
    let faults = faults_of_rfcs(&document("RFC.md"));
    assert!(faults.is_empty(), "docs/RFC.md:{}", told(&faults));
}

const RULE: &str = "`crates/countersign-cli/tests/it/docs.rs`";
const TEST: &str =
    "`countersign-cli::it::docs::accepts_a_catalogue_in_which_every_row_is_in_order`";
const WAIT: &str = "waits for `crates/countersign-cli/tests/it/docs/nowhere.rs`";

/// The catalogue of threats with every row alike, but for some of them.
fn catalogue(changed: &[(&str, &str)]) -> String {
    let mut text = "# Threats\n\n| # | weakness | rule | test |\n|---|---|---|---|\n".to_owned();
    for number in threat_numbers() {
        match changed.iter().find(|(name, _)| *name == number) {
            Some((_, row)) => text.push_str(row),
            None => text.push_str(&format!("| {number} | a weakness | {RULE} | {TEST} |\n")),
        }
    }
    text
}

#[test]
fn accepts_a_catalogue_in_which_every_row_is_in_order() {
    assert_eq!(told(&faults_of_threats(&catalogue(&[]))), "");
    for row in [
        format!("| 9 | one that is not met yet | {WAIT} | |\n"),
        format!("| 9 | met in part | {RULE} | {TEST}; the rest {WAIT} |\n"),
        format!(
            "| 9 | two rules, two tests | {RULE}, `Cargo.toml` | {TEST}, `countersign::it::keys::debug_output_shows_no_key` |\n"
        ),
        format!(
            "| 9 | a unit test | {RULE} | `countersign::jwk::strength::roca::tests::recognises_a_modulus_of_the_faulty_generator` |\n"
        ),
        format!(
            "| 9 | a property | {RULE} | `countersign::base64url::tests::what_is_encoded_decodes_to_itself` |\n"
        ),
        format!(
            "| 9 | an asynchronous test | {RULE} | `countersign-http::it::answers::accepts_a_good_token` |\n"
        ),
        format!(
            "| 9 | what must not compile | {RULE} | `compile_fail` doctest in `crates/countersign/src/jwt/verified.rs` |\n"
        ),
        "| 9 | a step of the whole check | `deny.toml` | `.ci/run` runs `.ci/bans` |\n".to_owned(),
    ] {
        assert_eq!(
            told(&faults_of_threats(&catalogue(&[("9", &row)]))),
            "",
            "{row}"
        );
    }
}

#[test]
fn rejects_a_catalogue_with_a_row_out_of_order() {
    let good = format!("a weakness | {RULE} | {TEST}");
    for (row, fault) in [
        (String::new(), "9 is missing"),
        (
            format!("| 9 | {good} |\n| 9 | {good} |\n"),
            "9 stands twice",
        ),
        (
            format!("| 9 | {good} |\n| 116 | {good} |\n"),
            "116 is no row of the catalogue",
        ),
        (
            format!("| 9 | {good} |\n| S0 | {good} |\n"),
            "S0 is no row of the catalogue",
        ),
        (format!("| 9 | {good} | more |\n"), "9 has 5 cells, not 4"),
        (
            "| 9 | a weakness |  |  |\n".to_owned(),
            "9 has neither a rule and a test nor anything that it waits for",
        ),
        (
            format!("| 9 |  | {RULE} | {TEST} |\n"),
            "9 says nothing of the weakness",
        ),
        (
            format!("| 9 | a weakness | {RULE} |  |\n"),
            "9 has a rule without a test",
        ),
        (
            format!("| 9 | a weakness |  | {TEST} |\n"),
            "9 has a test without a rule",
        ),
        (
            format!("| 9 | a weakness | {RULE} | tested |\n"),
            "9 has a rule without a test",
        ),
        (
            format!("| 9 | a weakness | `crates/nowhere.rs` | {TEST} |\n"),
            "9 names `crates/nowhere.rs`, which does not exist",
        ),
        (
            "| 9 | a weakness | waits for `Cargo.toml` | |\n".to_owned(),
            "9 waits for `Cargo.toml`, which exists: name the rule and its test",
        ),
        (
            format!("| 9 | a weakness | {RULE} | {TEST}; the rest waits for `docs` |\n"),
            "9 waits for `docs`, which exists: name the rule and its test",
        ),
        (
            "| 9 | a weakness | waits for later | |\n".to_owned(),
            "9 has neither a rule and a test nor anything that it waits for",
        ),
    ] {
        assert_eq!(
            told(&faults_of_threats(&catalogue(&[("9", &row)]))),
            format!("\n{fault}"),
            "{row}"
        );
    }
}

#[test]
fn rejects_a_catalogue_that_names_a_test_that_is_none() {
    for (test, why) in [
        (
            "countersign-cli::it::docs::nothing_of_this_name",
            "no test of this name in crates/countersign-cli/tests/it/docs.rs",
        ),
        (
            "countersign-cli::it::docs::root",
            "no test of this name in crates/countersign-cli/tests/it/docs.rs",
        ),
        (
            "countersign-cli::it::docs::accepts_a_catalogue",
            "no test of this name in crates/countersign-cli/tests/it/docs.rs",
        ),
        (
            "countersign-cli::it::nowhere::a_test",
            "crates/countersign-cli/tests/it/nowhere.rs is not there",
        ),
        (
            "countersign::nowhere::tests::a_test",
            "crates/countersign/src/nowhere.rs is not there",
        ),
        (
            "countersign-core::it::keys::a_test",
            "crates/countersign-core/tests/it/keys.rs is not there",
        ),
        ("countersign::a_test", "it names no module"),
    ] {
        let row = format!("| 9 | a weakness | {RULE} | `{test}` |\n");
        let fault = format!("\n9 names the test `{test}`: {why}");
        assert_eq!(told(&faults_of_threats(&catalogue(&[("9", &row)]))), fault);
    }
    for (cell, fault) in [
        (
            "`compile_fail` doctest in `Cargo.toml`",
            "9 names a `compile_fail` doctest of `Cargo.toml`, which has none",
        ),
        (
            "`compile_fail` doctest in `nowhere.rs`",
            "9 names a `compile_fail` doctest of `nowhere.rs`, which has none",
        ),
        (
            "`.ci/run` runs `nowhere.sh`",
            "9 says that `.ci/run` runs `nowhere.sh`, which it does not",
        ),
    ] {
        let row = format!("| 9 | a weakness | {RULE} | {cell} |\n");
        assert_eq!(
            told(&faults_of_threats(&catalogue(&[("9", &row)]))),
            format!("\n{fault}")
        );
    }
}

/// A table for every RFC, and one more row.
fn sections(of_rfc_7515: &str) -> String {
    let table = |rfc: &str, rows: &str| {
        format!(
            "## RFC {rfc} Title\n\n| section | rule | file | test |\n|---|---|---|---|\n{rows}\n"
        )
    };
    let good = format!("| §1 | a rule | {RULE} | {TEST} |\n");
    RFCS.iter()
        .map(|rfc| {
            table(
                rfc,
                &if *rfc == "7515" {
                    format!("{good}{of_rfc_7515}")
                } else {
                    good.clone()
                },
            )
        })
        .collect()
}

#[test]
fn accepts_tables_of_sections_that_are_in_order() {
    assert_eq!(told(&faults_of_rfcs(&sections(""))), "");
    assert_eq!(
        told(&faults_of_rfcs(&sections(&format!(
            "| §1.1 | another rule | {WAIT} | |\n"
        )))),
        ""
    );
}

#[test]
fn rejects_tables_of_sections_that_are_not_in_order() {
    let good = format!("a rule | {RULE} | {TEST}");
    for (row, fault) in [
        (format!("| §1 | {good} |\n"), "RFC 7515 §1 stands twice"),
        (
            "| §2 | a rule |  |  |\n".to_owned(),
            "§2 has neither a rule and a test nor anything that it waits for",
        ),
        (
            format!("| §2 | a rule | `nowhere.rs` | {TEST} |\n"),
            "§2 names `nowhere.rs`, which does not exist",
        ),
        (
            format!("| chapter | {good} |\n"),
            "chapter is the name of no row",
        ),
    ] {
        assert_eq!(
            told(&faults_of_rfcs(&sections(&row))),
            format!("\n{fault}"),
            "{row}"
        );
    }
    let without = sections("").replace("## RFC 7797 ", "## Unencoded payload ");
    assert_eq!(told(&faults_of_rfcs(&without)), "\nRFC 7797 has no table");
}
