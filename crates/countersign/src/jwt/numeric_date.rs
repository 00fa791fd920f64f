//! NumericDate (RFC 7519 §2): any JSON number from 0 to the end of the year 9999, read as whole seconds.
//!
//! `now` is a whole second, rounded down, so the real time lies up to a second later. A fraction is therefore rounded to
//! the side that shortens the life of a token: `exp` down, every other time up.

use super::members::Claim;
use crate::error::Error;
use crate::json::Number;
use crate::time::Timestamp;
use serde::de::{Deserialize, Deserializer, Unexpected};
use serde::ser::{Error as _, Serializer};

/// What is expected, in words.
const EXPECTED: &str = "a NumericDate (seconds, from 0 to the end of the year 9999)";

/// The time that a claim says; `None` where it is absent.
#[inline]
pub(super) fn read(
    claim: Option<Claim<'_>>,
    name: &'static str,
) -> Result<Option<Timestamp>, Error> {
    let round = if name == "exp" { f64::floor } else { f64::ceil };
    let Some(value) = claim else {
        return Ok(None);
    };
    match value.as_number().and_then(|number| whole(number, round)) {
        Some(secs) => Ok(Some(Timestamp::from_unix_secs(secs))),
        None => Err(Error::ClaimType {
            claim: name,
            expected: EXPECTED,
        }),
    }
}

/// `exp` of a claim type, in seconds: for `#[serde(deserialize_with)]`.
pub(super) fn exp<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    secs(&serde_json::Number::deserialize(deserializer)?, f64::floor)
}

/// Any other time of a claim type, in seconds.
pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    secs(&serde_json::Number::deserialize(deserializer)?, f64::ceil)
}

/// Any other time of a claim type that may be absent.
pub(super) fn optional_time<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<i64>, D::Error> {
    Option::<serde_json::Number>::deserialize(deserializer)?
        .map(|number| secs(&number, f64::ceil))
        .transpose()
}

/// `exp` of a claim type that may be without.
pub(super) fn optional_exp<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<i64>, D::Error> {
    Option::<serde_json::Number>::deserialize(deserializer)?
        .map(|number| secs(&number, f64::floor))
        .transpose()
}

/// Writes a time, unless it would be refused when it is read.
pub(super) fn write<S: Serializer>(at: Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    let secs = at.unix_secs();
    if !in_range(secs) {
        return Err(S::Error::custom(format!(
            "a time of theirs is not {EXPECTED}"
        )));
    }
    serializer.serialize_i64(secs)
}

fn in_range(secs: i64) -> bool {
    (0..=Timestamp::MAX_NUMERIC_DATE.unix_secs()).contains(&secs)
}

fn secs<E: serde::de::Error>(number: &serde_json::Number, round: fn(f64) -> f64) -> Result<i64, E> {
    Number::of(number)
        .and_then(|number| whole(number, round))
        .ok_or_else(|| E::invalid_value(Unexpected::Other("another number"), &EXPECTED))
}

fn whole(number: Number, round: fn(f64) -> f64) -> Option<i64> {
    let secs = match number {
        Number::Positive(secs) => i64::try_from(secs).ok()?,
        Number::Float(secs) if (0.0..=253_402_300_799.0).contains(&secs) => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the range was just checked"
            )]
            let secs = round(secs) as i64;
            secs
        }
        Number::Negative(_) | Number::Float(_) => return None,
    };
    in_range(secs).then_some(secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_fraction_is_rounded_to_the_side_that_shortens_a_life() {
        for (value, exp, other) in [
            (json!(0), 0, 0),
            (json!(123.5), 123, 124),
            (json!(1_795_359_845.123), 1_795_359_845, 1_795_359_846),
            (json!(1.795_359_845e9), 1_795_359_845, 1_795_359_845),
            (json!(253_402_300_798.5), 253_402_300_798, 253_402_300_799),
        ] {
            for (claim, secs) in [
                ("exp", exp),
                ("nbf", other),
                ("iat", other),
                ("auth_time", other),
            ] {
                let claims = json!({ claim: value });
                assert_eq!(
                    read(claims.get(claim).map(Claim::Value), claim),
                    Ok(Some(Timestamp::from_unix_secs(secs))),
                    "{claim} {value}"
                );
            }
            assert_eq!(super::exp(&value).unwrap(), exp, "{value}");
            assert_eq!(optional_exp(&value).unwrap(), Some(exp), "{value}");
            assert_eq!(time(&value).unwrap(), other, "{value}");
            assert_eq!(optional_time(&value).unwrap(), Some(other), "{value}");
        }
    }

    #[test]
    fn rejects_what_is_no_numeric_date_in_a_claim_and_in_a_claim_type() {
        for value in [
            json!("1795359845"),
            json!(true),
            json!([1]),
            json!(-1),
            json!(-0.5),
            json!(1e300),
            json!(u64::MAX),
            json!(253_402_300_799.5),
            json!(253_402_300_800_i64),
        ] {
            let claims = json!({ "exp": value });
            assert!(
                read(claims.get("exp").map(Claim::Value), "exp").is_err(),
                "{value}"
            );
            assert!(super::exp(&value).is_err(), "{value}");
            assert!(optional_exp(&value).is_err(), "{value}");
            assert!(time(&value).is_err(), "{value}");
            assert!(optional_time(&value).is_err(), "{value}");
        }
    }
}
