//! `countersign jwks add`: the public half of a key into the set that is published.

use std::path::PathBuf;

use clap::Args;
use countersign::{Algorithm, parse_strict};
use serde_json::{Map, Value, json};

use super::rows;
use crate::algorithm;
use crate::exit::{Exit, Failure};
use crate::key_password::KeyPassword;
use crate::key_spec::{KeySpec, unusable, verifying_key};
use crate::private_file::{self, NewFile};
use crate::{exact_number, input, output};

/// The flags of `jwks add`.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The key to add: a file (PEM, DER, certificate or JWK), `-`, env:NAME or b64:…
    #[arg(long, value_name = "SPEC")]
    key: KeySpec,
    #[command(flatten)]
    password: KeyPassword,
    /// The algorithm, for a key that does not say its own.
    #[arg(long, value_parser = algorithm::names(), ignore_case = true, hide_possible_values = true)]
    alg: Option<Algorithm>,
    /// The kid in the set [default: the key's own, else its thumbprint].
    #[arg(long, allow_hyphen_values = true)]
    kid: Option<String>,
    /// The file with the JWK Set.
    file: PathBuf,
}

impl Add {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let (kid, jwk) = self.public_jwk()?;
        let exists = self.file.exists();
        let before = if exists {
            input::file(&self.file)?.to_vec()
        } else {
            json!({ "keys": [] }).to_string().into_bytes()
        };
        let after = with_key(&before, jwk)?;
        if exists {
            private_file::replace(&self.file, after.as_bytes())?;
        } else {
            NewFile::create(&self.file)?.write(after.as_bytes())?;
        }
        let (kid, file) = (output::plain(&kid), self.file.display());
        output::note(&format!("added key {kid} to {file}"));
        Ok(Exit::Done)
    }

    fn public_jwk(&self) -> Result<(String, Value), Failure> {
        let imported = self.key.load_one(&self.password)?;
        let key = verifying_key(&imported, self.alg)?;
        let own = key.key_id().map(str::to_owned);
        let kid = self.kid.clone().or(own);
        let kid = kid.unwrap_or_else(|| key.thumbprint().to_string());
        let jwk = key.with_key_id(&kid).to_public_jwk().ok_or_else(|| {
            Failure::key(
                "this is a shared secret, which does not belong in a set that is published",
            )
        })?;
        let jwk = serde_json::to_value(jwk).map_err(|error| Failure::new(Exit::Key, error))?;
        Ok((kid, jwk))
    }
}

/// The set with one more key, where no key becomes unusable by that.
fn with_key(before: &[u8], jwk: Value) -> Result<String, Failure> {
    let mut expected: Vec<bool> = rows::rows(before)?.iter().map(|row| row.usable).collect();
    expected.push(true);
    let mut set: Map<String, Value> = parse_strict(before).map_err(unusable)?;
    exact_number::check(&input::text(before, "the JWK Set")?)
        .map_err(|problem| Failure::key(format!("the set cannot be written again: {problem}")))?;
    if let Some(keys) = set.get_mut("keys").and_then(Value::as_array_mut) {
        if keys.iter().any(|there| is_the_same(there, &jwk)) {
            return Err(Failure::key("this key is in the set already"));
        }
        keys.push(jwk);
    }
    let after =
        serde_json::to_string_pretty(&set).map_err(|error| Failure::new(Exit::Key, error))?;
    let mut rows = rows::rows(after.as_bytes())?.into_iter().zip(expected);
    match rows.find(|(row, expected)| row.usable != *expected) {
        Some((row, _)) => Err(Failure::key(format!(
            "the key does not go into this set: {}",
            row.reason.unwrap_or_default()
        ))),
        None => Ok(after + "\n"),
    }
}

/// Whether both are one key of one name for one algorithm, where each says its own.
fn is_the_same(there: &Value, jwk: &Value) -> bool {
    let is_in_both = |member: &&str| there.get(member) == jwk.get(member);
    let members = ["kty", "crv", "x", "y", "n", "e", "pub", "kid"];
    let any_algorithm = there.get("alg").is_none();
    members.iter().all(is_in_both) && (any_algorithm || is_in_both(&"alg"))
}
