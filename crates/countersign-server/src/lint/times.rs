//! `exp`, `nbf` and `iat`: seconds, in order, and not far apart (RFC 7519 §2 and §4.1).

use countersign::Timestamp;
use serde_json::{Map, Value};

use super::Finding;

/// The longest life that needs no reason: a day, in seconds.
const LONG_SECS: f64 = 86_400.0;

/// From here on a number of seconds lies beyond the year 5138: it is one of milliseconds.
const MILLISECONDS_FROM: f64 = 1e11;

pub(super) fn findings(claims: &Map<String, Value>, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut times = [None; 3];
    for (slot, name) in times.iter_mut().zip(["exp", "nbf", "iat"]) {
        let Some(value) = claims.get(name) else {
            continue;
        };
        match value.as_f64() {
            None => findings.push(Finding::of(
                "claim_type",
                name,
                "is not a number of seconds since 1970",
            )),
            Some(secs) if secs.abs() >= MILLISECONDS_FROM => findings.push(Finding::of(
                "milliseconds",
                name,
                "is in milliseconds, and seconds are expected: divide it by 1000",
            )),
            Some(secs) => *slot = Some(secs),
        }
    }
    let [exp, nbf, iat] = times;
    let now = now.unix_secs().to_string().parse().unwrap_or(0.0);
    // A time that stands there and cannot be read says nothing of the life.
    let unread = |name, time: Option<f64>| claims.contains_key(name) && time.is_none();
    if unread("iat", iat) || unread("nbf", nbf) {
        return findings;
    }
    if let Some(exp) = exp {
        findings.extend(life(exp, nbf, iat, now));
    }
    findings
}

fn life(exp: f64, nbf: Option<f64>, iat: Option<f64>, now: f64) -> Option<Finding> {
    for (name, begin) in [("nbf", nbf), ("iat", iat)] {
        if begin.is_some_and(|begin| begin >= exp) {
            let message = format!("is not after `{name}`: the token is never valid");
            return Some(Finding::of("never_valid", "exp", message));
        }
    }
    let (since, begin) = match (iat, nbf) {
        (Some(iat), _) => ("`iat`", iat),
        (None, Some(nbf)) => ("`nbf`", nbf),
        (None, None) => ("now", now),
    };
    let secs = exp - begin;
    (secs > LONG_SECS).then(|| {
        let (size, unit) = if secs < 2.0 * LONG_SECS {
            (3600.0, "h")
        } else {
            (86_400.0, "d")
        };
        let count = (secs / size).round();
        let message = format!(
            "lies {count} {unit} after {since}: a stolen token works until then; at most 24 h, and a refresh token for more"
        );
        Finding::of("long_life", "exp", message)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn codes(claims: &Value) -> Vec<&'static str> {
        let now = Timestamp::from_unix_secs(NOW);
        let findings = findings(claims.as_object().unwrap(), now);
        findings.into_iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn accepts_a_life_of_up_to_a_day() {
        for claims in [
            json!({"iat": NOW, "exp": NOW + 86_400}),
            json!({"nbf": NOW, "exp": NOW + 86_400}),
            json!({"exp": NOW + 86_400}),
            json!({"iat": NOW as f64 + 0.5, "exp": NOW + 60}),
            json!({"iat": 0, "exp": 60}),
            json!({}),
        ] {
            assert_eq!(codes(&claims), [""; 0], "{claims}");
        }
    }

    #[test]
    fn rejects_a_longer_life_and_times_out_of_order() {
        for (claims, code) in [
            (json!({"iat": NOW, "exp": NOW + 86_401}), "long_life"),
            (json!({"nbf": NOW, "exp": NOW + 86_401}), "long_life"),
            (json!({"exp": NOW + 86_401}), "long_life"),
            (json!({"iat": NOW, "exp": NOW}), "never_valid"),
            (
                json!({"nbf": NOW + 2, "iat": NOW, "exp": NOW + 1}),
                "never_valid",
            ),
        ] {
            assert_eq!(codes(&claims), [code], "{claims}");
        }
    }

    #[test]
    fn rejects_milliseconds_and_text() {
        for name in ["exp", "nbf", "iat"] {
            assert_eq!(codes(&json!({ name: NOW * 1000 })), ["milliseconds"]);
            assert_eq!(codes(&json!({ name: "1800000000" })), ["claim_type"]);
        }
        let both = json!({"iat": NOW * 1000, "exp": NOW * 1000 + 60_000});
        assert_eq!(codes(&both), ["milliseconds", "milliseconds"]);
    }
}
