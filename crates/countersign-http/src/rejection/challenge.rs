//! The text of `WWW-Authenticate: Bearer …` (RFC 6750 §3), from nothing but checked characters.

use http::{HeaderValue, StatusCode};

use crate::error::Error;

/// What a [`Protect`](crate::Protect) says about itself when it refuses.
#[derive(Debug)]
pub(crate) struct Challenge {
    pub(crate) realm: String,
    pub(crate) invalid_token_status: StatusCode,
}

impl Challenge {
    pub(crate) fn new(realm: String, invalid_token_status: StatusCode) -> Result<Self, Error> {
        if realm.is_empty() || !realm.chars().all(is_quotable) {
            return Err(Error::RealmInvalid);
        }
        if !matches!(
            invalid_token_status,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
        ) {
            return Err(Error::StatusInvalid {
                found: invalid_token_status.as_u16(),
            });
        }
        Ok(Self {
            realm,
            invalid_token_status,
        })
    }
}

/// RFC 6750 §3: `error_description` holds %x20-21, %x23-5B and %x5D-7E; so does a quoted string that needs no escape.
pub(crate) fn is_quotable(character: char) -> bool {
    matches!(character, ' '..='~') && !matches!(character, '"' | '\\')
}

/// One challenge with the parameters that there are. A value that may not be quoted is left out.
pub(crate) fn header(
    realm: Option<&str>,
    error: Option<&str>,
    description: Option<&str>,
    scope: Option<&str>,
) -> Option<HeaderValue> {
    let params = [
        ("realm", realm),
        ("error", error),
        ("error_description", description),
        ("scope", scope),
    ];
    let mut text = String::from("Bearer");
    let mut separator = " ";
    for (name, value) in params {
        let Some(value) = value.filter(|value| value.chars().all(is_quotable)) else {
            continue;
        };
        for part in [separator, name, "=\"", value, "\""] {
            text.push_str(part);
        }
        separator = ", ";
    }
    HeaderValue::try_from(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_the_scheme_and_its_parameters() {
        assert_eq!(header(None, None, None, None).unwrap(), "Bearer");
        assert_eq!(
            header(Some("r"), None, None, None).unwrap(),
            "Bearer realm=\"r\""
        );
        assert_eq!(
            header(Some("r"), Some("e"), Some("d d"), Some("s t")).unwrap(),
            "Bearer realm=\"r\", error=\"e\", error_description=\"d d\", scope=\"s t\""
        );
    }

    #[test]
    fn a_value_that_would_break_out_of_its_quotes_is_left_out() {
        for scope in ["a\"b", "a\\b", "a\r\nset-cookie: x", "ä"] {
            assert_eq!(
                header(None, Some("e"), None, Some(scope)).unwrap(),
                "Bearer error=\"e\""
            );
        }
    }

    #[test]
    fn rejects_a_realm_that_cannot_be_quoted() {
        for realm in ["", "a\"b", "a\\b", "a\nb", "ä"] {
            let built = Challenge::new(realm.to_owned(), StatusCode::UNAUTHORIZED);
            assert_eq!(built.unwrap_err(), Error::RealmInvalid, "{realm}");
        }
        assert!(Challenge::new("my orders".to_owned(), StatusCode::FORBIDDEN).is_ok());
    }

    #[test]
    fn rejects_a_status_that_is_neither_401_nor_403() {
        let built = Challenge::new("r".to_owned(), StatusCode::BAD_REQUEST);
        assert_eq!(built.unwrap_err(), Error::StatusInvalid { found: 400 });
    }
}
