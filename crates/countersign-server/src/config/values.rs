//! What each setting's text means.

use std::net::SocketAddr;

use countersign::{Algorithm, SigningKey};
use countersign_http::Origins;
use http::{StatusCode, Uri};

use super::given::Value;
use crate::error::Error;

/// The longest life of an access token, in seconds.
pub(super) const MAX_ACCESS_TTL: i64 = 24 * 60 * 60;

const MAX_AUDIENCE_CHARS: usize = 256;

/// The shortest and the longest duration of a setting, in seconds.
#[derive(Clone, Copy)]
pub(super) struct Range(pub(super) i64, pub(super) i64);

/// `127.0.0.1:8080`, `[::1]:0`, `localhost:8080`.
pub(super) fn address(value: &Value) -> Result<SocketAddr, Error> {
    let text = value.text().replacen("localhost:", "127.0.0.1:", 1);
    text.parse()
        .map_err(|_| value.invalid("write an address and a port, like 127.0.0.1:8080"))
}

/// `https://id.example`: scheme, host, maybe a port, and nothing after it.
pub(super) fn public_url(value: &Value) -> Result<String, Error> {
    let text = value.text();
    let invalid = || {
        value.invalid("write scheme and host without anything after them, like https://id.example")
    };
    Origins::new(text).map_err(|_| invalid())?;
    let uri: Uri = text.parse().map_err(|_| invalid())?;
    let authority = uri.authority().ok_or_else(invalid)?.as_str();
    // An issuer is compared as text, so there is one spelling of it: no path, not even a slash.
    let scheme = uri.scheme_str().unwrap_or_default();
    if text != format!("{scheme}://{authority}") || text != text.to_ascii_lowercase() {
        return Err(invalid());
    }
    Ok(text.to_owned())
}

/// The name of a service.
pub(super) fn audience(value: &Value) -> Result<String, Error> {
    let text = value.text();
    let is_printable = text
        .chars()
        .all(|c| c.is_ascii_graphic() && c != '"' && c != '\\');
    if text.is_empty() || text.len() > MAX_AUDIENCE_CHARS || !is_printable {
        return Err(
            value.invalid("write the name or URL of a service in printable ASCII, like orders-api")
        );
    }
    Ok(text.to_owned())
}

/// `ES256`, `RS256`, `EdDSA` or `HS256`.
pub(super) fn signing_alg(value: &Value) -> Result<Algorithm, Error> {
    match value.text() {
        "ES256" => Ok(Algorithm::ES256),
        "RS256" => Ok(Algorithm::RS256),
        "EdDSA" => Ok(Algorithm::EdDSA),
        "HS256" => Ok(Algorithm::HS256),
        _ => Err(value.invalid("write ES256, RS256, EdDSA or HS256")),
    }
}

/// The secret, which HS256 needs and nothing else takes.
pub(super) fn signing_secret(
    alg: Algorithm,
    value: Option<&Value>,
) -> Result<Option<SigningKey>, Error> {
    match (alg.is_symmetric(), value) {
        (true, Some(secret)) => SigningKey::from_secret(alg, secret.text()).map(Some).map_err(Error::SigningSecret),
        (false, None) => Ok(None),
        (true, None) => Err(Error::SettingInvalid {
            origin: "signing_alg".to_owned(),
            problem: format!("{alg} needs a shared secret of at least 32 random bytes; set `signing_secret` or `signing_secret_file`"),
        }),
        (false, Some(secret)) => Err(secret.invalid(format!(
            "a shared secret is for HS256 alone, and tokens are signed with {alg}; leave it out or set `signing_alg` to HS256"
        ))),
    }
}

/// `401` or `403`.
pub(super) fn invalid_token_status(value: &Value) -> Result<StatusCode, Error> {
    match value.text() {
        "401" => Ok(StatusCode::UNAUTHORIZED),
        "403" => Ok(StatusCode::FORBIDDEN),
        _ => Err(value.invalid("write 401, or 403 for clients that expect it")),
    }
}

/// A number with a unit: `2s`, `10m`, `12h`, `30d`.
pub(super) fn duration(value: &Value, range: Range) -> Result<i64, Error> {
    let text = value.text();
    let secs = seconds(text)
        .ok_or_else(|| value.invalid("write a number and a unit, like 2s, 10m, 12h or 30d"))?;
    if secs < range.0 || secs > range.1 {
        return Err(value.invalid(format!(
            "this is {secs} s; at least {} s and at most {} s are allowed",
            range.0, range.1
        )));
    }
    Ok(secs)
}

fn seconds(text: &str) -> Option<i64> {
    let unit = text.chars().last()?;
    let number = text.strip_suffix(unit)?;
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return None,
    };
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if is_number {
        number.parse::<i64>().ok()?.checked_mul(factor)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        Value::new(text, "flag --x")
    }

    #[test]
    fn accepts_durations_with_a_unit() {
        for (text, secs) in [("2s", 2), ("10m", 600), ("12h", 43_200), ("30d", 2_592_000)] {
            assert_eq!(duration(&value(text), Range(1, i64::MAX)).unwrap(), secs);
        }
    }

    #[test]
    fn rejects_durations_without_a_unit_or_out_of_range() {
        for text in [
            "",
            "10",
            "m",
            "-1m",
            "+1m",
            "1.5h",
            "1h30m",
            "10 m",
            "10M",
            "9999999999999999999d",
            "10µ",
            "0s",
            "25h",
        ] {
            assert!(
                duration(&value(text), Range(1, MAX_ACCESS_TTL)).is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn accepts_one_spelling_of_a_public_url() {
        for text in [
            "https://id.example",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
        ] {
            assert_eq!(public_url(&value(text)).unwrap(), text);
        }
        for text in [
            "",
            "id.example",
            "https://id.example/",
            "https://id.example/auth",
            "https://id.example?x",
            "https://ID.example",
            "ftp://id.example",
            "https://ada@id.example",
            "HTTPS://id.example",
            "https://id.example#x",
        ] {
            assert!(public_url(&value(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn rejects_addresses_without_a_port_and_audiences_that_break_a_header() {
        assert_eq!(
            address(&value("localhost:0")).unwrap().to_string(),
            "127.0.0.1:0"
        );
        for text in ["", "8080", "127.0.0.1", "example.com:80", "127.0.0.1:99999"] {
            assert!(address(&value(text)).is_err(), "{text}");
        }
        for text in ["", "a b", "a\"b", "a\r\nb", "ä"] {
            assert!(audience(&value(text)).is_err(), "{text:?}");
        }
        assert!(audience(&value("https://api.example/v1")).is_ok());
    }

    #[test]
    fn rejects_algorithms_and_statuses_that_are_not_offered() {
        for text in ["none", "es256", "PS256", ""] {
            assert!(signing_alg(&value(text)).is_err(), "{text}");
        }
        for text in ["200", "400", ""] {
            assert!(invalid_token_status(&value(text)).is_err(), "{text}");
        }
    }
}
