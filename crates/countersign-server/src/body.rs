//! What a request holds: a body, JSON with each member once, or a form from a page; at most 64 KiB, and in time.

use std::net::IpAddr;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, FromRequest, FromRequestParts, Path, Request};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::router::Client;

mod shape;

/// The most bytes that a body may have.
pub(crate) const MAX_BYTES: usize = 64 * 1024;

const TIMEOUT: Duration = Duration::from_secs(10);
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// A JSON object as `T`, which names every member that there may be.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        MaybeJson::from_request(request, state)
            .await?
            .0
            .map(Self)
            .ok_or(Error::BodyEmpty)
    }
}

/// As [`Json`]; `None` where there is no body at all, which needs no content type.
pub(crate) struct MaybeJson<T>(pub(crate) Option<T>);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for MaybeJson<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let is_json =
            content_type(request.headers()).map(|media_type| media_type.eq_ignore_ascii_case(JSON));
        if is_json == Some(false) {
            return Err(Error::MediaType { expected: JSON });
        }
        let bytes = in_time(Bytes::from_request(request, state))
            .await?
            .map_err(|problem| refused(problem.status()))?;
        match (bytes.is_empty(), is_json) {
            (true, _) => Ok(Self(None)),
            (false, None) => Err(Error::MediaType { expected: JSON }),
            (false, Some(_)) => parse(&bytes).map(|body| Self(Some(body))),
        }
    }
}

/// A form that a page without JavaScript posted.
pub(crate) struct PageForm<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for PageForm<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let form = in_time(Form::<T>::from_request(request, state)).await?;
        form.map(|Form(body)| Self(body))
            .map_err(|problem| match problem {
                FormRejection::InvalidFormContentType(_) => Error::MediaType { expected: FORM },
                FormRejection::BytesRejection(problem) => refused(problem.status()),
                _ => Error::BodyShape {
                    reason: "the form has other fields than the page".to_owned(),
                },
            })
    }
}

/// The one part of the path that names something; bytes that are no text name nothing.
pub(crate) struct Named(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Path(name) = Path::from_request_parts(parts, state)
            .await
            .map_err(|_| Error::NotFound)?;
        Ok(Self(name))
    }
}

/// The address of the client, where the server knows it.
pub(crate) struct Peer(pub(crate) Option<IpAddr>);

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let client = parts.extensions.get::<Client>();
        Ok(Self(client.map(|Client(address)| *address)))
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    if bytes.trim_ascii().is_empty() {
        return Err(Error::BodyEmpty);
    }
    let value = countersign::parse_strict(bytes).map_err(|_| Error::BodySyntax)?;
    shape::fit(value).map_err(|reason| Error::BodyShape { reason })
}

async fn in_time<T>(read: impl Future<Output = T>) -> Result<T, Error> {
    tokio::time::timeout(TIMEOUT, read)
        .await
        .map_err(|_| Error::BodyTooSlow)
}

fn refused(status: StatusCode) -> Error {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        Error::BodyTooLarge
    } else {
        Error::BodySyntax
    }
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(CONTENT_TYPE)?.to_str().unwrap_or_default();
    value.split(';').next().map(str::trim)
}
