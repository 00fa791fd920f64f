//! Keys that sign.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::parts::KeyParts;
use super::{Jwk, Thumbprint, VerifyingKey, der, members, pem, strength, verifying};
use crate::crypto::{self, Signature, Signer};
use crate::error::Error;
use crate::jwa::Algorithm;
use crate::jws::{self, MAX_JWS_BYTES, MAX_TOKEN_BYTES, WrittenHeaders};

/// A private key, or a shared secret, with exactly one algorithm; parsed once, cheap to clone.
///
/// `Debug` shows the algorithm and the `kid`; the key's numbers are wiped when the last clone is dropped.
///
/// ```
/// # fn main() -> Result<(), countersign::Error> {
/// use countersign::{Algorithm, SigningKey};
/// let key = SigningKey::generate(Algorithm::ES256)?;
/// let token = key.sign(&serde_json::json!({"sub": "ada"}))?;
/// assert_eq!(token.split('.').count(), 3);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct SigningKey {
    algorithm: Algorithm,
    alg: &'static str,
    kid: Option<String>,
    prepared: Arc<Prepared>,
    public: VerifyingKey,
    /// Of this `alg` and `kid`.
    written: Arc<WrittenHeaders>,
}

struct Prepared {
    parts: KeyParts,
    signer: Signer,
}

/// The number of bits of an RSA key where the caller names none.
const RSA_BITS: usize = 2048;

/// What a token usually takes, in bytes.
const TOKEN_BYTES: usize = 1024;

impl SigningKey {
    /// A new key. A key pair gets its thumbprint (RFC 7638) as `kid`; RSA keys get 2048 bits; a secret is as long as the
    /// hash and has no `kid`.
    ///
    /// # Errors
    /// [`Error::Crypto`] where the machine has no randomness.
    pub fn generate(algorithm: Algorithm) -> Result<Self, Error> {
        Self::generate_with_bits(algorithm, RSA_BITS)
    }

    /// A new RSA key of 2048, 3072, 4096 or 8192 bits; the number does not count for other algorithms.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] for another number of bits, [`Error::Crypto`] where the machine has no randomness.
    pub fn generate_with_bits(algorithm: Algorithm, bits: usize) -> Result<Self, Error> {
        let key = Self::new(algorithm, crypto::generate(algorithm, bits)?, None)?;
        if algorithm.is_symmetric() {
            return Ok(key);
        }
        let kid = key.thumbprint().to_string();
        Ok(key.with_key_id(kid))
    }

    /// A shared secret for HS256, HS384 or HS512, of at least 32, 48 or 64 bytes and at most
    /// [`MAX_SECRET_BYTES`](crate::MAX_SECRET_BYTES).
    ///
    /// # Errors
    /// [`Error::KeyWeak`] for a secret that is too short, a pattern, or the text of a key; [`Error::KeyUnfit`] for one that
    /// is too long, and for an algorithm of another family.
    pub fn from_secret(algorithm: Algorithm, secret: impl AsRef<[u8]>) -> Result<Self, Error> {
        Self::new(
            algorithm,
            KeyParts::Oct(secret.as_ref().to_vec().into()),
            None,
        )
    }

    /// A private key in PEM: PKCS#8, or PKCS#1 and SEC1.
    ///
    /// # Errors
    /// [`Error::KeyFormat`] for text that is no such key, [`Error::KeyUnfit`] for one that is public or not for
    /// `algorithm`, [`Error::KeyWeak`].
    pub fn from_pem(algorithm: Algorithm, pem: &str) -> Result<Self, Error> {
        Self::new(algorithm, pem::parse(pem, None)?.1, None)
    }

    /// A private key in PEM (PKCS#8) that is encrypted under a password.
    ///
    /// # Errors
    /// Those of [`from_pem`](Self::from_pem); [`Error::KeyUnfit`] where the password does not open it.
    pub fn from_encrypted_pem(
        algorithm: Algorithm,
        pem: &str,
        password: impl AsRef<[u8]>,
    ) -> Result<Self, Error> {
        Self::new(algorithm, pem::parse(pem, Some(password.as_ref()))?.1, None)
    }

    /// A private key in DER: PKCS#8, PKCS#1 or SEC1.
    ///
    /// # Errors
    /// Those of [`from_pem`](Self::from_pem).
    pub fn from_der(algorithm: Algorithm, der: &[u8]) -> Result<Self, Error> {
        Self::new(algorithm, der::parse(der, None)?.1, None)
    }

    /// A private JWK that says which algorithm it is for, by `alg` or by its curve. Its `kid` is kept.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] for a key that is public, leaves its algorithm open (see [`from_jwk_as`](Self::from_jwk_as))
    /// or whose `use` or `key_ops` is not for signing; [`Error::KeyWeak`].
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, Error> {
        Self::from_jwk_as(jwk, jwk.algorithm()?)
    }

