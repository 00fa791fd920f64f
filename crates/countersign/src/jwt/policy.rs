//! What a verifier expects of a token. A policy is built once, and one that contradicts itself is not built.

mod builder;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

pub use builder::PolicyBuilder;

use super::profile::Profile;
use crate::error::Error;
use crate::jwa::Algorithm;
use crate::jwk::Thumbprint;
use crate::jws::{MAX_JWS_BYTES, MAX_TOKEN_BYTES};

/// The most that two clocks may be said to differ.
pub const MAX_LEEWAY: Duration = Duration::from_secs(300);

/// Who may issue a token, for whom, of what kind, and how its times are read.
///
/// An expectation implies that the claim is there and of the right JSON type. `exp` is required, `nbf` and `iat` count
/// where they are present, and there is no leeway, unless the policy says otherwise in words.
///
/// The kinds of token exclude each other (RFC 8725 §3.12): what passes one constructor's policy passes no other's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub(crate) profile: Profile,
    pub(crate) issuer: Expected,
    pub(crate) audience: Expected,
    pub(crate) kinds: Kinds,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) subject: Option<String>,
    /// Claims of which the one right value is known: `nonce`, `htm`, `ath`.
    pub(crate) exact: Vec<(&'static str, Hidden)>,
    /// Claims that hold the half hash of a text: `at_hash`, `c_hash`.
    pub(crate) hashes: Vec<(&'static str, Hidden)>,
    /// The URI of a DPoP proof's request, in normal form.
    pub(crate) target: Option<String>,
    /// The key that the sender has proved to hold.
    pub(crate) proved: Option<Thumbprint>,
    pub(crate) required: Vec<Cow<'static, str>>,
    /// What its kind of token has to hold, and these need not.
    pub(crate) waived: Vec<&'static str>,
    pub(crate) leeway: Duration,
    pub(crate) expiry_required: bool,
    pub(crate) max_token_age: Option<Duration>,
    pub(crate) max_auth_age: Option<Duration>,
    pub(crate) max_token_bytes: usize,
}

/// What `iss` or `aud` must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// One of these.
    OneOf(Vec<String>),
    /// Nothing: the claim must be absent.
    Absent,
    /// Anything, or nothing.
    Any,
}

/// The values of `typ` that pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kinds {
    pub(crate) absent: bool,
    pub(crate) named: Vec<Cow<'static, str>>,
}

/// A value that no log may hold: a nonce, a code, an access token.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Hidden(pub(crate) String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Kinds {
    pub(crate) fn of(profile: Profile) -> Self {
        Self {
            absent: profile.takes_absent_typ(),
            named: profile.typ().iter().copied().map(Cow::Borrowed).collect(),
        }
    }

    /// In words, for a message.
    pub(crate) fn describe(&self) -> String {
        let absent = self.absent.then_some("absent");
        absent
            .into_iter()
            .chain(self.named.iter().map(AsRef::as_ref))
            .collect::<Vec<_>>()
            .join(" or ")
    }
}

impl Policy {
    /// Plain tokens (`typ` absent or `JWT`) of one issuer for one audience: the exact strings of `iss` and of one member
    /// of `aud` (RFC 7519 §4.1.1, §4.1.3). In this and every constructor, an expectation that is the empty string matches no
    /// token.
    ///
    /// A token with `nonce`, `at_hash`, `c_hash`, `s_hash` or `events` is refused: it is an ID token or a security event,
    /// whose `typ` may be the same (RFC 8725 §3.12).
    pub fn new(iss: impl Into<String>, aud: impl Into<String>) -> Self {
        Self::of(Profile::Plain, iss.into(), aud.into())
    }

    /// OAuth 2.0 access tokens (`typ` `at+jwt`, with `sub`, `client_id`, `iat` and `jti`) of one issuer for one resource
    /// (RFC 9068 §2.2, §4).
    pub fn access_token(iss: impl Into<String>, aud: impl Into<String>) -> Self {
        Self::of(Profile::AccessToken, iss.into(), aud.into())
    }

    /// ID tokens (`typ` absent or `JWT`, with `sub` and `iat`) of one issuer, for one client and for the one login that
    /// `nonce` was sent with (OpenID Connect Core §3.1.3.7).
    ///
    /// Where `aud` names several, `azp` must name the client. A client that sends no `nonce` says so in words, with
    /// [`PolicyBuilder::any_nonce`].
    ///
    /// ```
    /// # fn main() -> Result<(), countersign::Error> {
    /// use std::time::{Duration, SystemTime};
    /// use countersign::{Algorithm, IdToken, Policy, SigningKey, Timestamp, Verifier};
    /// let now = Timestamp::from(SystemTime::now());
    /// let key = SigningKey::generate(Algorithm::ES256)?;
    /// let claims = IdToken {
    ///     iss: "https://id.example".into(), sub: "ada".into(), aud: vec!["web".into()],
    ///     iat: now.unix_secs(), exp: now.saturating_add(Duration::from_mins(5)).unix_secs(),
    ///     nonce: Some("n-0S6".into()), azp: None, auth_time: None, acr: None, amr: vec![],
    ///     at_hash: None, c_hash: None, sid: None,
    /// };
    /// let token = claims.sign(&key)?;
    /// let verify = |policy| Verifier::new(key.verifying_key(), policy).verify::<IdToken>(&token, now);
    /// assert_eq!(verify(Policy::id_token("https://id.example", "web", "n-0S6"))?.sub, "ada");
    /// assert!(verify(Policy::id_token("https://id.example", "web", "other")).is_err());
    /// assert!(verify(Policy::new("https://id.example", "web")).is_err());
    /// # Ok(()) }
    /// ```
    pub fn id_token(
        iss: impl Into<String>,
        client_id: impl Into<String>,
        nonce: impl Into<String>,
    ) -> Self {
        Self {
            exact: vec![("nonce", Hidden(nonce.into()))],
            ..Self::of(Profile::IdToken, iss.into(), client_id.into())
        }
    }

