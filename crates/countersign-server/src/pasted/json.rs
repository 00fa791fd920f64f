//! A token in JSON: the answer to a log-in, a string, a JWS in its JSON form; and keys in JSON.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::other::{self, Other};
use super::{Pasted, Taken, around, choices, find, more_tokens};

/// The members that hold a token, the likeliest first.
const NAMES: [&str; 6] = [
    "access_token",
    "accessToken",
    "token",
    "id_token",
    "idToken",
    "jwt",
];

/// What a JSON document holds. Nothing where it is no JSON, or a number.
pub(super) fn read(text: &str) -> Option<Pasted> {
    if !text.starts_with(['{', '[', '"']) {
        return None;
    }
    // Of two members of one name nobody can tell which is meant: what names one twice is read as any other text.
    match countersign::parse_strict(text.as_bytes()).ok()? {
        Value::String(inner) => of_string(&inner),
        Value::Object(members) => {
            of_object(&members).or_else(|| Some(of_leaves(&Value::Object(members))))
        }
        list @ Value::Array(_) => Some(of_leaves(&list)),
        _ => None,
    }
}

/// A token, or something with a name, as a string of JSON.
fn of_string(inner: &str) -> Option<Pasted> {
    let inner = inner.trim();
    if inner.bytes().all(find::is_letter) && !inner.is_empty() {
        return Some(other::of_word(inner).map_or_else(
            || Pasted::Taken(Taken::new(inner, "a string of JSON")),
            Pasted::Other,
        ));
    }
    match inner.starts_with('"') {
        // Of a document in a string, and not of one in a string in a string.
        true => None,
        false => Some(super::within(inner)).filter(|found| !matches!(found, Pasted::Bare)),
    }
}

fn of_object(members: &Map<String, Value>) -> Option<Pasted> {
    if let Some(key) = of_key(members) {
        return Some(Pasted::Other(key));
    }
    if let Some(Value::Array(keys)) = members.get("keys") {
        let mut keys = keys.iter().filter_map(Value::as_object);
        let is_set = keys.clone().any(|key| key.contains_key("kty"));
        let is_private = keys.any(is_private);
        return is_set.then(|| Pasted::Other(Other::key_in_json(true, is_private)));
    }
    if members.contains_key("ciphertext") {
        return Some(Pasted::Other(Other::jwe_in_json()));
    }
    members.get("payload")?.as_str()?;
    let signatures = members.get("signatures").and_then(Value::as_array);
    let one = match signatures.map(Vec::as_slice) {
        None if members.contains_key("signature") => members,
        // One form or the other (RFC 7515 §7.2.2).
        Some(several) if members.contains_key("signature") => {
            return Some(Pasted::Other(Other::jws_in_json(
                several.len().saturating_add(1),
            )));
        }
        Some([Value::Object(one)]) => one,
        Some(several) => return Some(Pasted::Other(Other::jws_in_json(several.len()))),
        None => return None,
    };
    Some(compact(members, one).map_or_else(|| Pasted::Other(Other::jws_in_json(1)), Pasted::Taken))
}

/// The compact form of a JWS with one signature and no unprotected header (RFC 7515 §7.2).
fn compact(members: &Map<String, Value>, one: &Map<String, Value>) -> Option<Taken> {
    let text = |from: &Map<String, Value>, name| {
        let text = from.get(name)?.as_str()?;
        text.bytes().all(find::is_letter).then(|| text.to_owned())
    };
    let parts = [
        text(one, "protected")?,
        text(members, "payload")?,
        text(one, "signature")?,
    ];
    let is_plain = !one.contains_key("header") && parts.iter().all(|part| !part.contains('.'));
    is_plain.then(|| Taken {
        is_rewritten: true,
        ..Taken::new(&parts.join("."), "a JWS in its JSON form (RFC 7515 §7.2)")
    })
}

fn of_key(members: &Map<String, Value>) -> Option<Other> {
    members.get("kty")?;
    Some(Other::key_in_json(false, is_private(members)))
}

/// RFC 7518 §6: the private numbers, and the shared secret.
fn is_private(members: &Map<String, Value>) -> bool {
    ["d", "k", "p", "q", "priv"]
        .iter()
        .any(|name| members.contains_key(*name))
}

/// A string of a document with a token in it.
struct Leaf {
    path: String,
    rank: usize,
    found: find::Found,
    named: Option<String>,
}

/// The likeliest token of all the strings.
fn of_leaves(document: &Value) -> Pasted {
    let (mut leaves, mut left_out) = (Vec::new(), Vec::new());
    let mut secret = None;
    let mut waiting = vec![(Rc::<str>::from(""), document)];
    while let Some((path, value)) = waiting.pop() {
        match value {
            Value::Object(members) if other::is_key(members.keys()) => {
                secret = secret.or(of_key(members).filter(|key| key.is_secret));
            }
            Value::Object(members) => {
                let below = members.iter().rev();
                waiting.extend(below.map(|(name, value)| (joined(&path, name), value)));
            }
            Value::Array(items) => {
                waiting.extend(items.iter().rev().map(|item| (Rc::clone(&path), item)));
            }
            Value::String(text) => match other::secret(text) {
                Some(key) => secret = secret.or(Some(key)),
                None if other::is_refresh_token(text) => {
                    left_out.push("the refresh token".to_owned())
                }
                None => leaves.extend(of_leaf(&path, text)),
            },
            _ => {}
        }
    }
    if let Some(secret) = secret {
        return Pasted::Other(secret);
    }
    leaves.sort_by_key(|leaf| leaf.rank);
    let places = leaves
        .iter()
        .map(|leaf| (&leaf.found.token, || Some(leaf.path.clone())));
    let choices = choices(places);
    let mut leaves = leaves.into_iter();
    let Some(first) = leaves.next() else {
        return Pasted::Other(if left_out.is_empty() {
            Other::plain_json()
        } else {
            Other::refresh_token()
        });
    };
    let more = leaves
        .filter(|leaf| leaf.found.token != first.found.token)
        .count();
    if more > 0 {
        left_out.insert(0, more_tokens(more));
    }
    let mut from = match (first.path.as_str(), first.named) {
        ("", Some(named)) => format!("{named} in JSON"),
        ("", None) => "a list in JSON".to_owned(),
        (path, Some(named)) => format!("{named} in the member {path} of JSON"),
        (path, None) => format!("the member {path} of a JSON answer"),
    };
    if first.found.pieces > 1 {
        from.push_str(&format!(", put together of {} pieces", first.found.pieces));
    }
    left_out.extend(first.found.tail);
    Pasted::Taken(Taken {
        left_out,
        choices,
        others: more,
        ..Taken::new(&first.found.token, from)
    })
}

fn of_leaf(path: &str, text: &str) -> Option<Leaf> {
    let last = path.rsplit('.').next().unwrap_or_default();
    let rank = NAMES
        .iter()
        .position(|name| *name == last)
        .unwrap_or(NAMES.len());
    let found = find::tokens(text).into_iter().next()?;
    let named = around::name(text, &found);
    Some(Leaf {
        path: path.to_owned(),
        rank,
        found,
        named,
    })
}

/// The path of a member, as far as its name can be shown.
fn joined(path: &Rc<str>, name: &str) -> Rc<str> {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
    let is_shown =
        !name.is_empty() && name.len() <= 40 && path.len() <= 80 && name.chars().all(is_name);
    match (&**path, is_shown) {
        (_, false) => Rc::clone(path),
        ("", true) => name.into(),
        (path, true) => format!("{path}.{name}").into(),
    }
}
