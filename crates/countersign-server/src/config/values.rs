//! What each setting's text means.

use std::net::SocketAddr;

use countersign::{Algorithm, Jwk, SigningKey};
use countersign_http::Origins;
use http::{StatusCode, Uri};

use super::given::Value;
use crate::error::Error;
use crate::inspector::Access;
use crate::rules::proxies::Network;

/// The longest life of an access token, in seconds.
pub(super) const MAX_ACCESS_TTL: i64 = 24 * 60 * 60;

const MAX_TOKEN_CACHE: usize = 1_000_000;
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

/// The origin of a page, as a browser writes it: like a public URL.
pub(super) fn origin(value: &Value) -> Result<String, Error> {
    let origin = public_url(value)?;
    // A browser leaves the scheme's own port out; and whoever writes a pattern is told that there is none.
    let is_as_written = Origins::new(&origin).is_ok_and(|origins| origins.contains(&origin));
    if !is_as_written || origin.contains('*') {
        return Err(value.invalid(
            "write the whole origin as a browser does, like https://app.example: no pattern, and no port where it is the scheme's own",
        ));
    }
    Ok(origin)
}

/// `10.0.0.0/8`, `192.0.2.7`, `2001:db8::/32`.
pub(super) fn network(value: &Value) -> Result<Network, Error> {
    value.text().parse().map_err(|()| {
        value.invalid(
            "write an address or a network without further bits, like 10.0.0.5 or 10.0.0.0/8",
        )
    })
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
    chosen: &Value,
    value: Option<&Value>,
) -> Result<Option<SigningKey>, Error> {
    match (alg.is_symmetric(), value) {
        (true, Some(secret)) => {
            shared_key(alg, secret.text())
                .map(Some).map_err(|problem| Error::SigningSecret {
                origin: secret.place(),
                problem,
            })
        }
        (false, None) => Ok(None),
        (true, None) => Err(chosen.invalid(format!(
            "{alg} needs a shared secret of at least 32 random bytes; make one with `countersign key generate {alg} --out FILE` and set {}",
            chosen.spelled("signing_secret_file")
        ))),
        (false, Some(secret)) => Err(secret.invalid(format!(
            "a shared secret is for HS256 alone, and tokens are signed with {alg}; leave it out or set {} to HS256",
            secret.spelled("signing_alg")
        ))),
    }
}

