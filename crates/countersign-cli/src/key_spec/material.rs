//! What the octets of a SPEC are: one key, a JWK Set or a raw secret.

use countersign::{Algorithm, Error, ImportedKey, VerifyingKey, WeakKey};
use serde::Deserialize;
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use super::unusable;
use crate::exit::Failure;
use crate::key_password::KeyPassword;

/// What was found.
pub(crate) enum Material {
    Key(Box<ImportedKey>),
    JwkSet(Zeroizing<Vec<u8>>),
    Secret(Zeroizing<Vec<u8>>),
}

impl Material {
    /// Sorts octets. What looks like a key is one, also where it cannot be read: it is never taken for a secret.
    pub(super) fn sort(
        octets: Zeroizing<Vec<u8>>,
        password: &KeyPassword,
    ) -> Result<Self, Failure> {
        let start = octets.strip_prefix("\u{feff}".as_bytes());
        let start = start.unwrap_or(&octets).trim_ascii_start();
        if start.starts_with(b"{") {
            // Broken JSON is a broken JWK: the parser says what is wrong with it.
            return if is_set(start) {
                Ok(Self::JwkSet(octets))
            } else {
                import(&octets, password).map(|key| Self::Key(Box::new(key)))
            };
        }
        match spelled_key(&octets) {
            None => Ok(Self::Secret(octets)),
            // Several JWKs, or one behind base64. What has zeros in it is text in UTF-16, which is told as that.
            Some(weak @ WeakKey::SecretIsKey { kind: "JWK" }) if !octets.contains(&0) => {
                Err(unusable(Error::KeyWeak(weak)))
            }
            Some(_) => import(&octets, password).map(|key| Self::Key(Box::new(key))),
        }
    }

    /// An editor ends a file with a newline that is no part of the secret.
    pub(super) fn less_final_newline(mut self) -> Self {
        if let Self::Secret(octets) = &mut self
            && octets.last() == Some(&b'\n')
        {
            octets.pop();
            if octets.last() == Some(&b'\r') {
                octets.pop();
            }
        }
        self
    }
}

fn is_set(json: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Members {
        keys: Option<IgnoredAny>,
    }
    matches!(serde_json::from_slice(json), Ok(Members { keys: Some(_) }))
}

/// Whether the octets spell a key, by the rule that keeps such text from being used as a secret.
fn spelled_key(octets: &[u8]) -> Option<WeakKey> {
    match VerifyingKey::from_secret(Algorithm::HS256, octets) {
        Err(Error::KeyWeak(weak @ WeakKey::SecretIsKey { .. })) => Some(weak),
        _ => None,
    }
}

/// Reads a key, and the password of one that is encrypted.
fn import(octets: &[u8], password: &KeyPassword) -> Result<ImportedKey, Failure> {
    match ImportedKey::read(octets) {
        Err(Error::KeyEncrypted) => {
            ImportedKey::read_encrypted(octets, password.read()?.as_bytes()).map_err(unusable)
        }
        outcome => outcome.map_err(unusable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sort(octets: &[u8]) -> Result<Material, Failure> {
        Material::sort(Zeroizing::new(octets.to_vec()), &KeyPassword::default())
    }

    fn secret(text: &str) -> Vec<u8> {
        match sort(text.as_bytes()).map(Material::less_final_newline) {
            Ok(Material::Secret(secret)) => secret.to_vec(),
            _ => panic!("{text:?} is no secret"),
        }
    }

    #[test]
    fn keys_are_told_apart_by_what_they_hold() {
        let key = countersign::SigningKey::generate(Algorithm::ES256).unwrap();
        let jwk = key.to_jwk().to_json();
        let (pem, der) = (key.to_pem().unwrap(), key.to_der().unwrap());
        for octets in [jwk.as_bytes(), pem.as_bytes(), &der] {
            assert!(matches!(sort(octets), Ok(Material::Key(_))));
        }
        let set = format!(" {{\"keys\":[{}]}}", *jwk);
        assert!(matches!(sort(set.as_bytes()), Ok(Material::JwkSet(_))));
    }

    #[test]
    fn what_looks_like_a_key_is_never_a_secret() {
        for text in [
            "{\"kty\":",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
            "\n-----BEGIN KEY",
            "0%\u{2}\u{1}\u{1}\u{4} k7Qx0vYw2mNfT4uZ9aLpR8cHsJ3eBgDi",
            "ssh-ed25519 AAAA",
            "[{\"kty\":\"EC\"}]",
        ] {
            assert!(sort(text.as_bytes()).is_err(), "{text}");
        }
        assert_eq!(secret("a secret"), b"a secret");
    }

    #[test]
    fn one_final_newline_is_no_part_of_a_secret_and_a_second_one_is() {
        assert_eq!(secret("secret\n"), b"secret");
        assert_eq!(secret("secret\r\n"), b"secret");
        assert_eq!(secret("secret\n\n"), b"secret\n");
        assert_eq!(secret("secret"), b"secret");
    }
}
