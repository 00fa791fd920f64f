//! Writes the seeds of every target into `seeds/`, from the test data of the library: `cargo run --example seeds`.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use countersign::{JwsBuilder, JwsSigner, SigningHeader, SigningKey, StatusReference};
use countersign_fuzz::encrypted::{encrypt, kdfs};
use countersign_fuzz::{AUD, ISS, NOW, SECRET, signed};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = root.join("../crates/countersign/tests/data");
    let vectors: Vec<Value> = serde_json::from_slice(&fs::read(data.join("rfc.json"))?)?;
    let seed = |target: &str, name: &str, octets: &[u8]| -> std::io::Result<()> {
        let folder = root.join("seeds").join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), octets)
    };

    for (name, header, claims) in tokens() {
        seed("compact", name, signed(header.as_bytes(), claims.to_string().as_bytes()).as_bytes())?;
        seed("claims", name, claims.to_string().as_bytes())?;
        // The other library reads the clock: its tokens live long.
        let mut lasting = claims;
        lasting["exp"] = json!(4_102_444_800_i64);
        seed("differential", name, format!("{header}\n{lasting}").as_bytes())?;
    }
    seed(
        "differential",
        "array",
        format!(r#"{{"alg":"HS256"}}{}[4102444800,0,"ada","{ISS}","{AUD}"]"#, '\n').as_bytes(),
    )?;

    for (name, text) in documents()? {
        seed("jws_json", name, text.as_bytes())?;
    }
    let mut keys = Vec::new();
    for vector in &vectors {
        let section = vector["section"].as_str().unwrap_or("key");
        let name =
            format!("rfc{}-{section}", vector["rfc"]).replace(|letter: char| !letter.is_alphanumeric(), "-");
        if let Some(token) = vector["compact"].as_str().filter(|token| token.len() < 1500) {
            seed("compact", &name, token.as_bytes())?;
        }
        for member in ["key", "jwk"] {
            let key = &vector[member];
            if key.is_object() && key.to_string().len() < 2000 {
                seed("jwk", &name, key.to_string().as_bytes())?;
                if key.to_string().len() < 500 {
                    keys.push(key.clone());
                }
            }
        }
    }
    let named: Vec<Value> = keys
        .iter()
        .enumerate()
        .map(|(at, key)| {
            let mut key = key.clone();
            key["kid"] = json!(at.to_string());
            key
        })
        .collect();
    seed("jwks", "all", json!({ "keys": named }).to_string().as_bytes())?;
    seed("jwks", "nameless", json!({ "keys": keys }).to_string().as_bytes())?;
    seed(
        "jwks",
        "secret",
        json!({ "keys": [{"kty": "oct", "alg": "HS256", "k": countersign_fuzz::base64url(SECRET)}] })
            .to_string()
            .as_bytes(),
    )?;

    for entry in fs::read_dir(data.join("keys"))? {
        let path = entry?.path();
        let pem = fs::read(&path)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        seed("pem_der", &name, &pem)?;
        // The same without its armour, for one kind of each family.
        if ["p256", "ed25519", "rsa-"].iter().any(|kind| name.starts_with(kind)) {
            let text = String::from_utf8_lossy(&pem);
            let first = text.split_inclusive("-----END ").next().unwrap_or_default();
            let body: String = first.lines().filter(|line| !line.contains([':', '-'])).collect();
            let der = STANDARD.decode(body).map_err(|error| error.to_string())?;
            seed("pem_der", &format!("{name}.der"), &der)?;
            // And under a password that costs next to nothing.
            if name.ends_with("-pkcs8") {
                for (kdf, kind) in kdfs().into_iter().zip(["pbkdf2", "scrypt"]) {
                    seed("pem_der", &format!("{name}.{kind}.der"), &encrypt(&der, kdf))?;
                }
            }
        }
    }

    let lists: Vec<Value> = serde_json::from_slice(&fs::read(data.join("status-lists.json"))?)?;
    for list in &lists {
        let (bits, lst) = (&list["bits"], list["lst"].as_str().unwrap_or_default());
        let stream = URL_SAFE_NO_PAD.decode(lst).map_err(|error| error.to_string())?;
        let name = format!("{}-{bits}", list["section"].as_str().unwrap_or("list"))
            .replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
        seed("status_list", &name, json!({"bits": bits, "lst": lst}).to_string().as_bytes())?;
        seed("status_list", &format!("{name}.zlib"), &stream)?;
    }
    let reference = StatusReference::new("https://id.example/status-lists/1", 77);
    seed("status_list", "reference", Value::from(reference).to_string().as_bytes())?;
    Ok(())
}

