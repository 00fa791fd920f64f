//! Keys and a policy, together.

use serde::de::{Deserialize, DeserializeOwned};

use super::explain::Report;
use super::policy::Policy;
use super::scratch::{Opened, Scratch};
use super::verified::{Verified, VerifiedRef};
use super::verify::run;
use crate::error::Error;
use crate::jwk::JwkSet;
use crate::jws::Unverified;
use crate::time::Timestamp;

/// Verifies the tokens of one issuer: parse, find the key, run the check list.
///
/// ```
/// # fn main() -> Result<(), countersign::Error> {
/// use std::time::{Duration, SystemTime};
/// use countersign::{Algorithm, ClaimsSet, Policy, SigningKey, Timestamp, Verifier};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Order { order: u32 }
///
/// let now = Timestamp::from(SystemTime::now());
/// let key = SigningKey::generate(Algorithm::ES256)?;
/// let claims = ClaimsSet::new("https://id.example", "orders-api").expires_in(now, Duration::from_mins(10));
/// let token = key.sign(&claims.with(&Order { order: 17 })?)?;
///
/// let verifier = Verifier::new(key.verifying_key(), Policy::new("https://id.example", "orders-api"));
/// let order = verifier.verify::<Order>(&token, now)?;
/// assert_eq!(order.order, 17);
/// assert!(verifier.verify::<Order>(&token, now.saturating_add(Duration::from_mins(10))).is_err());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    keys: JwkSet,
    policy: Policy,
}

impl Verifier {
    /// Tokens signed by one of `keys` (one [`VerifyingKey`](crate::VerifyingKey), or a set) that satisfy `policy`.
    pub fn new(keys: impl Into<JwkSet>, policy: Policy) -> Self {
        Self {
            keys: keys.into(),
            policy,
        }
    }

    /// Verifies a compact token at the time `now` and reads its claims into `C`.
    ///
    /// # Errors
    /// Those of [`Unverified::parse`], [`JwkSet::find`] and [`Unverified::verify`], in this order.
    pub fn verify<C: DeserializeOwned>(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Verified<C>, Error> {
        verify_with(&self.keys, &self.policy, token, now)
    }

    /// Does as [`verify`](Self::verify) does, in memory that is used again: where the claims borrow (`&str`), nothing is
    /// allocated.
    ///
    /// A string with an escape (`\n`, `\u00e9`) cannot be borrowed; a field that may hold one is a `Cow<str>` with
    /// `#[serde(borrow)]`, or a `String`.
    ///
    /// ```
    /// # fn main() -> Result<(), countersign::Error> {
    /// use countersign::{Algorithm, Policy, Scratch, SigningKey, Timestamp, Verifier};
    /// #[derive(serde::Deserialize)]
    /// struct Session<'s> { sid: &'s str, roles: Vec<&'s str> }
    ///
    /// # let key = SigningKey::generate(Algorithm::ES256)?;
    /// # let claims = serde_json::json!({"iss": "i", "aud": "a", "exp": 100, "sid": "7", "roles": ["admin"]});
    /// # let (token, now) = (key.sign(&claims)?, Timestamp::from_unix_secs(1));
    /// let verifier = Verifier::new(key.verifying_key(), Policy::new("i", "a"));
    /// let mut scratch = Scratch::new();
    /// let session = verifier.verify_in::<Session<'_>>(&mut scratch, &token, now)?;
    /// assert_eq!((session.sid, session.roles[0]), ("7", "admin"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`verify`](Self::verify).
    pub fn verify_in<'s, C: Deserialize<'s>>(
        &'s self,
        scratch: &'s mut Scratch,
        token: &'s str,
        now: Timestamp,
    ) -> Result<VerifiedRef<'s, C>, Error> {
        verify_borrowed(&self.keys, &self.policy, scratch, token.as_bytes(), now)?.fitting()
    }

    pub(crate) fn verify_parsed<C: DeserializeOwned>(
        &self,
        parsed: &Unverified<'_>,
        now: Timestamp,
    ) -> Result<Verified<C>, Error> {
        let key = self.keys.find(parsed.header())?;
        parsed.verify(key, &self.policy, now)
    }

