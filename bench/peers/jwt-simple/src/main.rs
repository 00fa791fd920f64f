//! jwt-simple.

use std::collections::HashSet;

use harness::data::{ALGORITHMS, AUDIENCE, ISSUER, KID, Owned, SECRET, pem, token};
use harness::{Counting, Group, raw, serve};
use jwt_simple::prelude::*;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The claims that its own type does not have.
#[derive(Clone, Serialize, Deserialize)]
struct Custom {
    scope: String,
    roles: Vec<String>,
}

fn main() {
    let mut groups = Vec::new();
    for alg in ALGORITHMS {
        // Each algorithm is a type of its own here: each gets its pair of closures.
        macro_rules! measure {
            ($signing:expr, $verifying:expr, $sign:ident) => {{
                let (signing, verifying) = ($signing, $verifying);
                let read = move |options| {
                    verifying.verify_token::<Custom>(token(alg), Some(options)).expect("it verifies")
                };
                let sign = move |claims| signing.$sign(claims).expect("it signs");
                groups.extend(both(alg, read, sign));
            }};
        }
        macro_rules! pair {
            ($private:ident, $public:ident) => {{
                let pem = pem(alg).expect("there is a pair");
                let private = $private::from_pem(pem.private).expect("the key is good").with_key_id(KID);
                measure!(private, $public::from_pem(pem.public).expect("the key is good"), sign)
            }};
        }
        match alg {
            "HS256" => measure!(
                HS256Key::from_bytes(SECRET).with_key_id(KID),
                HS256Key::from_bytes(SECRET),
                authenticate
            ),
            "RS256" => pair!(RS256KeyPair, RS256PublicKey),
            "PS256" => pair!(PS256KeyPair, PS256PublicKey),
            "ES256" => pair!(ES256KeyPair, ES256PublicKey),
            "ES384" => pair!(ES384KeyPair, ES384PublicKey),
            "EdDSA" => pair!(Ed25519KeyPair, Ed25519PublicKey),
            _ => panic!("{alg} is not measured"),
        }
    }
    let with = if cfg!(feature = "boring") { "BoringSSL" } else { "its crypto in Rust" };
    serve(vec![format!("jwt-simple with {with}")], groups);
}

fn both(
    alg: &'static str,
    read: impl Fn(VerificationOptions) -> JWTClaims<Custom> + 'static,
    sign: impl Fn(JWTClaims<Custom>) -> String + 'static,
) -> [Group; 2] {
    let options = VerificationOptions {
        allowed_issuers: Some(HashSet::from([ISSUER.to_owned()])),
        allowed_audiences: Some(HashSet::from([AUDIENCE.to_owned()])),
        ..VerificationOptions::default()
    };
    let claims = read(options.clone());
    owned(&claims).check();

    // Both take what they are given for good: the copies are made outside of the time.
    let mut verifying = Group::new("verify", alg, raw::verifying(alg));
    verifying.add_with(
        "jwt-simple",
        Some("owned"),
        move || options.clone(),
        move |options| {
            drop(std::hint::black_box(read(options)));
        },
    );
    let mut signing = Group::new("sign", alg, raw::signing(alg));
    signing.add_with(
        "jwt-simple",
        None,
        move || claims.clone(),
        move |claims| {
            std::hint::black_box(sign(claims));
        },
    );
    [verifying, signing]
}

fn owned(claims: &JWTClaims<Custom>) -> Owned {
    let text = |name: &Option<String>| name.clone().unwrap_or_default();
    let time = |at: Option<UnixTimeStamp>| at.map_or(0, |at| at.as_secs().cast_signed());
    let Some(Audiences::AsString(aud)) = claims.audiences.clone() else { panic!("aud is one string") };
    Owned {
        iss: text(&claims.issuer),
        sub: text(&claims.subject),
        aud,
        exp: time(claims.expires_at),
        iat: time(claims.issued_at),
        nbf: time(claims.invalid_before),
        jti: text(&claims.jwt_id),
        scope: claims.custom.scope.clone(),
        roles: claims.custom.roles.clone(),
    }
}
