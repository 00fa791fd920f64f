//! A service whose /profile needs an access token of Countersign, checked with jsonwebtoken.

use std::{env::var, error::Error, fs::read, time::Duration, time::SystemTime};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, jwk::JwkSet};
use serde_json::{Value, json};
use tiny_http::{Response, Server};

fn main() -> Result<(), Box<dyn Error>> {
    let alg: Algorithm = var("ALG")?.parse()?;
    if std::env::args().nth(1).as_deref() == Some("sign") {
        let exp = (SystemTime::now() + Duration::from_secs(600)).duration_since(SystemTime::UNIX_EPOCH)?;
        let claims =
            json!({"iss": var("ISSUER")?, "aud": var("AUDIENCE")?, "sub": "ada", "exp": exp.as_secs()});
        println!("{}", jsonwebtoken::encode(&Header::new(alg), &claims, &own_key(alg)?)?);
        return Ok(());
    }
    // The expectations stand here; the token's header decides nothing.
    let mut expected = Validation::new(alg);
    expected.leeway = 0;
    expected.set_issuer(&[var("ISSUER")?]);
    expected.set_audience(&[var("AUDIENCE")?]);
    expected.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    // The issuer's public keys (fetch them again for a new kid); HS256 shares a secret instead.
    let mut keys = JwkSet { keys: Vec::new() };
    if alg != Algorithm::HS256 {
        let answer = ureq::get(var("JWKS_URL")?).call()?.body_mut().read_to_string()?;
        keys = serde_json::from_str(&answer)?;
    }
    let verify = |token: &str| -> Result<Value, Box<dyn Error>> {
        let kid = jsonwebtoken::decode_header(token)?.kid.unwrap_or_default();
        let key = match alg {
            Algorithm::HS256 => DecodingKey::from_secret(var("SECRET")?.as_bytes()),
            _ => DecodingKey::from_jwk(keys.find(&kid).ok_or("unknown key")?)?,
        };
        let token = jsonwebtoken::decode::<Value>(token, &key, &expected)?;
        let access_token = token.header.typ.as_deref() == Some("at+jwt");
        access_token.then_some(token.claims).ok_or("no access token".into())
    };
    let server = Server::http("127.0.0.1:0").map_err(|error| error.to_string())?;
    println!("listening {}", server.server_addr().to_ip().ok_or("no port")?.port());
    for request in server.incoming_requests() {
        let mut headers = request.headers().iter().filter(|header| header.field.equiv("Authorization"));
        let bearer = headers.next().and_then(|header| header.value.as_str().strip_prefix("Bearer "));
        let user = bearer.ok_or("no token".into()).and_then(verify);
        let status = if user.is_ok() { 200 } else { 401 };
        let body = user.map_or("Invalid token".to_owned(), |user| format!("Welcome, {}", user["sub"]));
        request.respond(Response::from_string(body).with_status_code(status))?;
    }
    Ok(())
}

fn own_key(alg: Algorithm) -> Result<EncodingKey, Box<dyn Error>> {
    Ok(match alg {
        Algorithm::HS256 => EncodingKey::from_secret(var("SECRET")?.as_bytes()),
        Algorithm::RS256 => EncodingKey::from_rsa_pem(&read(var("KEY_FILE")?)?)?,
        Algorithm::ES256 => EncodingKey::from_ec_pem(&read(var("KEY_FILE")?)?)?,
        _ => EncodingKey::from_ed_pem(&read(var("KEY_FILE")?)?)?,
    })
}
