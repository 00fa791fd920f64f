//! The one error enum, grouped by who is to blame, with stable codes.
//!
//! A message is one clause: what was found, what was expected, what to do if that is not obvious. It never holds a
//! token, a secret or a value that nobody verified; expectations (the caller's own words) it may name.

use std::borrow::Cow;
use std::fmt;

use crate::jwa::Algorithm;
use crate::time::Timestamp;

mod weak_key;

pub use weak_key::WeakKey;

/// Why a token, a key or a call was refused.
///
/// [`Debug`](fmt::Debug) says what [`Display`](fmt::Display) says, and the code: a `main` that returns it, and an `unwrap`, print
/// what is wrong and what to do.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // ---- the token ----
    /// The text is no token: its syntax breaks RFC 7515 §7.1 or RFC 7519 §7.2.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The header says `none` (RFC 7518 §3.6), in whatever spelling.
    #[error("the token is not signed (`alg` is none); only signed tokens are accepted")]
    Unsecured,
    /// `alg` is not a name of RFC 7518, 8037, 8812 or 9864 that is known here.
    #[error("`alg` names no signature algorithm known here")]
    AlgorithmUnknown,
    /// `alg` is not the key's algorithm (RFC 8725 §3.1).
    #[error("`alg` is not {key}, the one algorithm of the key")]
    AlgorithmMismatch {
        /// The key's algorithm.
        key: Algorithm,
    },
    /// `alg` is another one than the key was taken for, because its set does not say what it is for.
    #[error(
        "`alg` is not {key}, for which the key is taken because its set names no `alg`; choose the key's algorithm, or name it in the set"
    )]
    AlgorithmAssumed {
        /// The algorithm that it was taken for.
        key: Algorithm,
    },
    /// `crit` breaks RFC 7515 §4.1.11 or names an extension that is not understood.
    #[error("`crit` {0}")]
    Critical(Critical),
    /// `b64` is false: never in a JWT (RFC 7797 §7).
    #[error("`b64` is used, which has no place in a JWT")]
    UnencodedPayload,
    /// `alg` stands outside the protected header, where anybody can change it (RFC 7515 §10.7).
    #[error("`alg` stands outside the protected header, where anybody can change it")]
    AlgorithmUnprotected,
    /// The key's algorithm is none of those that the policy takes (RFC 8725 §3.1).
    #[error("{algorithm} is not an algorithm that the policy takes")]
    AlgorithmRefused {
        /// The key's algorithm.
        algorithm: Algorithm,
    },
    /// `iss` is none of the issuers that are known here (RFC 8725 §3.8).
    #[error("claim `iss` names none of the issuers known here")]
    IssuerUnknown,
    /// No key of the set has this `kid`, or none fits `alg`.
    #[error("no key of the set fits the `kid` and `alg` of the token")]
    KeyNotFound,
    /// More than one key of the set fits.
    #[error(
        "{fitting} keys of the set fit the token alike; give each key a `kid` of its own, and name it in the token"
    )]
    KeyAmbiguous {
        /// How many keys fit.
        fitting: usize,
    },
    /// The signature does not hold over the received bytes (RFC 7515 §5.2).
    #[error("the signature does not hold")]
    SignatureInvalid,
    /// `typ` is of another kind of token (RFC 8725 §3.11).
    #[error("`typ` is not {expected}: the token is of another kind")]
    TypeMismatch {
        /// The kinds that the policy takes.
        expected: String,
    },
    /// A claim is absent that the policy needs.
    #[error("claim `{claim}` is missing")]
    ClaimMissing {
        /// The claim's name.
        claim: Cow<'static, str>,
    },
    /// A registered claim has the wrong JSON type (RFC 7519 §4.1).
    #[error("claim `{claim}` is not {expected}")]
    ClaimType {
        /// The claim's name.
        claim: &'static str,
        /// What RFC 7519 asks for.
        expected: &'static str,
    },
    /// `exp` has passed (RFC 7519 §4.1.4).
    #[error("claim `exp` passed at {at}")]
    Expired {
        /// The value of `exp`.
        at: Timestamp,
    },
    /// `nbf` lies ahead (RFC 7519 §4.1.5).
    #[error("claim `nbf` is only reached at {from}")]
    NotYetValid {
        /// The value of `nbf`.
        from: Timestamp,
    },
    /// `iat` lies further ahead than clocks differ.
    #[error("claim `iat` lies in the future, at {at}; check both clocks")]
    IssuedInFuture {
        /// The value of `iat`.
        at: Timestamp,
    },
    /// `iss` is not the issuer that is expected (RFC 7519 §4.1.1).
    #[error("claim `iss` is not {expected:?}")]
    IssuerMismatch {
        /// The issuer that the policy names.
        expected: String,
    },
    /// `aud` does not name this service (RFC 7519 §4.1.3).
    #[error("claim `aud` does not name {expected:?}")]
    AudienceMismatch {
        /// The audience that the policy names.
        expected: String,
    },
    /// `aud` names somebody although the policy says that tokens name nobody (RFC 7519 §4.1.3).
    #[error("claim `aud` names an audience and none was expected")]
    AudienceUnexpected,
    /// `aud` names others beside the one party that the token may be for (RFC 7523bis §4).
    #[error("claim `aud` names others beside {expected:?}")]
    AudienceShared {
        /// The one audience that the policy names.
        expected: String,
    },
    /// A claim has another value than the one expected: `nonce`, `azp`, `at_hash`, `htm`, …
    #[error("claim `{claim}` is not the value expected")]
    ClaimMismatch {
        /// The claim's name.
        claim: &'static str,
    },
    /// A claim that belongs to another kind of token (RFC 8725 §3.12).
    #[error("claim `{claim}` does not belong into {kind}")]
    ClaimForeign {
        /// The claim's name.
        claim: &'static str,
        /// The kind that the policy takes, in words.
        kind: &'static str,
    },
    /// `iat` or `auth_time` lies further back than the policy takes.
    #[error("claim `{claim}` was at {at}, more than {max_secs} s ago")]
    TooOld {
        /// The claim's name.
        claim: &'static str,
        /// Its value.
        at: Timestamp,
        /// The greatest age, in seconds.
        max_secs: u64,
    },
    /// `sub` is not the subject that is expected (RFC 7519 §4.1.2).
    #[error("claim `sub` is not the expected subject")]
    SubjectMismatch,
    /// `cnf` binds the token to a key of its sender, and no proof of that key came with it (RFC 7800 §3.1).
    #[error("claim `cnf` binds the token to its sender; it does not pass as a plain bearer token")]
    ProofRequired,
    /// The status list is not what draft-ietf-oauth-status-list §4 describes.
    #[error("the status list {what}")]
    StatusListMalformed {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The status list has more bytes than the reader takes, or than any list may have.
    #[error("the status list is larger than {limit} bytes")]
    StatusListTooLarge {
        /// The limit in bytes, after inflating.
        limit: usize,
    },
    /// The index that a token names lies beyond its status list (draft-ietf-oauth-status-list §8.3).
    #[error("the status list has {entries} entries, and the token's index lies beyond them")]
    StatusIndexOutOfRange {
        /// How many entries the list has.
        entries: u64,
    },
    /// The verified claims do not fit the type that the caller asked for.
    #[error("the claims do not fit the expected type: {reason}")]
    ClaimsShape {
        /// What is missing or misplaced, without any value of the token.
        reason: String,
    },

    // ---- the key ----
    /// The key is too weak for the algorithm.
    #[error("{0}")]
    KeyWeak(WeakKey),
    /// The text or bytes are no key that can be read.
    #[error("{what}")]
    KeyFormat {
        /// What was seen and what was expected.
        what: Cow<'static, str>,
    },
    /// The private key is encrypted under a password, and none was given.
    #[error(
        "this private key is encrypted: give its password, or decrypt it first: openssl pkey -in key.pem -out plain.pem"
    )]
    KeyEncrypted,
    /// The key is of a kind, or for a use, that does not fit.
    #[error("{what}")]
    KeyUnfit {
        /// What the key is and what was needed.
        what: Cow<'static, str>,
    },

    // ---- the caller ----
    /// The policy contradicts itself or leaves open what it must decide.
    #[error("{what}")]
    Policy {
        /// What is contradictory or open.
        what: &'static str,
    },
    /// The payload of the JWS is detached, and the caller has not handed it over (RFC 7515, Appendix F).
    #[error("the JWS does not hold its payload; hand it over with `with_payload`")]
    PayloadDetached,
    /// The JWS cannot be written in this form.
    #[error("the JWS cannot be written: {reason}")]
    JwsUnwritable {
        /// Why.
        reason: Cow<'static, str>,
    },
    /// A claim or header member that belongs to the library was set by hand.
    #[error("`{name}` is set by its own method and cannot be set by name")]
    ReservedName {
        /// The member.
        name: Cow<'static, str>,
    },
    /// A status is larger than the bits of its list hold.
    #[error("the status does not fit into {bits} bits; make the list with more")]
    StatusUnfit {
        /// How many bits each token has.
        bits: u8,
    },
    /// The claims cannot be written as a JSON object.
    #[error("the claims cannot be written as a JSON object: {reason}")]
    ClaimsUnwritable {
        /// Why.
        reason: String,
    },

    // ---- the environment ----
    /// The crypto library failed: no randomness, or no memory.
    #[error("the cryptographic library failed while {doing}")]
    Crypto {
        /// What was being done.
        doing: &'static str,
    },
}

