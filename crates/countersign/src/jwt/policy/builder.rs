//! A policy in steps: what is left open or said twice in different words is refused at the end, not guessed.

use std::borrow::Cow;
use std::time::Duration;

use super::{Expected, Hidden, Kinds, Policy, check_leeway};
use crate::error::Error;
use crate::jwa::Algorithm;
use crate::jws::MAX_JWS_BYTES;
use crate::jwt::profile::Profile;

/// Builds a [`Policy`]. Issuer and audience have to be named or waived in words.
///
/// It is consumed by every step, so none can be dropped silently:
///
/// ```compile_fail
/// let builder = countersign::Policy::builder().any_issuer();
/// let policy = builder.any_audience().build();
/// let other = builder.no_audience().build();
/// ```
#[derive(Clone, Debug)]
#[must_use = "a policy is made by `build`"]
pub struct PolicyBuilder {
    issuer: Choice,
    audience: Choice,
    profile: Option<Profile>,
    typ: Vec<Cow<'static, str>>,
    nonce: Option<Nonce>,
    subject: Option<String>,
    waived: Vec<Cow<'static, str>>,
    fault: Option<&'static str>,
    /// What stands in the policy as it is given here.
    rest: Policy,
}

#[derive(Clone, Debug)]
enum Choice {
    Open,
    Made(Expected),
    Contradicted,
}

#[derive(Clone, Debug)]
enum Nonce {
    Any,
    Is(Hidden),
}

impl Choice {
    fn one_of(self, name: String) -> Self {
        match self {
            Self::Open => Self::Made(Expected::OneOf(vec![name])),
            Self::Made(Expected::OneOf(mut names)) => {
                names.push(name);
                Self::Made(Expected::OneOf(names))
            }
            _ => Self::Contradicted,
        }
    }

    fn waived(self, how: Expected) -> Self {
        match self {
            Self::Open => Self::Made(how),
            _ => Self::Contradicted,
        }
    }

    fn made(
        self,
        open: &'static str,
        contradicted: &'static str,
        empty: &'static str,
    ) -> Result<Expected, Error> {
        match self {
            Self::Made(Expected::OneOf(names)) if names.iter().any(String::is_empty) => {
                refused(empty)
            }
            Self::Made(expected) => Ok(expected),
            Self::Open => refused(open),
            Self::Contradicted => refused(contradicted),
        }
    }
}

const fn refused<T>(what: &'static str) -> Result<T, Error> {
    Err(Error::Policy { what })
}

impl PolicyBuilder {
    pub(super) fn new() -> Self {
        Self {
            issuer: Choice::Open,
            audience: Choice::Open,
            profile: None,
            typ: Vec::new(),
            nonce: None,
            subject: None,
            waived: Vec::new(),
            fault: None,
            rest: Policy::new("", ""),
        }
    }

    /// Expects this `iss`; called again, one of several that share their keys.
    pub fn issuer(self, iss: impl Into<String>) -> Self {
        Self {
            issuer: self.issuer.one_of(iss.into()),
            ..self
        }
    }

    /// Takes tokens of any issuer, and of none where the kind of token can be without: an access token, an ID token and a
    /// logout token always have one.
    pub fn any_issuer(self) -> Self {
        Self {
            issuer: self.issuer.waived(Expected::Any),
            ..self
        }
    }

    /// Expects that `aud` names this; called again, one of several names of one service.
    pub fn audience(self, aud: impl Into<String>) -> Self {
        Self {
            audience: self.audience.one_of(aud.into()),
            ..self
        }
    }

    /// Takes tokens for any audience, and for none where the kind of token can be without: an access token always has one.
    pub fn any_audience(self) -> Self {
        Self {
            audience: self.audience.waived(Expected::Any),
            ..self
        }
    }

    /// Expects that the token names no audience; one that does was made for somebody else (RFC 7519 §4.1.3).
    pub fn no_audience(self) -> Self {
        Self {
            audience: self.audience.waived(Expected::Absent),
            ..self
        }
    }

