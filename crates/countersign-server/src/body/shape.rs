//! A body of the wrong shape: which member it is, in words of JSON and never in those that the client wrote.

use serde::de::DeserializeOwned;
use serde_json::Value;

const MAX_NAME_CHARS: usize = 32;

/// `value` as `T`, or what is wrong with it: `email` is not a string.
pub(super) fn fit<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    // A list of values in the right order would also make a `T`.
    if !value.is_object() {
        return Err("it is not an object".to_owned());
    }
    // Where everything fits, nobody asks where it does not.
    if let Ok(fitting) = T::deserialize(&value) {
        return Ok(fitting);
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let member = error.path().iter().next().map(ToString::to_string);
        in_words(&error.inner().to_string(), member.as_deref())
    })
}

/// serde's messages name the type that was found and may quote the value: only what this server expects is kept.
fn in_words(message: &str, member: Option<&str>) -> String {
    if let Some(rest) = message.strip_prefix("missing field ") {
        return format!("{rest} is missing");
    }
    if let Some(rest) = message.strip_prefix("unknown field `") {
        let (name, known) = rest.split_once("`, expected ").unwrap_or((rest, "none"));
        let known = known.strip_prefix("one of ").unwrap_or(known);
        return if is_plain(name) {
            format!("`{name}` is not known; known are {known}")
        } else {
            format!("a member is not known; known are {known}")
        };
    }
    // A member that is none was told above, so this is the name of one that there is.
    let member = member.filter(|name| is_plain(name));
    let subject = member.map_or_else(|| "a member".to_owned(), |name| format!("`{name}`"));
    match message.rsplit_once(", expected ") {
        Some((_, expected)) => {
            format!("{subject} is not {}", expected.replace(" or ", " and not "))
        }
        None => format!("{subject} has a value that it cannot have"),
    }
}

/// A name that somebody wrote in place of another: harmless to repeat, unlike a value.
fn is_plain(name: &str) -> bool {
    name.len() <= MAX_NAME_CHARS
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the shape is looked at")]
    struct Order {
        item: String,
        number: Option<u8>,
        size: Option<Size>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Size {
        Small,
        Large,
    }

    #[test]
    fn the_member_that_is_wrong_is_named() {
        for (json, reason) in [
            ("[]", "it is not an object"),
            ("{}", "`item` is missing"),
            (r#"{"item":1}"#, "`item` is not a string"),
            (r#"{"item":{"x":1}}"#, "`item` is not a string"),
            (r#"{"item":"a","number":"1"}"#, "`number` is not u8"),
            (
                r#"{"item":"a","size":"huge"}"#,
                "`size` is not `small` and not `large`",
            ),
            (
                r#"{"item":"a","role":"b"}"#,
                "`role` is not known; known are `item`, `number`, `size`",
            ),
            (
                r#"{"item":"a","<b>":"b"}"#,
                "a member is not known; known are `item`, `number`, `size`",
            ),
        ] {
            let value = serde_json::from_str(json).unwrap();
            assert_eq!(fit::<Order>(value).unwrap_err(), reason, "{json}");
        }
    }

    #[test]
    fn accepts_what_fits() {
        let value = serde_json::json!({"item": "a", "number": 1, "size": "large"});
        assert!(matches!(
            fit::<Order>(value).unwrap().size,
            Some(Size::Large)
        ));
    }
}
