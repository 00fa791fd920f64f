//! `--key SPEC`: where a key comes from, and what it turns out to be.
//!
//! A file, `-`, `env:NAME` or `b64:…`; in it a key in PEM, DER or JWK, or a JWK Set. Everything else is a raw secret. Or the
//! URL of a JWK Set.

mod material;
mod remote;
pub(crate) mod set;
mod signing;
mod verifying;

pub(crate) use material::Material;
pub(crate) use remote::keys_of_issuer;
pub(crate) use signing::Signing;
pub(crate) use verifying::{said, verifying_key, verifying_keys};

use std::path::PathBuf;
use std::str::FromStr;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use countersign::{Algorithm, Error, ImportedKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::exit::{Exit, Failure};
use crate::input;
use crate::key_password::KeyPassword;

/// Where the key comes from. No `Debug` that shows a `b64:` secret.
#[derive(Clone)]
pub(crate) enum KeySpec {
    /// `-`
    Stdin,
    /// `env:NAME`
    Env(String),
    /// `b64:…`, standard or URL-safe, padded or not
    Base64(Zeroizing<String>),
    /// `https://…`, and `http://…` on this machine
    Url(String),
    /// Anything else
    File(PathBuf),
}

impl KeySpec {
    pub(crate) fn is_stdin(&self) -> bool {
        matches!(self, Self::Stdin)
    }

    pub(crate) fn is_url(&self) -> bool {
        matches!(self, Self::Url(_))
    }

    /// Reads the octets and says what they are.
    pub(crate) fn load(&self, password: &KeyPassword) -> Result<Material, Failure> {
        let octets = match self {
            Self::Stdin => input::stdin()?,
            Self::File(path) => input::secret_file(
                path,
                "the key",
                "give the name of a file, or a secret as env:NAME or b64:…",
            )?,
            Self::Env(name) => {
                Zeroizing::new(input::variable(name, "the key")?.as_bytes().to_vec())
            }
            Self::Base64(text) => decode_base64(text)?,
            Self::Url(url) => remote::text(url)?,
        };
        if octets.trim_ascii().is_empty() {
            return Err(self.is_empty());
        }
        let material = Material::sort(octets, password)?;
        if matches!(self, Self::Base64(_)) {
            return Ok(material);
        }
        Ok(material.less_final_newline())
    }

    fn is_empty(&self) -> Failure {
        let place = match self {
            Self::Stdin => "standard input".to_owned(),
            Self::Env(name) => format!("the environment variable {name}"),
            Self::Base64(_) => "the text after b64:".to_owned(),
            Self::Url(url) => format!("the answer of {url}"),
            Self::File(path) => format!("the file {}", path.display()),
        };
        Failure::no_key(format!(
            "{place} is empty: it should hold the key; `countersign key generate` makes one"
        ))
    }

    /// The one key that this names, which a command is to show or to rewrite.
    pub(crate) fn load_one(&self, password: &KeyPassword) -> Result<ImportedKey, Failure> {
        match self.load(password)? {
            Material::Key(imported) => Ok(*imported),
            Material::JwkSet(_) => Err(Failure::key(
                "this is a JWK Set, which holds several keys: give one key, or use `countersign jwks`",
            )),
            Material::Secret(secret) => Ok(ImportedKey::from_secret(&*secret)),
        }
    }
}

impl FromStr for KeySpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text.split_once(':') {
            _ if text.is_empty() => {
                return Err("expected a file, `-`, env:NAME or b64:…".to_owned());
            }
            _ if text == "-" => Self::Stdin,
            Some(("env", "")) => return Err("env: needs the name of a variable".to_owned()),
            Some(("env", name)) => Self::Env(name.to_owned()),
            Some(("https" | "http", rest)) if rest.starts_with("//") => Self::Url(text.to_owned()),
            Some(("b64", data)) => Self::Base64(Zeroizing::new(data.to_owned())),
            _ => Self::File(text.into()),
        })
    }
}

