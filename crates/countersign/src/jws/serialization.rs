//! The texts of a JWS: JSON serialisation in and out, compact out (RFC 7515 §7, RFC 7797 §5).

use serde::Serialize;
use serde_json::{Map, Value};

use super::Header;
use super::document::{Jws, MAX_JWS_BYTES, Payload, Signature, check_count, unfit_for_compact};
use super::headers::Headers;
use crate::base64url;
use crate::error::{Error, Malformed, Part};
use crate::json;

type Members = Map<String, Value>;

/// Reads the flattened or general JSON serialisation.
pub(super) fn parse_json(text: &str) -> Result<Jws, Error> {
    if text.len() > MAX_JWS_BYTES {
        return Err(Malformed::TooLarge {
            part: Part::Document,
            limit: MAX_JWS_BYTES,
        }
        .into());
    }
    let mut document = json::parse_object(text.as_bytes(), Part::Document)?;
    // RFC 7516 §9: this member is what tells a JWE from a JWS.
    if document.contains_key("ciphertext") {
        return wrong(
            "ciphertext",
            "is that of an encrypted document; a signed one is needed",
        );
    }
    let payload = take_text(&mut document, "payload")?;
    let signatures = match document.remove("signatures") {
        None => vec![signature(document)?],
        Some(Value::Array(signatures)) => {
            // RFC 7515 §7.2.2: the two forms exclude each other, or two readers could follow two signatures.
            for name in ["signature", "protected", "header"] {
                if document.contains_key(name) {
                    return wrong(name, "stands beside `signatures`");
                }
            }
            check_count(signatures.len())?;
            signatures
                .into_iter()
                .map(|members| match members {
                    Value::Object(members) => signature(members),
                    _ => wrong("signatures", "holds what is not an object"),
                })
                .collect::<Result<_, _>>()?
        }
        Some(_) => return wrong("signatures", "is not an array"),
    };
    Jws::assemble(signatures, |unencoded| {
        payload
            .map(|text| Payload::decode(text, unencoded))
            .transpose()
    })
}

fn signature(mut members: Members) -> Result<Signature, Error> {
    let Some(text) = take_text(&mut members, "signature")? else {
        return wrong("signature", "is missing");
    };
    let protected = take_text(&mut members, "protected")?;
    let unprotected = match members.remove("header") {
        None => None,
        Some(Value::Object(header)) => Some(header),
        Some(_) => return wrong("header", "is not an object"),
    };
    let headers = Headers::parse(protected.as_deref(), unprotected)?;
    Signature::parse(protected, headers, &text)
}

fn take_text(members: &mut Members, name: &'static str) -> Result<Option<String>, Error> {
    match members.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => wrong(name, "is not a string"),
    }
}

fn wrong<T>(name: &'static str, problem: &'static str) -> Result<T, Error> {
    Err(Malformed::JwsMember { name, problem }.into())
}

/// The general form.
#[derive(Serialize)]
struct General<'j> {
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'j str>,
    signatures: Vec<Signed<'j>>,
}

/// The flattened form.
#[derive(Serialize)]
struct Flattened<'j> {
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'j str>,
    #[serde(flatten)]
    signed: Signed<'j>,
}

#[derive(Serialize)]
struct Signed<'j> {
    #[serde(skip_serializing_if = "Option::is_none")]
    protected: Option<&'j str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<&'j Members>,
    signature: String,
}

impl<'j> From<&'j Signature> for Signed<'j> {
    fn from(signature: &'j Signature) -> Self {
        Self {
            protected: signature.protected.as_deref(),
            header: signature.headers.unprotected().map(Header::members),
            signature: base64url::encode(&signature.octets),
        }
    }
}

impl Jws {
    /// The compact serialisation: one signature, whose header is protected (RFC 7515 §7.1). A detached payload leaves
    /// its place empty.
    ///
    /// # Errors
    /// [`Error::JwsUnwritable`] for several signatures, an unprotected header, an unencoded payload that holds a dot or
    /// what is not printable ASCII (RFC 7797 §5.2), and more than [`MAX_JWS_BYTES`].
    pub fn to_compact(&self) -> Result<String, Error> {
        let signature = self.only_signature("the compact form holds one signature")?;
        let (Some(protected), None) = (&signature.protected, signature.headers.unprotected())
        else {
            return unwritable("the compact form holds no unprotected header");
        };
        if self.unencoded
            && let Some(payload) = &self.payload
            && unfit_for_compact(&payload.octets).is_some()
        {
            return unwritable(
                "its payload is not encoded, and holds a dot or what is not printable ASCII; detach it",
            );
        }
        let payload = self.payload_text()?.unwrap_or_default();
        let signature = base64url::encode(&signature.octets);
        within_limit(format!("{protected}.{payload}.{signature}"))
    }

    /// The flattened JSON serialisation: one signature (RFC 7515 §7.2.2).
    ///
    /// # Errors
    /// [`Error::JwsUnwritable`] for several signatures, an unencoded payload that is not UTF-8 (RFC 7797 §5.3), and more
    /// than [`MAX_JWS_BYTES`].
    pub fn to_flattened(&self) -> Result<String, Error> {
        let signature = self.only_signature("the flattened form holds one signature")?;
        write(&Flattened {
            payload: self.payload_text()?,
            signed: signature.into(),
        })
    }

    /// The general JSON serialisation: any number of signatures (RFC 7515 §7.2.1).
    ///
    /// # Errors
    /// [`Error::JwsUnwritable`] for an unencoded payload that is not UTF-8, and more than [`MAX_JWS_BYTES`].
    pub fn to_general(&self) -> Result<String, Error> {
        write(&General {
            payload: self.payload_text()?,
            signatures: self.signatures.iter().map(Signed::from).collect(),
        })
    }

    fn only_signature(&self, otherwise: &'static str) -> Result<&Signature, Error> {
        match self.signatures.as_slice() {
            [signature] => Ok(signature),
            _ => unwritable(otherwise),
        }
    }

    fn payload_text(&self) -> Result<Option<&str>, Error> {
        let Some(payload) = &self.payload else {
            return Ok(None);
        };
        match &payload.encoded {
            Some(encoded) => Ok(Some(encoded)),
            None => std::str::from_utf8(&payload.octets)
                .map(Some)
                .or_else(|_| unwritable("its payload is not encoded and not UTF-8; detach it")),
        }
    }
}

fn write(document: &impl Serialize) -> Result<String, Error> {
    match serde_json::to_string(document) {
        Ok(text) => within_limit(text),
        Err(_) => unwritable("it is no JSON"),
    }
}

/// What is written here is read here.
fn within_limit(text: String) -> Result<String, Error> {
    if text.len() > MAX_JWS_BYTES {
        return unwritable("it is larger than 1 MiB; detach the payload");
    }
    Ok(text)
}

fn unwritable<T>(reason: &'static str) -> Result<T, Error> {
    Err(Error::JwsUnwritable {
        reason: reason.into(),
    })
}
