//! Makes compact tokens (RFC 7515 §5.1): the header's text is prepared once for a key, and the claims are written and encoded
//! in the memory of the token.

use std::mem;
use std::sync::OnceLock;

use serde::Serialize;

use super::{Header, MAX_TOKEN_BYTES, unwritable};
use crate::base64url;
use crate::error::{Error, Malformed, Part};
use crate::jwk::{SigningHeader, SigningKey};

/// The texts of the headers that a key has written, by their `typ`; an issuer writes very few.
#[derive(Debug, Default)]
pub(crate) struct WrittenHeaders([OnceLock<(Option<String>, String)>; 4]);

impl WrittenHeaders {
    /// Appends the text of a header; one that would be refused when read is not made.
    fn write(
        &self,
        key: &SigningKey,
        header: &SigningHeader,
        token: &mut String,
    ) -> Result<(), Error> {
        if header.has_own_members() {
            token.push_str(&checked(&header.to_json(key))?);
            return Ok(());
        }
        for place in &self.0 {
            if let Some((_, text)) = place
                .get()
                .filter(|(typ, _)| typ.as_deref() == header.kind())
            {
                token.push_str(text);
                return Ok(());
            }
        }
        let text = checked(&header.to_json(key))?;
        token.push_str(&text);
        let mut written = (header.kind().map(str::to_owned), text);
        for place in &self.0 {
            match place.set(written) {
                Ok(()) => break,
                Err(back) => written = back,
            }
        }
        Ok(())
    }
}

/// Writes a token of claims over what `token` holds.
pub(crate) fn sign_claims<T: Serialize + ?Sized>(
    key: &SigningKey,
    header: &SigningHeader,
    claims: &T,
    token: &mut String,
) -> Result<(), Error> {
    token.clear();
    key.written_headers().write(key, header, token)?;
    token.push('.');
    write_claims(claims, token)?;
    seal(key, token, header.max_token_bytes())
}

/// Appends the base64url text of the JSON text of `claims`: the JSON is written there first, its own text after it, and that
/// then moves into its place.
fn write_claims<T: Serialize + ?Sized>(claims: &T, token: &mut String) -> Result<(), Error> {
    let unwritable = |reason: &str| Error::ClaimsUnwritable {
        reason: reason.to_owned(),
    };
    let mut octets = mem::take(token).into_bytes();
    let start = octets.len();
    serde_json::to_writer(&mut octets, claims).map_err(|error| unwritable(&error.to_string()))?;
    if octets.get(start) != Some(&b'{') {
        return Err(unwritable("they are written as another kind of value"));
    }
    base64url::encode_tail(&mut octets, start);
    // What stands there is base64url, a dot, base64url.
    *token = String::from_utf8(octets).map_err(|_| unwritable("they have no text"))?;
    Ok(())
}

/// A token of any payload under the JSON text of a header.
pub(crate) fn compact(key: &SigningKey, header: &str, payload: &[u8]) -> Result<String, Error> {
    let mut token = checked(header)?;
    token.push('.');
    base64url::encode_into(payload, &mut token);
    seal(key, &mut token, MAX_TOKEN_BYTES)?;
    Ok(token)
}

fn checked(header: &str) -> Result<String, Error> {
    let text = base64url::encode(header);
    Header::parse(&text).map_err(unwritable)?;
    Ok(text)
}

