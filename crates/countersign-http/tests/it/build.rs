//! A protection that cannot protect is not built.

use std::time::Duration;

use countersign::{Algorithm, JwkSet};
use countersign_http::{CookieSource, Error, Issuer, Origins, Protect};
use http::StatusCode;

use crate::harness::{AUDIENCE, ISSUER, KEY, protect};

#[test]
fn rejects_a_protection_without_an_audience() {
    let key = KEY.verifying_key();
    assert_eq!(
        Protect::with_keys(ISSUER, key.clone()).build().unwrap_err(),
        Error::AudienceMissing
    );
    assert_eq!(
        Protect::with_keys(ISSUER, key)
            .audience("")
            .build()
            .unwrap_err(),
        Error::AudienceMissing
    );
}

#[test]
fn rejects_a_protection_without_an_issuer_or_a_key() {
    let nobody = Protect::with_keys("", KEY.verifying_key()).audience(AUDIENCE);
    assert_eq!(nobody.build().unwrap_err(), Error::IssuerMissing);
    let empty = Protect::with_keys(ISSUER, JwkSet::new([])).audience(AUDIENCE);
    assert_eq!(empty.build().unwrap_err(), Error::KeysMissing);
}

#[test]
fn rejects_settings_out_of_their_range() {
    let refused = protect().realm("a \"quote\"").build().unwrap_err();
    assert_eq!(refused, Error::RealmInvalid);
    let refused = protect()
        .invalid_token_status(StatusCode::OK)
        .build()
        .unwrap_err();
    assert_eq!(refused, Error::StatusInvalid { found: 200 });
    let refused = protect()
        .leeway(Duration::from_secs(301))
        .build()
        .unwrap_err();
    assert!(matches!(refused, Error::Policy(_)), "{refused}");
    let cookie = CookieSource::named("a b", Origins::new("https://shop.example").unwrap());
    assert_eq!(
        protect().cookie(cookie).build().unwrap_err(),
        Error::CookieNameInvalid
    );
}

#[test]
fn rejects_a_second_cookie_for_the_token() {
    let cookie = |name| CookieSource::named(name, Origins::new("https://shop.example").unwrap());
    assert!(protect().cookie(cookie("at")).build().is_ok());
    let twice = protect().cookie(cookie("at")).cookie(cookie("other"));
    let refused = twice.build().unwrap_err();
    assert_eq!(
        (refused.code(), refused),
        ("cookie_again", Error::CookieAgain)
    );
}

#[test]
fn accepts_the_ends_of_the_ranges() {
    assert!(protect().leeway(Duration::from_secs(300)).build().is_ok());
    assert!(
        protect()
            .invalid_token_status(StatusCode::FORBIDDEN)
            .build()
            .is_ok()
    );
}

#[test]
fn every_error_has_a_code_of_its_own() {
    let errors = [
        Error::IssuerMissing,
        Error::AudienceMissing,
        Error::KeysMissing,
        Error::RealmInvalid,
        Error::StatusInvalid { found: 200 },
        Error::CookieNameInvalid,
        Error::OriginInvalid,
        Error::SettingLate { setting: "leeway" },
    ];
    let codes: std::collections::BTreeSet<_> = errors.iter().map(Error::code).collect();
    assert_eq!(codes.len(), errors.len());
}

#[test]
fn what_is_printed_of_a_protection_holds_no_key() {
    let secret = "lantern orbit quilt mosaic 42 walnut";
    let key =
        countersign::VerifyingKey::from_secret(countersign::Algorithm::HS256, secret).unwrap();
    let builder = Protect::with_keys(ISSUER, key).audience(AUDIENCE);
    let printed = format!("{builder:?}");
    assert!(
        printed.contains(AUDIENCE) && !printed.contains(secret),
        "{printed}"
    );
    let printed = format!("{:?}", builder.build().unwrap());
    assert!(!printed.contains(secret), "{printed}");
}

#[test]
fn what_a_main_prints_that_returns_the_error_is_what_is_wrong_and_its_code() {
    let printed = |error: Error| format!("Error: {error:?}");
    assert_eq!(
        printed(Protect::issuer("").audience(AUDIENCE).build().unwrap_err()),
        "Error: the issuer is empty; name the value of `iss` that this service trusts (issuer_missing)"
    );
    let plain = Protect::issuer("http://keycloak:8080/realms/shop").audience(AUDIENCE);
    let refused = plain.build().unwrap_err();
    assert_eq!(
        printed(refused.clone()),
        "Error: the keys cannot be fetched: only https is fetched, and plain http from this machine alone (fetch_scheme_refused)"
    );
    let Error::Fetch(inner) = refused else {
        panic!("{refused}");
    };
    assert_eq!(format!("{inner:?}"), format!("{inner} ({})", inner.code()));
}

#[test]
fn of_several_issuers_an_error_names_the_one_that_it_is_about() {
    let auth = Protect::issuer("https://id.example")
        .audience(AUDIENCE)
        .and(Issuer::discover("http://keycloak:8080/realms/shop").audience(AUDIENCE))
        .and(Issuer::discover("https://partner.example").audience(AUDIENCE));
    let error = auth.build().unwrap_err();
    assert_eq!(error.code(), "fetch_scheme_refused");
    assert_eq!(
        error.to_string(),
        "issuer \"http://keycloak:8080/realms/shop\": the keys cannot be fetched: only https is fetched, and plain http from this machine alone"
    );
    let auth = Protect::issuer("localhost:8080").audience(AUDIENCE);
    let error = auth.build().unwrap_err();
    assert_eq!(error.code(), "fetch_scheme_missing");
    assert!(
        error.to_string().contains("write `https://` before it"),
        "{error}"
    );
    // A name forges no line.
    let auth = protect().and(Issuer::with_keys("a\nb", KEY.verifying_key()));
    let error = auth.build().unwrap_err().to_string();
    assert!(
        error.starts_with("issuer \"a\\nb\": no audience"),
        "{error}"
    );
}

#[test]
fn rejects_an_algorithm_that_no_key_is_for() {
    let with = |algorithms: &[Algorithm]| {
        let protect = Protect::with_keys(ISSUER, KEY.verifying_key()).audience(AUDIENCE);
        let protect = algorithms
            .iter()
            .fold(protect, |protect, algorithm| protect.algorithm(*algorithm));
        protect.build().map(|_| ())
    };
    let own = KEY.algorithm();
    assert_ne!(own, Algorithm::RS256);
    assert_eq!(with(&[Algorithm::RS256]), Err(Error::AlgorithmOfNoKey));
    assert_eq!(with(&[Algorithm::RS256, own]), Ok(()));
    assert_eq!(with(&[]), Ok(()));
}

#[test]
fn rejects_secrets_as_the_keys_that_an_issuer_publishes() {
    let with = |algorithms: &[Algorithm]| {
        let protect = Protect::issuer(ISSUER).audience(AUDIENCE);
        let protect = algorithms
            .iter()
            .fold(protect, |protect, algorithm| protect.algorithm(*algorithm));
        protect.build().map(|_| ())
    };
    let secrets = [Algorithm::HS256, Algorithm::HS512];
    assert_eq!(with(&secrets), Err(Error::AlgorithmOfSecret));
    assert_eq!(with(&[Algorithm::HS256, Algorithm::RS256]), Ok(()));
    assert_eq!(with(&[]), Ok(()));
}
