//! The members of a JWK: numbers in and out, `use` and `key_ops` (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::parts::{KeyParts, RsaPrivate, RsaScheme, Secret};
use super::{Thumbprint, der};
use crate::base64url;
use crate::error::{Error, Part};
use crate::jwa::{Algorithm, Curve, Family};

type Members = Map<String, Value>;

/// What `use` and `key_ops` say about a key; a member that is absent forbids nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Usage {
    usage: Option<String>,
    operations: Option<Vec<String>>,
}

impl Usage {
    /// Reads both members (RFC 7517 §4.2 and §4.3).
    pub(crate) fn read(members: &Members) -> Result<Self, Error> {
        let usage = text(members, "use")?.map(str::to_owned);
        let operations = match members.get("key_ops") {
            None => None,
            Some(value) => Some(strings(value).ok_or_else(|| {
                Error::key_format("the key's `key_ops` is not an array of strings")
            })?),
        };
        let mut sorted = operations.clone().unwrap_or_default();
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(Error::key_format(
                "the key's `key_ops` names an operation twice",
            ));
        }
        let signs = |operation: &String| matches!(operation.as_str(), "sign" | "verify");
        let contradicts = match usage.as_deref() {
            Some("sig") => !sorted.iter().all(signs),
            Some("enc") => sorted.iter().any(signs),
            _ => false,
        };
        if contradicts {
            return Err(Error::key_unfit(
                "the key's `use` and `key_ops` contradict each other",
            ));
        }
        Ok(Self { usage, operations })
    }

    /// Whether the key may sign.
    pub(crate) fn may_sign(&self) -> bool {
        self.is_for_signatures() && self.allows("sign")
    }

    /// Whether the key may verify; a private key of a pair that may sign may, with its public half.
    pub(crate) fn may_verify(&self, parts: &KeyParts) -> bool {
        let pair = parts.is_private() && !matches!(parts, KeyParts::Oct(_));
        self.is_for_signatures() && (self.allows("verify") || (pair && self.allows("sign")))
    }

    fn is_for_signatures(&self) -> bool {
        self.usage.as_deref().is_none_or(|usage| usage == "sig")
    }

    fn allows(&self, operation: &str) -> bool {
        let named = |operations: &Vec<String>| operations.iter().any(|own| own == operation);
        self.operations.as_ref().is_none_or(named)
    }

    /// Writes both members, so that a key that was read and written again is for what it was.
    pub(crate) fn write(&self, members: &mut Members) {
        if let Some(usage) = &self.usage {
            members.insert("use".to_owned(), Value::from(usage.as_str()));
        }
        if let Some(operations) = &self.operations {
            members.insert("key_ops".to_owned(), Value::from(operations.clone()));
        }
    }
}

fn strings(value: &Value) -> Option<Vec<String>> {
    let strings = value.as_array()?.iter().map(Value::as_str);
    strings.map(|text| text.map(str::to_owned)).collect()
}

/// A member that is a string where it is present.
pub(crate) fn text<'m>(members: &'m Members, name: &'static str) -> Result<Option<&'m str>, Error> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Error::key_format(format!(
            "the key's `{name}` is not a string"
        ))),
    }
}

/// The numbers of a key of any `kty` known here.
pub(crate) fn parts(members: &Members) -> Result<KeyParts, Error> {
    match text(members, "kty")? {
        None if members.contains_key("keys") => Err(Error::key_format(
            "this is a JWK Set and not one key: take a member of its `keys`",
        )),
        None => Err(Error::key_format("this is no JWK: it has no `kty`")),
        Some("oct") => Ok(KeyParts::Oct(secret(members, "k")?)),
        Some("RSA") => rsa(members),
        Some("EC") => ec(members),
        Some("OKP") => okp(members),
        Some("AKP") => akp(members),
        Some(_) => Err(Error::key_format(
            "the key's `kty` is not known here; oct, RSA, EC, OKP and AKP are",
        )),
    }
}