    /// Expects this `typ` and nothing of its claims; called again, one of several. Without a kind, the policy takes plain
    /// tokens, as [`Policy::new`] does.
    pub fn typ(mut self, typ: impl Into<Cow<'static, str>>) -> Self {
        self.typ.push(typ.into());
        if self.profile == Some(Profile::Named) {
            return self;
        }
        self.profile(Profile::Named)
    }

    /// Takes OAuth 2.0 access tokens, as [`Policy::access_token`] does.
    pub fn access_token(self) -> Self {
        self.profile(Profile::AccessToken)
    }

    /// Takes plain tokens and access tokens, each as [`Policy::new`] and [`Policy::access_token`] do: for the time in which an
    /// issuer changes from the one to the other. Meanwhile the `typ` keeps nobody out who has a plain token of this issuer for
    /// this audience.
    pub fn migrating_to_access_token(self) -> Self {
        self.profile(Profile::Migrating)
    }

    /// Takes access tokens without this claim, which RFC 9068 §2.2 asks for: `sub`, `client_id` or `jti`; called again, of
    /// several. One that is there has to be right all the same.
    ///
    /// Whoever waives it may rely on it no more: without `sub` nobody knows whose token it is, without `client_id` not who
    /// got it, and without `jti` no token is told from another.
    pub fn without_claim(mut self, claim: impl Into<Cow<'static, str>>) -> Self {
        self.waived.push(claim.into());
        self
    }

    /// Takes ID tokens, as [`Policy::id_token`] does. It needs [`nonce`](Self::nonce) or [`any_nonce`](Self::any_nonce).
    pub fn id_token(self) -> Self {
        self.profile(Profile::IdToken)
    }

    /// Takes logout tokens, as [`Policy::logout_token`] does.
    pub fn logout_token(self) -> Self {
        self.profile(Profile::LogoutToken)
    }

    /// Takes status lists, as [`Policy::status_list`] does. It needs [`subject`](Self::subject), the list's URI, and
    /// [`no_audience`](Self::no_audience).
    pub fn status_list(mut self) -> Self {
        self.rest.max_token_bytes = MAX_JWS_BYTES;
        self.profile(Profile::StatusList)
    }

    /// Takes plain tokens (`typ` absent or `JWT`) and access tokens (`at+jwt`), and no other `typ`. Their claims are not
    /// looked at: this is for tools that show tokens to people.
    pub fn plain_or_access_token(self) -> Self {
        self.profile(Profile::PlainOrAccessToken)
    }

    fn profile(mut self, profile: Profile) -> Self {
        if self.profile.replace(profile).is_some() {
            self.fault = Some("the policy names two kinds of token; the kinds exclude each other");
        }
        self
    }

    /// Expects that the ID token holds this `nonce`, the one that went out with the login request.
    pub fn nonce(self, nonce: impl Into<String>) -> Self {
        self.with_nonce(Nonce::Is(Hidden(nonce.into())))
    }

    /// Takes ID tokens with any `nonce`, and with none: for a client that sends none, and for hints of a former login.
    ///
    /// Such a client tells an ID token from a plain token of the same issuer by `aud` alone: its `client_id` must not be
    /// the audience of an API.
    pub fn any_nonce(self) -> Self {
        self.with_nonce(Nonce::Any)
    }

    fn with_nonce(mut self, nonce: Nonce) -> Self {
        if self.nonce.replace(nonce).is_some() {
            self.fault = Some("the policy says twice what the `nonce` is");
        }
        self
    }

    /// Expects that the ID token was issued beside this access token: that `at_hash` is there and is its half hash, with
    /// the hash function of the key's algorithm (OpenID Connect Core §3.1.3.8).
    pub fn at_hash_of(mut self, access_token: impl Into<String>) -> Self {
        self.rest
            .hashes
            .push(("at_hash", Hidden(access_token.into())));
        self
    }

