//! The numbers of a key, apart from any format: what JWK, PEM and the crypto library exchange.

use std::fmt;

use zeroize::Zeroizing;

use crate::jwa::{Algorithm, Curve, Family};

/// Octets that are wiped when dropped.
pub(crate) type Secret = Zeroizing<Vec<u8>>;

/// One key. Numbers are big-endian; those of RSA without leading zeros, those of curves at the length of the field.
#[derive(Clone)]
pub(crate) enum KeyParts {
    /// A shared secret.
    Oct(Secret),
    /// RSA (RFC 7518 §6.3).
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
        private: Option<RsaPrivate>,
        scheme: RsaScheme,
    },
    /// A point on a Weierstrass curve, and its scalar (RFC 7518 §6.2).
    Ec {
        curve: Curve,
        x: Vec<u8>,
        y: Vec<u8>,
        d: Option<Secret>,
    },
    /// Ed25519, and its seed (RFC 8037 §2).
    Ed25519 { x: Vec<u8>, d: Option<Secret> },
    /// A key made for one algorithm, and its seed (RFC 9964 §3): ML-DSA.
    Akp {
        algorithm: Algorithm,
        public: Vec<u8>,
        seed: Option<Secret>,
    },
}

/// For which paddings an RSA key says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RsaScheme {
    /// For any (rsaEncryption, RFC 8017 §A.1).
    Any,
    /// For PSS alone (id-RSASSA-PSS, RFC 8017 §A.2.3), with the hash of one algorithm where it names one.
    Pss(Option<Algorithm>),
}

impl RsaScheme {
    /// Whether nothing speaks against this one of the RSA algorithms.
    pub(crate) fn takes(self, algorithm: Algorithm) -> bool {
        match self {
            Self::Any => true,
            Self::Pss(None) => algorithm.family() == Family::RsaPss,
            Self::Pss(Some(own)) => own == algorithm,
        }
    }
}

/// The private numbers of a two-prime RSA key (RFC 7518 §6.3.2).
#[derive(Clone)]
pub(crate) struct RsaPrivate {
    pub(crate) d: Secret,
    pub(crate) p: Secret,
    pub(crate) q: Secret,
    pub(crate) dp: Secret,
    pub(crate) dq: Secret,
    pub(crate) qi: Secret,
}

impl KeyParts {
    /// The `kty`.
    pub(crate) const fn kty(&self) -> &'static str {
        match self {
            Self::Oct(_) => "oct",
            Self::Rsa { .. } => "RSA",
            Self::Ec { .. } => "EC",
            Self::Ed25519 { .. } => "OKP",
            Self::Akp { .. } => "AKP",
        }
    }

    /// Whether it holds something that only its owner may know.
    pub(crate) const fn is_private(&self) -> bool {
        match self {
            Self::Oct(_) => true,
            Self::Rsa { private, .. } => private.is_some(),
            Self::Ec { d, .. } | Self::Ed25519 { d, .. } => d.is_some(),
            Self::Akp { seed, .. } => seed.is_some(),
        }
    }

    /// The public half; `None` for a shared secret.
    pub(crate) fn public(&self) -> Option<Self> {
        match self {
            Self::Oct(_) => None,
            Self::Rsa { n, e, scheme, .. } => Some(Self::Rsa {
                n: n.clone(),
                e: e.clone(),
                private: None,
                scheme: *scheme,
            }),
            Self::Ec { curve, x, y, .. } => Some(Self::Ec {
                curve: *curve,
                x: x.clone(),
                y: y.clone(),
                d: None,
            }),
            Self::Ed25519 { x, .. } => Some(Self::Ed25519 {
                x: x.clone(),
                d: None,
            }),
            Self::Akp {
                algorithm, public, ..
            } => Some(Self::Akp {
                algorithm: *algorithm,
                public: public.clone(),
                seed: None,
            }),
        }
    }

    /// The same key, for these paddings where it is an RSA key.
    pub(crate) fn for_scheme(self, wanted: RsaScheme) -> Self {
        match self {
            Self::Rsa { n, e, private, .. } => Self::Rsa {
                n,
                e,
                private,
                scheme: wanted,
            },
            other => other,
        }
    }

    /// The public key as it stands in a `BIT STRING`; `None` for secrets and RSA, which have other forms.
    pub(crate) fn public_octets(&self) -> Option<Vec<u8>> {
        match self {
            Self::Oct(_) | Self::Rsa { .. } => None,
            Self::Ec { x, y, .. } => Some([&[4], x.as_slice(), y].concat()),
            Self::Ed25519 { x, .. } => Some(x.clone()),
            Self::Akp { public, .. } => Some(public.clone()),
        }
    }

    /// What the key is, in words: `an EC private key on P-384`.
    pub(crate) fn describe(&self) -> String {
        let half = if self.is_private() {
            "private"
        } else {
            "public"
        };
        match self {
            Self::Oct(secret) => format!("a shared secret of {} bytes", secret.len()),
            Self::Rsa { n, scheme, .. } => {
                let kind = match scheme {
                    RsaScheme::Any => "RSA",
                    RsaScheme::Pss(_) => "RSA-PSS",
                };
                let hash = match scheme {
                    RsaScheme::Pss(Some(algorithm)) => format!(" for {algorithm}"),
                    RsaScheme::Any | RsaScheme::Pss(None) => String::new(),
                };
                format!("an {kind} {half} key of {} bits{hash}", bits(n))
            }
            Self::Ec { curve, .. } => format!("an EC {half} key on {}", curve.name()),
            Self::Ed25519 { .. } => format!("an Ed25519 {half} key"),
            Self::Akp { algorithm, .. } => format!("an {algorithm} {half} key"),
        }
    }
}

impl fmt::Debug for KeyParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

/// The length in bits of a big-endian number.
pub(crate) fn bits(number: &[u8]) -> usize {
    let number = strip_leading_zeros(number);
    let top = number
        .first()
        .map_or(0, |byte| byte.leading_zeros() as usize);
    number.len().saturating_mul(8).saturating_sub(top)
}

/// A big-endian number without the zeros in front.
pub(crate) fn strip_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted_from_the_first_one() {
        assert_eq!(bits(&[]), 0);
        assert_eq!(bits(&[0, 0]), 0);
        assert_eq!(bits(&[0, 1]), 1);
        assert_eq!(bits(&[1, 0, 1]), 17);
        assert_eq!(bits(&[0xff, 0]), 16);
    }

    #[test]
    fn debug_output_holds_no_octet_of_the_key() {
        let parts = KeyParts::Oct(Zeroizing::new(vec![0x41; 32]));
        assert_eq!(format!("{parts:?}"), "a shared secret of 32 bytes");
    }
}
