//! The check list: what a token with the right syntax must still show, in this order (RFC 7519 §7.2, RFC 8725 §3).
//!
//! [`verify`](Unverified::verify) stops at the first check that fails; `explain` runs them all. Both run this list. What
//! they differ in is how the payload is read: `explain` reads it into a tree, [`run`] in one pass over its text that serves
//! the checks and the caller's type together, and into a tree where that pass declines.

mod binding;
mod kind;
mod parties;
mod times;

use std::cell::OnceCell;

use serde::de::{Deserialize, DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};

use super::members::Members;
use super::policy::Policy;
use super::registered::RegisteredClaims;
use super::verified::Verified;
use crate::error::{Error, Part};
use crate::json;
use crate::jwk::VerifyingKey;
use crate::jws::{Parts, Unverified};
use crate::time::Timestamp;

pub(crate) use times::{Window, ahead_taken, auth_time, check_again};

/// One entry of the list.
pub(crate) struct Check {
    pub(crate) name: CheckName,
    pub(crate) run: fn(&Evidence<'_>) -> Result<(), Error>,
}

/// The names of the entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckName {
    Algorithm,
    Signature,
    Type,
    Claims,
    Issuer,
    Audience,
    AuthorizedParty,
    Subject,
    Required,
    Kind,
    Exact,
    Target,
    Hashes,
    Confirmation,
    Expiry,
    NotBefore,
    IssuedAt,
    AuthTime,
}

impl CheckName {
    /// Whether there is nothing to check where no key fits.
    pub(crate) const fn needs_key(self) -> bool {
        matches!(self, Self::Algorithm | Self::Signature | Self::Hashes)
    }
}

/// Writes the list down twice: for whoever goes through it, and as a text without calls by pointer for whoever stops at the
/// first failure.
macro_rules! check_list {
    ($($name:ident: $run:path,)*) => {
        /// The list.
        pub(crate) const CHECKS: [Check; 18] =
            [$(Check { name: CheckName::$name, run: $run }),*];

        /// Runs the list up to its first failure; `read` runs before the payload is looked at for the first time.
        fn first_failure(evidence: &Evidence<'_>, mut read: impl FnMut()) -> Result<(), Error> {
            $(
                if matches!(CheckName::$name, CheckName::Claims) {
                    read();
                }
                $run(evidence)?;
            )*
            Ok(())
        }
    };
}

check_list! {
    Algorithm: algorithm,
    Signature: signature,
    Type: kind::typ,
    Claims: claims,
    Issuer: parties::issuer,
    Audience: parties::audience,
    AuthorizedParty: parties::authorized_party,
    Subject: parties::subject,
    Required: kind::required,
    Kind: kind::profile,
    Exact: binding::exact,
    Target: binding::target,
    Hashes: binding::hashes,
    Confirmation: binding::confirmation,
    Expiry: times::expiry,
    NotBefore: times::not_before,
    IssuedAt: times::issued_at,
    AuthTime: times::auth_time_recent,
}

/// Where the plain parser leaves a payload that it had to read.
pub(crate) type Tree = OnceCell<Result<Map<String, Value>, Error>>;

/// Where the members of a payload are noted, by either parser.
#[derive(Debug)]
pub(crate) struct Notes {
    tree: Tree,
    stack: json::Stack,
}

impl Notes {
    pub(crate) const fn new() -> Self {
        Self {
            tree: Tree::new(),
            stack: json::Stack::new(),
        }
    }

    /// Forgets the tree of the last payload; the stack is written over.
    pub(crate) fn renew(&mut self) {
        self.tree.take();
    }
}

/// What the checks look at.
pub(crate) struct Evidence<'e> {
    pub(crate) token: Parts<'e>,
    /// `None` where no key fits and the claims are looked at all the same, for a report.
    pub(crate) key: Option<&'e VerifyingKey>,
    pub(crate) policy: &'e Policy,
    pub(crate) now: Timestamp,
    tree: &'e Tree,
    claims: OnceCell<Result<Payload<'e>, Error>>,
}

