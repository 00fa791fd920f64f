//! What a forger would try, made of somebody's own token, so that they can see why it fails here.

use aws_lc_rs::hmac;
use countersign::{Error, JwkSet, parse_strict};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::key::{Form, KeyProblem, KeyText};
use crate::rules::secret::{Secret, decode, encode};

const TEN_YEARS: i64 = 10 * 365 * 24 * 60 * 60;

/// Of a key without a name, to which the step that finds a key by its name says nothing.
const NAMELESS: &str = "The header points at a key that nobody has. Your key has no name, so it is tried whatever the header says, and the signature does not hold: it is over the header too. Of a JWK with a kid, or a set, no key is tried at all.";

/// Where there is no key, nothing is said of one.
const NONE_WITHOUT_KEY: &str = "The header says that no signature is needed. Nothing here takes its word for that: `none` is not among the algorithms.";
const KID_WITHOUT_KEY: &str = "The header points at something that nobody has. It is a hint, and nothing is fetched or guessed because of it.";

/// An attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Attempt {
    AlgNone,
    PublicKeyAsSecret,
    SwappedPayload,
    DroppedSignature,
    ExtendedExp,
    WrongKid,
}

/// An attempt at a token.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Experiment {
    attempt: Attempt,
    token: Secret,
    #[serde(default)]
    key: Option<KeyText>,
}

/// What came out, and why it comes to nothing.
#[derive(Serialize)]
pub(crate) struct Forgery {
    token: String,
    why: &'static str,
}

impl Experiment {
    /// The key whose issuer has to be asked first, where there is one.
    pub(crate) fn published_key(&self) -> Option<&KeyText> {
        let key = self.key.as_ref()?;
        let is_needed = self.attempt == Attempt::PublicKeyAsSecret && key.form == Form::Issuer;
        is_needed.then_some(key)
    }

    pub(crate) fn run(
        &self,
        published: Option<Result<JwkSet, String>>,
    ) -> Result<Forgery, KeyProblem> {
        let parts = Parts::of(self.token.expose())?;
        let token = match self.attempt {
            Attempt::AlgNone => parts.with_header("alg", "none".into())?.with_signature(&[]),
            Attempt::PublicKeyAsSecret => self.with_public_key(&parts, published)?,
            Attempt::SwappedPayload => parts.with_claim("sub", "administrator".into())?,
            Attempt::DroppedSignature => parts.with_signature(&[]),
            Attempt::ExtendedExp => {
                let exp = parts
                    .payload
                    .get("exp")
                    .and_then(Value::as_i64)
                    .unwrap_or(0);
                parts.with_claim("exp", exp.saturating_add(TEN_YEARS).into())?
            }
            Attempt::WrongKid => parts.with_header("kid", "a-key-of-nobody".into())?,
        };
        Ok(Forgery {
            token: token.text(),
            why: match (self.attempt, self.given()) {
                (Attempt::AlgNone, None) => NONE_WITHOUT_KEY,
                (Attempt::WrongKid, None) => KID_WITHOUT_KEY,
                (Attempt::WrongKid, Some(_)) if self.is_key_nameless() => NAMELESS,
                (attempt, _) => attempt.why(),
            },
        })
    }

    fn given(&self) -> Option<&KeyText> {
        self.key.as_ref().filter(|key| key.is_given())
    }

    /// Whether there is one key, which no header can point at or away from.
    fn is_key_nameless(&self) -> bool {
        let key = self.key.as_ref().map(|key| key.one(self.token.expose()));
        matches!(key, Some(Ok((imported, _))) if imported.jwk.key_id().is_none())
    }

    /// The header says HS256, and the secret is what everybody can read: the text of the public key.
    fn with_public_key(
        &self,
        parts: &Parts,
        published: Option<Result<JwkSet, String>>,
    ) -> Result<Parts, KeyProblem> {
        let Some(key) = self.given() else {
            return Err(refused(
                "give the public key first: this attempt takes its text for a secret",
            ));
        };
        let key = key.that_verifies(published, self.token.expose())?;
        if key.algorithm().is_symmetric() {
            return Err(refused(
                "there is no public key here to take for a secret: the key is a shared secret itself",
            ));
        }
        let pem = key.to_pem()?;
        let forged = parts.with_header("alg", "HS256".into())?;
        let secret = hmac::Key::new(hmac::HMAC_SHA256, pem.as_bytes());
        let tag = hmac::sign(&secret, forged.signing_input().as_bytes());
        Ok(forged.with_signature(tag.as_ref()))
    }
}