/// RFC 7517 §4.7: the key of the first certificate in `x5c` is the key of the JWK. Nobody trusts the chain. What else names
/// a certificate is text (§4.6, §4.8, §4.9), and nobody looks for it.
pub(crate) fn check_certificate(members: &Members, parts: &KeyParts) -> Result<(), Error> {
    for name in ["x5u", "x5t", "x5t#S256"] {
        text(members, name)?;
    }
    let Some(chain) = members.get("x5c") else {
        return Ok(());
    };
    let malformed =
        || Error::key_format("the key's `x5c` is not an array of certificates in base64");
    let chain = strings(chain).ok_or_else(malformed)?;
    let first = chain.first().ok_or_else(malformed)?;
    let certificate = STANDARD.decode(first).map_err(|_| malformed())?;
    der::check_size(&certificate)?;
    if Thumbprint::of(&der::from_certificate(&certificate)?) == Thumbprint::of(parts) {
        return Ok(());
    }
    Err(Error::key_unfit(
        "the certificate in the key's `x5c` holds another key",
    ))
}

fn rsa(members: &Members) -> Result<KeyParts, Error> {
    let numbers = ["d", "p", "q", "dp", "dq", "qi"];
    let given = numbers
        .into_iter()
        .filter(|name| members.contains_key(*name))
        .count();
    if given != 0 && given != numbers.len() {
        return Err(Error::key_format(
            "this RSA JWK has some of `d`, `p`, `q`, `dp`, `dq` and `qi`; a private key needs them all, a public one none",
        ));
    }
    let private = if given != 0 {
        if members.contains_key("oth") {
            return Err(Error::key_unfit(
                "this RSA key has more than two primes; make one with two",
            ));
        }
        let number = |name| integer(members, name).map(Zeroizing::new);
        Some(RsaPrivate {
            d: number("d")?,
            p: number("p")?,
            q: number("q")?,
            dp: number("dp")?,
            dq: number("dq")?,
            qi: number("qi")?,
        })
    } else {
        None
    };
    Ok(KeyParts::Rsa {
        n: integer(members, "n")?,
        e: integer(members, "e")?,
        private,
        scheme: RsaScheme::Any,
    })
}

fn ec(members: &Members) -> Result<KeyParts, Error> {
    let curve = text(members, "crv")?
        .and_then(Curve::from_name)
        .ok_or_else(|| {
            Error::key_format("the key's `crv` is not P-256, P-384, P-521 or secp256k1")
        })?;
    let size = curve.field_bytes();
    let d = members
        .contains_key("d")
        .then(|| fixed(members, "d", size).map(Zeroizing::new))
        .transpose()?;
    Ok(KeyParts::Ec {
        curve,
        x: fixed(members, "x", size)?,
        y: fixed(members, "y", size)?,
        d,
    })
}

fn okp(members: &Members) -> Result<KeyParts, Error> {
    if text(members, "crv")? != Some("Ed25519") {
        return Err(Error::key_format(
            "the key's `crv` is not Ed25519, the only one of OKP that signs here",
        ));
    }
    let d = members
        .contains_key("d")
        .then(|| fixed(members, "d", 32).map(Zeroizing::new))
        .transpose()?;
    Ok(KeyParts::Ed25519 {
        x: fixed(members, "x", 32)?,
        d,
    })
}

/// RFC 9964 §3: `alg` is required, `pub` is the public key, `priv` the seed.
fn akp(members: &Members) -> Result<KeyParts, Error> {
    let algorithm = text(members, "alg")?
        .and_then(Algorithm::from_name)
        .filter(|algorithm| algorithm.family() == Family::MlDsa)
        .ok_or_else(|| {
            Error::key_format(
                "the key's `alg` is not ML-DSA-44, ML-DSA-65 or ML-DSA-87, which an AKP key needs",
            )
        })?;
    let seed = members
        .contains_key("priv")
        .then(|| fixed(members, "priv", 32).map(Zeroizing::new))
        .transpose()?;
    Ok(KeyParts::Akp {
        algorithm,
        public: octets(members, "pub")?,
        seed,
    })
}