/// The payload, read.
pub(crate) struct Payload<'e> {
    pub(crate) members: Members<'e>,
    pub(crate) registered: RegisteredClaims<'e>,
}

impl<'e> Evidence<'e> {
    pub(crate) const fn new(
        token: Parts<'e>,
        key: Option<&'e VerifyingKey>,
        policy: &'e Policy,
        now: Timestamp,
        tree: &'e Tree,
    ) -> Self {
        Self {
            token,
            key,
            policy,
            now,
            tree,
            claims: OnceCell::new(),
        }
    }

    /// The claims, read at the first call: in `verify` that is after the signature held.
    #[inline]
    pub(crate) fn payload(&self) -> Result<&Payload<'e>, Error> {
        match self.claims.get() {
            Some(Ok(payload)) => Ok(payload),
            _ => self.payload_in_tree(),
        }
    }

    #[cold]
    fn payload_in_tree(&self) -> Result<&Payload<'e>, Error> {
        self.claims
            .get_or_init(|| Payload::in_tree(self.token.payload, self.tree))
            .as_ref()
            .map_err(Clone::clone)
    }

    fn key(&self) -> Result<&'e VerifyingKey, Error> {
        self.key.ok_or(Error::KeyNotFound)
    }

    fn members(&self) -> Result<&Members<'e>, Error> {
        self.payload().map(|payload| &payload.members)
    }

    fn registered(&self) -> Result<&RegisteredClaims<'e>, Error> {
        self.payload().map(|payload| &payload.registered)
    }

    /// Reads the claims into `C` and for the checks, in one pass. Where that takes more than one, it reads what it can.
    #[inline]
    fn read<C: Deserialize<'e>>(&self, stack: &'e mut json::Stack) -> Result<C, json::Stop> {
        let text = self.token.text.ok_or(json::Stop::Declined)?;
        let (claims, index) = json::read(text, stack)?;
        let Some(members) = Members::in_text(index) else {
            return Ok(claims);
        };
        let payload = RegisteredClaims::read(&members).map(|registered| Payload {
            members,
            registered,
        });
        match self.claims.set(payload) {
            Ok(()) => Ok(claims),
            Err(_) => Err(json::Stop::Declined),
        }
    }

    pub(crate) fn into_registered(self) -> Result<RegisteredClaims<'e>, Error> {
        self.payload()?;
        match self.claims.into_inner() {
            Some(payload) => payload.map(|payload| payload.registered),
            None => Ok(RegisteredClaims::default()),
        }
    }
}

impl<'e> Payload<'e> {
    /// The members of a payload that nothing is known of yet.
    pub(crate) fn peek(octets: &'e [u8], notes: &'e mut Notes) -> Result<Members<'e>, Error> {
        let Notes { tree, stack } = notes;
        let text = std::str::from_utf8(octets).ok();
        let index = text.and_then(|text| json::read::<IgnoredAny>(text, stack).ok());
        match index.and_then(|(_, index)| Members::in_text(index)) {
            Some(members) => Ok(members),
            None => Self::tree(octets, tree),
        }
    }

    fn tree(octets: &[u8], tree: &'e Tree) -> Result<Members<'e>, Error> {
        tree.get_or_init(|| json::parse_object(octets, Part::Payload))
            .as_ref()
            .map(Members::Tree)
            .map_err(Clone::clone)
    }

    fn in_tree(octets: &[u8], tree: &'e Tree) -> Result<Self, Error> {
        let members = Self::tree(octets, tree)?;
        let registered = RegisteredClaims::read(&members)?;
        Ok(Self {
            members,
            registered,
        })
    }
}