/// Tokens of every kind: a name, the header and the claims.
fn tokens() -> Vec<(&'static str, &'static str, Value)> {
    let now = NOW.unix_secs();
    let claims = |more: Value| {
        let mut claims = json!({"iss": ISS, "aud": AUD, "exp": now + 600});
        if let (Some(claims), Some(more)) = (claims.as_object_mut(), more.as_object()) {
            claims.extend(more.clone());
        }
        claims
    };
    vec![
        (
            "plain",
            r#"{"alg":"HS256"}"#,
            claims(json!({"sub": "ada", "iat": now, "nbf": now - 1, "jti": "7"})),
        ),
        (
            "named",
            r#"{"alg":"HS256","kid":"7","typ":"JWT"}"#,
            claims(json!({"aud": ["other", AUD], "a": [1, {"b": null}]})),
        ),
        (
            "fraction",
            r#"{"typ":"application/jwt","alg":"HS256"}"#,
            claims(json!({"exp": now as f64 + 0.5, "ä\u{1f600}": "\u{0}"})),
        ),
        ("critical", r#"{"alg":"HS256","b64":true,"crit":["b64"]}"#, claims(json!({}))),
        ("embedded", r#"{"alg":"HS256","jwk":{"kty":"oct","k":"AA"},"x5c":["AA"]}"#, claims(json!({}))),
        (
            "access",
            r#"{"alg":"HS256","typ":"at+jwt"}"#,
            claims(json!({"sub": "ada", "client_id": "web", "iat": now, "jti": "7"})),
        ),
        ("id", r#"{"alg":"HS256","typ":"JWT"}"#, claims(json!({"sub": "ada", "nonce": "n-0S6", "iat": now}))),
        (
            "logout",
            r#"{"alg":"HS256","typ":"logout+jwt"}"#,
            claims(json!({"sub": "ada", "iat": now, "jti": "7",
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}}})),
        ),
        (
            "assertion",
            r#"{"alg":"HS256","typ":"client-authentication+jwt"}"#,
            claims(json!({"sub": ISS, "jti": "7"})),
        ),
        (
            "list",
            r#"{"alg":"HS256","typ":"statuslist+jwt"}"#,
            json!({"iss": ISS, "sub": AUD, "iat": now, "exp": now + 600, "ttl": 5,
            "status_list": {"bits": 1, "lst": "eNrbuRgAAhcBXQ"}}),
        ),
        ("bound", r#"{"alg":"HS256"}"#, claims(json!({"cnf": {"jkt": "AA"}}))),
    ]
}

/// A JWS in every serialisation.
fn documents() -> Result<Vec<(&'static str, String)>, countersign::Error> {
    let key = SigningKey::from_secret(countersign::Algorithm::HS256, SECRET)?;
    let named =
        JwsSigner::new(&key).header(SigningHeader::new().typ("receipt")).unprotected("kid", "7".into())?;
    let one = JwsBuilder::new("one coffee").signer(&key).sign()?;
    let two = JwsBuilder::new("one coffee").signer(&key).signer(named.clone()).sign()?;
    let raw = JwsBuilder::new("$.02").unencoded().signer(named).sign()?;
    Ok(vec![
        ("compact", one.to_compact()?),
        ("flattened", one.to_flattened()?),
        ("general", two.to_general()?),
        ("detached", two.without_payload().to_general()?),
        ("unencoded", raw.to_flattened()?),
        ("detached-compact", one.without_payload().to_compact()?),
    ])
}
