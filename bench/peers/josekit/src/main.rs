//! josekit, over the OpenSSL of the system.

use harness::data::{ALGORITHMS, AUDIENCE, CLAIMS, ISSUER, KID, Owned, SECRET, pem, token};
use harness::{Counting, Group, raw, serve};
use josekit::JoseError;
use josekit::jwk::KeyPair as _;
use josekit::jwk::alg::rsa::RsaKeyPair;
use josekit::jws::alg::ecdsa::EcdsaJwsAlgorithm;
use josekit::jws::alg::rsassa::RsassaJwsAlgorithm;
use josekit::jws::alg::rsassa_pss::RsassaPssJwsAlgorithm;
use josekit::jws::{EdDSA, HS256, JwsHeader, JwsSigner, JwsVerifier};
use josekit::jwt::{JwtPayload, JwtPayloadValidator, decode_with_verifier, encode_with_signer};
use serde_json::{Map, Value};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let mut groups = Vec::new();
    for alg in ALGORITHMS {
        let (signer, verifier) = keys(alg).expect("the keys are good");

        let mut verify = Group::new("verify", alg, raw::verifying(alg));
        let mut policy = JwtPayloadValidator::new();
        policy.set_issuer(ISSUER);
        policy.set_audience(AUDIENCE);
        let read = move || -> Owned {
            let (payload, _) = decode_with_verifier(token(alg), &*verifier).expect("it verifies");
            policy.validate(&payload).expect("the claims are good");
            let claims: Map<String, Value> = payload.into();
            serde_json::from_value(Value::Object(claims)).expect("the claims fit")
        };
        read().check();
        verify.add("josekit", Some("owned"), move || drop(std::hint::black_box(read())));

        let mut sign = Group::new("sign", alg, raw::signing(alg));
        let mut header = JwsHeader::new();
        header.set_token_type("JWT");
        header.set_key_id(KID);
        // It signs its own map of claims and no type of the caller's: the map is made outside of the time.
        let claims: Map<String, Value> = serde_json::from_str(CLAIMS).expect("the claims are an object");
        let payload = JwtPayload::from_map(claims).expect("the claims fit");
        sign.add("josekit", None, move || {
            std::hint::black_box(encode_with_signer(&payload, &header, &*signer).expect("it signs"));
        });
        groups.extend([verify, sign]);
    }
    serve(vec![openssl::version::version().into()], groups);
}

type Pair = (Box<dyn JwsSigner>, Box<dyn JwsVerifier>);

macro_rules! pair {
    ($alg:expr, $pem:expr) => {
        (Box::new($alg.signer_from_pem($pem.private)?), Box::new($alg.verifier_from_pem($pem.public)?))
    };
}

fn keys(alg: &str) -> Result<Pair, JoseError> {
    let Some(pem) = pem(alg) else {
        let (signer, verifier) = (HS256.signer_from_bytes(SECRET)?, HS256.verifier_from_bytes(SECRET)?);
        return Ok((Box::new(signer), Box::new(verifier)));
    };
    Ok(match alg {
        "RS256" => pair!(RsassaJwsAlgorithm::Rs256, pem),
        // Of PEM it wants a key that says it is for PSS alone.
        "PS256" => {
            let jwk = RsaKeyPair::from_pem(pem.private)?.to_jwk_key_pair();
            let alg = RsassaPssJwsAlgorithm::Ps256;
            (Box::new(alg.signer_from_jwk(&jwk)?), Box::new(alg.verifier_from_jwk(&jwk)?))
        }
        "ES256" => pair!(EcdsaJwsAlgorithm::Es256, pem),
        "ES384" => pair!(EcdsaJwsAlgorithm::Es384, pem),
        "EdDSA" => pair!(EdDSA, pem),
        _ => panic!("{alg} is not measured"),
    })
}
