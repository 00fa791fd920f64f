//! The outcomes of the peers beside our own: every split is listed with its reason, or fails the run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::read_lines;
use crate::row::COUNT;

/// Where one of two libraries accepts and the other does not, or both accept and read other claims.
type Split = (String, &'static str, String);

pub fn compare(folder: &Path, splits: &Path, peers: &[&str]) -> bool {
    let rows = read_lines(&folder.join("tokens.jsonl"));
    assert_eq!(rows.len(), 2 * COUNT);
    let refused = rows.iter().filter(|row| row["category"] == "valid" && row["ours"] != "ok").count();
    assert_eq!(refused, 0, "Countersign refuses its own tokens");
    let listed = Listed::read(splits);
    let mut found: BTreeMap<Split, Vec<String>> = BTreeMap::new();
    println!("{:<13} {:>8} {:>7} {:>6} {:>13}", "peer", "compared", "agree", "split", "not compared");
    for peer in peers {
        let outcomes = read_lines(&folder.join(format!("{peer}.verified.jsonl")));
        assert_eq!(outcomes.len(), rows.len(), "{peer} has not looked at every token");
        let (mut agree, mut left_out) = (0, 0);
        for (row, outcome) in rows.iter().zip(&outcomes) {
            assert_eq!(row["id"], outcome["id"], "{peer} has lost the order");
            match split(row, outcome) {
                None if outcome["accepted"].is_null() => left_out += 1,
                None => agree += 1,
                Some(kind) => {
                    let category = row["category"].as_str().unwrap_or_default().to_owned();
                    let note =
                        format!("{} (ours: {}, theirs: {})", row["token"], row["ours"], outcome["error"]);
                    found.entry((category, kind, (*peer).to_owned())).or_default().push(note);
                }
            }
        }
        let compared = rows.len() - left_out;
        println!("{peer:<13} {compared:>8} {agree:>7} {:>6} {left_out:>13}", compared - agree);
    }
    report(&found, &listed, peers)
}

fn split(row: &Value, outcome: &Value) -> Option<&'static str> {
    match (row["ours"] == "ok", outcome["accepted"].as_bool()?) {
        (true, true) if !same(&row["claims"], &outcome["claims"]) => Some("both accept, other claims"),
        (true, false) => Some("only we accept"),
        (false, true) => Some("only they accept"),
        _ => None,
    }
}

/// The table, by category: how many of each peer's tokens, and why ours is right.
fn report(found: &BTreeMap<Split, Vec<String>>, listed: &Listed, peers: &[&str]) -> bool {
    let lines: BTreeSet<(&str, &str)> =
        found.keys().map(|(category, kind, _)| (category.as_str(), *kind)).collect();
    let mut unlisted = 0;
    for (category, kind) in lines {
        let counts = peers.iter().filter_map(|peer| {
            let notes = found.get(&(category.to_owned(), kind, (*peer).to_owned()))?;
            Some(format!("{peer} {}", notes.len()))
        });
        println!("\n{category}: {kind}: {}", counts.collect::<Vec<_>>().join(", "));
        println!(
            "    {}",
            listed.why.get(&(category.to_owned(), kind.to_owned())).map_or("NOT LISTED", String::as_str)
        );
    }
    for ((category, kind, peer), notes) in found {
        if !listed.splits.contains(&(category.clone(), kind.to_string(), peer.clone())) {
            unlisted += 1;
            eprintln!("not listed: {category}: {kind}: {peer}: {}", notes.join("\n    "));
        }
    }
    let stale: Vec<_> = listed
        .splits
        .iter()
        .filter(|(category, kind, peer)| {
            let found =
                found.keys().any(|split| (&split.0, split.1, &split.2) == (category, kind.as_str(), peer));
            peers.contains(&peer.as_str()) && !found
        })
        .collect();
    for (category, kind, peer) in &stale {
        eprintln!("listed, and not seen: {category}: {kind}: {peer}");
    }
    unlisted == 0 && stale.is_empty()
}

/// The file of allowed splits.
struct Listed {
    splits: BTreeSet<(String, String, String)>,
    why: BTreeMap<(String, String), String>,
}

impl Listed {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("the list of splits");
        let list: Vec<Value> = serde_json::from_str(&text).expect("the list of splits is JSON");
        let mut listed = Self { splits: BTreeSet::new(), why: BTreeMap::new() };
        let text = |entry: &Value, name: &str| entry[name].as_str().expect("a text").to_owned();
        for entry in &list {
            let (category, kind) = (text(entry, "category"), text(entry, "split"));
            let why = format!("{}: {}", text(entry, "rfc"), text(entry, "why"));
            for peer in entry["peers"].as_array().expect("peers") {
                let peer = peer.as_str().expect("a peer").to_owned();
                listed.splits.insert((category.clone(), kind.clone(), peer));
            }
            listed.why.insert((category, kind), why);
        }
        listed
    }
}

/// Whether two values are alike, in whatever way their numbers are written.
pub fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let alike =
                |(name, value): (&String, &Value)| other.get(name).is_some_and(|other| same(value, other));
            one.len() == other.len() && one.iter().all(alike)
        }
        _ => one == other,
    }
}
