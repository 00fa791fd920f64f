//! What Countersign's ratios to raw aws-lc-rs should be, on x86-64 without SHA instructions.

/// The goal of a row, where it has one.
pub fn goal(op: &str, alg: &str, claims: Option<&str>) -> Option<f64> {
    Some(match (op, claims, alg) {
        ("verify", Some("borrowed"), "HS256") => 1.45,
        ("verify", Some("borrowed"), "ES384") => 1.03,
        ("verify", Some("borrowed"), _) => 1.05,
        ("verify", Some("registered"), "HS256") => 1.35,
        ("verify", Some("registered"), "ES384") => 1.02,
        ("verify", Some("registered"), _) => 1.04,
        ("verify", Some("owned"), "HS256") => 1.7,
        ("verify", Some("owned"), "RS256" | "PS256") => 1.07,
        ("verify", Some("owned"), "ES384") => 1.04,
        ("verify", Some("owned"), _) => 1.06,
        ("sign", None, "HS256") => 1.28,
        ("sign", None, "RS256") => 1.03,
        ("sign", None, "ES256") => 1.05,
        ("sign", None, "EdDSA") => 1.08,
        _ => return None,
    })
}

/// How often it may allocate, where that is said.
pub fn allocations(op: &str, claims: Option<&str>) -> Option<f64> {
    (op == "verify" && matches!(claims, Some("borrowed" | "registered"))).then_some(0.0)
}

/// Nanoseconds of a hit in the library's own cache, by the number of threads that ask.
pub fn hit(of: &str, who: &str, threads: &str) -> Option<f64> {
    match (of, who, threads) {
        ("cache", "countersign", "1") => Some(200.0),
        ("cache", "countersign", "2") => Some(400.0),
        _ => None,
    }
}
