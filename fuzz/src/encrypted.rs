//! Private keys under a password, of so little cost that a fuzzer can open thousands of them in a second.

use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::der::Encode as _;
use pkcs8::der::asn1::OctetStringRef;
use pkcs8::pkcs5::pbes2::{EncryptionScheme, Kdf, Parameters, Pbkdf2Params, Salt, ScryptParams};

/// The password of every key here.
pub const PASSWORD: &str = "lantern";

const SALT: &[u8] = b"of the sea";

/// The cheapest way of each kind to make a key of a password.
pub fn kdfs() -> [Kdf; 2] {
    let scrypt = ScryptParams {
        salt: Salt::new(SALT).expect("a short salt"),
        cost_parameter: 2,
        block_size: 1,
        parallelization: 1,
        key_length: None,
    };
    [Pbkdf2Params::hmac_sha256(1, SALT).expect("one round").into(), scrypt.into()]
}

/// Octets as the content of an encrypted PKCS#8 document, whatever they are.
pub fn encrypt(octets: &[u8], kdf: Kdf) -> Vec<u8> {
    let parameters = Parameters { kdf, encryption: EncryptionScheme::Aes256Cbc { iv: [7; 16] } };
    let content = parameters.encrypt(PASSWORD, octets).expect("any octets");
    let document = EncryptedPrivateKeyInfoRef {
        encryption_algorithm: parameters.into(),
        encrypted_data: OctetStringRef::new(&content).expect("not too long"),
    };
    document.to_der().expect("a document")
}

/// Whether opening this document is cheap; what names a high cost is refused or takes its second, and is no work for a
/// fuzzer.
pub fn is_cheap(octets: &[u8]) -> bool {
    let der = armoured(octets).unwrap_or_else(|| octets.to_vec());
    let Ok(document) = EncryptedPrivateKeyInfoRef::try_from(der.as_slice()) else {
        return false;
    };
    match document.encryption_algorithm.pbes2().map(|parameters| &parameters.kdf) {
        Some(Kdf::Pbkdf2(parameters)) => parameters.iteration_count <= 2_048,
        Some(Kdf::Scrypt(parameters)) => {
            let product = parameters
                .cost_parameter
                .saturating_mul(parameters.block_size.into())
                .saturating_mul(parameters.parallelization.into());
            product <= 2_048
        }
        _ => true,
    }
}

fn armoured(octets: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(octets).ok()?;
    let start = text.find("-----BEGIN ENCRYPTED PRIVATE KEY-----")?;
    let end = "-----END ENCRYPTED PRIVATE KEY-----";
    let length = text[start..].find(end)? + end.len();
    pem_rfc7468::decode_vec(text[start..start + length].as_bytes()).ok().map(|(_, der)| der)
}
