//! What a verifier expects of a token. A policy is built once, and one that contradicts itself is not built.

use std::borrow::Cow;
use std::time::Duration;

use crate::error::Error;

/// The most that two clocks may be said to differ.
pub const MAX_LEEWAY: Duration = Duration::from_secs(300);

/// Who may issue a token, for whom, of what kind, and how its times are read.
///
/// An expectation implies that the claim is there and of the right JSON type. `exp` is required, `nbf` and `iat` count
/// where they are present, and there is no leeway, unless the policy says otherwise in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub(crate) issuer: Expected,
    pub(crate) audience: Expected,
    pub(crate) kinds: Kinds,
    pub(crate) subject: Option<String>,
    pub(crate) required: Vec<Cow<'static, str>>,
    pub(crate) leeway: Duration,
    pub(crate) expiry_required: bool,
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

impl Kinds {
    fn plain() -> Self {
        Self {
            absent: true,
            named: vec!["JWT".into()],
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
    /// of `aud` (RFC 7519 §4.1.1, §4.1.3).
    pub fn new(iss: impl Into<String>, aud: impl Into<String>) -> Self {
        Self {
            issuer: Expected::OneOf(vec![iss.into()]),
            audience: Expected::OneOf(vec![aud.into()]),
            kinds: Kinds::plain(),
            subject: None,
            required: Vec::new(),
            leeway: Duration::ZERO,
            expiry_required: true,
        }
    }

    /// OAuth 2.0 access tokens (`typ` `at+jwt`, with `sub`, `client_id`, `iat` and `jti`) of one issuer for one resource
    /// (RFC 9068 §2.2, §4).
    pub fn access_token(iss: impl Into<String>, aud: impl Into<String>) -> Self {
        Self {
            kinds: Kinds {
                absent: false,
                named: vec!["at+jwt".into()],
            },
            required: ["sub", "client_id", "iat", "jti"].map(Cow::Borrowed).into(),
            ..Self::new(iss, aud)
        }
    }

    /// A policy in steps, for what the two constructors do not say.
    ///
    /// ```
    /// # fn main() -> Result<(), countersign::Error> {
    /// let policy = countersign::Policy::builder().any_issuer().any_audience().build()?;
    /// # Ok(()) }
    /// ```
    pub fn builder() -> PolicyBuilder {
        PolicyBuilder {
            issuer: Choice::Open,
            audience: Choice::Open,
            kinds: None,
            subject: None,
            required: Vec::new(),
            leeway: Duration::ZERO,
            expiry_required: true,
        }
    }

    /// The same policy with a leeway for `exp` and `nbf`, of at most 300 s.
    ///
    /// # Errors
    /// [`Error::Policy`] for more than that.
    pub fn with_leeway(self, leeway: Duration) -> Result<Self, Error> {
        check_leeway(leeway)?;
        Ok(Self { leeway, ..self })
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

/// Builds a [`Policy`]. Issuer and audience have to be named or waived in words.
#[derive(Clone, Debug)]
#[must_use = "a policy is made by `build`"]
pub struct PolicyBuilder {
    issuer: Choice,
    audience: Choice,
    kinds: Option<Kinds>,
    subject: Option<String>,
    required: Vec<Cow<'static, str>>,
    leeway: Duration,
    expiry_required: bool,
}

#[derive(Clone, Debug)]
enum Choice {
    Open,
    Made(Expected),
    Contradicted,
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

    fn made(self, open: &'static str, contradicted: &'static str) -> Result<Expected, Error> {
        match self {
            Self::Made(expected) => Ok(expected),
            Self::Open => Err(Error::Policy { what: open }),
            Self::Contradicted => Err(Error::Policy { what: contradicted }),
        }
    }
}

impl PolicyBuilder {
    /// Expects this `iss`; called again, one of several that share their keys.
    pub fn issuer(self, iss: impl Into<String>) -> Self {
        Self {
            issuer: self.issuer.one_of(iss.into()),
            ..self
        }
    }

    /// Takes tokens of any issuer, and of none.
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

    /// Takes tokens for any audience, and for none.
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

    /// Expects this `typ`; called again, one of several. Without a call, `typ` is absent or `JWT`.
    pub fn typ(self, typ: impl Into<Cow<'static, str>>) -> Self {
        let mut kinds = self.kinds.unwrap_or(Kinds {
            absent: false,
            named: Vec::new(),
        });
        kinds.named.push(typ.into());
        Self {
            kinds: Some(kinds),
            ..self
        }
    }

    /// Takes plain tokens (`typ` absent or `JWT`) and access tokens (`at+jwt`), and no other kind.
    pub fn plain_or_access_token(self) -> Self {
        let mut kinds = Kinds::plain();
        kinds.named.push("at+jwt".into());
        Self {
            kinds: Some(kinds),
            ..self
        }
    }

    /// Expects this `sub`.
    pub fn subject(self, sub: impl Into<String>) -> Self {
        Self {
            subject: Some(sub.into()),
            ..self
        }
    }

    /// Expects that a claim is there.
    pub fn require(mut self, claim: impl Into<Cow<'static, str>>) -> Self {
        self.required.push(claim.into());
        self
    }

    /// How far the clocks of issuer and verifier may differ, for `exp` and `nbf`: 0 by default, at most 300 s.
    pub const fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Takes tokens without `exp`, which are valid for ever; one whose `exp` has passed is refused all the same.
    pub const fn without_expiry(mut self) -> Self {
        self.expiry_required = false;
        self
    }

    /// The policy.
    ///
    /// # Errors
    /// [`Error::Policy`] where issuer or audience is open or contradictory, or the leeway is over 300 s.
    pub fn build(self) -> Result<Policy, Error> {
        check_leeway(self.leeway)?;
        Ok(Policy {
            issuer: self.issuer.made(
                "the policy names no issuer; add `.issuer(…)`, or `.any_issuer()` to take tokens of anybody",
                "the policy both names and waives the issuer",
            )?,
            audience: self.audience.made(
                "the policy names no audience; add `.audience(…)`, `.no_audience()` or `.any_audience()`",
                "the policy contradicts itself about the audience",
            )?,
            kinds: self.kinds.unwrap_or_else(Kinds::plain),
            subject: self.subject,
            required: self.required,
            leeway: self.leeway,
            expiry_required: self.expiry_required,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(builder: PolicyBuilder) -> bool {
        matches!(builder.build(), Err(Error::Policy { .. }))
    }

    #[test]
    fn accepts_a_policy_that_names_or_waives_issuer_and_audience() {
        assert_eq!(
            Policy::builder().issuer("i").audience("a").build(),
            Ok(Policy::new("i", "a"))
        );
        assert!(Policy::builder().any_issuer().no_audience().build().is_ok());
        assert!(
            Policy::builder()
                .issuer("i")
                .issuer("j")
                .audience("a")
                .audience("b")
                .build()
                .is_ok()
        );
    }

    #[test]
    fn rejects_a_policy_that_leaves_issuer_or_audience_open() {
        assert!(refused(Policy::builder()));
        assert!(refused(Policy::builder().issuer("i")));
        assert!(refused(Policy::builder().any_audience()));
    }

    #[test]
    fn rejects_a_policy_that_contradicts_itself() {
        assert!(refused(
            Policy::builder().issuer("i").any_issuer().audience("a")
        ));
        assert!(refused(
            Policy::builder().any_issuer().issuer("i").audience("a")
        ));
        assert!(refused(
            Policy::builder().issuer("i").audience("a").no_audience()
        ));
        assert!(refused(
            Policy::builder().issuer("i").any_audience().audience("a")
        ));
        assert!(refused(
            Policy::builder().issuer("i").any_audience().no_audience()
        ));
    }

    #[test]
    fn rejects_a_leeway_over_300_s() {
        let leeway = |secs| Policy::new("i", "a").with_leeway(Duration::from_secs(secs));
        assert!(leeway(300).is_ok());
        assert_eq!(leeway(301).unwrap_err().code(), "policy");
        assert!(refused(
            Policy::builder()
                .issuer("i")
                .audience("a")
                .leeway(Duration::from_secs(301))
        ));
    }
}