fn octets(members: &Members, name: &'static str) -> Result<Vec<u8>, Error> {
    let text = text(members, name)?
        .ok_or_else(|| Error::key_format(format!("the key has no `{name}`")))?;
    base64url::decode(text, Part::Document).map_err(|_| {
        Error::key_format(format!(
            "the key's `{name}` is not base64url without padding"
        ))
    })
}

fn secret(members: &Members, name: &'static str) -> Result<Secret, Error> {
    octets(members, name).map(Zeroizing::new)
}

/// A Base64urlUInt: the fewest octets that hold the number (RFC 7518 §2).
fn integer(members: &Members, name: &'static str) -> Result<Vec<u8>, Error> {
    let number = octets(members, name)?;
    match number.first() {
        None | Some(0) => Err(Error::key_format(format!(
            "the key's `{name}` is not in the fewest octets"
        ))),
        Some(_) => Ok(number),
    }
}

/// Octets at the full length of the curve's field (RFC 7518 §6.2.1.2).
fn fixed(members: &Members, name: &'static str, size: usize) -> Result<Vec<u8>, Error> {
    let number = octets(members, name)?;
    if number.len() != size {
        let found = number.len();
        return Err(Error::key_format(format!(
            "the key's `{name}` has {found} octets, its curve needs {size}"
        )));
    }
    Ok(number)
}

/// The members that RFC 7638 §3.2 calls required, and the private ones where asked for.
pub(crate) fn write(parts: &KeyParts, private: bool) -> Members {
    let mut members = Members::new();
    let mut put = |name: &str, value: String| members.insert(name.to_owned(), Value::String(value));
    put("kty", parts.kty().to_owned());
    match parts {
        KeyParts::Oct(secret) => {
            put("k", base64url::encode(secret));
        }
        KeyParts::Rsa {
            n,
            e,
            private: numbers,
            ..
        } => {
            put("n", base64url::encode(n));
            put("e", base64url::encode(e));
            if let (true, Some(numbers)) = (private, numbers) {
                let RsaPrivate {
                    d,
                    p,
                    q,
                    dp,
                    dq,
                    qi,
                } = numbers;
                for (name, number) in [
                    ("d", d),
                    ("p", p),
                    ("q", q),
                    ("dp", dp),
                    ("dq", dq),
                    ("qi", qi),
                ] {
                    put(name, base64url::encode(number));
                }
            }
        }
        KeyParts::Ec { curve, x, y, d } => {
            put("crv", curve.name().to_owned());
            put("x", base64url::encode(x));
            put("y", base64url::encode(y));
            if let (true, Some(d)) = (private, d) {
                put("d", base64url::encode(d));
            }
        }
        KeyParts::Ed25519 { x, d } => {
            put("crv", "Ed25519".to_owned());
            put("x", base64url::encode(x));
            if let (true, Some(d)) = (private, d) {
                put("d", base64url::encode(d));
            }
        }
        KeyParts::Akp {
            algorithm,
            public,
            seed,
        } => {
            put("alg", algorithm.name().to_owned());
            put("pub", base64url::encode(public));
            if let (true, Some(seed)) = (private, seed) {
                put("priv", base64url::encode(seed));
            }
        }
    }
    members
}

/// Adds the members that name a key.
pub(crate) fn write_names(
    members: &mut Members,
    alg: Option<&str>,
    kid: Option<&str>,
    usage: Option<&str>,
) {
    for (name, value) in [("alg", alg), ("kid", kid), ("use", usage)] {
        if let Some(value) = value {
            members.insert(name.to_owned(), Value::String(value.to_owned()));
        }
    }
}