    /// Logout tokens (`typ` `logout+jwt`, with `iat`, `jti`, the event, `sub` or `sid`, and no `nonce`) of one issuer for
    /// one client (OpenID Connect Back-Channel Logout §2.6). That a `jti` is new is the caller's to check.
    pub fn logout_token(iss: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self::of(Profile::LogoutToken, iss.into(), client_id.into())
    }

    /// Assertions with which one client proves itself to one authorization server (`typ` `client-authentication+jwt`, with
    /// `jti`): `iss` and `sub` are the client's id, and `aud` is the server's issuer identifier alone (RFC 7523 §3,
    /// RFC 7523bis §4). That a `jti` is new is the caller's to check.
    pub fn client_assertion(client_id: impl Into<String>, issuer: impl Into<String>) -> Self {
        let client_id = client_id.into();
        Self {
            subject: Some(client_id.clone()),
            ..Self::of(Profile::ClientAssertion, client_id, issuer.into())
        }
    }

    /// Status lists (`typ` `statuslist+jwt`, with `iat` and `status_list`, and no `aud`) of one issuer: the one at `uri`, which
    /// is its `sub`, exactly. `iss` may be absent, and is the issuer's where it is there (draft-ietf-oauth-status-list §5.1,
    /// §8.3).
    ///
    /// The draft recommends `exp`, and this policy needs it: without, an old list that somebody kept counts for ever. An
    /// issuer that writes none has to be named in words: `Policy::builder().status_list().without_expiry()`.
    ///
    /// A token of this kind is larger than others, so this policy takes as many bytes as there may ever be.
    pub fn status_list(iss: impl Into<String>, uri: impl Into<String>) -> Self {
        Self {
            audience: Expected::Absent,
            subject: Some(uri.into()),
            max_token_bytes: MAX_JWS_BYTES,
            ..Self::of(Profile::StatusList, iss.into(), String::new())
        }
    }

    /// What a DPoP proof's claims must be, beside what [`DpopVerifier`](crate::DpopVerifier) adds.
    pub(crate) fn dpop_proof() -> Self {
        Self {
            issuer: Expected::Any,
            audience: Expected::Any,
            expiry_required: false,
            ..Self::of(Profile::DpopProof, String::new(), String::new())
        }
    }

    fn of(profile: Profile, iss: String, aud: String) -> Self {
        Self {
            profile,
            issuer: Expected::OneOf(vec![iss]),
            audience: Expected::OneOf(vec![aud]),
            kinds: Kinds::of(profile),
            algorithms: Vec::new(),
            subject: None,
            exact: Vec::new(),
            hashes: Vec::new(),
            target: None,
            proved: None,
            required: profile
                .required()
                .iter()
                .copied()
                .map(Cow::Borrowed)
                .collect(),
            waived: Vec::new(),
            leeway: Duration::ZERO,
            expiry_required: true,
            max_token_age: None,
            max_auth_age: None,
            max_token_bytes: MAX_TOKEN_BYTES,
        }
    }

    /// A policy in steps, for what the constructors do not say.
    ///
    /// ```
    /// # fn main() -> Result<(), countersign::Error> {
    /// let policy = countersign::Policy::builder().any_issuer().any_audience().build()?;
    /// # Ok(()) }
    /// ```
    pub fn builder() -> PolicyBuilder {
        PolicyBuilder::new()
    }

    /// The same policy with a leeway for `exp` and `nbf`, of at most 300 s.
    ///
    /// # Errors
    /// [`Error::Policy`] for more than that.
    pub fn with_leeway(self, leeway: Duration) -> Result<Self, Error> {
        check_leeway(leeway)?;
        Ok(Self { leeway, ..self })
    }

    /// The same policy for a token that is bound to the key of a proof: its `cnf` must hold the thumbprint of that key and
    /// nothing else (RFC 9449 §6.1, §7.1). A token that is bound to no key is refused.
    #[must_use]
    pub fn bound_to(self, key: Thumbprint) -> Self {
        Self {
            proved: Some(key),
            ..self
        }
    }

    /// The issuers that it names; `None` where it takes any.
    pub(crate) fn issuers(&self) -> Option<&[String]> {
        match &self.issuer {
            Expected::OneOf(names) => Some(names),
            Expected::Absent | Expected::Any => None,
        }
    }
}

fn check_leeway(leeway: Duration) -> Result<(), Error> {
    if leeway > MAX_LEEWAY {
        return Err(Error::Policy {
            what: "a leeway of more than 300 s is a longer life for every token; set the clocks",
        });
    }
    Ok(())
}
