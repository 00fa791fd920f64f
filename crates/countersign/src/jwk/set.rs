//! JWK Sets, to verify with (RFC 7517 §5).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::recall::Recall;
use super::{Jwk, VerifyingKey};
use crate::error::{Error, Part};
use crate::json;
use crate::jwa::Algorithm;
use crate::jws::Header;

/// The keys of an issuer, found by `kid` and `alg` in constant time; cheap enough to build, meant to be kept.
///
/// One bad key does not spoil a set: it is kept as a reason in [`unusable`](Self::unusable) and the rest works.
#[derive(Clone, Debug, Default)]
pub struct JwkSet {
    keys: Vec<VerifyingKey>,
    by_kid: HashMap<String, Vec<usize>>,
    unusable: Vec<UnusableKey>,
    /// Made from one key of the caller's own that has no name: then a token's `kid` cannot be compared.
    nameless: bool,
    recall: Arc<Recall>,
    /// Tells sets apart that were made at different times; clones are one set.
    generation: u64,
}

/// The sets made so far.
static GENERATION: AtomicU64 = AtomicU64::new(1);

/// The most keys that a set may have; an issuer has a handful.
pub const MAX_KEYS: usize = 100;

/// The largest JWK Set that is read, in bytes: a hundred keys, each with a short chain of certificates.
pub const MAX_JWKS_BYTES: usize = 1024 * 1024;

/// A key of a set that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnusableKey {
    /// Its place in `keys`, from 0.
    pub index: usize,
    /// Its `kid`, where it has one that can be read.
    pub kid: Option<String>,
    /// Why it is unusable.
    pub reason: Error,
}

