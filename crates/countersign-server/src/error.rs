//! Everything that can go wrong, once: what it is called, whose fault it is, and (in [`answer`]) what a client is told.

use std::net::SocketAddr;
use std::path::PathBuf;

mod answer;
mod cause;

pub(crate) use answer::{Damage, REALM, problem, told};

/// Why a start failed, or why a request was refused.
///
/// [`Debug`](std::fmt::Debug) says what [`Display`](std::fmt::Display) says, and the code: a `main` that returns it, and an
/// `unwrap`, print what is wrong and what to do.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // The configuration.
    /// A setting that does not exist was given.
    #[error("{origin} names no setting; {}", nearest.as_ref().map_or_else(|| format!("known are {known}"), |name| format!("did you mean {name}?")))]
    SettingUnknown {
        /// Where it stands: a key of the file, or an environment variable.
        origin: String,
        /// The setting whose name is closest, where one is close, as it would be written there.
        nearest: Option<String>,
        /// Every setting, as it would be written there.
        known: String,
    },
    /// A setting has a value that it cannot have.
    #[error("{origin}: {problem}")]
    SettingInvalid {
        /// Where the value stands.
        origin: String,
        /// What is wrong, and what to write instead.
        problem: String,
    },
    /// The configuration file cannot be read.
    #[error(
        "the configuration file {}",
        cause::of_file(path, source, "name another with `--config`")
    )]
    ConfigurationUnreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The configuration file is not TOML.
    #[error("{} is not a configuration file: {problem}", path.display())]
    ConfigurationMalformed {
        /// The file.
        path: PathBuf,
        /// Line and reason.
        problem: String,
    },
    /// An argument of an operation on a data folder cannot be used.
    #[error("{0}")]
    Argument(String),
    /// There is an administrator already, so there is no first one to make.
    #[error(
        "there is an administrator already; grant roles with `countersign user role EMAIL ROLE --data DIR`"
    )]
    AdministratorExists,
    /// No account has the address or the identifier.
    #[error("there is no such account; `countersign user list --data DIR` shows those that exist")]
    UserUnknown,
    /// Nobody could administer the server any more.
    #[error(
        "nobody could administer the server any more; give another account the role `admin` first"
    )]
    LastAdministrator,

    // Keys and secrets.
    /// The secret for HS256 cannot be used.
    #[error("{origin}: {problem}")]
    SigningSecret {
        /// Where it stands.
        origin: String,
        /// What is wrong with it.
        problem: countersign::Error,
    },
    /// A key could not be made or used.
    #[error("key: {0}")]
    Key(#[from] countersign::Error),
    /// The certificate or its key cannot be used.
    #[error("{origin}: {problem}")]
    Tls {
        /// Where it was named.
        origin: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The key-encryption key is missing, malformed or readable by others.
    #[error("{origin}: {problem}")]
    KeyEncryptionKey {
        /// Where it was looked for.
        origin: String,
        /// What is wrong, and what to do.
        problem: &'static str,
    },
    /// The key-encryption key is not the one that the database was made with.
    #[error(
        "the key-encryption key does not open the keys of this database; give the one that they were last encrypted with"
    )]
    KeyEncryptionKeyWrong,
    /// The operating system gave no random bytes, or a primitive refused.
    #[error("the cryptographic library failed; look at the system's random source")]
    Crypto,

    // Files and the database.
    /// The file with the value of a setting cannot be read.
    #[error(
        "{origin}: the file {}",
        cause::of_secret_file(path, source, "name the right one")
    )]
    SettingFile {
        /// Where it was named.
        origin: String,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The data folder cannot be made or looked into.
    #[error("{}", cause::of_data_folder(path, source))]
    DataFolder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file or folder cannot be used.
    #[error("{}", cause::of_own_file(path, source))]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file with the certificate or with its key cannot be read.
    #[error("{origin}: {}", cause::of_file(path, source, "name the right one"))]
    TlsFile {
        /// Where it was named.
        origin: String,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// There is no database where one was expected.
    #[error("there is no database at {}; start `countersign serve` there once, or name the right folder with `--data`", path.display())]
    DatabaseMissing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The database file cannot be opened or brought up to date.
    #[error("{}", cause::of_database_file(path, source))]
    DatabaseUnusable {
        /// The file.
        path: PathBuf,
        /// What the database says.
        source: sqlx::Error,
    },
    /// The database file holds what SQLite cannot make sense of.
    #[error("the database {} {}", path.display(), cause::DAMAGED)]
    DatabaseDamaged {
        /// The file.
        path: PathBuf,
    },
    /// A server ran on the data folder, and its database is not there any more, or is empty.
    #[error(
        "a server ran on the data folder {}, and its database is gone or empty; put a copy back with `countersign restore`, or, to begin anew, move what is left in the folder away",
        path.display()
    )]
    DatabaseLost {
        /// The data folder.
        path: PathBuf,
    },
    /// The write-ahead log beside the database file was written for another file than the one that is there.
    #[error(
        "{}-wal was not written for the {} that is there: a copy was put in its place after a crash; do that with `countersign restore`, or move the -wal and -shm away, and with them what was written last",
        path.display(),
        path.file_name().unwrap_or_default().display()
    )]
    DatabaseMixed {
        /// The database file.
        path: PathBuf,
    },
    /// A server runs on the data folder, or a command that has it alone.
    #[error("a server runs on the data folder {}; stop it first, or wait for the command that works on it", path.display())]
    FolderInUse {
        /// The data folder.
        path: PathBuf,
    },
    /// The database of the data folder is being exchanged, or its keys are being encrypted with another key-encryption key.
    #[error("`countersign restore` or `countersign keys reencrypt` works on the data folder {}; start again when that has ended", path.display())]
    FolderChanging {
        /// The data folder.
        path: PathBuf,
    },
    /// A file that was to be made exists.
    #[error("{} exists and is not overwritten: choose another name, or move it away first", path.display())]
    FileExists {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be put in the place of the database.
    #[error("{} {problem}", path.display())]
    CopyUnusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        problem: &'static str,
    },
    /// The database failed while it was in use.
    #[error("the database failed: {}", cause::of_database(.0))]
    Database(#[source] sqlx::Error),

    // The network.
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {}", cause::of_address(source))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// Serving stopped by itself.
    #[error("serving failed: {0}")]
    Serve(#[source] std::io::Error),

    // The request.
    /// The body is not of the one type that the route takes.
    #[error("the body is not {expected}; send it with `content-type: {expected}`")]
    MediaType {
        /// The type to send.
        expected: &'static str,
    },
    /// There is no body where one is needed.
    #[error("the body is empty; send a JSON object")]
    BodyEmpty,
    /// The body is not JSON, or holds a member twice.
    #[error("the body is not valid JSON with each member once")]
    BodySyntax,
    /// The body is JSON of another shape.
    #[error("the body does not fit: {reason}")]
    BodyShape {
        /// What is misplaced; never what the client wrote.
        reason: String,
    },
    /// The body is larger than its route takes.
    #[error("the body is larger than this route takes")]
    BodyTooLarge,
    /// The body did not arrive in time.
    #[error("the body did not arrive in time; send it again")]
    BodyTooSlow,
    /// The address of the request is longer than 8 KiB.
    #[error("the address of the request is longer than 8 KiB; send what is long in a body")]
    UriTooLong,
    /// The request came in the clear from elsewhere, and from no proxy that is believed.
    #[error(
        "this connection is not safe: come under the https address of this server; if you did, whoever runs it finds the reason in its log"
    )]
    ProxyNeeded,
    /// Another site's page may have started the request.
    #[error(
        "a request that changes something comes from this server's own pages, or from those of an origin that it was started with (`--cors-origin`)"
    )]
    CrossSite,
    /// The request names another host than the one that is here.
    #[error("nothing answers to this name here; open {url}{advice}")]
    ForeignHost {
        /// Where it may be asked.
        url: String,
        /// What else there is to do.
        advice: &'static str,
    },
    /// A cookie is not enough to change an account.
    #[error(
        "a browser's cookie is not enough to change an account; send the token as `Authorization: Bearer …`, or use the page `/admin/users`, which asks for your password"
    )]
    BearerNeeded,
    /// This is for whoever has an account.
    #[error("this is for people with an account here; log in first")]
    LogInNeeded,
    /// The account of the demonstration's strangers may not be used.
    #[error(
        "an administrator has disabled the account of this demonstration; log in to see it with a session of your own"
    )]
    DemoDisabled,
    /// A parameter of the query cannot be used.
    #[error("{0}")]
    Query(&'static str),
    /// What was given as an e-mail address is none.
    #[error("this is not an e-mail address")]
    InvalidEmail,
    /// The password would be guessed.
    #[error("the password is too weak: {}", reasons.join(" "))]
    WeakPassword {
        /// Sentences for the person who chose it.
        reasons: Vec<String>,
    },
    /// The address has an account.
    #[error("this address has an account; log in instead")]
    EmailTaken,
    /// The address that the first administrator would have has an account.
    #[error(
        "this address has an account; choose another, or make it the administrator with `countersign user role EMAIL admin --data DIR`"
    )]
    AdministratorEmailTaken,
    /// Unknown account, wrong password, disabled account: one error, so that nobody can tell them apart.
    #[error("the address and the password do not belong together")]
    InvalidCredentials,
    /// Somebody who is logged in gave a password that is not theirs.
    #[error("this is not your present password")]
    WrongPassword,
    /// The refresh token is not one, is over, or was used before.
    #[error("the refresh token is not valid; log in again")]
    InvalidRefreshToken,
    /// The session is none of this user's, or is over.
    #[error("there is no such session; `GET /sessions` lists yours")]
    SessionUnknown,
    /// No refresh token was sent.
    #[error("no refresh token was sent; send it as the cookie, or as `refresh_token` in the body")]
    RefreshTokenMissing,
    /// Two refresh tokens in one request.
    #[error("the request has two refresh tokens; send the cookie or the body's")]
    TwoRefreshTokens,
    /// The one-time code is wrong or over.
    #[error(
        "the code is wrong or its hour is over; print a new one with `countersign setup-link --data DIR`"
    )]
    InvalidSetupCode,
    /// Too many failures; the time after which to try again.
    #[error("too many attempts; try again in {retry_after_secs} s")]
    TooManyRequests {
        /// Seconds until an attempt is granted again.
        retry_after_secs: u64,
    },
    /// Too many people log in at this moment.
    #[error("the server is busy; try again in {retry_after_secs} s")]
    Busy {
        /// Seconds after which it is worth another try.
        retry_after_secs: u64,
    },
    /// No such route.
    #[error("nothing is here; `GET /` lists what is")]
    NotFound,
    /// The route exists, for another method.
    #[error("this route takes another method; see the header Allow")]
    MethodNotAllowed,
    /// A part that the server needs is not there.
    #[error("not ready: {0}")]
    NotReady(&'static str),
    /// A defect: something panicked.
    #[error("the server made a mistake; its log says which")]
    Panic,
}