impl Attempt {
    pub(crate) const ALL: [Self; 6] = [
        Self::AlgNone,
        Self::PublicKeyAsSecret,
        Self::SwappedPayload,
        Self::DroppedSignature,
        Self::ExtendedExp,
        Self::WrongKid,
    ];

    /// As a request names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AlgNone => "alg_none",
            Self::PublicKeyAsSecret => "public_key_as_secret",
            Self::SwappedPayload => "swapped_payload",
            Self::DroppedSignature => "dropped_signature",
            Self::ExtendedExp => "extended_exp",
            Self::WrongKid => "wrong_kid",
        }
    }

    /// As a page names it.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::AlgNone => "Say it needs no signature",
            Self::PublicKeyAsSecret => "Take the public key for a secret",
            Self::SwappedPayload => "Be somebody else",
            Self::DroppedSignature => "Leave the signature off",
            Self::ExtendedExp => "Live ten years longer",
            Self::WrongKid => "Point at another key",
        }
    }

    /// What is changed.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::AlgNone => "alg: none",
            Self::PublicKeyAsSecret => "HS256 with the public key",
            Self::SwappedPayload => "another sub, the old signature",
            Self::DroppedSignature => "nothing after the last dot",
            Self::ExtendedExp => "another exp, the old signature",
            Self::WrongKid => "a kid that nobody has",
        }
    }

    const fn why(self) -> &'static str {
        match self {
            Self::AlgNone => {
                "The header says that no signature is needed. Here the key says how its tokens are signed, and `none` is not among the algorithms."
            }
            Self::PublicKeyAsSecret => {
                "Everybody has the public key. A verifier that lets the header choose HS256 would take it for the secret; here a key has one algorithm, and the header can only agree."
            }
            Self::SwappedPayload => {
                "The payload now speaks of somebody else. The signature is over the letters as they were, so it does not hold."
            }
            Self::DroppedSignature => {
                "Without a signature there is nothing to hold. An empty one is no exception."
            }
            Self::ExtendedExp => {
                "Ten more years, in the payload alone. Whoever cannot sign cannot make a token live longer."
            }
            Self::WrongKid => {
                "The header points at a key that nobody has here, so no key is tried. It is a hint for finding one, and nothing is fetched or guessed because of it."
            }
        }
    }
}

/// A token taken apart.
#[derive(Clone)]
struct Parts {
    header: Map<String, Value>,
    /// As it was sent.
    header_text: String,
    payload: Map<String, Value>,
    payload_text: String,
    signature: String,
}

impl Parts {
    fn of(token: &str) -> Result<Self, KeyProblem> {
        let parts: Vec<&str> = token.split('.').collect();
        let [header_text, payload_text, signature] = parts.as_slice() else {
            return Err(refused("this needs a signed token of three parts"));
        };
        Ok(Self {
            header: object(header_text)?,
            header_text: (*header_text).to_owned(),
            payload: object(payload_text)?,
            payload_text: (*payload_text).to_owned(),
            signature: (*signature).to_owned(),
        })
    }

    fn with_header(&self, name: &str, value: Value) -> Result<Self, KeyProblem> {
        let mut other = self.clone();
        other.header.insert(name.to_owned(), value);
        other.header_text = text(&other.header)?;
        Ok(other)
    }

    fn with_claim(&self, name: &str, value: Value) -> Result<Self, KeyProblem> {
        let mut other = self.clone();
        other.payload.insert(name.to_owned(), value);
        other.payload_text = text(&other.payload)?;
        Ok(other)
    }

    fn with_signature(&self, signature: &[u8]) -> Self {
        Self {
            signature: encode(signature),
            ..self.clone()
        }
    }

    fn signing_input(&self) -> String {
        format!("{}.{}", self.header_text, self.payload_text)
    }

    fn text(&self) -> String {
        format!("{}.{}", self.signing_input(), self.signature)
    }
}

fn object(part: &str) -> Result<Map<String, Value>, KeyProblem> {
    let octets = decode(part).ok_or_else(|| refused("a part of the token is not base64url"))?;
    Ok(parse_strict(&octets)?)
}

fn text(members: &Map<String, Value>) -> Result<String, KeyProblem> {
    let json = serde_json::to_vec(members).map_err(|error| Error::ClaimsUnwritable {
        reason: error.to_string(),
    })?;
    Ok(encode(&json))
}

fn refused(message: &str) -> KeyProblem {
    KeyProblem::of_call(message)
}