/// Which part of a compact token an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// The first part.
    Header,
    /// The second part.
    Payload,
    /// The third part.
    Signature,
    /// No token: a key, a key set or a body.
    Document,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "the header",
            Self::Payload => "the payload",
            Self::Signature => "the signature",
            Self::Document => "the document",
        })
    }
}

/// How the syntax is broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// Not three parts between two dots (RFC 7515 §7.1).
    #[error("a signed token is three parts with a dot between each two")]
    Segments,
    /// Five parts: an encrypted token (RFC 7516 §7.1) where a signed one is needed.
    #[error("the token is encrypted (five parts); a signed one (three parts) is needed")]
    Encrypted,
    /// A character outside the base64url alphabet.
    #[error(
        "{part} holds a character outside base64url: character {} of it",
        .at.saturating_add(1)
    )]
    Alphabet {
        /// Where.
        part: Part,
        /// The byte's place in that part, from 0. Nothing before it takes more than a byte: the message counts the same
        /// place in characters, from 1, as people do.
        at: usize,
    },
    /// Padding, an impossible length, or unused bits that are not zero (RFC 7515 §2).
    #[error("{part} is not base64url without padding, cut to its exact length")]
    Base64 {
        /// Where.
        part: Part,
    },
    /// Not UTF-8 (RFC 7519 §7.2).
    #[error("{part} is not UTF-8")]
    Utf8 {
        /// Where.
        part: Part,
    },
    /// Not JSON (RFC 8259).
    #[error("{part} is not JSON, at line {line}, column {column}")]
    Json {
        /// Where.
        part: Part,
        /// The line of the fault, from 1.
        line: usize,
        /// The column of the fault, from 1.
        column: usize,
    },
    /// A member stands twice in an object (RFC 7515 §4, RFC 7519 §4).
    #[error("{part} holds a member twice, at line {line}, column {column}")]
    DuplicateMember {
        /// Where.
        part: Part,
        /// The line of the second one, from 1.
        line: usize,
        /// The column of the second one, from 1.
        column: usize,
    },
    /// JSON, but no object (RFC 7519 §7.2).
    #[error("{part} is not a JSON object")]
    NotObject {
        /// Where.
        part: Part,
    },
    /// A header member has the wrong JSON type or is missing (RFC 7515 §4.1).
    #[error("header member `{name}` {problem}")]
    Member {
        /// The member.
        name: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A member of the JSON serialisation is missing, misplaced or of the wrong type (RFC 7515 §7.2).
    #[error("member `{name}` of the JWS {problem}")]
    JwsMember {
        /// The member.
        name: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A name stands in the protected and in the unprotected header (RFC 7515 §7.2.1).
    #[error("the protected and the unprotected header have a member in common")]
    HeadersOverlap,
    /// A payload that is not encoded holds what the compact form cannot carry (RFC 7797 §5.2).
    #[error(
        "the payload is not encoded and holds, at byte {at}, what is not printable ASCII or is a dot"
    )]
    UnencodedPayload {
        /// The byte's place in the payload, from 0.
        at: usize,
    },
    /// A payload was handed over beside the one that the JWS holds (RFC 7515, Appendix F).
    #[error("the JWS holds its payload, and another one was handed over beside it")]
    PayloadTwice,
    /// More signatures than the limit.
    #[error("the JWS has more than {limit} signatures")]
    TooManySignatures {
        /// The limit.
        limit: usize,
    },
    /// Larger than the limit.
    #[error("{part} is larger than {limit} bytes")]
    TooLarge {
        /// Where.
        part: Part,
        /// The limit in bytes.
        limit: usize,
    },
    /// Nested deeper than the limit.
    #[error("{part} is nested deeper than {limit} levels")]
    TooDeep {
        /// Where.
        part: Part,
        /// The limit in levels.
        limit: usize,
    },
    /// More values than a document of its size has any use for; each of them costs memory.
    #[error("{part} holds more than {limit} values")]
    TooManyValues {
        /// Where.
        part: Part,
        /// The limit for a document of this size.
        limit: usize,
    },
}

