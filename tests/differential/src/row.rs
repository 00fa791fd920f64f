//! One token, and what Countersign says of it.

use std::path::Path;

use countersign::{Policy, Timestamp, Verified, Verifier};
use serde_json::{Value, json};

use crate::compare::same;
use crate::keys::Key;
use crate::read_lines;

pub const ISS: &str = "https://id.example";
pub const AUD: &str = "orders-api";
pub const NOW: i64 = 1_795_359_845;

/// How many tokens of each kind there are.
pub const COUNT: usize = 1_000;

pub struct Row<'k> {
    pub category: &'static str,
    pub key: &'k Key,
    pub token: String,
    /// Whether the outcome hangs on the very second: a peer that cannot be told the time is not asked.
    pub clock: bool,
}

impl Row<'_> {
    pub fn to_json(&self, id: usize) -> Value {
        let ours = outcome(self.key, &self.token);
        let (code, claims) = match ours {
            Ok(verified) => ("ok", Some(verified.into_claims())),
            Err(error) => (error.code(), None),
        };
        json!({
            "id": id, "category": self.category, "token": self.token, "alg": self.key.alg.name(),
            "key": self.key.verifying_jwk(), "iss": ISS, "aud": AUD, "now": NOW, "clock": self.clock,
            "ours": code, "claims": claims,
        })
    }
}

/// What we say of a token, which is the same whether its header is remembered or not and whichever way it is read: the
/// verifier of a key has seen other tokens before, and `explain` reads everything anew.
fn outcome(key: &Key, token: &str) -> Result<Verified<Value>, countersign::Error> {
    let now = Timestamp::from_unix_secs(NOW);
    let policy = Policy::new(ISS, AUD);
    let fresh = Verifier::new(key.key.verifying_key(), policy).verify::<Value>(token, now);
    let experienced = key.verifier().verify::<Value>(token, now);
    let explained = key.verifier().explain(token, now);
    assert_eq!(fresh.as_ref().err(), experienced.as_ref().err(), "{token}");
    assert_eq!(fresh.as_ref().err(), explained.error(), "{token}");
    fresh
}

/// Verifies every token that a peer signed, and compares the claims with those that it meant to sign.
pub fn verify_signed(folder: &Path, peer: &str) -> bool {
    let keys: Vec<Key> = read_lines(&folder.join("keys.jsonl")).iter().map(Key::from_json).collect();
    let signed = read_lines(&folder.join(format!("{peer}.signed.jsonl")));
    let mut refused = 0;
    for line in &signed {
        let alg = line["alg"].as_str().unwrap_or_default();
        let key = keys.iter().find(|key| key.alg.name() == alg).expect("a key for every algorithm");
        let problem = match outcome(key, line["token"].as_str().unwrap_or_default()) {
            Ok(verified) if same(verified.claims(), &line["claims"]) => continue,
            Ok(_) => "its claims are read differently",
            Err(error) => error.code(),
        };
        refused += 1;
        eprintln!("{peer} signed, {alg}: {problem}: {}", line["token"]);
    }
    let accepted = signed.len() - refused;
    println!("{peer:<13} signed {:>5}, Countersign accepts {accepted:>5} with the same claims", signed.len());
    refused == 0 && signed.len() == COUNT
}