/// Signs what the token holds and appends the signature.
fn seal(key: &SigningKey, token: &mut String, limit: usize) -> Result<(), Error> {
    let signature = key.signature(token.as_bytes())?;
    token.push('.');
    base64url::encode_into(signature.as_ref(), token);
    if token.len() > limit {
        return Err(unwritable(
            Malformed::TooLarge {
                part: Part::Document,
                limit,
            }
            .into(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jws::Unverified;
    use serde_json::json;

    #[test]
    fn a_token_that_would_be_refused_when_read_is_refused_when_signed() {
        let key = SigningKey::generate(crate::Algorithm::HS256).unwrap();
        let header =
            |name: &str, value: serde_json::Value| SigningHeader::new().param(name, value).unwrap();
        let text = |bytes| serde_json::Value::from("x".repeat(bytes));
        for (key, header, payload, made) in [
            (key.clone(), SigningHeader::new(), 12_000, true),
            (key.clone(), SigningHeader::new(), 12_300, false),
            (key.clone(), header("own", text(4_000)), 2, true),
            (key.clone(), header("own", text(4_100)), 2, false),
            (key.clone(), header("x5t", "x".into()), 2, true),
            (key.clone(), header("x5t", 5.into()), 2, false),
            (key.clone(), header("cty", true.into()), 2, false),
            (
                key.clone().with_key_id("k".repeat(256)),
                SigningHeader::new(),
                2,
                true,
            ),
            (
                key.with_key_id("k".repeat(257)),
                SigningHeader::new(),
                2,
                false,
            ),
        ] {
            let claims = json!({"x": "x".repeat(usize::saturating_sub(payload, 8))});
            let token = key.sign_with(&header, &claims);
            match &token {
                Ok(token) => assert!(Unverified::parse(token).is_ok()),
                Err(error) => assert_eq!(error.code(), "jws_unwritable"),
            }
            assert_eq!(token.is_ok(), made, "{header:?} {payload}");
        }
    }

    #[test]
    fn claims_of_every_length_are_encoded_in_their_place() {
        let key = SigningKey::generate(crate::Algorithm::HS256).unwrap();
        let mut token = String::from("what was here before");
        for length in (0..40).chain(500..540).chain([9_000]) {
            let claims = json!({"a": "x".repeat(length), "b": [1, {"c": null}]});
            key.sign_into(&SigningHeader::new(), &claims, &mut token)
                .unwrap();
            let parsed = Unverified::parse(&token).unwrap();
            assert_eq!(parsed.payload(), claims.to_string().as_bytes(), "{length}");
            assert_eq!(token, key.sign(&claims).unwrap());
        }
    }

    #[test]
    fn a_header_is_written_anew_for_another_kind_another_name_and_members_of_its_own() {
        let key = SigningKey::generate(crate::Algorithm::EdDSA).unwrap();
        let written = |key: &SigningKey, header: &SigningHeader| {
            let token = key.sign_with(header, &json!({})).unwrap();
            Unverified::parse(&token).unwrap().header().to_value()
        };
        let kinds =
            ["JWT", "at+jwt", "a", "b", "c", "d", "JWT"].map(|kind| SigningHeader::new().typ(kind));
        for header in kinds.iter().chain([&SigningHeader::new().without_typ()]) {
            for key in [
                key.clone(),
                key.clone().with_key_id("7"),
                key.clone().without_key_id(),
                key.clone().with_fully_specified_alg(),
            ] {
                for _ in 0..2 {
                    let json: serde_json::Value =
                        serde_json::from_str(&header.to_json(&key)).unwrap();
                    assert_eq!(written(&key, header), json);
                    assert_eq!(json.get("kid").and_then(|kid| kid.as_str()), key.key_id());
                    assert_eq!(json.get("typ").and_then(|typ| typ.as_str()), header.kind());
                    assert_eq!(json["alg"], key.alg_name());
                }
                let own = header.clone().param("own", 1.into()).unwrap();
                assert_eq!(written(&key, &own)["own"], 1);
            }
        }
    }

    #[test]
    fn rejects_claims_that_are_no_object_and_takes_a_larger_limit_where_it_is_asked_for() {
        let key = SigningKey::generate(crate::Algorithm::HS256).unwrap();
        for claims in [json!([1]), json!("{"), json!(7), json!(null)] {
            assert_eq!(
                key.sign(&claims).unwrap_err().code(),
                "claims_unwritable",
                "{claims}"
            );
        }
        let claims = json!({"x": "x".repeat(20_000)});
        assert_eq!(key.sign(&claims).unwrap_err().code(), "jws_unwritable");
        let header = SigningHeader::new().max_bytes(64 * 1024);
        assert!(key.sign_with(&header, &claims).is_ok());
    }
}
