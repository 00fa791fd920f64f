//! One import for every format, that says what it saw.

use std::fmt;

use super::parts::KeyParts;
use super::strength::key_text;
use super::{Jwk, der, pem};
use crate::error::Error;

/// The form in which a key came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyFormat {
    /// A JSON Web Key (RFC 7517).
    Jwk,
    /// A private key with its algorithm (RFC 5958).
    Pkcs8,
    /// The same, encrypted under a password (RFC 5958 §3).
    EncryptedPkcs8,
    /// An RSA key alone (RFC 8017 §A.1).
    Pkcs1,
    /// An EC private key alone (RFC 5915).
    Sec1,
    /// A public key with its algorithm (RFC 5280 §4.1).
    Spki,
    /// An X.509 certificate; only its public key is read (RFC 5280).
    Certificate,
    /// Several certificates, each issued by the next; only the public key of the first is read (RFC 5280).
    CertificateChain,
    /// The octets of a shared secret, in no form at all.
    Secret,
}

impl fmt::Display for KeyFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Jwk => "JWK",
            Self::Pkcs8 => "PKCS#8",
            Self::EncryptedPkcs8 => "encrypted PKCS#8",
            Self::Pkcs1 => "PKCS#1",
            Self::Sec1 => "SEC1",
            Self::Spki => "SPKI",
            Self::Certificate => "X.509",
            Self::CertificateChain => "X.509 chain",
            Self::Secret => "raw secret",
        })
    }
}

/// A key that was read from a file of any format, and what that format was.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ImportedKey {
    /// The key; it has no algorithm yet where its kind leaves that open.
    pub jwk: Jwk,
    /// The form in which it came.
    pub format: KeyFormat,
    /// Whether the form was armoured as text (PEM); never for a JWK.
    pub pem: bool,
}

impl ImportedKey {
    /// Reads a key in PEM, DER or JWK, told apart by what the octets hold.
    ///
    /// # Errors
    /// [`Error::KeyFormat`] that says what was seen, [`Error::Malformed`] for a JWK that is no JSON,
    /// [`Error::KeyEncrypted`] for a private key that needs a password.
    ///
    /// ```
    /// # fn main() -> Result<(), countersign::Error> {
    /// # let pem = countersign::SigningKey::generate(countersign::Algorithm::ES256)?.to_pem()?;
    /// let imported = countersign::ImportedKey::read(pem.as_bytes())?;
    /// assert_eq!(imported.to_string(), "an EC private key on P-256 (PKCS#8, PEM)");
    /// # Ok(()) }
    /// ```
    pub fn read(octets: &[u8]) -> Result<Self, Error> {
        Self::open(octets, None)
    }

    /// The same, with the password of a private key that is encrypted.
    ///
    /// # Errors
    /// Those of [`read`](Self::read); [`Error::KeyUnfit`] where the password does not open the key.
    pub fn read_encrypted(octets: &[u8], password: impl AsRef<[u8]>) -> Result<Self, Error> {
        Self::open(octets, Some(password.as_ref()))
    }

    /// A shared secret, of which nothing but its length is known: whether it is strong enough is looked at when it
    /// becomes a [`SigningKey`](crate::SigningKey) or a [`VerifyingKey`](crate::VerifyingKey) for an algorithm.
    ///
    /// ```
    /// # fn main() -> Result<(), countersign::Error> {
    /// use countersign::{Algorithm, ImportedKey, VerifyingKey};
    /// let imported = ImportedKey::from_secret(b"too short");
    /// assert_eq!(imported.to_string(), "a shared secret of 9 bytes (raw secret)");
    /// assert!(VerifyingKey::from_jwk_as(&imported.jwk, Algorithm::HS256).is_err());
    /// # Ok(()) }
    /// ```
    pub fn from_secret(secret: impl AsRef<[u8]>) -> Self {
        Self {
            jwk: Jwk::bare(KeyParts::Oct(secret.as_ref().to_vec().into())),
            format: KeyFormat::Secret,
            pem: false,
        }
    }

    fn open(octets: &[u8], password: Option<&[u8]>) -> Result<Self, Error> {
        if is_utf_16(octets) {
            return Err(Error::key_format(
                "this text is in UTF-16, as `>` of the older PowerShell writes it; save it in ASCII: \
                 `Get-Content FILE | Set-Content -Encoding ascii OTHER`",
            ));
        }
        let text =
            std::str::from_utf8(octets).map(|text| text.trim_start_matches('\u{feff}').trim());
        match text {
            Ok(text) if text.starts_with('{') => {
                let jwk = Jwk::parse(text.as_bytes())?;
                Ok(Self {
                    jwk,
                    format: KeyFormat::Jwk,
                    pem: false,
                })
            }
            Ok(text) if text.contains("-----BEGIN ") => {
                let (format, parts) = pem::parse(text, password)?;
                Ok(Self {
                    jwk: Jwk::bare(parts),
                    format,
                    pem: true,
                })
            }
            Ok(text) if key_text::is_ssh(text.as_bytes()) => Err(Error::key_format(
                "this is a public key of OpenSSH; `ssh-keygen -e -m PKCS8 -f FILE` writes one of RSA or ECDSA as PEM, and for \
                 Ed25519 there is no such way: make a new key",
            )),
            _ => {
                let (format, parts) = der::parse(octets, password)?;
                Ok(Self {
                    jwk: Jwk::bare(parts),
                    format,
                    pem: false,
                })
            }
        }
    }
}

/// Text in UTF-16: by the mark that it begins with, which neither DER nor UTF-8 begins with, or as armour with zeros between.
fn is_utf_16(octets: &[u8]) -> bool {
    let has_armour = || {
        let text: Vec<u8> = octets.iter().copied().filter(|octet| *octet != 0).collect();
        text.starts_with(b"-----BEGIN ")
    };
    let marks = [&b"\xff\xfe"[..], b"\xfe\xff"];
    marks.iter().any(|mark| octets.starts_with(mark)) || (octets.contains(&0) && has_armour())
}

impl fmt::Display for ImportedKey {
    /// `an EC private key on P-384 (SEC1, PEM)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let armour = if self.pem { ", PEM" } else { "" };
        write!(f, "{} ({}{armour})", self.jwk.parts.describe(), self.format)
    }
}
