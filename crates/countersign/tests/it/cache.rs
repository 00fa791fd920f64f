//! The cache of verified tokens: a hit is what a verification would be, or it is no hit.

use std::sync::Arc;
use std::time::Duration;

use countersign::{
    Algorithm, JwkSet, NoClaims, Policy, SigningKey, Timestamp, TokenCache, Verified, Verifier,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{NOW, claims_with, code, policy};

const MANY: usize = 10_000;
const MUCH: usize = 64 * 1024 * 1024;

fn cache() -> TokenCache<Value> {
    TokenCache::new(policy(), MANY, MUCH)
}

fn token(key: &SigningKey, changes: Value) -> String {
    key.sign(&claims_with(changes)).unwrap()
}

fn later(secs: u64) -> Timestamp {
    NOW.saturating_add(Duration::from_secs(secs))
}

/// Row 22 of the catalogue: tokens that are alike in all but a little are never taken for each other.
#[test]
fn a_token_is_answered_with_its_own_claims_and_with_no_other_that_is_nearly_the_same() {
    for algorithm in [
        Algorithm::HS256,
        Algorithm::ES256,
        Algorithm::RS256,
        Algorithm::EdDSA,
    ] {
        let key = SigningKey::generate(algorithm).unwrap();
        let (keys, cache) = (JwkSet::from(key.verifying_key()), cache());
        let tokens: Vec<String> = (0..50)
            .map(|number| token(&key, json!({"sub": format!("user-{number}")})))
            .collect();
        for _ in 0..3 {
            for (number, token) in tokens.iter().enumerate() {
                let verified = cache.verify(&keys, token, NOW).unwrap();
                assert_eq!(verified["sub"], format!("user-{number}"));
            }
        }
        assert_eq!(cache.len(), 50);
        // One part of one token beside the parts of another: the hash may be the same, the text is not.
        let parts: Vec<Vec<&str>> = tokens
            .iter()
            .map(|token| token.split('.').collect())
            .collect();
        for (own, other) in parts.iter().zip(parts.iter().skip(1)) {
            for forged in [[own[0], other[1], own[2]], [own[0], own[1], other[2]]] {
                assert_eq!(
                    code(cache.verify(&keys, &forged.join("."), NOW)),
                    "signature_invalid"
                );
            }
        }
        let whole = &tokens[7];
        for at in [0, 5, whole.len() / 2, whole.len() - 2] {
            let cut = [&whole[..at], &whole[at + 1..]].concat();
            assert!(cache.verify(&keys, &cut, NOW).is_err(), "{at}");
        }
        assert!(cache.verify(&keys, &format!("{whole}A"), NOW).is_err());
        assert_eq!(cache.len(), 50);
    }
}

#[test]
fn a_hit_is_the_same_verification_and_not_another() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let (keys, cache) = (JwkSet::from(key.verifying_key()), cache());
    let token = token(&key, json!({}));
    let first = cache.verify(&keys, &token, NOW).unwrap();
    assert!(Arc::ptr_eq(
        &first,
        &cache.verify(&keys, &token, NOW).unwrap()
    ));
    cache.clear();
    assert!(cache.is_empty());
    assert!(!Arc::ptr_eq(
        &first,
        &cache.verify(&keys, &token, NOW).unwrap()
    ));
}

#[test]
fn rejects_a_cached_token_at_the_second_it_expires_and_before_the_second_it_starts() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let (keys, cache) = (JwkSet::from(key.verifying_key()), cache());
    let at = |secs: i64| NOW.unix_secs() + secs;
    let token = token(&key, json!({"exp": at(10), "nbf": at(0), "iat": at(0)}));
    assert!(cache.verify(&keys, &token, NOW).is_ok());
    assert!(cache.verify(&keys, &token, later(9)).is_ok());
    for (now, refused) in [
        (later(10), "token_expired"),
        (later(1 << 40), "token_expired"),
    ] {
        assert_eq!(code(cache.verify(&keys, &token, now)), refused);
        assert!(cache.is_empty());
    }
    assert!(cache.verify(&keys, &token, NOW).is_ok());
    let before = Timestamp::from_unix_secs(at(-1));
    assert_eq!(
        code(cache.verify(&keys, &token, before)),
        "token_not_yet_valid"
    );
}