    /// A private JWK for an algorithm of the caller's choice, where nothing in the key speaks against it.
    ///
    /// # Errors
    /// Those of [`from_jwk`](Self::from_jwk).
    pub fn from_jwk_as(jwk: &Jwk, algorithm: Algorithm) -> Result<Self, Error> {
        let algorithm = jwk.algorithm_as(algorithm)?;
        if !jwk.usage.may_sign() {
            return Err(Error::key_unfit(
                "the key's `use` or `key_ops` does not allow signing",
            ));
        }
        let key = Self::new(algorithm, jwk.parts.clone(), jwk.kid.clone())?;
        Ok(if jwk.is_fully_specified() {
            key.with_fully_specified_alg()
        } else {
            key
        })
    }

    fn new(algorithm: Algorithm, parts: KeyParts, kid: Option<String>) -> Result<Self, Error> {
        verifying::fits(algorithm, &parts)?;
        strength::check(algorithm, &parts)?;
        let signer = Signer::new(algorithm, &parts)?;
        let public = VerifyingKey::new(
            algorithm,
            parts.public().unwrap_or_else(|| parts.clone()),
            kid.clone(),
        )?;
        Ok(Self {
            algorithm,
            alg: algorithm.name(),
            kid,
            prepared: Arc::new(Prepared { parts, signer }),
            public,
            written: Arc::default(),
        })
    }

