//! jsonwebtoken, with the back end that the first argument names: a process has one.

use harness::data::{ALGORITHMS, AUDIENCE, ISSUER, KID, Owned, SECRET, pem, token};
use harness::{Counting, Group, raw, serve};
use jsonwebtoken::crypto::{aws_lc, rust_crypto};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let back_end = std::env::args().nth(1).unwrap_or_default();
    let provider = match back_end.as_str() {
        "aws_lc_rs" => &aws_lc::DEFAULT_PROVIDER,
        "rust_crypto" => &rust_crypto::DEFAULT_PROVIDER,
        _ => panic!("the back end is aws_lc_rs or rust_crypto"),
    };
    provider.install_default().expect("it is the first");
    let who = format!("jsonwebtoken/{back_end}");

    let mut groups = Vec::new();
    for alg in ALGORITHMS {
        let algorithm: Algorithm = alg.parse().expect("it knows the algorithm");
        let (signing, verifying) = keys(alg);

        let mut verify = Group::new("verify", alg, raw::verifying(alg));
        let mut policy = Validation::new(algorithm);
        policy.set_issuer(&[ISSUER]);
        policy.set_audience(&[AUDIENCE]);
        policy.set_required_spec_claims(&["exp", "iss", "aud"]);
        let read = move || decode::<Owned>(token(alg), &verifying, &policy).expect("it verifies").claims;
        read().check();
        verify.add(&who, Some("owned"), move || drop(std::hint::black_box(read())));

        let mut sign = Group::new("sign", alg, raw::signing(alg));
        let header = Header { kid: Some(KID.into()), ..Header::new(algorithm) };
        let claims = Owned::new();
        sign.add(&who, None, move || {
            std::hint::black_box(encode(&header, &claims, &signing).expect("it signs"));
        });
        groups.extend([verify, sign]);
    }
    serve(vec![], groups);
}

fn keys(alg: &str) -> (EncodingKey, DecodingKey) {
    let Some(pem) = pem(alg) else {
        return (EncodingKey::from_secret(SECRET), DecodingKey::from_secret(SECRET));
    };
    let (private, public) = (pem.private.as_bytes(), pem.public.as_bytes());
    let pair = match alg {
        "RS256" | "PS256" => (EncodingKey::from_rsa_pem(private), DecodingKey::from_rsa_pem(public)),
        "EdDSA" => (EncodingKey::from_ed_pem(private), DecodingKey::from_ed_pem(public)),
        _ => (EncodingKey::from_ec_pem(private), DecodingKey::from_ec_pem(public)),
    };
    (pair.0.expect("the key is good"), pair.1.expect("the key is good"))
}
