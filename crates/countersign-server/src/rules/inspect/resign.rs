//! Signing again what somebody edited: asked for, and with a key that they gave.

use countersign::{Error, JwsBuilder, JwsSigner, SigningHeader, SigningKey, parse_strict};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::key::{KeyProblem, KeyText};
use crate::rules::secret::{Secret, encode};

/// What was edited, as text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edited {
    header: String,
    payload: Secret,
    key: KeyText,
}

/// A token that this server signed for somebody with their own key.
#[derive(Serialize)]
pub(crate) struct Resigned {
    token: String,
}

impl Edited {
    /// The payload is signed letter by letter; `alg` and `kid` are the key's, whatever the header says.
    pub(crate) fn sign(&self) -> Result<Resigned, KeyProblem> {
        // For a key that does not say its algorithm, the header may.
        let unsigned = format!("{}.e30.", encode(self.header.as_bytes()));
        let (imported, alg) = self.key.one(&unsigned)?;
        let key = SigningKey::from_jwk_as(&imported.jwk, alg)?;
        let members: Map<String, Value> = parse_strict(self.header.as_bytes())?;
        let key = match (key.key_id(), members.get("kid").and_then(Value::as_str)) {
            (None, Some(kid)) => key.with_key_id(kid),
            _ => key,
        };
        let signer = JwsSigner::new(&key).header(header(&members)?);
        let jws = JwsBuilder::new(self.payload.expose())
            .signer(signer)
            .sign()?;
        Ok(Resigned {
            token: jws.to_compact()?,
        })
    }
}

fn header(members: &Map<String, Value>) -> Result<SigningHeader, Error> {
    let mut header = SigningHeader::new().without_typ();
    for (name, value) in members {
        header = match (name.as_str(), value) {
            ("alg" | "kid", _) => header,
            ("typ", Value::String(typ)) => header.typ(typ),
            _ => header.param(name, value.clone())?,
        };
    }
    Ok(header)
}
