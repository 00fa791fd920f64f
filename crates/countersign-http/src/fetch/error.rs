//! Why something could not be fetched.

use std::error::Error as StdError;
use std::time::Duration;

use super::words;
use crate::shown::shown;

/// Why keys, metadata or a status list cannot be had.
///
/// Messages hold nothing of the answer but a status, the name of another issuer and the URL of its keys; these, and the names
/// of a certificate, are escaped and cut short. [`Debug`](std::fmt::Debug) says the same, and the code.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// What was asked, where that was not named by whoever asked: the metadata of an issuer, and the URL that it names.
    #[error("{asked}: {cause}")]
    At {
        /// The URL, or both places of the metadata; without a query, which may hold a secret, escaped and cut short.
        asked: String,
        /// Why it cannot be had.
        cause: Box<Self>,
    },

    // ---- the caller ----
    /// The URL cannot be read, or holds a user name or a fragment.
    #[error(
        "this is no URL to fetch: write `https://host/path`, without a user name and without `#`"
    )]
    UrlInvalid,
    /// A host and a port with no scheme before them.
    #[error("the scheme is missing: write `https://` before it, or `http://` for this machine")]
    SchemeMissing,
    /// Neither https nor plain http on this machine.
    #[error("only https is fetched, and plain http from this machine alone")]
    SchemeRefused,
    /// A time in the settings is longer than it may be.
    #[error("`{setting}` is longer than {} s, the most that it may be", limit.as_secs())]
    SettingTooLong {
        /// The setting: `timeout`, `stale_limit` or `grace`.
        setting: &'static str,
        /// The most that it may be.
        limit: Duration,
    },
    /// No tokio runtime is there to wait in.
    #[error("there is no tokio runtime here; fetch from within one")]
    NoRuntime,
    /// TLS cannot be set up on this machine.
    #[error(
        "TLS cannot be set up: {reason}; install the system's root certificates, or name your own"
    )]
    Tls {
        /// What the TLS library says.
        reason: String,
    },
    /// A root certificate of one's own is none.
    #[error(
        "the root certificate that was named cannot be used: {reason}; it is that of the authority, in DER or in PEM"
    )]
    RootCertificate {
        /// What the TLS library says.
        reason: String,
    },

    // ---- what was named ----
    /// A URL of another host than the issuer's leads to an address that is private, local or reserved.
    #[error(
        "a URL on another host than the issuer's leads to a private, local or reserved address; if that is meant, \
         configure the URL of the keys yourself"
    )]
    AddressRefused,
    /// The name of the host has no address.
    #[error("the host's name cannot be resolved")]
    NameUnresolved,

    // ---- the other side ----
    /// A certificate that is not believed.
    #[error("no connection: {reason}")]
    CertificateRefused {
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// No connection, or no TLS in it.
    #[error("no connection: {reason}")]
    Connect {
        /// What the system says, or what is wrong with the other side's TLS.
        reason: String,
    },
    /// No answer, or not all of it, within the time.
    #[error("no whole answer within the time")]
    Timeout,
    /// The answer breaks off, or is no HTTP.
    #[error("the answer breaks off or is no HTTP")]
    Broken,
    /// The answer points elsewhere; redirects are not followed.
    #[error("the answer is a redirect, which is not followed; configure the URL that it leads to")]
    Redirect,
    /// Another status than 200.
    #[error("the answer has status {found}, not 200")]
    Status {
        /// The status.
        found: u16,
    },
    /// The answer is packed although nothing packed was asked for.
    #[error("the answer is compressed, which was not asked for")]
    ContentEncoding,
    /// The answer is another kind of document: a page, say.
    #[error(
        "the answer is another kind of document (its content-type says so); is this the right URL?"
    )]
    ContentType,
    /// The answer is larger than what is read.
    #[error("the answer has more than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The document was read and cannot be used.
    #[error("what was fetched cannot be used: {0}")]
    Document(countersign::Error),
    /// What the service reads lists by has none at this URL.
    #[error("what the service reads status lists by has none at this URL")]
    NotRead,
    /// The fetch has ended without a word: what it reads by panicked, or its runtime is gone.
    #[error("the fetch ended without a word: it panicked, or its runtime is gone")]
    Aborted,
    /// The status list was issued before the one that is held: a copy that somebody has kept.
    #[error("the status list was issued before the one that is held")]
    StatusListOlder,
    /// The metadata has no `jwks_uri`, or one that may not be asked.
    #[error("the issuer's metadata has no `jwks_uri` that may be asked")]
    KeysUrlMissing,
    /// The metadata is that of another issuer (RFC 8414 §3.3).
    #[error(
        "the metadata names another issuer, \"{found}\", than the one that was asked, \"{asked}\"; both must be the same \
         text, to the last slash"
    )]
    IssuerMismatch {
        /// The issuer that was asked.
        asked: String,
        /// The one that its metadata names, escaped and cut short; empty where it names none.
        found: String,
    },
}