impl JwkSet {
    /// Reads a JWK Set. RSA keys without `alg` are taken for RS256, and
    /// [say so](VerifyingKey::has_assumed_algorithm).
    ///
    /// # Errors
    /// [`Error::Malformed`] where the text is no JSON object, [`Error::KeyFormat`] where it has no array `keys`, more
    /// than [`MAX_KEYS`] in it, or more than [`MAX_JWKS_BYTES`]. A key
    /// that cannot be used is no error of the set: see [`unusable`](Self::unusable).
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        Self::read(json, import)
    }

    /// Reads a JWK Set that an issuer publishes. What in it should be nobody else's, a shared secret or a private key, is
    /// known to everybody who can read the set: such a key is unusable.
    ///
    /// # Errors
    /// Those of [`parse`](Self::parse).
    pub fn parse_published(json: &[u8]) -> Result<Self, Error> {
        Self::read(json, import_published)
    }

    fn read(json: &[u8], import: fn(Jwk) -> Result<VerifyingKey, Error>) -> Result<Self, Error> {
        if json.len() > MAX_JWKS_BYTES {
            return Err(Error::key_format(format!(
                "this JWK Set has more than {MAX_JWKS_BYTES} bytes, and is not looked at"
            )));
        }
        let members = json::parse_object(json, Part::Document)?;
        let keys = members
            .get("keys")
            .and_then(Value::as_array)
            .ok_or_else(|| Error::key_format("this is no JWK Set: it has no array `keys`"))?;
        if keys.len() > MAX_KEYS {
            return Err(Error::key_format(format!(
                "this JWK Set has {} keys, at most {MAX_KEYS} are looked at",
                keys.len()
            )));
        }
        let mut imported: Vec<_> = keys.iter().map(|key| import(jwk(key)?)).collect();
        refuse_secrets_of_mixed_set(keys, &mut imported);
        refuse_shared_names(&mut imported);
        let mut set = Self::default();
        for (index, (key, outcome)) in keys.iter().zip(imported).enumerate() {
            match outcome {
                Ok(key) => set.push(key),
                Err(reason) => {
                    let kid = key.get("kid").and_then(Value::as_str).map(str::to_owned);
                    set.unusable.push(UnusableKey { index, kid, reason });
                }
            }
        }
        Ok(set.settled())
    }

    /// The same set, in which RSA keys that do not say their algorithm are for `algorithm` and not for RS256.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] for an algorithm of another kind of key.
    pub fn assuming(&self, algorithm: Algorithm) -> Result<Self, Error> {
        if algorithm.kty() != Algorithm::RS256.kty() {
            return Err(Error::key_unfit(format!(
                "RSA keys are not for {algorithm}"
            )));
        }
        let keys: Vec<_> = self
            .keys
            .iter()
            .map(|key| key.assumed_to_be(algorithm))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            unusable: self.unusable.clone(),
            ..Self::new(keys)
        })
    }

    /// A set of keys that the caller holds and vouches for: the rules about mixed sets and shared names are for sets that
    /// come from elsewhere. Two keys that fit one token are still ambiguous.
    pub fn new(keys: impl IntoIterator<Item = VerifyingKey>) -> Self {
        let mut set = Self::default();
        for key in keys {
            set.push(key);
        }
        set.settled()
    }

    /// The set, with room to remember headers of its keys.
    fn settled(self) -> Self {
        Self {
            recall: Arc::new(Recall::for_keys(self.keys.len())),
            generation: GENERATION.fetch_add(1, Ordering::Relaxed),
            ..self
        }
    }

    fn push(&mut self, key: VerifyingKey) {
        if let Some(kid) = key.key_id() {
            self.by_kid
                .entry(kid.to_owned())
                .or_default()
                .push(self.keys.len());
        }
        self.keys.push(key);
    }

    /// The keys that can be used.
    pub fn keys(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.keys.iter()
    }

    /// Whether it has a key that can be used.
    #[must_use]
    pub fn has_usable_key(&self) -> bool {
        !self.keys.is_empty()
    }

    /// The keys that cannot, and why.
    #[must_use]
    pub fn unusable(&self) -> &[UnusableKey] {
        &self.unusable
    }

    /// The one key that a header points at.
    ///
    /// With `kid`: the key of that name and algorithm, and no other (no fallback). Without: the only key of that
    /// algorithm.
    ///
    /// # Errors
    /// [`Error::Unsecured`] and [`Error::AlgorithmUnknown`] for an `alg` that no key can have; [`Error::KeyNotFound`];
    /// [`Error::AlgorithmMismatch`] where the key of that name has another algorithm, [`Error::AlgorithmAssumed`] where
    /// it was taken for another one because the set names none; [`Error::KeyAmbiguous`] where several fit.
    pub fn find(&self, header: &Header) -> Result<&VerifyingKey, Error> {
        let place = self.place(header)?;
        self.keys.get(place).ok_or(Error::KeyNotFound)
    }

    fn place(&self, header: &Header) -> Result<usize, Error> {
        let algorithm = header.algorithm()?;
        let at = |place: &usize| self.keys.get(*place);
        let fits = |place: &usize| at(place).is_some_and(|key| key.algorithm() == algorithm);
        match header.kid() {
            Some(kid) if !self.nameless => {
                let named = self.by_kid.get(kid).map_or(&[][..], Vec::as_slice);
                let other = named.first().and_then(at);
                one(named.iter().copied().filter(fits)).map_err(|error| match (error, other) {
                    (Error::KeyNotFound, Some(other)) => mismatch(other, algorithm),
                    (error, _) => error,
                })
            }
            _ => one((0..self.keys.len()).filter(fits)).map_err(|error| {
                let mut assumed = self.keys.iter().filter(|key| is_assumed(key, algorithm));
                match (error, self.keys.as_slice(), assumed.next()) {
                    (Error::KeyNotFound, [key], _) | (Error::KeyNotFound, _, Some(key)) => {
                        mismatch(key, algorithm)
                    }
                    (error, ..) => error,
                }
            }),
        }
    }

    pub(crate) const fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether the key that a header points at is this one, made from the same parts for the same algorithm.
    pub(crate) fn still_finds(&self, header: &Header, key: &VerifyingKey) -> bool {
        self.find(header).is_ok_and(|found| found.is(key))
    }

    /// The header that a text is, and its key, where a token with that very header has passed before.
    pub(crate) fn recall(&self, text: &[u8]) -> Option<(&Header, &VerifyingKey)> {
        let (header, place) = self.recall.find(text)?;
        Some((header, self.keys.get(place)?))
    }

    /// Remembers the header of a token that has passed its verification with the key that [`find`](Self::find) finds.
    pub(crate) fn remember(&self, text: &[u8], header: &Header) {
        if let Ok(place) = self.place(header) {
            self.recall.remember(text, header, place);
        }
    }

    /// The set to publish: every key pair's public half, never a secret.
    #[must_use]
    pub fn to_public_json(&self) -> String {
        let keys: Vec<_> = self
            .keys
            .iter()
            .filter_map(VerifyingKey::to_public_jwk)
            .collect();
        json!({ "keys": keys }).to_string()
    }
}

