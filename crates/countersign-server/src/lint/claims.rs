//! Registered claims: missing, of the wrong type, or of no worth (RFC 7519 §4.1, RFC 8725 §3.8 to §3.10, RFC 9068 §2.2).

use serde_json::{Map, Value};

use super::Finding;

pub(super) fn findings(claims: &Map<String, Value>, kind: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in needed(kind) {
        if !claims.contains_key(*name) {
            findings.push(Finding::of("claim_missing", name, why_needed(name)));
        }
    }
    for name in ["iss", "sub", "jti"] {
        match claims.get(name) {
            Some(Value::String(text)) if text.trim().is_empty() => {
                findings.push(Finding::of("claim_weak", name, "is empty: it names nobody"));
            }
            None | Some(Value::String(_)) => {}
            Some(_) => findings.push(Finding::of("claim_type", name, "is not a string")),
        }
    }
    let iss = claims
        .get("iss")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if iss.starts_with("http://") && !is_loopback(iss) {
        findings.push(Finding::of(
            "claim_weak",
            "iss",
            "is an http URL: keys that are fetched from there can be replaced on the way; use https",
        ));
    }
    findings.extend(claims.get("aud").and_then(audience));
    findings
}

fn audience(aud: &Value) -> Option<Finding> {
    let names: Vec<&str> = match aud {
        Value::String(name) => vec![name],
        Value::Array(names) => match names.iter().map(Value::as_str).collect() {
            Some(names) => names,
            None => return Some(Finding::of("claim_type", "aud", "is not a list of strings")),
        },
        _ => {
            return Some(Finding::of(
                "claim_type",
                "aud",
                "is neither a string nor a list of strings",
            ));
        }
    };
    let open = names.is_empty() || names.iter().any(|name| matches!(name.trim(), "" | "*"));
    open.then(|| {
        Finding::of(
            "claim_weak",
            "aud",
            "is for nobody in particular: name the services that the token is for",
        )
    })
}

/// What a token of this kind must say.
fn needed(kind: &str) -> &'static [&'static str] {
    match kind {
        "at+jwt" => &["iss", "sub", "aud", "exp", "iat", "jti", "client_id"],
        "logout+jwt" => &["iss", "aud", "exp", "iat", "jti", "events"],
        "dpop+jwt" => &["jti", "htm", "htu", "iat"],
        _ => &["iss", "sub", "aud", "exp", "iat"],
    }
}

fn why_needed(name: &str) -> &'static str {
    match name {
        "iss" => "is missing: a verifier cannot tell whose token it is",
        "sub" => "is missing: nobody knows whom the token is about",
        "aud" => "is missing: a token for one service is accepted by every other",
        "exp" => "is missing: the token never expires",
        "iat" => "is missing: nobody knows how old the token is",
        "jti" => "is missing: a single token cannot be told from another or revoked",
        _ => "is missing: tokens of this kind must have it",
    }
}

fn is_loopback(url: &str) -> bool {
    let host = url.trim_start_matches("http://");
    ["127.0.0.1", "localhost", "[::1]"]
        .iter()
        .any(|own| match host.strip_prefix(own) {
            Some(rest) => rest.is_empty() || rest.starts_with([':', '/']),
            None => false,
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn codes(claims: &Value, kind: &str) -> Vec<(&'static str, String)> {
        findings(claims.as_object().unwrap(), kind)
            .into_iter()
            .map(|finding| (finding.code, finding.member.unwrap()))
            .collect()
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims =
            json!({"iss": "https://id.example", "sub": "s", "aud": "a", "exp": 2, "iat": 1});
        claims[name] = value;
        claims
    }

    #[test]
    fn accepts_claims_that_say_who_whom_and_how_long() {
        for (name, value) in [
            ("jti", json!("7")),
            ("aud", json!(["a", "b"])),
            ("iss", json!("http://127.0.0.1:8080")),
            ("iss", json!("joe")),
        ] {
            assert_eq!(codes(&with(name, value), "jwt"), []);
        }
    }

    #[test]
    fn rejects_missing_claims_by_the_kind_of_token() {
        let missing = |kind| codes(&json!({}), kind).len();
        assert_eq!(
            (
                missing("jwt"),
                missing("at+jwt"),
                missing("logout+jwt"),
                missing("dpop+jwt")
            ),
            (5, 7, 6, 4)
        );
        let codes = codes(&json!({"iss": "i", "sub": "s", "aud": "a", "iat": 1}), "");
        assert_eq!(codes, [("claim_missing", "exp".to_owned())]);
    }

    #[test]
    fn rejects_claims_of_no_worth_and_of_the_wrong_type() {
        for (name, value, code) in [
            ("iss", json!(""), "claim_weak"),
            ("iss", json!("http://id.example"), "claim_weak"),
            ("iss", json!("http://localhost.evil.example"), "claim_weak"),
            ("iss", json!(7), "claim_type"),
            ("sub", json!(" "), "claim_weak"),
            ("sub", json!(["s"]), "claim_type"),
            ("aud", json!("*"), "claim_weak"),
            ("aud", json!([]), "claim_weak"),
            ("aud", json!(["a", ""]), "claim_weak"),
            ("aud", json!(["a", 1]), "claim_type"),
            ("aud", json!({}), "claim_type"),
            ("jti", json!(1), "claim_type"),
        ] {
            let found = codes(&with(name, value.clone()), "jwt");
            assert_eq!(found, [(code, name.to_owned())], "{name} {value}");
        }
    }
}
