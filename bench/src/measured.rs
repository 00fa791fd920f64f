//! The process that measures Countersign.

use std::hint::black_box;
use std::time::SystemTime;

use countersign::Timestamp;
use harness::data::{ALGORITHMS, CLAIMS, Owned, token};
use harness::{Group, raw, serve};

use crate::ours;

pub fn serve_ours() {
    let groups = ALGORITHMS.iter().flat_map(|alg| [verify(alg), sign(alg)]).collect();
    serve(vec![], groups);
}

/// Whoever verifies reads the clock, so reading it is part of the time; the peers read it themselves.
fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

fn verify(alg: &'static str) -> Group {
    let mut group = Group::new("verify", alg, raw::verifying(alg));
    let token = token(alg);

    let (verifier, mut scratch) = (ours::verifier(alg), ours::Scratch::default());
    assert_eq!(
        ours::borrowed_text(&verifier, &mut scratch, token, now()),
        CLAIMS,
        "the claims are the token's"
    );
    group.add("countersign", Some("borrowed"), move || {
        ours::borrowed(&verifier, &mut scratch, token, now());
    });
    let (verifier, mut scratch) = (ours::verifier(alg), ours::Scratch::default());
    group.add("countersign", Some("registered"), move || {
        ours::registered(&verifier, &mut scratch, token, now());
    });
    let verifier = ours::verifier(alg);
    ours::owned::<Owned>(&verifier, token, now()).check();
    group.add("countersign", Some("owned"), move || {
        black_box(ours::owned::<Owned>(&verifier, token, now()));
    });
    group
}

fn sign(alg: &'static str) -> Group {
    let mut group = Group::new("sign", alg, raw::signing(alg));
    let (key, claims, mut buffer) = (ours::signing_key(alg), Owned::new(), String::new());
    group.add("countersign", None, move || ours::sign(&key, &mut buffer, &claims));
    group
}
