//! The algorithms: the only list of their names, families and sizes (RFC 7518 §3, RFC 8037, RFC 8812, RFC 9864,
//! RFC 9964).
//!
//! There is no `none`.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// A JWS signature or MAC algorithm.
///
/// A key has exactly one, fixed when it is made or imported. The `alg` of a token's header can only agree with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with SHA-256; a shared secret of at least 32 bytes (RFC 7518 §3.2).
    HS256,
    /// HMAC with SHA-384; a shared secret of at least 48 bytes.
    HS384,
    /// HMAC with SHA-512; a shared secret of at least 64 bytes.
    HS512,
    /// RSASSA-PKCS1-v1_5 with SHA-256; a modulus of 2048 to 8192 bits (RFC 7518 §3.3).
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256, a salt of 32 bytes (RFC 7518 §3.5).
    PS256,
    /// RSASSA-PSS with SHA-384, a salt of 48 bytes.
    PS384,
    /// RSASSA-PSS with SHA-512, a salt of 64 bytes.
    PS512,
    /// ECDSA on P-256 with SHA-256; signatures of 64 bytes (RFC 7518 §3.4).
    ES256,
    /// ECDSA on P-384 with SHA-384; signatures of 96 bytes.
    ES384,
    /// ECDSA on P-521 with SHA-512; signatures of 132 bytes.
    ES512,
    /// ECDSA on secp256k1 with SHA-256; signatures of 64 bytes (RFC 8812 §3.2).
    ES256K,
    /// Ed25519 under the name that RFC 8037 gave it, and RFC 9864 deprecates in favour of `Ed25519`. A key reads both
    /// names and writes this one, because far more libraries know it.
    EdDSA,
    /// ML-DSA-44, which withstands quantum computers; signatures of 2420 bytes (RFC 9964, FIPS 204).
    MlDsa44,
    /// ML-DSA-65; signatures of 3309 bytes.
    MlDsa65,
    /// ML-DSA-87; signatures of 4627 bytes.
    MlDsa87,
}

/// What an algorithm is built on, and so which kind of key it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Family {
    /// A shared secret (`kty` oct).
    Hmac,
    /// An RSA key pair with PKCS #1 v1.5 padding (`kty` RSA).
    RsaPkcs1,
    /// An RSA key pair with PSS padding (`kty` RSA).
    RsaPss,
    /// A key pair on a Weierstrass curve (`kty` EC).
    Ecdsa,
    /// A key pair on an Edwards curve (`kty` OKP).
    EdDsa,
    /// A lattice key pair (`kty` AKP).
    MlDsa,
}

impl Algorithm {
    /// Every algorithm, in the order of the RFCs.
    pub const ALL: &'static [Self] = &[
        Self::HS256,
        Self::HS384,
        Self::HS512,
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::ES512,
        Self::ES256K,
        Self::EdDSA,
        Self::MlDsa44,
        Self::MlDsa65,
        Self::MlDsa87,
    ];

    /// The name that goes into `alg`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::ES512 => "ES512",
            Self::ES256K => "ES256K",
            Self::EdDSA => "EdDSA",
            Self::MlDsa44 => "ML-DSA-44",
            Self::MlDsa65 => "ML-DSA-65",
            Self::MlDsa87 => "ML-DSA-87",
        }
    }

    /// The fully-specified name (RFC 9864 §2): `Ed25519` for [`EdDSA`](Self::EdDSA); the other names already are.
    #[must_use]
    pub const fn fully_specified_name(self) -> &'static str {
        match self {
            Self::EdDSA => "Ed25519",
            other => other.name(),
        }
    }

    /// The algorithm of a name in `alg`; exact, case and all. `EdDSA` and `Ed25519` (RFC 9864 §2.2) are one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let named = |own: &Self| own.name() == name || own.fully_specified_name() == name;
        Self::ALL.iter().copied().find(named)
    }

    /// Which kind of key it takes.
    #[must_use]
    pub const fn family(self) -> Family {
        match self {
            Self::HS256 | Self::HS384 | Self::HS512 => Family::Hmac,
            Self::RS256 | Self::RS384 | Self::RS512 => Family::RsaPkcs1,
            Self::PS256 | Self::PS384 | Self::PS512 => Family::RsaPss,
            Self::ES256 | Self::ES384 | Self::ES512 | Self::ES256K => Family::Ecdsa,
            Self::EdDSA => Family::EdDsa,
            Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 => Family::MlDsa,
        }
    }

    /// Whether signer and verifier share one secret.
    #[must_use]
    pub const fn is_symmetric(self) -> bool {
        matches!(self.family(), Family::Hmac)
    }

    /// The `kty` of its keys (RFC 7518 §6.1, RFC 8037 §2, RFC 9964 §3).
    #[must_use]
    pub const fn kty(self) -> &'static str {
        match self.family() {
            Family::Hmac => "oct",
            Family::RsaPkcs1 | Family::RsaPss => "RSA",
            Family::Ecdsa => "EC",
            Family::EdDsa => "OKP",
            Family::MlDsa => "AKP",
        }
    }

    /// The least number of bytes of a shared secret: the size of the hash (RFC 7518 §3.2); `None` for key pairs.
    #[must_use]
    pub const fn secret_min_bytes(self) -> Option<usize> {
        match self {
            Self::HS256 => Some(32),
            Self::HS384 => Some(48),
            Self::HS512 => Some(64),
            _ => None,
        }
    }

    /// The curve of its keys, where it has one.
    pub(crate) const fn curve(self) -> Option<Curve> {
        match self {
            Self::ES256 => Some(Curve::P256),
            Self::ES384 => Some(Curve::P384),
            Self::ES512 => Some(Curve::P521),
            Self::ES256K => Some(Curve::Secp256k1),
            _ => None,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::from_name(name).ok_or(Error::AlgorithmUnknown)
    }
}

/// A Weierstrass curve, named as in `crv` (RFC 7518 §6.2.1.1, RFC 8812 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
    Secp256k1,
}

impl Curve {
    pub(crate) const ALL: [Self; 4] = [Self::P256, Self::P384, Self::P521, Self::Secp256k1];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::Secp256k1 => "secp256k1",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.name() == name)
    }

    /// The one algorithm that signs on this curve.
    pub(crate) const fn algorithm(self) -> Algorithm {
        match self {
            Self::P256 => Algorithm::ES256,
            Self::P384 => Algorithm::ES384,
            Self::P521 => Algorithm::ES512,
            Self::Secp256k1 => Algorithm::ES256K,
        }
    }

    /// Bytes of one coordinate, and of the private scalar.
    pub(crate) const fn field_bytes(self) -> usize {
        match self {
            Self::P256 | Self::Secp256k1 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

/// The bounds of an RSA modulus, in bits (RFC 7518 §3.3; above, verification becomes a way to burn a server's time).
pub(crate) const RSA_MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_is_found_by_its_own_name() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(*algorithm));
        }
        assert_eq!(Algorithm::from_name("Ed25519"), Some(Algorithm::EdDSA));
    }

    #[test]
    fn rejects_none_and_every_other_spelling_of_a_name() {
        for name in [
            "none", "None", "NONE", "nOnE", "none ", "none\0", "", "hs256", "HS256 ", "RS1",
            "Ed448",
        ] {
            assert_eq!(
                name.parse::<Algorithm>(),
                Err(Error::AlgorithmUnknown),
                "{name:?}"
            );
        }
    }
}
