//! The kinds of token, and the rules that keep them apart (RFC 8725 §3.11 and §3.12): one table, read by the policy and
//! the check list.
//!
//! Five kinds have a `typ` of their own, which no other takes. Plain tokens and ID tokens share `JWT` and the absent
//! `typ`; claims separate them: an ID token needs a `nonce`, and a plain token has none, nor the other claims that only an
//! ID token or a security event holds. Where a client waives the `nonce`, what is left is `aud`: a client is not an API.

use crate::jws::Header;

/// A kind of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// A JWT that says no more than RFC 7519.
    Plain,
    /// Either of two, for tools that show tokens to people.
    PlainOrAccessToken,
    /// Either of two, each by its own rules, while an issuer changes from the one to the other.
    Migrating,
    /// A `typ` that the caller names.
    Named,
    /// RFC 9068.
    AccessToken,
    /// OpenID Connect Core §2.
    IdToken,
    /// OpenID Connect Back-Channel Logout §2.4.
    LogoutToken,
    /// RFC 7523 §3, as tightened by RFC 7523bis.
    ClientAssertion,
    /// RFC 9449 §4.2.
    DpopProof,
    /// draft-ietf-oauth-status-list §5.1.
    StatusList,
}

/// The member of `events` that makes a logout token (OpenID Connect Back-Channel Logout §2.4).
pub(crate) const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

impl Profile {
    /// Whether a header without `typ` passes.
    pub(crate) const fn takes_absent_typ(self) -> bool {
        matches!(
            self,
            Self::Plain | Self::PlainOrAccessToken | Self::Migrating | Self::IdToken
        )
    }

    /// The values of `typ` that pass.
    pub(crate) const fn typ(self) -> &'static [&'static str] {
        match self {
            Self::Plain | Self::IdToken => &["JWT"],
            Self::PlainOrAccessToken | Self::Migrating => &["JWT", "at+jwt"],
            Self::Named => &[],
            Self::AccessToken => &["at+jwt"],
            Self::LogoutToken => &["logout+jwt"],
            Self::ClientAssertion => &["client-authentication+jwt"],
            Self::DpopProof => &["dpop+jwt"],
            Self::StatusList => &["statuslist+jwt"],
        }
    }

    /// The claims that must be there, beside those that have a check of their own: `iss`, `aud` and `exp`, the `nonce` of
    /// an ID token, and `htm`, `htu` and `iat` of a proof.
    pub(crate) const fn required(self) -> &'static [&'static str] {
        match self {
            Self::Plain | Self::PlainOrAccessToken | Self::Migrating | Self::Named => &[],
            Self::AccessToken => &["sub", "client_id", "iat", "jti"],
            Self::IdToken => &["sub", "iat"],
            Self::LogoutToken => &["iat", "jti", "events"],
            Self::ClientAssertion => &["sub", "jti"],
            Self::DpopProof => &["jti"],
            Self::StatusList => &["iat", "status_list"],
        }
    }

    /// Which of these a policy may waive: names, so that one that is there is a string and not empty all the same.
    pub(crate) const fn waivable(self) -> &'static [&'static str] {
        match self {
            Self::AccessToken | Self::Migrating => &["sub", "client_id", "jti"],
            _ => &[],
        }
    }

    /// The kind that this token is held against, where the policy takes several by their own rules.
    pub(crate) fn of(self, header: &Header) -> Self {
        match self {
            Self::Migrating if header.typ_is("at+jwt") => Self::AccessToken,
            Self::Migrating => Self::Plain,
            other => other,
        }
    }

    /// The claims that must not be there, because a token that holds them is of another kind.
    pub(crate) const fn foreign(self) -> &'static [&'static str] {
        match self {
            Self::Plain | Self::Migrating => &["nonce", "at_hash", "c_hash", "s_hash", "events"],
            Self::IdToken => &["events"],
            Self::LogoutToken => &["nonce"],
            _ => &[],
        }
    }

    /// The claims that must be strings, and not empty, where they are there and no other check reads them.
    pub(crate) const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Plain
            | Self::PlainOrAccessToken
            | Self::Migrating
            | Self::Named
            | Self::StatusList => &[],
            Self::AccessToken => &["client_id", "jti"],
            Self::IdToken => &["nonce", "at_hash", "c_hash"],
            Self::LogoutToken => &["sub", "sid", "jti"],
            Self::ClientAssertion => &["jti"],
            Self::DpopProof => &["jti", "ath", "nonce"],
        }
    }

    /// Whether its specification makes `exp` a must.
    pub(crate) const fn needs_expiry(self) -> bool {
        matches!(
            self,
            Self::AccessToken
                | Self::Migrating
                | Self::IdToken
                | Self::LogoutToken
                | Self::ClientAssertion
        )
    }

    /// Whether its specification makes `iss` and `aud` a must, of whatever value.
    pub(crate) const fn needs_parties(self) -> bool {
        self.needs_expiry()
    }

    /// Whether it may do without `iss`: what is there must be right all the same.
    pub(crate) const fn takes_absent_iss(self) -> bool {
        matches!(self, Self::StatusList)
    }

    /// Whether it is about one thing that the policy has to name.
    pub(crate) const fn needs_subject(self) -> bool {
        matches!(self, Self::StatusList)
    }

    /// Whether it is meant for one party that the policy has to name.
    pub(crate) const fn needs_audience(self) -> bool {
        matches!(
            self,
            Self::IdToken | Self::LogoutToken | Self::ClientAssertion
        )
    }

    /// In words, for a message.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Plain => "a plain token",
            Self::PlainOrAccessToken | Self::Migrating => "a plain token or an access token",
            Self::Named => "this kind of token",
            Self::AccessToken => "an access token",
            Self::IdToken => "an ID token",
            Self::LogoutToken => "a logout token",
            Self::ClientAssertion => "a client assertion",
            Self::DpopProof => "a DPoP proof",
            Self::StatusList => "a status list",
        }
    }

    /// Where its claims are listed.
    pub(crate) const fn rfc(self) -> &'static str {
        match self {
            Self::Plain | Self::PlainOrAccessToken | Self::Named => "RFC 8725 §3.12",
            Self::AccessToken | Self::Migrating => "RFC 9068 §2.2",
            Self::IdToken => "OIDC Core §2",
            Self::LogoutToken => "OIDC Logout §2.4",
            Self::ClientAssertion => "RFC 7523 §3",
            Self::DpopProof => "RFC 9449 §4.2",
            Self::StatusList => "status-list §5.1",
        }
    }
}