impl std::fmt::Debug for KeySpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stdin => f.write_str("-"),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::Base64(_) => f.write_str("b64:(hidden)"),
            Self::Url(url) => f.write_str(url),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

fn decode_base64(text: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [alphabet::STANDARD, alphabet::URL_SAFE]
        .iter()
        .find_map(|alphabet| {
            GeneralPurpose::new(alphabet, config)
                .decode(text.trim())
                .ok()
        })
        .map(Zeroizing::new)
        .ok_or_else(|| Failure::key("the text after b64: is not base64").with_code("key_format"))
}

/// The algorithm that was asked for, else the key's own; RSA keys and secrets fit several, so the choice is the caller's.
fn decide(imported: &ImportedKey, alg: Option<Algorithm>) -> Result<Algorithm, Failure> {
    if let Some(alg) = alg {
        return Ok(alg);
    }
    let undecided = match imported.jwk.algorithm() {
        Ok(alg) => return Ok(alg),
        Err(error) => error,
    };
    // Would --alg help? Not where the key is weak or broken under every algorithm.
    let of_its_kind = || {
        let kty = imported.jwk.kty();
        Algorithm::ALL.iter().filter(move |alg| alg.kty() == kty)
    };
    let outcome = |alg: &Algorithm| VerifyingKey::from_jwk_as(&imported.jwk, *alg);
    let fitting: Vec<&str> = of_its_kind()
        .filter(|alg| outcome(alg).is_ok())
        .map(|alg| alg.name())
        .collect();
    if !fitting.is_empty() {
        return Err(needs_alg(&imported.to_string(), &fitting));
    }
    let open = matches!(imported.jwk.kty(), "RSA" | "oct");
    let first = of_its_kind().next().filter(|_| open);
    Err(refused(
        imported,
        first
            .and_then(|alg| outcome(alg).err())
            .unwrap_or(undecided),
    ))
}

/// What to say when only the caller can know the algorithm.
pub(crate) fn needs_alg(what: &str, fitting: &[&str]) -> Failure {
    Failure::usage(format!(
        "{what} does not say its algorithm: add --alg, one of {}",
        fitting.join(", ")
    ))
}

fn undecided_secret() -> Failure {
    needs_alg(
        "a raw secret (it is neither PEM nor DER nor JSON)",
        &["HS256", "HS384", "HS512"],
    )
}

/// Whatever is wrong with a key, it is the key that has to change.
pub(crate) fn unusable(error: Error) -> Failure {
    Failure::new(Exit::Key, error)
}

/// The same, of a key that could be read: says first what it is, where the error does not.
pub(crate) fn refused(imported: &ImportedKey, error: Error) -> Failure {
    let text = error.to_string();
    if text.starts_with("this is ") || text.starts_with("the secret ") {
        return unusable(error);
    }
    let what = format!("the key is {imported}");
    Failure::new(Exit::Key, anyhow::Error::new(error).context(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spec_is_sorted_by_its_prefix() {
        for (text, shown) in [
            ("-", "-"),
            ("env:KEY", "env:KEY"),
            ("b64:c2VjcmV0", "b64:(hidden)"),
            ("https://id.example/keys", "https://id.example/keys"),
            ("https:/keys.pem", "https:/keys.pem"),
            ("keys/env.pem", "keys/env.pem"),
        ] {
            assert_eq!(format!("{:?}", text.parse::<KeySpec>().unwrap()), shown);
        }
        for text in ["", "env:"] {
            assert!(text.parse::<KeySpec>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn accepts_base64_in_both_alphabets_with_and_without_padding() {
        for text in ["+/8=", "+/8", "-_8=", "-_8"] {
            assert_eq!(*decode_base64(text).ok().unwrap(), [0xfb, 0xff], "{text}");
        }
    }

    #[test]
    fn rejects_what_is_not_base64() {
        for text in ["+_8", "a b", "&"] {
            assert!(decode_base64(text).is_err(), "{text}");
        }
    }
}
