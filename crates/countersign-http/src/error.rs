//! What can be wrong with the way a protection is set up. What can be wrong with a request is a
//! [`Rejection`](crate::Rejection).

/// Why a [`Protect`](crate::Protect) or one of its parts cannot be built.
///
/// [`Debug`](std::fmt::Debug) says what [`Display`](std::fmt::Display) says, and the code: a `main` that returns it, and an
/// `unwrap`, print what is wrong and what to do.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The issuer is empty.
    #[error("the issuer is empty; name the value of `iss` that this service trusts")]
    IssuerMissing,
    /// No audience was named, or an empty one.
    #[error("no audience is named; call `.audience(…)` with the name of this service")]
    AudienceMissing,
    /// A fixed set of keys holds no usable key.
    #[error(
        "the key set holds no usable key; pass at least one, or `SharedKeys` to add them later"
    )]
    KeysMissing,
    /// No key of a fixed set is for an algorithm that was named.
    #[error(
        "none of the keys is for an algorithm that `.algorithm(…)` names: a key is for one, and every token would be refused"
    )]
    AlgorithmOfNoKey,
    /// Keys are fetched, and every algorithm that was named is one of a shared secret.
    #[error(
        "`.algorithm(…)` names algorithms of shared secrets alone, and an issuer publishes no secret: name what it signs with, \
         or pass the secret to `Protect::with_keys`"
    )]
    AlgorithmOfSecret,
    /// The realm cannot stand in a quoted string.
    #[error(
        "the realm is empty or holds more than printable ASCII without `\"` and `\\`; set another with `.realm(…)`"
    )]
    RealmInvalid,
    /// The status for an invalid token is neither 401 nor 403.
    #[error("the status for an invalid token is {found}; it is 401 or 403")]
    StatusInvalid {
        /// The status that was asked for.
        found: u16,
    },
    /// The name of a cookie is empty or holds characters that no cookie name can (RFC 6265 §4.1.1).
    #[error("the cookie name is empty or holds a separator, a space or a control character")]
    CookieNameInvalid,
    /// Two cookies were named for the token.
    #[error("two cookies are named; a token has one place, call `.cookie(…)` once")]
    CookieAgain,
    /// A URL has no origin to compare with (RFC 6454 §4).
    #[error("the URL has no origin; write `https://host` or `http://host:port`")]
    OriginInvalid,
    /// A setting of issuers was called after `.and(…)`, where it might mean one issuer or all.
    #[error(
        "`.{setting}(…)` stands after `.and(…)`, where it might mean one issuer or all; put it before `.and(…)`, \
         and say it of the other issuer itself: `Issuer::….{setting}(…)`"
    )]
    SettingLate {
        /// The method.
        setting: &'static str,
    },
    /// The issuer or the URL of its keys cannot be asked.
    #[cfg(feature = "remote")]
    #[error("the keys cannot be fetched: {0}")]
    Fetch(#[from] crate::fetch::FetchError),
    /// Status lists cannot be fetched from the place that was named, or not in the way that was.
    #[cfg(feature = "remote")]
    #[error("status lists cannot be fetched: {0}")]
    StatusLists(#[source] crate::fetch::FetchError),
    /// There is no place where a status list would be believed.
    #[cfg(feature = "remote")]
    #[error(
        "the issuer is no URL that could have status lists; name their place with `StatusLists::new().at(…)`"
    )]
    StatusListsNowhere,
    /// A status is required, and none is looked at.
    #[cfg(feature = "remote")]
    #[error(
        "`.require_status()` and `.without_status()` say the opposite of each other; leave one out"
    )]
    StatusContradictory,
    /// What is wrong with one of several issuers.
    #[error("issuer {issuer:?}: {error}")]
    OfIssuer {
        /// The issuer, as it was named.
        issuer: String,
        /// What is wrong.
        #[source]
        error: Box<Self>,
    },
    /// The policy that follows from the settings is refused.
    #[error("the policy is refused: {0}")]
    Policy(#[from] countersign::Error),
}

impl Error {
    /// The same, of one of several issuers.
    pub(crate) fn of(self, issuer: String) -> Self {
        Self::OfIssuer {
            issuer,
            error: Box::new(self),
        }
    }

    /// The stable name of this error, for logs and for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::IssuerMissing => "issuer_missing",
            Self::AudienceMissing => "audience_missing",
            Self::KeysMissing => "keys_missing",
            Self::AlgorithmOfNoKey => "algorithm_of_no_key",
            Self::AlgorithmOfSecret => "algorithm_of_secret",
            Self::RealmInvalid => "realm_invalid",
            Self::StatusInvalid { .. } => "status_invalid",
            Self::CookieNameInvalid => "cookie_name_invalid",
            Self::CookieAgain => "cookie_again",
            Self::OriginInvalid => "origin_invalid",
            Self::SettingLate { .. } => "setting_late",
            #[cfg(feature = "remote")]
            Self::Fetch(error) => error.code(),
            #[cfg(feature = "remote")]
            Self::StatusLists(error) => error.code(),
            #[cfg(feature = "remote")]
            Self::StatusListsNowhere => "status_lists_nowhere",
            #[cfg(feature = "remote")]
            Self::StatusContradictory => "status_contradictory",
            Self::OfIssuer { error, .. } => error.code(),
            Self::Policy(error) => error.code(),
        }
    }
}

impl std::fmt::Debug for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self} ({})", self.code())
    }
}
