//! What makes a key too weak, and where a better one comes from.

use crate::jwa::Algorithm;

/// Why a key is too weak.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeakKey {
    /// A shared secret shorter than the hash (RFC 7518 §3.2).
    #[error(
        "the secret has {found} bytes, {algorithm} needs at least {needed}; make one with `openssl rand -hex {needed}`"
    )]
    SecretTooShort {
        /// Its bytes.
        found: usize,
        /// The least number of bytes.
        needed: usize,
        /// What it was meant for.
        algorithm: Algorithm,
    },
    /// A shared secret that is one character, a run, a repeated word, or made of the words of every tutorial.
    #[error(
        "the secret can be guessed: it is a pattern, or made of the words of every tutorial; make one for {algorithm} with \
         `openssl rand -hex {}`",
        algorithm.secret_min_bytes().unwrap_or(64)
    )]
    SecretGuessable {
        /// What it was meant for.
        algorithm: Algorithm,
    },
    /// A shared secret that is the hexadecimal digits of fewer octets than the hash has (RFC 7518 §3.2): as text it is long
    /// enough, and there are no more such secrets than short ones.
    #[error(
        "the secret is the hexadecimal digits of {found} bytes, {algorithm} needs those of at least {needed}; make them with \
         `openssl rand -hex {needed}`"
    )]
    SecretShortInHex {
        /// The bytes that the digits stand for.
        found: usize,
        /// The least number of bytes.
        needed: usize,
        /// What it was meant for.
        algorithm: Algorithm,
    },
    /// A shared secret that is the text of a key (RFC 8725 §2.1: public keys used as secrets).
    #[error(
        "the secret is the text of a key ({kind}); a key is read as what it is (`SigningKey::from_jwk`, `SigningKey::from_pem`), and \
         one that others know is no secret"
    )]
    SecretIsKey {
        /// What it parses as.
        kind: &'static str,
    },
    /// An RSA modulus out of bounds (RFC 7518 §3.3).
    #[error("the RSA key has {found} bits, at least 2048 and at most 8192 are needed")]
    RsaModulus {
        /// Its bits.
        found: usize,
    },
    /// An RSA exponent that is 1, even or beyond 33 bits (RFC 8017 §3.1).
    #[error("the RSA exponent is even, less than 3 or longer than 33 bits")]
    RsaExponent,
    /// An RSA modulus whose primes a faulty generator made (CVE-2017-15361).
    #[error(
        "the RSA key was made by a generator whose keys can be factored (ROCA, CVE-2017-15361); make a new one"
    )]
    Roca,
    /// An Ed25519 point of small order, whose signatures hold over anything (RFC 8032 §8.9).
    #[error("the Ed25519 public key is a point of small order: its signatures prove nothing")]
    SmallOrder,
}