#[test]
fn every_rule_about_time_is_asked_at_every_hit() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let keys = JwkSet::from(key.verifying_key());
    let at = |secs: i64| NOW.unix_secs() + secs;
    let token = token(
        &key,
        json!({"exp": at(600), "iat": at(0), "auth_time": at(-5)}),
    );
    let builder = || {
        Policy::builder()
            .issuer(crate::support::ISS)
            .audience(crate::support::AUD)
    };
    for policy in [
        builder()
            .max_token_age(Duration::from_secs(100))
            .build()
            .unwrap(),
        builder()
            .max_auth_age(Duration::from_secs(105))
            .build()
            .unwrap(),
    ] {
        let cache = TokenCache::<NoClaims>::new(policy.clone(), MANY, MUCH);
        let verifier = Verifier::new(keys.clone(), policy);
        for secs in [0, 50, 99, 100, 101, 599, 600] {
            let plain = verifier.verify::<NoClaims>(&token, later(secs)).err();
            assert_eq!(
                cache.verify(&keys, &token, later(secs)).err(),
                plain,
                "{secs}"
            );
        }
        assert_eq!(
            code(cache.verify(&keys, &token, later(101))),
            "token_too_old"
        );
    }
}

#[test]
fn a_key_that_leaves_takes_its_tokens_along_and_the_others_stay() {
    let [old, new] = [(); 2].map(|()| SigningKey::generate(Algorithm::ES256).unwrap());
    let both = JwkSet::new([old.verifying_key(), new.verifying_key()]);
    let cache = cache();
    let (of_old, of_new) = (
        token(&old, json!({"sub": "old"})),
        token(&new, json!({"sub": "new"})),
    );
    let first = cache.verify(&both, &of_new, NOW).unwrap();
    assert!(cache.verify(&both, &of_old, NOW).is_ok());
    // The same keys, fetched again: another set, and the entries are still good.
    let again = JwkSet::parse(both.to_public_json().as_bytes()).unwrap();
    assert!(Arc::ptr_eq(
        &first,
        &cache.verify(&again, &of_new, NOW).unwrap()
    ));
    let alone = JwkSet::new([new.verifying_key()]);
    assert_eq!(code(cache.verify(&alone, &of_old, NOW)), "key_not_found");
    assert!(Arc::ptr_eq(
        &first,
        &cache.verify(&alone, &of_new, NOW).unwrap()
    ));
    assert_eq!(cache.len(), 1);
    // A set that has come back is asked again, and so is one in which another key has taken the name.
    assert!(cache.verify(&both, &of_old, NOW).is_ok());
    let imposter = SigningKey::generate(Algorithm::ES256)
        .unwrap()
        .with_key_id(old.key_id().unwrap());
    let replaced = JwkSet::new([imposter.verifying_key(), new.verifying_key()]);
    assert_eq!(
        code(cache.verify(&replaced, &of_old, NOW)),
        "signature_invalid"
    );
    assert!(cache.verify(&both, &of_old, NOW).is_ok());
    cache.retain_keys(&alone);
    assert_eq!(cache.len(), 1);
    assert_eq!(
        code(cache.verify(&JwkSet::default(), &of_new, NOW)),
        "key_not_found"
    );
}

#[test]
fn what_was_refused_is_not_kept() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let (keys, cache) = (JwkSet::from(key.verifying_key()), cache());
    for (changes, refused) in [
        (json!({"exp": 1}), "token_expired"),
        (json!({"aud": "other"}), "audience_mismatch"),
    ] {
        let token = token(&key, changes);
        for _ in 0..2 {
            assert_eq!(code(cache.verify(&keys, &token, NOW)), refused);
        }
    }
    let misshapen = TokenCache::<Vec<u8>>::new(policy(), MANY, MUCH);
    assert_eq!(
        code(misshapen.verify(&keys, &token(&key, json!({})), NOW)),
        "claims_shape"
    );
    assert!(cache.is_empty() && misshapen.is_empty());
}

#[test]
fn it_never_holds_more_than_its_limits_and_keeps_what_is_asked_for() {
    let key = SigningKey::generate(Algorithm::HS256).unwrap();
    let keys = JwkSet::from(key.verifying_key());
    let small = TokenCache::<Value>::new(policy(), 256, MUCH);
    let hot = token(&key, json!({"sub": "hot"}));
    let first = small.verify(&keys, &hot, NOW).unwrap();
    let mut kept = 0;
    for number in 0..3_000 {
        small
            .verify(
                &keys,
                &token(&key, json!({"sub": format!("{number}")})),
                NOW,
            )
            .unwrap();
        assert!(small.len() <= 256);
        kept += usize::from(Arc::ptr_eq(
            &first,
            &small.verify(&keys, &hot, NOW).unwrap(),
        ));
    }
    assert!(small.len() > 200, "{}", small.len());
    assert!(!small.is_empty());
    let shown = format!("{small:?}");
    assert!(
        shown.contains("tokens: ") && shown.contains("policy: "),
        "{shown}"
    );
    assert!(!shown.contains("hot") && !shown.contains(&hot), "{shown}");
    assert_eq!(
        kept, 3_000,
        "what is asked for between any two others stays"
    );
    for none in [
        TokenCache::<Value>::new(policy(), 0, MUCH),
        TokenCache::new(policy(), MANY, 1_000),
    ] {
        for _ in 0..2 {
            assert!(none.verify(&keys, &hot, NOW).is_ok());
            assert!(none.is_empty());
        }
    }
    // A shard's share of this holds about two of these tokens.
    let tight = TokenCache::<Value>::new(policy(), MANY, 64 * 2_100);
    for number in 0..2_000 {
        tight
            .verify(
                &keys,
                &token(&key, json!({"sub": format!("{number}")})),
                NOW,
            )
            .unwrap();
    }
    assert!((64..=64 * 3).contains(&tight.len()), "{}", tight.len());
}