/// Why a key that the header points at does not fit its algorithm.
fn mismatch(key: &VerifyingKey, wanted: Algorithm) -> Error {
    let algorithm = key.algorithm();
    if is_assumed(key, wanted) {
        Error::AlgorithmAssumed { key: algorithm }
    } else {
        Error::AlgorithmMismatch { key: algorithm }
    }
}

/// Whether the key would fit, had its set named the algorithm.
fn is_assumed(key: &VerifyingKey, wanted: Algorithm) -> bool {
    key.has_assumed_algorithm() && key.algorithm().kty() == wanted.kty()
}

fn one(mut keys: impl Iterator<Item = usize>) -> Result<usize, Error> {
    match (keys.next(), keys.count()) {
        (None, _) => Err(Error::KeyNotFound),
        (Some(key), 0) => Ok(key),
        (Some(_), more) => Err(Error::KeyAmbiguous {
            fitting: more.saturating_add(1),
        }),
    }
}

fn jwk(key: &Value) -> Result<Jwk, Error> {
    let members = key
        .as_object()
        .ok_or_else(|| Error::key_format("this key is not a JSON object"))?;
    Jwk::from_members(members)
}

fn import(jwk: Jwk) -> Result<VerifyingKey, Error> {
    match jwk.algorithm() {
        // RFC 7518 §3.1: RS256 is the recommended one; a set for verification may leave `alg` out.
        Err(_) if jwk.alg.is_none() && jwk.parts.kty() == Algorithm::RS256.kty() => {
            VerifyingKey::from_jwk_as(&jwk, Algorithm::RS256).map(VerifyingKey::assuming_algorithm)
        }
        algorithm => VerifyingKey::from_jwk_as(&jwk, algorithm?),
    }
}

/// RFC 7517 §9.2: a key whose private half or secret stands in a published set is everybody's.
fn import_published(jwk: Jwk) -> Result<VerifyingKey, Error> {
    if jwk.is_private() {
        return Err(Error::key_unfit(
            "the set is published with this key's secret or private half in it: everybody can sign with it",
        ));
    }
    import(jwk)
}

type Imported = Vec<Result<VerifyingKey, Error>>;

/// A secret beside key pairs is a mistake or an attack: whoever reads the set could sign with it. The pairs count also
/// where they cannot be used here.
fn refuse_secrets_of_mixed_set(keys: &[Value], imported: &mut Imported) {
    let is_pair = |key: &Value| key.get("kty").is_none_or(|kty| kty != "oct");
    if !keys.iter().any(is_pair) {
        return;
    }
    for (_, slot) in keys
        .iter()
        .zip(imported)
        .filter(|(key, slot)| !is_pair(key) && slot.is_ok())
    {
        *slot = Err(Error::key_unfit(
            "a shared secret does not belong in a set with public keys",
        ));
    }
}

/// Two keys of one name and algorithm: which of them signed cannot be told, so neither is used. One key that stands there
/// twice is told as that.
fn refuse_shared_names(imported: &mut Imported) {
    let mut named: HashMap<(String, Algorithm), Vec<usize>> = HashMap::new();
    for (place, key) in imported.iter().enumerate() {
        if let Ok(key) = key
            && let Some(kid) = key.key_id()
        {
            let name = (kid.to_owned(), key.algorithm());
            named.entry(name).or_default().push(place);
        }
    }
    for places in named.into_values().filter(|places| places.len() > 1) {
        let mut prints = places
            .iter()
            .filter_map(|place| imported.get(*place)?.as_ref().ok())
            .map(VerifyingKey::thumbprint);
        let first = prints.next();
        let what = if prints.all(|print| Some(print) == first) {
            "this key stands in the set more than once, with the same `kid` and algorithm"
        } else {
            "another key of the set has the same `kid` and algorithm"
        };
        for place in places {
            if let Some(slot) = imported.get_mut(place) {
                *slot = Err(Error::key_unfit(what));
            }
        }
    }
}

impl From<VerifyingKey> for JwkSet {
    /// A set of one key. Where that key has no `kid`, the `kid` of a token is not compared.
    fn from(key: VerifyingKey) -> Self {
        let nameless = key.key_id().is_none();
        Self {
            nameless,
            ..Self::new([key])
        }
    }
}

impl From<&VerifyingKey> for JwkSet {
    fn from(key: &VerifyingKey) -> Self {
        key.clone().into()
    }
}
