//! How long an answer stays fresh by its own word (RFC 9111 §4.2, §5.2.2). `Expires` and `Date` are not read: they say
//! what another clock says.

use std::time::Duration;

use http::HeaderMap;
use http::header::{AGE, CACHE_CONTROL};

/// `max-age`, less the time that the answer has spent in caches on its way; zero for `no-store` and `no-cache`; `None`
/// where nothing is said. Whoever uses it clamps it.
pub(super) fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let mut seconds = None;
    let directives = headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    for directive in directives {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => return Some(Duration::ZERO),
            // RFC 9111 §4.2.1: of two values, the smaller one.
            "max-age" => {
                let stated = delta_seconds(value.trim().trim_matches('"'));
                seconds = Some(seconds.map_or(stated, |before: u64| before.min(stated)));
            }
            _ => {}
        }
    }
    let aged = headers
        .get(AGE)
        .and_then(|value| value.to_str().ok())
        .map_or(0, |value| delta_seconds(value.trim()));
    seconds.map(|seconds| Duration::from_secs(seconds.saturating_sub(aged)))
}

/// RFC 9111 §1.2.2: digits; more of them than fit are as many as fit. What is no number counts as stale (§4.2.1).
fn delta_seconds(text: &str) -> u64 {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    text.parse().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn of(lines: &[(http::HeaderName, &'static str)]) -> Option<u64> {
        let headers = lines
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect();
        max_age(&headers).map(|age| age.as_secs())
    }

    #[test]
    fn reads_the_time_that_an_answer_stays_fresh() {
        for (line, expected) in [
            ("max-age=600", Some(600)),
            ("public, Max-Age = 600 , must-revalidate", Some(600)),
            ("max-age=\"600\"", Some(600)),
            ("max-age=600, max-age=60", Some(60)),
            ("max-age=600, no-cache", Some(0)),
            ("no-store", Some(0)),
            ("max-age=99999999999999999999999", Some(u64::MAX)),
            ("max-age=-1", Some(0)),
            ("max-age=soon", Some(0)),
            ("max-age", Some(0)),
            ("s-maxage=600", None),
            ("public", None),
            ("", None),
        ] {
            assert_eq!(of(&[(CACHE_CONTROL, line)]), expected, "{line}");
        }
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn the_time_in_caches_on_the_way_is_taken_off() {
        let of = |age| of(&[(CACHE_CONTROL, "max-age=600"), (AGE, age)]);
        assert_eq!(of("500"), Some(100));
        assert_eq!(of("700"), Some(0));
        assert_eq!(of("x"), Some(600));
    }

    proptest! {
        #[test]
        fn what_is_stated_is_read_among_whatever_else_is_said(
            secs: u64,
            before in "[a-z]{0,8}",
            after in "[a-z]{0,8}=[0-9]{0,3}",
        ) {
            let line = format!("x{before}, max-age={secs} ,x{after}");
            let value = HeaderValue::try_from(line).unwrap();
            let headers = HeaderMap::from_iter([(CACHE_CONTROL, value)]);
            prop_assert_eq!(max_age(&headers), Some(Duration::from_secs(secs)));
        }

        #[test]
        fn no_header_is_too_much(line in "[ -~]{0,60}", age in "[ -~]{0,20}") {
            let header = |text| HeaderValue::try_from(text).unwrap();
            let headers = HeaderMap::from_iter([(CACHE_CONTROL, header(line)), (AGE, header(age))]);
            let _ = max_age(&headers);
        }
    }
}
