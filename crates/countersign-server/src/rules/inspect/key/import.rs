//! From letters to a key, in the form that was stated.

use base64::Engine;
use base64::alphabet::{self, Alphabet};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use countersign::{ImportedKey, MAX_SECRET_BYTES};
use zeroize::Zeroizing;

use super::{Form, KeyProblem, KeyText, armour};

/// The most letters of a secret, in the form that takes the most of them: two digits a byte. What has more is not read.
const MAX_SECRET_LETTERS: usize = MAX_SECRET_BYTES * 2;

impl KeyText {
    pub(super) fn import(&self) -> Result<ImportedKey, KeyProblem> {
        let text = self.text.expose();
        let octets = match self.form {
            Form::Pem => return pem(text),
            Form::Jwk if !text.trim_start().starts_with('{') => {
                return Err(KeyProblem::new("this is no JWK: it does not start with {"));
            }
            Form::Jwk => return Ok(ImportedKey::read(text.as_bytes())?),
            _ if text.trim().len() > MAX_SECRET_LETTERS => return Err(KeyProblem::of_long_secret()),
            Form::Base64 => base64(&alphabet::STANDARD, text, "base64")?,
            Form::Base64url => base64(&alphabet::URL_SAFE, text, "base64url")?,
            Form::Hex => hex(text)
                .ok_or_else(|| KeyProblem::new("the secret is not pairs of hexadecimal digits"))?,
            Form::Text | Form::Jwks | Form::Issuer => Zeroizing::new(text.as_bytes().to_vec()),
        };
        Ok(ImportedKey::from_secret(&*octets))
    }

    /// What a key is, and what was undone of its letters before it could be read.
    pub(super) fn in_words(&self, imported: &ImportedKey) -> String {
        let text = self.text.expose();
        let undone = match self.form {
            Form::Pem if !is_pem(text) => {
                "read from base64 without its -----BEGIN and -----END lines".to_owned()
            }
            Form::Pem => match armour::undo(text) {
                Some(undone) => format!("undone in its PEM: {}", undone.what.join(", ")),
                None => return imported.to_string(),
            },
            _ => return imported.to_string(),
        };
        format!("{imported} ({undone})")
    }
}

fn is_pem(text: &str) -> bool {
    text.contains("-----BEGIN ")
}

fn pem(text: &str) -> Result<ImportedKey, KeyProblem> {
    if is_pem(text) {
        let undone = armour::undo(text);
        let pem = undone.as_ref().map_or(text, |undone| &undone.pem);
        return Ok(ImportedKey::read(pem.as_bytes())?);
    }
    let bare = armour::bare(text).and_then(|octets| ImportedKey::read(&octets).ok());
    bare.ok_or_else(|| {
        KeyProblem::new(
            "this is no PEM: it has no line that starts with -----BEGIN; the base64 of a public key stands between -----BEGIN PUBLIC KEY----- and -----END PUBLIC KEY-----",
        )
    })
}

fn base64(alphabet: &Alphabet, text: &str, name: &str) -> Result<Zeroizing<Vec<u8>>, KeyProblem> {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config)
        .decode(text.trim())
        .map(Zeroizing::new)
        .map_err(|_| KeyProblem::new(format!("the secret is not {name}")))
}

fn hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let digits: Option<Vec<u8>> = text
        .trim()
        .chars()
        .map(|digit| u8::try_from(digit.to_digit(16)?).ok())
        .collect();
    let digits = Zeroizing::new(digits?);
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => Some(high.checked_mul(16)?.checked_add(*low)?),
        _ => None,
    });
    pairs.collect::<Option<Vec<u8>>>().map(Zeroizing::new)
}
