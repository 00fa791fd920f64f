//! Private keys that are encrypted under a password (RFC 5958 §3; PBES2 of RFC 8018), and what opening one may cost.

use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Kdf;

use super::from_pkcs8;
use crate::error::Error;
use crate::jwk::parts::KeyParts;

/// The most rounds of PBKDF2 that are run: about a second of SHA-512. The file names the number, and it comes from outside.
const MAX_PBKDF2_ITERATIONS: u32 = 2_000_000;

/// The largest product of the three numbers of scrypt (RFC 7914 §2): 128 MiB, a fifth of a second.
const MAX_SCRYPT_BLOCKS: u64 = 1 << 20;

/// Reads an encrypted PKCS#8 private key.
pub(crate) fn from_encrypted(der: &[u8], password: Option<&[u8]>) -> Result<KeyParts, Error> {
    let info = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| {
        Error::key_format(
            "this should be an encrypted private key (PKCS#8), but its DER is malformed or its cipher is not known here; encrypt it again: openssl pkcs8 -topk8 -v2 aes-256-cbc",
        )
    })?;
    let password = password.ok_or(Error::KeyEncrypted)?;
    check_cost(&info.encryption_algorithm)?;
    let document = info.decrypt(password).map_err(|_| {
        Error::key_unfit(
            "this private key is encrypted, and the password does not open it (or it is encrypted in a way not known here: PBES2 with SHA-2 and AES is)",
        )
    })?;
    from_pkcs8(document.as_bytes())
}

fn check_cost(scheme: &EncryptionScheme) -> Result<(), Error> {
    let fits = match scheme.pbes2().map(|parameters| &parameters.kdf) {
        Some(Kdf::Pbkdf2(parameters)) => {
            (1..=MAX_PBKDF2_ITERATIONS).contains(&parameters.iteration_count)
        }
        // RFC 7914 §2: N is a power of two larger than 1, r and p are positive.
        Some(Kdf::Scrypt(parameters)) => {
            let (n, r, p) = (
                parameters.cost_parameter,
                parameters.block_size,
                parameters.parallelization,
            );
            n > 1
                && n.is_power_of_two()
                && r > 0
                && p > 0
                && n.saturating_mul(u64::from(r)).saturating_mul(u64::from(p)) <= MAX_SCRYPT_BLOCKS
        }
        _ => true,
    };
    if fits {
        return Ok(());
    }
    Err(Error::key_unfit(
        "opening this encrypted private key would take too much time or memory, or its parameters are none; encrypt it again: openssl pkcs8 -topk8",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pkcs8::pkcs5::pbes2::{self, Pbkdf2Params, ScryptParams};

    fn fits(kdf: impl Into<Kdf>) -> bool {
        let encryption = pbes2::EncryptionScheme::Aes256Cbc { iv: [7; 16] };
        let kdf = kdf.into();
        check_cost(&pbes2::Parameters { kdf, encryption }.into()).is_ok()
    }

    #[test]
    fn rejects_more_rounds_than_a_second_has() {
        let rounds = |count| fits(Pbkdf2Params::hmac_sha256(count, b"of the sea").unwrap());
        for (count, expected) in [
            (1, true),
            (600_000, true),
            (MAX_PBKDF2_ITERATIONS, true),
            (MAX_PBKDF2_ITERATIONS + 1, false),
            (100_000_000, false),
        ] {
            assert_eq!(rounds(count), expected, "{count}");
        }
    }

    #[test]
    fn rejects_more_memory_or_work_than_scrypt_needs() {
        let numbers = |cost_parameter, block_size, parallelization| {
            fits(ScryptParams {
                salt: pkcs8::pkcs5::pbes2::Salt::new(b"of the sea").unwrap(),
                cost_parameter,
                block_size,
                parallelization,
                key_length: None,
            })
        };
        for (n, r, p, expected) in [
            (1 << 14, 8, 1, true),
            (1 << 17, 8, 1, true),
            (1 << 14, 8, 8, true),
            (1 << 18, 8, 1, false),
            (1 << 17, 8, 2, false),
            (2, u16::MAX, u16::MAX, false),
            (1 << 63, 8, 1, false),
            (1, 8, 1, false),
            (3, 8, 1, false),
            (16, 0, 1, false),
            (16, 1, 0, false),
        ] {
            assert_eq!(numbers(n, r, p), expected, "{n} {r} {p}");
        }
    }
}
