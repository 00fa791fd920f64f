//! How much work a log-in takes: what it computes is counted, as time is the machine's.

use std::sync::Arc;

use countersign::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::config::{Flags, Settings};
use crate::rules::account::{self, Applicant};
use crate::rules::leap::Leaps;
use crate::rules::throttle::Allowance;

const NOW: i64 = 1_800_000_000;
const PASSWORD: &str = "lantern orbit quilt mosaic 42";
const WRONG: &str = "wrong horse battery staple";
/// Of one hash as new passwords are stored.
const ONE: [(u32, u32, u32); 1] = [(19 * 1024, 2, 1)];

async fn app(folder: &TempDir) -> App {
    let flags = Flags {
        data: Some(folder.path().to_owned()),
        ..Flags::default()
    };
    let settings = Settings::load(flags, []).unwrap();
    let clock = Arc::new(|| Timestamp::from_unix_secs(NOW));
    let issuer = "http://127.0.0.1:8080".to_owned();
    let app = App::open(&settings, issuer, None, clock, Leaps::default())
        .await
        .unwrap();
    for email in ["ada@example.com", "off@example.com", "odd@example.com"] {
        let applicant = Applicant::new(email, None, PASSWORD).unwrap();
        let choosing = app.passwords.choosing(None).unwrap();
        account::register(&app.store, &choosing, applicant, &[], NOW)
            .await
            .unwrap();
    }
    app.store.disable("off@example.com").await;
    app.store.spoil_hash("odd@example.com", "!").await;
    app.passwords.asked();
    app
}

/// Whether it was let in, and what was computed.
async fn attempt(app: &App, email: &str, password: &str) -> (bool, Vec<(u32, u32, u32)>) {
    let password: Secret = serde_json::from_value(password.into()).unwrap();
    let opened = log_in(app, None, &HeaderMap::new(), email, &password).await;
    if let Err(refused) = &opened {
        assert!(matches!(refused, Error::InvalidCredentials), "{refused:?}");
    }
    (opened.is_ok(), app.passwords.asked())
}

#[tokio::test]
async fn every_refusal_computes_one_hash_of_the_same_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(&folder).await;
    let is_let_in = (true, ONE.to_vec());
    assert_eq!(attempt(&app, "ada@example.com", PASSWORD).await, is_let_in);
    for (email, password) in [
        ("ada@example.com", WRONG),
        ("nobody@example.com", PASSWORD),
        ("nobody@example.com", WRONG),
        ("no address", WRONG),
        ("", WRONG),
        // Disabled, with and without the password.
        ("off@example.com", PASSWORD),
        ("off@example.com", WRONG),
        // Locked by a hash that no password has.
        ("odd@example.com", PASSWORD),
    ] {
        let is_refused = (false, ONE.to_vec());
        assert_eq!(
            attempt(&app, email, password).await,
            is_refused,
            "{email} {password}"
        );
    }
}

#[tokio::test]
async fn a_stored_hash_that_no_password_has_costs_as_much_as_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(&folder).await;
    for spoilt in [
        "",
        "$argon2id$v=19$m=19456,t=2,p=1",
        "$argon2id$v=19$m=19456,t=2,p=1$AQEBAQEBAQEBAQEBAQEBAQ",
        // Too short for a salt, and for a hash.
        "$argon2id$v=19$m=19456,t=2,p=1$AQEB$AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE",
        "$argon2id$v=19$m=19456,t=2,p=1$AQEBAQEBAQEBAQEBAQEBAQ$AQEB",
    ] {
        app.store.spoil_hash("odd@example.com", spoilt).await;
        let is_refused = (false, ONE.to_vec());
        assert_eq!(
            attempt(&app, "odd@example.com", PASSWORD).await,
            is_refused,
            "{spoilt}"
        );
    }
}

#[tokio::test]
async fn a_password_that_nobody_can_have_is_refused_without_work_whoever_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(&folder).await;
    let too_long = "x".repeat(300);
    for email in ["ada@example.com", "nobody@example.com", "off@example.com"] {
        for password in ["", &too_long] {
            assert_eq!(
                attempt(&app, email, password).await,
                (false, Vec::new()),
                "{email}"
            );
        }
    }
}

#[tokio::test]
async fn who_may_not_try_takes_no_place_of_who_may() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(&folder).await;
    let password: Secret = serde_json::from_value(WRONG.into()).unwrap();
    let try_from = async |peer: &str| {
        let peer = Some(peer.parse().unwrap());
        let opened = log_in(&app, peer, &HeaderMap::new(), "ada@example.com", &password).await;
        opened.err().unwrap()
    };
    for _ in 0..10 {
        assert!(matches!(
            try_from("192.0.2.1").await,
            Error::InvalidCredentials
        ));
    }
    let mut places = Vec::new();
    while let Ok(place) = app.passwords.checking(None) {
        places.push(place);
    }
    // Every place is taken: who is told to wait for another reason has not looked for one.
    let throttled = try_from("192.0.2.1").await;
    assert!(
        matches!(throttled, Error::TooManyRequests { .. }),
        "{throttled:?}"
    );
    // Who may try is told to wait, and is charged nothing.
    for _ in 0..20 {
        assert!(matches!(try_from("198.51.100.1").await, Error::Busy { .. }));
    }
    drop(places);
    assert!(matches!(
        try_from("198.51.100.1").await,
        Error::InvalidCredentials
    ));
}

#[tokio::test]
async fn a_site_of_ipv6_has_an_allowance_whatever_its_networks() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(&folder).await;
    let mut limits = app.limits;
    limits.site_hashes = Allowance {
        burst: 3,
        refill_secs: 1,
    };
    let charge = async |peer: &str, email: &str| {
        let peer = Some(peer.parse().unwrap());
        let attempt = Attempt::login(&app.store, &limits, email, peer, NOW).await;
        attempt.unwrap().charge(&app.store, NOW).await
    };
    for network in 0..3 {
        let (peer, email) = (
            format!("2001:db8:7:{network}::1"),
            format!("{network}@example.com"),
        );
        charge(&peer, &email).await.unwrap();
    }
    let fourth = charge("2001:db8:7:9::1", "9@example.com").await;
    assert!(matches!(fourth, Err(Error::TooManyRequests { .. })));
    charge("2001:db8:8:9::1", "9@example.com").await.unwrap();
    // A network of IPv4 is its own site, and is charged once.
    for number in 0..4 {
        charge("192.0.2.1", &format!("{number}@example.org"))
            .await
            .unwrap();
    }
}
