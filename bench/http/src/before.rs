use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header::AUTHORIZATION};
use axum::middleware::Next;
use axum::response::Response;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};

#[derive(Clone, serde::Deserialize)]
pub struct Order {
    pub sub: String,
    pub scope: String,
    pub roles: Vec<String>,
}

pub struct Checker {
    key: DecodingKey,
    validation: Validation,
}

impl Checker {
    pub fn new(key: DecodingKey, algorithm: Algorithm, iss: &str, aud: &str) -> Arc<Self> {
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[iss]);
        validation.set_audience(&[aud]);
        Arc::new(Self { key, validation })
    }
}

pub async fn check(State(checker): State<Arc<Checker>>, mut request: Request, next: Next) -> Result<Response, StatusCode> {
    let token = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .ok_or(StatusCode::UNAUTHORIZED)?;
    let order = decode::<Order>(token, &checker.key, &checker.validation)
        .map_err(|_| StatusCode::UNAUTHORIZED)?
        .claims;
    request.extensions_mut().insert(order);
    Ok(next.run(request).await)
}
