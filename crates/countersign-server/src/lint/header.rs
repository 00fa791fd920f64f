//! The header: `alg`, `typ`, and members that point at a key of the sender's (RFC 8725 §3.1, §3.10, §3.11).

use countersign::Algorithm;
use serde_json::{Map, Value};

use super::Finding;

pub(super) fn findings(header: &Map<String, Value>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let alg = header
        .get("alg")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if alg.trim().eq_ignore_ascii_case("none") {
        findings.push(Finding::of(
            "unsigned",
            "header.alg",
            "is none: anybody can write such a token; sign it",
        ));
    } else if Algorithm::from_name(alg).is_none() {
        findings.push(Finding::of(
            "algorithm_unknown",
            "header.alg",
            "names no signature algorithm of RFC 7518, 8037, 8812, 9864 or 9964",
        ));
    }
    let kind = kind(header);
    if kind.is_empty() {
        findings.push(Finding::of(
            "typ_missing",
            "header.typ",
            "is missing: a token that does not name its kind can pass for one of another kind",
        ));
    }
    let carried = ["jku", "x5u", "jwk", "x5c"]
        .into_iter()
        .filter(|name| header.contains_key(*name) && !(kind == "dpop+jwt" && *name == "jwk"));
    for name in carried {
        findings.push(Finding::of(
            "key_of_the_sender",
            &format!("header.{name}"),
            "names the key to verify with: a verifier that believes it accepts anybody; use kid",
        ));
    }
    findings
}

/// `typ` in lower case and without `application/`; empty where it is missing (RFC 7515 §4.1.9).
pub(super) fn kind(header: &Map<String, Value>) -> String {
    let typ = header.get("typ").and_then(Value::as_str);
    let typ = typ.unwrap_or_default().to_ascii_lowercase();
    match typ.strip_prefix("application/") {
        Some(rest) => rest.to_owned(),
        None => typ,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn codes(header: &Value) -> Vec<&'static str> {
        let findings = findings(header.as_object().unwrap());
        findings.into_iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn accepts_a_header_that_names_algorithm_kind_and_key() {
        for header in [
            json!({"alg": "ES256", "typ": "JWT", "kid": "7"}),
            json!({"alg": "Ed25519", "typ": "dpop+jwt", "jwk": {}}),
        ] {
            assert_eq!(codes(&header), [""; 0], "{header}");
        }
    }

    #[test]
    fn rejects_headers_that_leave_things_open() {
        for (header, code) in [
            (json!({"alg": "None", "typ": "JWT"}), "unsigned"),
            (json!({"alg": "RS1", "typ": "JWT"}), "algorithm_unknown"),
            (json!({"alg": "ES256"}), "typ_missing"),
            (
                json!({"alg": "ES256", "typ": "JWT", "jku": "x"}),
                "key_of_the_sender",
            ),
            (
                json!({"alg": "ES256", "typ": "JWT", "jwk": {}}),
                "key_of_the_sender",
            ),
        ] {
            assert_eq!(codes(&header), [code], "{header}");
        }
    }
}