/// Runs the check list up to its first failure and reads the claims into `C`: [`Error::ClaimsShape`] where they do not fit.
#[inline]
pub(crate) fn run<'e, C: Deserialize<'e>>(
    token: Parts<'e>,
    key: &'e VerifyingKey,
    policy: &'e Policy,
    now: Timestamp,
    notes: &'e mut Notes,
) -> Result<(Result<C, Error>, RegisteredClaims<'e>), Error> {
    let Notes { tree, stack } = notes;
    let mut stack = Some(stack);
    let evidence = Evidence::new(token, Some(key), policy, now, tree);
    let mut claims = Err(json::Stop::Declined);
    first_failure(&evidence, || {
        if let Some(stack) = stack.take() {
            claims = evidence.read::<C>(stack);
        }
    })?;
    // The text has passed as strict; where `C` wants it in another way than the one pass offers, serde_json has it.
    let claims = claims.or_else(|stop| json::from_strict(token.payload, &stop));
    Ok((claims, evidence.into_registered()?))
}

impl Unverified<'_> {
    /// Runs the check list at the time `now` and reads the claims into `C`.
    ///
    /// # Errors
    /// The first check that fails, in this order: [`Error::AlgorithmRefused`], [`Error::Unsecured`],
    /// [`Error::AlgorithmUnknown`], [`Error::AlgorithmMismatch`], [`Error::SignatureInvalid`], [`Error::TypeMismatch`],
    /// [`Error::Malformed`] and [`Error::ClaimType`] of the payload, [`Error::IssuerMismatch`],
    /// [`Error::AudienceMismatch`], [`Error::AudienceUnexpected`], [`Error::AudienceShared`], [`Error::SubjectMismatch`],
    /// [`Error::ClaimMissing`], [`Error::ClaimForeign`], [`Error::ClaimMismatch`], [`Error::ProofRequired`],
    /// [`Error::Expired`], [`Error::NotYetValid`], [`Error::IssuedInFuture`], [`Error::TooOld`]; then
    /// [`Error::ClaimsShape`] where the claims do not fit `C`.
    pub fn verify<C: DeserializeOwned>(
        &self,
        key: &VerifyingKey,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Verified<C>, Error> {
        let mut notes = Notes::new();
        let (claims, registered) = run(self.parts(), key, policy, now, &mut notes)?;
        Ok(Verified::new(
            claims?,
            &registered,
            self.payload(),
            self.header(),
        ))
    }
}

/// RFC 8725 §3.1: the key's algorithm decides, the header's can only agree.
fn algorithm(evidence: &Evidence<'_>) -> Result<(), Error> {
    let key = evidence.key()?.algorithm();
    let taken = &evidence.policy.algorithms;
    if !taken.is_empty() && !taken.contains(&key) {
        return Err(Error::AlgorithmRefused { algorithm: key });
    }
    if evidence.token.header.algorithm()? == key {
        Ok(())
    } else {
        Err(Error::AlgorithmMismatch { key })
    }
}

/// RFC 7515 §5.2: over the octets as received.
fn signature(evidence: &Evidence<'_>) -> Result<(), Error> {
    let token = &evidence.token;
    if evidence.key()?.holds(token.signing_input, token.signature) {
        Ok(())
    } else {
        Err(Error::SignatureInvalid)
    }
}

/// RFC 7519 §7.2: a JSON object; §4.1: the registered claims of the right types, expected or not.
fn claims(evidence: &Evidence<'_>) -> Result<(), Error> {
    evidence.payload().map(|_| ())
}

fn missing<T>(claim: &'static str) -> Result<T, Error> {
    Err(Error::ClaimMissing {
        claim: claim.into(),
    })
}

/// A claim that is a string, and not an empty one; `None` where it is absent.
fn name<'m>(members: &Members<'m>, claim: &'static str) -> Result<Option<&'m str>, Error> {
    let Some(value) = members.get(claim) else {
        return Ok(None);
    };
    match value.as_str() {
        Some(text) if !text.is_empty() => Ok(Some(text)),
        _ => Err(Error::ClaimType {
            claim,
            expected: "a string that is not empty",
        }),
    }
}