    /// Expects that the ID token was issued beside this code: that `c_hash` is there and is its half hash (OpenID Connect
    /// Core §3.3.2.10).
    pub fn c_hash_of(mut self, code: impl Into<String>) -> Self {
        self.rest.hashes.push(("c_hash", Hidden(code.into())));
        self
    }

    /// Expects this `sub`.
    pub fn subject(mut self, sub: impl Into<String>) -> Self {
        if self.subject.replace(sub.into()).is_some() {
            self.fault = Some("the policy names two subjects");
        }
        self
    }

    /// Takes only keys of this algorithm; called again, of one of several. Without a call, every key of the set.
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.rest.algorithms.push(algorithm);
        self
    }

    /// Expects that a claim is there and is not null.
    pub fn require(mut self, claim: impl Into<Cow<'static, str>>) -> Self {
        self.rest.required.push(claim.into());
        self
    }

    /// How far the clocks of issuer and verifier may differ, for `exp` and `nbf` and the greatest ages: 0 by default, at
    /// most 300 s.
    pub const fn leeway(mut self, leeway: Duration) -> Self {
        self.rest.leeway = leeway;
        self
    }

    /// Takes tokens without `exp`, which are valid for ever; one whose `exp` has passed is refused all the same.
    pub const fn without_expiry(mut self) -> Self {
        self.rest.expiry_required = false;
        self
    }

    /// Expects that `iat` is there and lies at most this far back, in whole seconds, whatever `exp` says.
    pub const fn max_token_age(mut self, age: Duration) -> Self {
        self.rest.max_token_age = Some(age);
        self
    }

    /// Expects that `auth_time` is there and lies at most this far back, in whole seconds: the user has proved who they
    /// are since then (`max_age` of OpenID Connect Core §3.1.2.1).
    pub const fn max_auth_age(mut self, age: Duration) -> Self {
        self.rest.max_auth_age = Some(age);
        self
    }

    /// Takes tokens of up to so many bytes, 16 KiB unless said: at least one, at most 1 MiB. Everything in a token is decoded
    /// before its signature is looked at, and anybody can send one.
    pub const fn max_token_bytes(mut self, bytes: usize) -> Self {
        self.rest.max_token_bytes = bytes;
        self
    }

    /// The policy.
    ///
    /// # Errors
    /// [`Error::Policy`] where issuer, audience or the `nonce` of an ID token is open, an expectation is empty or
    /// contradicts another, the leeway is over 300 s, or the size of a token is 0 or over 1 MiB.
    pub fn build(self) -> Result<Policy, Error> {
        check_leeway(self.rest.leeway)?;
        if !(1..=MAX_JWS_BYTES).contains(&self.rest.max_token_bytes) {
            return refused("the largest token that a policy takes has 1 byte to 1 MiB");
        }
        if let Some(what) = self.fault {
            return refused(what);
        }
        let profile = self.profile.unwrap_or(Profile::Plain);
        let issuer = self.issuer.made(
            "the policy names no issuer; add `.issuer(…)`, or `.any_issuer()` to take tokens of anybody",
            "the policy both names and waives the issuer",
            "the policy names an issuer that is the empty string",
        )?;
        let audience = self.audience.made(
            "the policy names no audience; add `.audience(…)`, `.no_audience()` or `.any_audience()`",
            "the policy contradicts itself about the audience",
            "the policy names an audience that is the empty string",
        )?;
        check_profile(profile, &audience, &self.rest)?;
        if profile.needs_subject() && self.subject.is_none() {
            return refused(
                "the policy takes status lists and does not name which; add `.subject(uri)`",
            );
        }
        if self.subject.as_deref() == Some("") {
            return refused("the policy expects a `sub` that is the empty string");
        }
        let exact = nonce(profile, self.nonce)?;
        if self.typ.iter().any(|typ| typ.is_empty()) {
            return refused("the policy names a `typ` that is the empty string");
        }
        let mut kinds = Kinds::of(profile);
        kinds.named.extend(self.typ);
        let waived = waived(profile, &self.waived, &self.rest.required)?;
        let asked = profile.required().iter().copied();
        let asked = asked.filter(|claim| !waived.contains(claim));
        let mut required: Vec<_> = asked.map(Cow::Borrowed).collect();
        required.extend(self.rest.required);
        Ok(Policy {
            waived,
            profile,
            issuer,
            audience,
            kinds,
            subject: self.subject,
            exact,
            required,
            ..self.rest
        })
    }
}