    /// Runs every step and says what each found; never stops at the first failure.
    #[must_use]
    pub fn explain(&self, token: &str, now: Timestamp) -> Report {
        Report::of(token, self, now)
    }

    /// The keys.
    #[must_use]
    pub const fn keys(&self) -> &JwkSet {
        &self.keys
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }
}

impl JwkSet {
    /// Verifies a compact token with these keys, as [`Verifier::verify`] does: for a service whose keys change while its
    /// policy stays.
    ///
    /// # Errors
    /// Those of [`Verifier::verify`].
    pub fn verify<C: DeserializeOwned>(
        &self,
        policy: &Policy,
        token: &str,
        now: Timestamp,
    ) -> Result<Verified<C>, Error> {
        verify_with(self, policy, token, now)
    }

    /// Does as [`verify`](Self::verify) does, also where the claims do not fit `C`: for whoever verifies before it is known
    /// what will be asked of a token. [`Verified::transpose`] has those that fit, [`Verified::deserialize`] reads them as
    /// another type. `token` may be octets that nobody has looked at, a header's for one: those of another character set than
    /// base64url are refused as such.
    ///
    /// ```
    /// # fn main() -> Result<(), countersign::Error> {
    /// # use countersign::{Algorithm, JwkSet, Policy, SigningKey, Timestamp};
    /// # #[derive(Debug, PartialEq, serde::Deserialize)]
    /// # struct Order { order: u32 }
    /// # let key = SigningKey::generate(Algorithm::ES256)?;
    /// # let token = |order| key.sign(&serde_json::json!({"iss": "i", "aud": "a", "exp": 100, "order": order}));
    /// # let (keys, policy, now) = (JwkSet::from(key.verifying_key()), Policy::new("i", "a"), Timestamp::from_unix_secs(1));
    /// assert_eq!(keys.verify_if_fits::<Order>(&policy, &token(17)?, now)?.claims(), &Some(Order { order: 17 }));
    /// assert_eq!(keys.verify_if_fits::<Order>(&policy, &token(-1)?, now)?.claims(), &None);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`verify`](Self::verify), without [`Error::ClaimsShape`].
    pub fn verify_if_fits<C: DeserializeOwned>(
        &self,
        policy: &Policy,
        token: impl AsRef<[u8]>,
        now: Timestamp,
    ) -> Result<Verified<Option<C>>, Error> {
        verify_and(self, policy, token.as_ref(), now, |claims| Ok(claims.ok()))
    }
}

/// Verifies a token with keys and a policy.
///
/// # Errors
/// Those of [`Verifier::verify`].
pub(crate) fn verify_with<C: DeserializeOwned>(
    keys: &JwkSet,
    policy: &Policy,
    token: &str,
    now: Timestamp,
) -> Result<Verified<C>, Error> {
    verify_and(keys, policy, token.as_bytes(), now, |claims| claims)
}

fn verify_and<C: DeserializeOwned, D>(
    keys: &JwkSet,
    policy: &Policy,
    token: &[u8],
    now: Timestamp,
    read: impl FnOnce(Result<C, Error>) -> Result<D, Error>,
) -> Result<Verified<D>, Error> {
    let mut scratch = Scratch::new();
    let VerifiedRef {
        claims,
        registered,
        header,
        payload,
    } = verify_borrowed::<C>(keys, policy, &mut scratch, token, now)?;
    let draft = Verified::draft(read(claims)?, &registered, payload, header);
    Ok(draft.with_payload(scratch.take_payload()))
}

fn verify_borrowed<'s, C: Deserialize<'s>>(
    keys: &'s JwkSet,
    policy: &'s Policy,
    scratch: &'s mut Scratch,
    token: &'s [u8],
    now: Timestamp,
) -> Result<VerifiedRef<'s, Result<C, Error>>, Error> {
    let Opened {
        parts,
        header,
        key: recalled,
        notes,
    } = scratch.open(token, keys, policy.max_token_bytes)?;
    let key = match recalled {
        Some(key) => key,
        None => keys.find(parts.header)?,
    };
    let (claims, registered) = run(parts, key, policy, now, notes)?;
    if recalled.is_none() {
        keys.remember(header, parts.header);
    }
    Ok(VerifiedRef {
        claims,
        registered,
        header: parts.header,
        payload: parts.payload,
    })
}
