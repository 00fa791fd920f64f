//! PEM: the armour around DER, and what its label promises (RFC 7468).

use pem_rfc7468::LineEnding;
use zeroize::Zeroizing;

use super::der;
use super::import::KeyFormat;
use crate::error::Error;
use crate::jwk::parts::KeyParts;

/// Reads the one key of a PEM document.
///
/// # Errors
/// [`Error::KeyFormat`] that says what the document holds instead; [`Error::KeyEncrypted`] where it needs a password.
pub(crate) fn parse(text: &str, password: Option<&[u8]>) -> Result<(KeyFormat, KeyParts), Error> {
    der::check_size(text.as_bytes())?;
    let text = without_parameters(text.trim_start_matches('\u{feff}').trim());
    if text.contains("Proc-Type:") {
        return Err(Error::key_format(
            "this private key is encrypted the way PEM did before PKCS#8; rewrite it: openssl pkcs8 -topk8",
        ));
    }
    let (label, octets) = pem_rfc7468::decode_vec(text.as_bytes()).map_err(|_| {
        Error::key_format("this is no PEM document (`-----BEGIN …-----`, base64, `-----END …-----`) with one key in it")
    })?;
    let octets = Zeroizing::new(octets);
    let (format, parts) = match label {
        "PRIVATE KEY" => (KeyFormat::Pkcs8, der::from_pkcs8(&octets)),
        "ENCRYPTED PRIVATE KEY" => (
            KeyFormat::EncryptedPkcs8,
            der::from_encrypted(&octets, password),
        ),
        "PUBLIC KEY" => (KeyFormat::Spki, der::from_spki(&octets)),
        "RSA PRIVATE KEY" => (KeyFormat::Pkcs1, der::from_pkcs1_private(&octets)),
        "RSA PUBLIC KEY" => (KeyFormat::Pkcs1, der::from_pkcs1_public(&octets)),
        "EC PRIVATE KEY" => (KeyFormat::Sec1, der::from_sec1_document(&octets)),
        "CERTIFICATE" => (KeyFormat::Certificate, der::from_certificate(&octets)),
        _ => {
            return Err(Error::key_format(
                "this PEM document holds neither a key nor a certificate",
            ));
        }
    };
    Ok((format, parts?))
}

/// `openssl ecparam -genkey` writes the curve in a block of its own before the key, which names it again.
fn without_parameters(text: &str) -> &str {
    const END: &str = "-----END EC PARAMETERS-----";
    match text.split_once(END) {
        Some((parameters, key)) if parameters.starts_with("-----BEGIN EC PARAMETERS-----") => {
            key.trim_start()
        }
        _ => text,
    }
}

/// Writes a private key as PKCS#8.
pub(crate) fn to_pkcs8(parts: &KeyParts) -> Result<Zeroizing<String>, Error> {
    armour("PRIVATE KEY", &der::to_pkcs8(parts)?).map(Zeroizing::new)
}

/// Writes a public key as SPKI.
pub(crate) fn to_spki(parts: &KeyParts) -> Result<String, Error> {
    armour("PUBLIC KEY", &der::to_spki(parts)?)
}

fn armour(label: &str, octets: &[u8]) -> Result<String, Error> {
    pem_rfc7468::encode_string(label, LineEnding::LF, octets).map_err(|_| Error::Crypto {
        doing: "writing a key",
    })
}