/// The claims that are waived, by the names that their kind of token has for them.
fn waived(
    profile: Profile,
    waived: &[Cow<'static, str>],
    required: &[Cow<'static, str>],
) -> Result<Vec<&'static str>, Error> {
    if waived.iter().any(|claim| required.contains(claim)) {
        return refused("the policy both requires and waives a claim");
    }
    let known = |claim: &Cow<'static, str>| {
        let mut names = profile.waivable().iter().copied();
        names.find(|name| name == claim)
    };
    let names: Option<Vec<_>> = waived.iter().map(known).collect();
    names.map_or_else(
        || {
            refused(
                "the policy waives a claim that its kind of token does not ask for, or never goes without; only access \
                 tokens may lack one: `sub`, `client_id` or `jti`",
            )
        },
        Ok,
    )
}

/// Refuses what contradicts the kind of token.
fn check_profile(profile: Profile, audience: &Expected, rest: &Policy) -> Result<(), Error> {
    if rest
        .required
        .iter()
        .any(|claim| profile.foreign().contains(&claim.as_ref()))
    {
        return refused(
            "the policy requires a claim that its kind of token does not have; name the kind, or its `typ`",
        );
    }
    if profile.needs_expiry() && !rest.expiry_required {
        return refused("the policy waives `exp`, which its kind of token always has");
    }
    if profile.needs_audience() && !matches!(audience, Expected::OneOf(_)) {
        return refused("the policy takes tokens made for one client and does not name it");
    }
    if *audience == Expected::Absent && matches!(profile, Profile::AccessToken | Profile::Migrating)
    {
        return refused("the policy takes access tokens, and wants them to name no audience");
    }
    if !rest.hashes.is_empty() && profile != Profile::IdToken {
        return refused("the policy expects the hash of an ID token and takes another kind");
    }
    Ok(())
}