/// A JWK as `key generate` writes it, or else the octets of the text itself.
fn shared_key(alg: Algorithm, text: &str) -> Result<SigningKey, countersign::Error> {
    match Jwk::parse(text.as_bytes()) {
        Ok(jwk) => SigningKey::from_jwk_as(&jwk, alg),
        // Also what is nearly a JWK comes here: the text of a key is refused as a secret.
        Err(_) => SigningKey::from_secret(alg, text),
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

/// Who may open the inspector.
pub(super) fn inspector(value: &Value) -> Result<Access, Error> {
    match value.text() {
        "public" => Ok(Access::Public),
        "signed-in" => Ok(Access::SignedIn),
        "off" => Ok(Access::Off),
        _ => Err(value.invalid("write public, signed-in or off")),
    }
}

/// How many tokens to remember.
pub(super) fn token_cache(value: &Value) -> Result<usize, Error> {
    let text = value.text();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|tokens| is_number && *tokens <= MAX_TOKEN_CACHE)
        .ok_or_else(|| {
            value.invalid(format!(
                "write a number of tokens, 0 for none, up to {MAX_TOKEN_CACHE}"
            ))
        })
}

/// A number with a unit: `2s`, `10m`, `12h`, `30d`.
pub(super) fn duration(value: &Value, range: Range) -> Result<i64, Error> {
    let text = value.text();
    let secs = seconds(text)
        .ok_or_else(|| value.invalid("write a number and a unit, like 2s, 10m, 12h or 30d"))?;
    if secs < range.0 || secs > range.1 {
        return Err(value.invalid(format!(
            "write a time from {} to {}",
            in_words(range.0),
            in_words(range.1)
        )));
    }
    Ok(secs)
}

/// The largest unit that leaves no rest, as a person would write it: `24h`, `366d`.
fn in_words(secs: i64) -> String {
    // 24h is written for a day, as every text about tokens does.
    let units = [(24 * 60 * 60, 'd', 2), (60 * 60, 'h', 1), (60, 'm', 1)];
    let fits = |(size, _, least): &(i64, char, i64)| {
        secs.rem_euclid(*size) == 0 && secs.div_euclid(*size) >= *least
    };
    match units.into_iter().find(fits) {
        Some((size, unit, _)) => format!("{}{unit}", secs.div_euclid(size)),
        None => format!("{secs}s"),
    }
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
    use crate::config::origin::Origin;

    fn value(text: &str) -> Value {
        Value::new(text, Origin::Flag.of("access_ttl"))
    }

    #[test]
    fn a_time_out_of_range_is_told_the_range_in_units_of_people() {
        let error = duration(&value("25h"), Range(1, MAX_ACCESS_TTL)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "flag --access-ttl: write a time from 1s to 24h"
        );
        for (secs, text) in [
            (1, "1s"),
            (90, "90s"),
            (60, "1m"),
            (120, "2m"),
            (31_622_400, "366d"),
        ] {
            assert_eq!(in_words(secs), text);
        }
    }

    #[test]
    fn accepts_a_secret_as_the_jwk_that_was_made_for_it() {
        let key = SigningKey::generate(Algorithm::HS256).unwrap();
        let jwk = key.to_jwk().to_json();
        let read = shared_key(Algorithm::HS256, &jwk).unwrap();
        assert_eq!(*read.to_jwk().to_json(), *jwk);
        let octets = shared_key(Algorithm::HS256, "tf2Zb1kQ7r9wXy0uVvP4sLmNcE8aHdJg").unwrap();
        assert_ne!(octets.thumbprint(), read.thumbprint());
    }

    #[test]
    fn rejects_a_jwk_that_is_no_secret_of_hs256() {
        for alg in [Algorithm::HS512, Algorithm::ES256] {
            let jwk = SigningKey::generate(alg).unwrap().to_jwk().to_json();
            assert!(shared_key(Algorithm::HS256, &jwk).is_err(), "{alg}");
        }
        for text in [r#"{"kty":"oct","k":"c2VjcmV0"}"#, r#"{"kty":"oct","k":"#] {
            assert!(shared_key(Algorithm::HS256, text).is_err(), "{text}");
        }
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
    fn accepts_origins_as_browsers_write_them_and_networks_in_one_spelling() {
        for text in ["https://app.example", "http://localhost:3000"] {
            assert_eq!(origin(&value(text)).unwrap(), text);
        }
        for text in [
            "*",
            "null",
            "https://app.example/",
            "https://app.example:443",
            "https://*.example",
            "app.example",
        ] {
            assert!(origin(&value(text)).is_err(), "{text}");
        }
        for text in ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1"] {
            assert!(network(&value(text)).is_ok(), "{text}");
        }
        for text in [
            "",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "10.0.0.0/",
            "proxy.example",
            "10.0.0.0/08",
            "::/129",
        ] {
            assert!(network(&value(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn rejects_algorithms_and_statuses_that_are_not_offered() {
        for text in ["none", "es256", "PS256", ""] {
            assert!(signing_alg(&value(text)).is_err(), "{text}");
        }
        for (text, tokens) in [("0", 0), ("10000", 10_000), ("1000000", 1_000_000)] {
            assert_eq!(token_cache(&value(text)).unwrap(), tokens);
        }
        for text in ["", "-1", "+1", "many", "1000001", "1e3"] {
            assert!(token_cache(&value(text)).is_err(), "{text}");
        }
        for text in ["200", "400", ""] {
            assert!(invalid_token_status(&value(text)).is_err(), "{text}");
        }
    }
}