impl std::fmt::Debug for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self} ({})", self.code())
    }
}

impl Error {
    /// A stable name, for logs, bodies and scripts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::SettingUnknown { .. } => "setting_unknown",
            Self::SettingInvalid { .. } => "setting_invalid",
            Self::ConfigurationMalformed { .. } => "configuration_malformed",
            Self::ConfigurationUnreadable { .. } => "configuration_unreadable",
            Self::Argument(_) => "argument_invalid",
            Self::AdministratorExists => "administrator_exists",
            Self::UserUnknown => "user_unknown",
            Self::LastAdministrator => "last_administrator",
            Self::SessionUnknown => "session_unknown",
            Self::SigningSecret { problem: error, .. } | Self::Key(error) => error.code(),
            Self::Tls { .. } | Self::TlsFile { .. } => "tls_unusable",
            Self::KeyEncryptionKey { .. } => "key_encryption_key_unusable",
            Self::KeyEncryptionKeyWrong => "key_encryption_key_wrong",
            Self::Crypto => "crypto_failed",
            Self::File { .. } | Self::SettingFile { .. } => "file_unusable",
            Self::DataFolder { .. } => "data_folder_unusable",
            Self::DatabaseMissing { .. } => "database_missing",
            Self::DatabaseUnusable { .. } => "database_unusable",
            Self::DatabaseDamaged { .. } => "database_damaged",
            Self::DatabaseLost { .. } => "database_lost",
            Self::DatabaseMixed { .. } => "database_mixed",
            Self::FolderInUse { .. } => "data_folder_in_use",
            Self::FolderChanging { .. } => "data_folder_changing",
            Self::FileExists { .. } => "file_exists",
            Self::CopyUnusable { .. } => "copy_unusable",
            Self::Database(_) => "database_failed",
            Self::Listen { .. } => "address_unavailable",
            Self::Serve(_) => "serve_failed",
            Self::MediaType { .. } => "unsupported_media_type",
            Self::BodyEmpty | Self::BodySyntax => "malformed_json",
            Self::BodyShape { .. } | Self::Query(_) | Self::TwoRefreshTokens => "invalid_request",
            Self::BodyTooLarge => "body_too_large",
            Self::BodyTooSlow => "body_timeout",
            Self::UriTooLong => "uri_too_long",
            Self::ProxyNeeded => "https_required",
            Self::CrossSite => "cross_site",
            Self::ForeignHost { .. } => "foreign_host",
            Self::BearerNeeded => "bearer_needed",
            Self::LogInNeeded => "log_in_needed",
            Self::DemoDisabled => "demo_disabled",
            Self::InvalidEmail => "invalid_email",
            Self::WeakPassword { .. } => "weak_password",
            Self::EmailTaken | Self::AdministratorEmailTaken => "email_taken",
            Self::InvalidCredentials | Self::WrongPassword => "invalid_credentials",
            Self::InvalidRefreshToken | Self::RefreshTokenMissing => "invalid_refresh_token",
            Self::InvalidSetupCode => "invalid_setup_code",
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::Busy { .. } => "busy",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::NotReady(_) => "not_ready",
            Self::Panic => "internal_error",
        }
    }

    /// The exit status of a command that fails with this: 2 configuration or argument, 3 key or secret,
    /// 4 file, data folder or database, 5 anything else, a port in use above all.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::SettingUnknown { .. }
            | Self::SettingInvalid { .. }
            | Self::ConfigurationMalformed { .. }
            | Self::Argument(_)
            | Self::AdministratorExists
            | Self::UserUnknown
            | Self::InvalidEmail
            | Self::EmailTaken => 2,
            Self::SigningSecret { .. }
            | Self::Key(_)
            | Self::Tls { .. }
            | Self::KeyEncryptionKey { .. }
            | Self::KeyEncryptionKeyWrong
            | Self::Crypto
            | Self::WeakPassword { .. } => 3,
            Self::File { .. }
            | Self::SettingFile { .. }
            | Self::TlsFile { .. }
            | Self::ConfigurationUnreadable { .. }
            | Self::DataFolder { .. }
            | Self::DatabaseMissing { .. }
            | Self::DatabaseUnusable { .. }
            | Self::DatabaseDamaged { .. }
            | Self::DatabaseLost { .. }
            | Self::DatabaseMixed { .. }
            | Self::FolderInUse { .. }
            | Self::FolderChanging { .. }
            | Self::FileExists { .. }
            | Self::CopyUnusable { .. }
            | Self::Database(_) => 4,
            _ => 5,
        }
    }

    /// Whether this says that the database file itself is broken: no other try will do.
    pub(crate) fn is_damage(&self) -> bool {
        match self {
            Self::DatabaseDamaged { .. } => true,
            Self::Database(source) | Self::DatabaseUnusable { source, .. } => {
                cause::is_damage(source)
            }
            _ => false,
        }
    }
}

impl From<aws_lc_rs::error::Unspecified> for Error {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Crypto
    }
}