impl FetchError {
    /// The stable name of this error, for logs and for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::At { cause, .. } => cause.code(),
            Self::UrlInvalid => "fetch_url_invalid",
            Self::SchemeMissing => "fetch_scheme_missing",
            Self::SchemeRefused => "fetch_scheme_refused",
            Self::SettingTooLong { .. } => "fetch_setting_too_long",
            Self::NoRuntime => "fetch_no_runtime",
            Self::Tls { .. } => "fetch_tls",
            Self::RootCertificate { .. } => "fetch_root_certificate",
            Self::CertificateRefused { .. } => "fetch_certificate_refused",
            Self::AddressRefused => "fetch_address_refused",
            Self::NameUnresolved => "fetch_name_unresolved",
            Self::Connect { .. } => "fetch_connect",
            Self::Timeout => "fetch_timeout",
            Self::Broken => "fetch_broken",
            Self::Redirect => "fetch_redirect",
            Self::Status { .. } => "fetch_status",
            Self::ContentEncoding => "fetch_content_encoding",
            Self::ContentType => "fetch_content_type",
            Self::TooLarge { .. } => "fetch_too_large",
            Self::Document(error) => error.code(),
            Self::NotRead => "not_read",
            Self::Aborted => "fetch_aborted",
            Self::StatusListOlder => "status_list_older",
            Self::KeysUrlMissing => "metadata_keys_url_missing",
            Self::IssuerMismatch { .. } => "metadata_issuer_mismatch",
        }
    }

    /// Whether the issuer has said, in so many words, that it has no such document. Then another place may be asked.
    pub(crate) fn says_not_here(&self) -> bool {
        match self {
            Self::Status { found } => matches!(found, 400 | 401 | 403..=406 | 410),
            Self::ContentType => true,
            _ => false,
        }
    }

    /// Why, without what was asked.
    #[must_use]
    pub fn reason(&self) -> &Self {
        match self {
            Self::At { cause, .. } => cause.reason(),
            other => other,
        }
    }

    /// The same, with what was asked.
    pub(crate) fn at(self, asked: impl Into<String>) -> Self {
        Self::At {
            asked: asked.into(),
            cause: Box::new(self),
        }
    }

    pub(super) fn tls(error: &reqwest::Error) -> Self {
        Self::Tls {
            reason: shown(&innermost(error)),
        }
    }

    pub(super) fn root_certificate(error: &reqwest::Error) -> Self {
        let cause = innermost(error);
        let reason = match words::of_certificate(&cause) {
            Some(_) => "it cannot be read as a certificate".to_owned(),
            None => shown(&cause),
        };
        Self::RootCertificate { reason }
    }

    pub(super) fn of(error: &reqwest::Error) -> Self {
        let mut source: Option<&(dyn StdError + 'static)> = Some(error);
        while let Some(cause) = source {
            // What the resolver refused comes back wrapped.
            if let Some(own) = cause.downcast_ref::<Self>() {
                return own.clone();
            }
            source = cause.source();
        }
        if error.is_timeout() {
            Self::Timeout
        } else if error.is_connect() {
            let cause = innermost(error);
            match words::of_certificate(&cause) {
                Some(reason) => Self::CertificateRefused { reason },
                None => Self::Connect {
                    reason: words::of_connection(&cause),
                },
            }
        } else {
            Self::Broken
        }
    }
}

impl std::fmt::Debug for FetchError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self} ({})", self.code())
    }
}

impl From<countersign::Error> for FetchError {
    fn from(error: countersign::Error) -> Self {
        Self::Document(error)
    }
}

/// The cause at the end of the chain, which may hold any text: a certificate does.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn StdError = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