#[test]
fn what_is_made_of_a_verification_is_held_and_the_proof_of_another_token_is_not() {
    let key = SigningKey::generate(Algorithm::HS256).unwrap();
    let keys = JwkSet::from(key.verifying_key());
    let [one, two] = ["one", "two"].map(|sub| token(&key, json!({"sub": sub})));
    let verify = |policy: &Policy, token: &str| {
        let verified = keys.verify::<Value>(policy, token, NOW)?;
        Ok(Arc::new(verified))
    };
    let cache = cache();
    let mixed_up = cache
        .find_or_verify(&keys, &one, NOW, |policy| verify(policy, &two))
        .unwrap();
    assert_eq!(mixed_up["sub"], "two");
    assert!(cache.is_empty());
    let first = cache
        .find_or_verify(&keys, &one, NOW, |policy| verify(policy, &one))
        .unwrap();
    let again = cache.find_or_verify(&keys, &one, NOW, |_| panic!("it is held"));
    assert!(Arc::ptr_eq(&first, &again.unwrap()));
    assert_eq!(cache.len(), 1);
}

#[test]
fn threads_that_share_it_see_their_own_tokens() {
    let key = SigningKey::generate(Algorithm::HS256).unwrap();
    let (keys, cache) = (
        JwkSet::from(key.verifying_key()),
        TokenCache::<Value>::new(policy(), 128, MUCH),
    );
    let tokens: Vec<String> = (0..300)
        .map(|number| token(&key, json!({"sub": number.to_string()})))
        .collect();
    std::thread::scope(|scope| {
        for start in 0..4 {
            let (keys, cache, tokens) = (&keys, &cache, &tokens);
            scope.spawn(move || {
                for step in 0..2_000 {
                    let number = (start * 71 + step * 7) % tokens.len();
                    let verified: Arc<Verified<Value>> =
                        cache.verify(keys, &tokens[number], NOW).unwrap();
                    assert_eq!(verified["sub"], number.to_string());
                }
            });
        }
    });
    assert!(cache.len() <= 128);
}

proptest! {
    #[test]
    fn it_says_of_every_token_what_a_verifier_says(
        steps in proptest::collection::vec((0usize..12, 0u64..700, any::<prop::sample::Index>(), any::<u8>()), 1..60),
    ) {
        let [one, two] = [b"k7Qx0vYw2mNfT4uZ9aLpR8cHsJ3eBgDi", b"A7Zx0vYw2mNfT4uZ9aLpR8cHsJ3eBgDi"]
            .map(|secret| SigningKey::from_secret(Algorithm::HS256, secret).unwrap());
        let (one, two) = (one.with_key_id("1"), two.with_key_id("2"));
        let sets = [
            JwkSet::new([one.verifying_key(), two.verifying_key()]),
            JwkSet::new([one.verifying_key()]),
            JwkSet::new([two.verifying_key().with_key_id("1"), one.verifying_key().with_key_id("2")]),
        ];
        let tokens: Vec<String> = (0..12)
            .map(|number| {
                let key = if number % 2 == 0 { &one } else { &two };
                token(key, json!({"sub": number.to_string(), "exp": NOW.unix_secs() + 50 * number}))
            })
            .collect();
        let cache = TokenCache::<Value>::new(policy(), 70, MUCH);
        for (number, secs, at, byte) in steps {
            let keys = &sets[usize::from(byte) % 3];
            let mut text = tokens[number].clone().into_bytes();
            if byte % 5 == 0 {
                let at = at.index(text.len());
                text[at] = byte & 0x7f;
            }
            let text = String::from_utf8(text).unwrap();
            let plain = Verifier::new(keys.clone(), policy()).verify::<Value>(&text, later(secs));
            let cached = cache.verify(keys, &text, later(secs));
            prop_assert_eq!(cached.as_ref().err(), plain.as_ref().err());
            if let (Ok(cached), Ok(plain)) = (cached, plain) {
                prop_assert_eq!(cached.claims(), plain.claims());
            }
        }
    }
}