/// How `crit` breaks RFC 7515 §4.1.11.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Critical {
    /// Not an array of strings.
    NotStrings,
    /// An empty array.
    Empty,
    /// A name stands twice.
    Duplicate,
    /// A name of the RFC itself.
    Registered,
    /// A name that the header does not hold.
    Absent,
    /// `b64` is false and not named (RFC 7797 §6).
    Missing,
    /// An extension that is not understood here.
    Unknown,
}

impl fmt::Display for Critical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotStrings => "is not an array of strings",
            Self::Empty => "is empty",
            Self::Duplicate => "names a member twice",
            Self::Registered => "names a member that needs no `crit`",
            Self::Absent => "names a member that the header does not hold",
            Self::Missing => "does not name `b64`, which is false",
            Self::Unknown => "names an extension that is not understood here",
        })
    }
}

/// Who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Blame {
    /// The token, and so whoever sent it.
    Token,
    /// The key, and so whoever configured it.
    Key,
    /// The caller of the library.
    Caller,
    /// The machine.
    Environment,
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({})", self.code())
    }
}

impl Error {
    /// A stable name for logs, metrics, HTTP bodies and scripts. It never changes once published.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(malformed) => malformed.code(),
            Self::Unsecured => "unsecured",
            Self::AlgorithmUnknown => "algorithm_unknown",
            Self::AlgorithmMismatch { .. } | Self::AlgorithmAssumed { .. } => "algorithm_mismatch",
            Self::Critical(_) => "critical_unsupported",
            Self::UnencodedPayload => "unencoded_payload",
            Self::AlgorithmUnprotected => "algorithm_unprotected",
            Self::AlgorithmRefused { .. } => "algorithm_refused",
            Self::IssuerUnknown => "issuer_unknown",
            Self::KeyNotFound => "key_not_found",
            Self::KeyAmbiguous { .. } => "key_ambiguous",
            Self::SignatureInvalid => "signature_invalid",
            Self::TypeMismatch { .. } => "type_mismatch",
            Self::ClaimMissing { .. } => "claim_missing",
            Self::ClaimType { .. } => "claim_type",
            Self::Expired { .. } => "token_expired",
            Self::NotYetValid { .. } => "token_not_yet_valid",
            Self::IssuedInFuture { .. } => "issued_in_future",
            Self::IssuerMismatch { .. } => "issuer_mismatch",
            Self::AudienceMismatch { .. } => "audience_mismatch",
            Self::AudienceUnexpected => "audience_unexpected",
            Self::AudienceShared { .. } => "audience_shared",
            Self::ClaimMismatch { .. } => "claim_mismatch",
            Self::ClaimForeign { .. } => "claim_foreign",
            Self::TooOld { .. } => "token_too_old",
            Self::SubjectMismatch => "subject_mismatch",
            Self::ProofRequired => "proof_required",
            Self::StatusListMalformed { .. } => "status_list_malformed",
            Self::StatusListTooLarge { .. } => "status_list_too_large",
            Self::StatusIndexOutOfRange { .. } => "status_index_out_of_range",
            Self::ClaimsShape { .. } => "claims_shape",
            Self::KeyWeak(_) => "key_weak",
            Self::KeyFormat { .. } => "key_format",
            Self::KeyEncrypted => "key_encrypted",
            Self::KeyUnfit { .. } => "key_unfit",
            Self::Policy { .. } => "policy",
            Self::PayloadDetached => "payload_detached",
            Self::JwsUnwritable { .. } => "jws_unwritable",
            Self::ReservedName { .. } => "reserved_name",
            Self::StatusUnfit { .. } => "status_unfit",
            Self::ClaimsUnwritable { .. } => "claims_unwritable",
            Self::Crypto { .. } => "crypto",
        }
    }

    /// Who has to act.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::KeyWeak(_)
            | Self::KeyFormat { .. }
            | Self::KeyEncrypted
            | Self::KeyUnfit { .. } => Blame::Key,
            Self::Policy { .. }
            | Self::ReservedName { .. }
            | Self::StatusUnfit { .. }
            | Self::ClaimsUnwritable { .. }
            | Self::PayloadDetached
            | Self::JwsUnwritable { .. } => Blame::Caller,
            Self::Crypto { .. } => Blame::Environment,
            _ => Blame::Token,
        }
    }

    pub(crate) fn key_format(what: impl Into<Cow<'static, str>>) -> Self {
        Self::KeyFormat { what: what.into() }
    }

    pub(crate) fn key_unfit(what: impl Into<Cow<'static, str>>) -> Self {
        Self::KeyUnfit { what: what.into() }
    }
}

impl Malformed {
    const fn code(&self) -> &'static str {
        match self {
            Self::Segments => "malformed_segments",
            Self::Encrypted => "malformed_encrypted",
            Self::Alphabet { .. } => "malformed_alphabet",
            Self::Base64 { .. } => "malformed_base64url",
            Self::Utf8 { .. } => "malformed_utf8",
            Self::Json { .. } => "malformed_json",
            Self::DuplicateMember { .. } => "malformed_duplicate_member",
            Self::NotObject { .. } => "malformed_not_object",
            Self::Member { .. } => "malformed_header_member",
            Self::JwsMember { .. } => "malformed_jws_member",
            Self::HeadersOverlap => "malformed_headers_overlap",
            Self::UnencodedPayload { .. } => "malformed_unencoded_payload",
            Self::PayloadTwice => "malformed_payload_twice",
            Self::TooManySignatures { .. } => "malformed_too_many_signatures",
            Self::TooLarge { .. } => "malformed_too_large",
            Self::TooDeep { .. } => "malformed_too_deep",
            Self::TooManyValues { .. } => "malformed_too_many_values",
        }
    }
}
