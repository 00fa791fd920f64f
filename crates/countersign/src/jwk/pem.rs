//! PEM: the armour around DER, and what its label promises (RFC 7468).

mod blocks;

use pem_rfc7468::LineEnding;
use zeroize::Zeroizing;

use super::der;
use super::import::KeyFormat;
use crate::error::Error;
use crate::jwk::parts::KeyParts;
use blocks::Block;

const CERTIFICATE: &str = "CERTIFICATE";

/// Reads the one key of a PEM document: its own, or that of the certificate at the head of a chain. Text around the armour
/// is no part of it (RFC 7468 §2).
///
/// # Errors
/// [`Error::KeyFormat`] that says what the document holds instead; [`Error::KeyEncrypted`] where it needs a password.
pub(crate) fn parse(text: &str, password: Option<&[u8]>) -> Result<(KeyFormat, KeyParts), Error> {
    der::check_size(text.as_bytes())?;
    if text.contains("Proc-Type:") {
        return Err(Error::key_format(
            "this private key is encrypted the way PEM did before PKCS#8; decrypt it with `openssl pkey -in key.pem -out plain.pem`, or give its public half: `openssl pkey -in key.pem -pubout`",
        ));
    }
    let blocks = blocks::split(text)?;
    match blocks.as_slice() {
        [block] => read(block, password),
        chain if chain.iter().all(|block| block.label == CERTIFICATE) => read_chain(chain),
        several => Err(Error::key_format(format!(
            "this PEM document holds {}; give the one key alone, or one chain of certificates",
            blocks::count(several)
        ))),
    }
}

fn read(block: &Block<'_>, password: Option<&[u8]>) -> Result<(KeyFormat, KeyParts), Error> {
    let octets = block.decode()?;
    let (format, parts) = match block.label {
        "PRIVATE KEY" => (KeyFormat::Pkcs8, der::from_pkcs8(&octets)),
        "ENCRYPTED PRIVATE KEY" => (
            KeyFormat::EncryptedPkcs8,
            der::from_encrypted(&octets, password),
        ),
        "PUBLIC KEY" => (KeyFormat::Spki, der::from_spki(&octets)),
        "RSA PRIVATE KEY" => (KeyFormat::Pkcs1, der::from_pkcs1_private(&octets)),
        "RSA PUBLIC KEY" => (KeyFormat::Pkcs1, der::from_pkcs1_public(&octets)),
        "EC PRIVATE KEY" => (KeyFormat::Sec1, der::from_sec1_document(&octets)),
        CERTIFICATE => (KeyFormat::Certificate, der::from_certificate(&octets)),
        "OPENSSH PRIVATE KEY" => {
            return Err(Error::key_format(
                "this is a private key of OpenSSH; `ssh-keygen -p -m PKCS8 -f COPY` makes PKCS #8 of a copy of one of RSA or ECDSA, and for Ed25519 \
             most of its versions do not: make a new key",
            ));
        }
        _ => {
            return Err(Error::key_format(
                "this PEM document holds neither a key nor a certificate",
            ));
        }
    };
    Ok((format, parts?))
}

/// The key of the first certificate, where each is issued by the next one: then the first is whom the chain is about.
fn read_chain(chain: &[Block<'_>]) -> Result<(KeyFormat, KeyParts), Error> {
    let documents = chain
        .iter()
        .map(Block::decode)
        .collect::<Result<Vec<_>, _>>()?;
    let slices: Vec<&[u8]> = documents
        .iter()
        .map(|document| document.as_slice())
        .collect();
    der::from_chain(&slices).map(|parts| (KeyFormat::CertificateChain, parts))
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