fn nonce(profile: Profile, nonce: Option<Nonce>) -> Result<Vec<(&'static str, Hidden)>, Error> {
    match (profile, nonce) {
        (Profile::IdToken, None) => refused(
            "the policy takes ID tokens and names no `nonce`; add `.nonce(…)`, or `.any_nonce()` where none was sent",
        ),
        (Profile::IdToken, Some(Nonce::Is(nonce))) if nonce.0.is_empty() => {
            refused("the policy expects a `nonce` that is the empty string")
        }
        (Profile::IdToken, Some(Nonce::Is(nonce))) => Ok(vec![("nonce", nonce)]),
        (Profile::IdToken, Some(Nonce::Any)) | (_, None) => Ok(Vec::new()),
        (_, Some(_)) => refused("the policy names a `nonce`, which only ID tokens have"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(builder: PolicyBuilder) -> bool {
        matches!(builder.build(), Err(Error::Policy { .. }))
    }

    fn named() -> PolicyBuilder {
        Policy::builder().issuer("i").audience("a")
    }

    #[test]
    fn accepts_a_policy_that_names_or_waives_issuer_and_audience() {
        for (builder, policy) in [
            (named(), Policy::new("i", "a")),
            (named().access_token(), Policy::access_token("i", "a")),
            (
                named().id_token().nonce("n"),
                Policy::id_token("i", "a", "n"),
            ),
            (named().logout_token(), Policy::logout_token("i", "a")),
            (
                Policy::builder()
                    .issuer("i")
                    .no_audience()
                    .subject("u")
                    .status_list(),
                Policy::status_list("i", "u"),
            ),
        ] {
            assert_eq!(builder.build(), Ok(policy));
        }
        for builder in [
            Policy::builder().any_issuer().no_audience(),
            named().issuer("j").audience("b"),
            named().typ("x").typ("y"),
            named().id_token().any_nonce(),
            Policy::builder().any_issuer().any_audience().access_token(),
            named().typ("at+jwt").without_expiry(),
            named().status_list().subject("u").without_expiry(),
            named().plain_or_access_token().without_expiry(),
            named().require("scope"),
            named().typ("JWT").require("nonce"),
            named().access_token().without_claim("sub"),
            named()
                .without_claim("jti")
                .without_claim("client_id")
                .migrating_to_access_token(),
        ] {
            assert!(builder.build().is_ok());
        }
    }

    #[test]
    fn rejects_a_policy_that_leaves_issuer_or_audience_open() {
        assert!(refused(Policy::builder()));
        assert!(refused(Policy::builder().issuer("i")));
        assert!(refused(Policy::builder().any_audience()));
    }

    #[test]
    fn rejects_a_policy_that_contradicts_itself() {
        for builder in [
            named().any_issuer(),
            Policy::builder().any_issuer().issuer("i").audience("a"),
            named().no_audience(),
            Policy::builder().issuer("i").any_audience().audience("a"),
            Policy::builder().issuer("i").any_audience().no_audience(),
            named().access_token().id_token().nonce("n"),
            named().typ("JWT").access_token(),
            named().access_token().typ("JWT"),
            named().subject("ada").subject("eve"),
            named().require("nonce"),
            named().logout_token().require("nonce"),
            named().access_token().without_expiry(),
            named().nonce("n"),
            named().any_nonce(),
            named().id_token().nonce("n").any_nonce(),
            named().at_hash_of("t"),
            named().access_token().c_hash_of("c"),
            named().access_token().migrating_to_access_token(),
            named().migrating_to_access_token().without_expiry(),
            named().migrating_to_access_token().typ("x"),
            named().migrating_to_access_token().require("nonce"),
            Policy::builder()
                .issuer("i")
                .no_audience()
                .migrating_to_access_token(),
            named().without_claim("sub"),
            named().id_token().nonce("n").without_claim("sub"),
            named().access_token().without_claim("iat"),
            named().access_token().without_claim("exp"),
            named().access_token().without_claim("x"),
            named().access_token().without_claim("sub").require("sub"),
        ] {
            assert!(refused(builder.clone()), "{builder:?}");
        }
    }

    #[test]
    fn rejects_a_policy_for_one_party_that_names_none() {
        for builder in [
            Policy::builder()
                .issuer("i")
                .any_audience()
                .id_token()
                .nonce("n"),
            Policy::builder().issuer("i").no_audience().logout_token(),
            Policy::builder().issuer("i").no_audience().access_token(),
            named().id_token(),
            Policy::builder().issuer("i").no_audience().status_list(),
        ] {
            assert!(refused(builder.clone()), "{builder:?}");
        }
    }

    #[test]
    fn rejects_an_expectation_that_is_empty() {
        for builder in [
            named().issuer(""),
            named().audience(""),
            named().subject(""),
            named().typ(""),
            named().id_token().nonce(""),
        ] {
            assert!(refused(builder.clone()), "{builder:?}");
        }
    }

    #[test]
    fn rejects_a_leeway_over_300_s() {
        let leeway = |secs| Policy::new("i", "a").with_leeway(Duration::from_secs(secs));
        assert!(leeway(300).is_ok());
        assert_eq!(leeway(301).unwrap_err().code(), "policy");
        assert!(named().leeway(Duration::from_secs(300)).build().is_ok());
        assert!(refused(named().leeway(Duration::from_secs(301))));
    }

    #[test]
    fn a_policy_is_written_without_the_secrets_that_it_expects() {
        let policy = named()
            .id_token()
            .nonce("canary")
            .at_hash_of("canary")
            .build()
            .unwrap();
        assert!(!format!("{policy:?}").contains("canary"));
    }
}
