//! How much work a log-in takes: what it computes is counted, as time is the machine's.

use std::sync::Arc;

use countersign::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::config::{Flags, Settings};
use crate::rules::account::{self, Applicant};
use crate::rules::leap::Leaps;

const NOW: i64 = 1_800_000_000;
const PASSWORD: &str = "correct horse battery staple";
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
        let choosing = app.passwords.choosing().unwrap();
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
