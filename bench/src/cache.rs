//! The cache of verified tokens: a hit among 1,000 hot tokens, on one thread and on two, beside a general cache that is
//! asked by the SHA-256 of the token. Goals: 200 ns a hit on one thread, 400 ns on two.

use std::hint::black_box;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use countersign::{JwkSet, TokenCache};
use harness::{Group, data::Owned, raw};
use moka::sync::Cache;

use crate::growth::{self, on_threads};
use crate::ours;

/// How many tokens are asked for in turn.
const HOT: usize = 1_000;

/// The groups, one for each number of threads; the reference is what a hit spares, the verification of HS256.
pub fn groups() -> Vec<Group> {
    let tokens: Arc<[String]> = (0..HOT).map(token).collect();
    vec![group("1", 1, &tokens), group("2", 2, &tokens)]
}

fn group(name: &'static str, threads: usize, tokens: &Arc<[String]>) -> Group {
    let reference = raw::Verifier::new("HS256");
    let (input, signature) = raw::parts(&tokens[0]);
    let input = input.to_owned();
    let mut group = Group::timed("cache", name, move || {
        on_threads(threads, HOT * 2, || (), |(), _| assert!(reference.verify(input.as_bytes(), &signature)))
    });

    let moka: Cache<[u8; 32], Arc<Owned>> = Cache::new(HOT as u64 * 2);
    for token in tokens.iter() {
        moka.insert(key(token), Arc::new(Owned::new()));
    }
    moka.run_pending_tasks();
    let asked = Arc::clone(tokens);
    group.add_timed("moka by SHA-256", None, move || {
        on_threads(
            threads,
            HOT * 2,
            || (),
            |(), turn| {
                black_box(moka.get(&key(&asked[turn % HOT])).expect("it is hot"));
            },
        )
    });

    let (keys, now) = (JwkSet::new([ours::signing_key("HS256").verifying_key()]), growth::now());
    let own = TokenCache::<Owned>::new(ours::policy(), HOT * 4, 16 * 1024 * 1024);
    for token in tokens.iter() {
        own.verify(&keys, token, now).expect("the token is good");
    }
    let asked = Arc::clone(tokens);
    group.add_timed("countersign", None, move || {
        on_threads(
            threads,
            HOT * 2,
            || (),
            |(), turn| {
                black_box(own.verify(&keys, &asked[turn % HOT], now).expect("it is hot"));
            },
        )
    });
    group
}

fn key(token: &str) -> [u8; 32] {
    let mut key = [0; 32];
    key.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    key
}

/// One of many tokens: they differ in `jti`, so in their signature too.
fn token(number: usize) -> String {
    let header = format!(r#"{{"alg":"HS256","kid":"{}","typ":"JWT"}}"#, harness::data::KID);
    let claims = harness::data::CLAIMS.replace("c1d2e3f40516", &format!("{number:012x}"));
    raw::compact("HS256", &header, &claims)
}
