//! What several tokens are told apart by, where nothing around them names them.

use countersign::dangerous::decode_unverified;
use serde_json::Value;

/// What may tell, the best first.
const CLAIMS: [&str; 3] = ["sub", "iss", "jti"];
/// So many letters of a value are said.
const MOST: usize = 24;

/// A name for each: the first claim that is not the same in all of them, and its value. `None` where that is no text.
pub(super) fn telling<'t>(tokens: impl Iterator<Item = &'t str>) -> Vec<Option<String>> {
    let claims: Vec<Option<Value>> = tokens
        .map(|token| Some(decode_unverified(token).ok()?.claims.clone()))
        .collect();
    let of = |claims: &Option<Value>, name: &str| claims.as_ref()?.get(name).cloned();
    let tells = |name: &&str| {
        let mut values = claims.iter().map(|claims| of(claims, name));
        let first = values.next();
        values.any(|value| Some(value) != first)
    };
    let Some(name) = CLAIMS.into_iter().find(tells) else {
        return claims.iter().map(|_| None).collect();
    };
    let named = claims.iter().map(|claims| {
        let value = of(claims, name)?;
        Some(format!("{name} {}", cut(value.as_str()?)))
    });
    named.collect()
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