    /// Its one algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The name of its algorithm, as it writes it into `alg`.
    pub(crate) const fn alg_name(&self) -> &'static str {
        self.alg
    }

    /// Its `kid`, if it has one.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The same key under the name `kid`.
    #[must_use]
    pub fn with_key_id(self, kid: impl Into<String>) -> Self {
        let kid = kid.into();
        Self {
            public: self.public.with_key_id(kid.clone()),
            kid: Some(kid),
            written: Arc::default(),
            ..self
        }
    }

    /// The same key without a name.
    #[must_use]
    pub fn without_key_id(self) -> Self {
        Self {
            public: self.public.without_key_id(),
            kid: None,
            written: Arc::default(),
            ..self
        }
    }

    /// The same key, which names its algorithm as RFC 9864 wants it: an Ed25519 key writes `Ed25519` instead of `EdDSA`
    /// into `alg` of its tokens and of its JWK. Every key here reads both; many libraries elsewhere know only `EdDSA`.
    #[must_use]
    pub fn with_fully_specified_alg(self) -> Self {
        Self {
            alg: self.algorithm.fully_specified_name(),
            public: self.public.with_fully_specified_alg(),
            written: Arc::default(),
            ..self
        }
    }

    /// What verifies its signatures: the public half, or the same secret.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        self.public.clone()
    }

    /// Its thumbprint (RFC 7638). That of a shared secret says something about the secret: do not publish it.
    #[must_use]
    pub fn thumbprint(&self) -> Thumbprint {
        Thumbprint::of(&self.prepared.parts)
    }

    /// The key as a JWK, private members included, with its `alg` and `kid`.
    #[must_use]
    pub fn to_jwk(&self) -> Jwk {
        Jwk {
            parts: self.prepared.parts.clone(),
            kid: self.kid.clone(),
            alg: Some(self.alg.to_owned()),
            usage: members::Usage::default(),
        }
    }

    /// The private key in PEM (PKCS#8); the text is wiped when dropped.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] for a shared secret, which has no such form.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, Error> {
        pem::to_pkcs8(&self.prepared.parts)
    }

    /// A token of `claims` in compact form, with `typ: JWT`; `alg` and `kid` come from the key (RFC 7519 §7.1).
    ///
    /// # Errors
    /// [`Error::ClaimsUnwritable`] where the claims are no JSON object, [`Error::JwsUnwritable`] for a token that would be
    /// refused when read (too large, a header member of the wrong type), [`Error::Crypto`].
    pub fn sign<T: Serialize + ?Sized>(&self, claims: &T) -> Result<String, Error> {
        self.sign_with(&SigningHeader::new(), claims)
    }

    /// A token of `claims` with a header of the caller's; `alg` and `kid` come from the key.
    ///
    /// # Errors
    /// [`Error::ClaimsUnwritable`] where the claims are no JSON object, [`Error::JwsUnwritable`] for a token that would be
    /// refused when read (too large, a header member of the wrong type), [`Error::Crypto`].
    pub fn sign_with<T: Serialize + ?Sized>(
        &self,
        header: &SigningHeader,
        claims: &T,
    ) -> Result<String, Error> {
        let mut token = String::with_capacity(TOKEN_BYTES);
        self.sign_into(header, claims, &mut token)?;
        Ok(token)
    }

    /// Does as [`sign_with`](Self::sign_with) does, in the place of what `token` holds: memory that is used again. After an
    /// error it holds no token.
    ///
    /// ```
    /// # fn main() -> Result<(), countersign::Error> {
    /// use countersign::{Algorithm, SigningHeader, SigningKey};
    /// let (key, mut token) = (SigningKey::generate(Algorithm::ES256)?, String::new());
    /// for order in 0..3 {
    ///     key.sign_into(&SigningHeader::new(), &serde_json::json!({"order": order}), &mut token)?;
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`sign_with`](Self::sign_with).
    pub fn sign_into<T: Serialize + ?Sized>(
        &self,
        header: &SigningHeader,
        claims: &T,
        token: &mut String,
    ) -> Result<(), Error> {
        let signed = jws::sign_claims(self, header, claims, token);
        if signed.is_err() {
            token.clear();
        }
        signed
    }

    pub(crate) fn written_headers(&self) -> &WrittenHeaders {
        &self.written
    }

    /// The private key in DER (PKCS#8); wiped when dropped.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] for a shared secret, which has no such form.
    pub fn to_der(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        der::to_pkcs8(&self.prepared.parts)
    }

    pub(crate) fn signature(&self, input: &[u8]) -> Result<Signature, Error> {
        self.prepared.signer.sign(input)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("alg", &self.algorithm)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// The members of a header that the caller chooses: `typ`, `cty` and private ones.
#[derive(Clone, Debug)]
pub struct SigningHeader {
    typ: Option<Cow<'static, str>>,
    members: Map<String, Value>,
    max_token_bytes: usize,
}

impl SigningHeader {
    /// A header with `typ: JWT`.
    #[must_use]
    pub fn new() -> Self {
        Self::of_kind("JWT")
    }

    /// A header with a `typ` that is known beforehand.
    pub(crate) fn of_kind(typ: &'static str) -> Self {
        Self {
            typ: Some(Cow::Borrowed(typ)),
            members: Map::new(),
            max_token_bytes: MAX_TOKEN_BYTES,
        }
    }

    /// Sets `typ`, the kind of token: `at+jwt`, `logout+jwt`, … (RFC 7515 §4.1.9, RFC 8725 §3.11).
    #[must_use]
    pub fn typ(mut self, typ: &str) -> Self {
        self.typ = Some(Cow::Owned(typ.to_owned()));
        self
    }

    /// Leaves `typ` out.
    #[must_use]
    pub fn without_typ(mut self) -> Self {
        self.typ = None;
        self
    }

    /// Lets a token have up to so many bytes, where verifiers take more than the usual 16 KiB; never more than 1 MiB.
    #[must_use]
    pub fn max_bytes(self, bytes: usize) -> Self {
        Self {
            max_token_bytes: bytes.min(MAX_JWS_BYTES),
            ..self
        }
    }

    pub(crate) const fn max_token_bytes(&self) -> usize {
        self.max_token_bytes
    }

    /// Its `typ`.
    pub(crate) fn kind(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// Whether it has other members than `alg`, `kid` and `typ`.
    pub(crate) fn has_own_members(&self) -> bool {
        !self.members.is_empty()
    }

    /// Sets another member.
    ///
    /// # Errors
    /// [`Error::ReservedName`] for what the key or the library sets (`alg`, `kid`, `typ`, `b64`, `crit`) and for what
    /// points verifiers at a key of the sender's (`jwk`, `jku`, `x5u`, `x5c`).
    pub fn param(mut self, name: &str, value: Value) -> Result<Self, Error> {
        if [
            "alg", "kid", "typ", "b64", "crit", "jwk", "jku", "x5u", "x5c", "enc", "zip",
        ]
        .contains(&name)
        {
            return Err(Error::ReservedName {
                name: name.to_owned().into(),
            });
        }
        self.members.insert(name.to_owned(), value);
        Ok(self)
    }

    /// Says that the payload is not encoded, and that whoever does not know this must refuse it (RFC 7797 §6).
    pub(crate) fn unencoded(mut self) -> Self {
        self.members.insert("b64".to_owned(), Value::Bool(false));
        self.members
            .insert("crit".to_owned(), Value::from(vec!["b64"]));
        self
    }

    /// The JSON text, with `alg` and `kid` of the key in front.
    pub(crate) fn to_json(&self, key: &SigningKey) -> String {
        let mut json = format!("{{\"alg\":\"{}\"", key.alg);
        let mut members: Map<String, Value> = self.members.clone();
        if let Some(typ) = &self.typ {
            members.insert("typ".to_owned(), Value::from(typ.as_ref()));
        }
        let kid = key.key_id().map(Value::from);
        let own = members.iter().map(|(name, value)| (name.as_str(), value));
        for (name, value) in kid.iter().map(|kid| ("kid", kid)).chain(own) {
            json.push_str(&format!(",{}:{value}", Value::from(name)));
        }
        json.push('}');
        json
    }
}

impl Default for SigningHeader {
    fn default() -> Self {
        Self::new()
    }
}
