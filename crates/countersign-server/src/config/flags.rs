//! The settings as a command line gives them.

use std::fmt;
use std::path::PathBuf;

/// Settings as text, each as it was given; what was not given is `None` or empty.
#[derive(Clone, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a command fills every field that it has a flag for"
)]
pub struct Flags {
    /// The configuration file; `countersign.toml` in the working folder, where there is one, by default.
    pub config: Option<PathBuf>,
    /// Address and port to listen on.
    pub listen: Option<String>,
    /// A file with the certificate chain, in PEM.
    pub tls_cert: Option<PathBuf>,
    /// A file with the certificate's private key, in PEM.
    pub tls_key: Option<PathBuf>,
    /// The networks of the proxies that are believed when they say who a client is.
    pub trusted_proxy: Vec<String>,
    /// The origins of other sites' pages that may call this server.
    pub cors_origin: Vec<String>,
    /// Address and port on which the figures are told; nowhere by default.
    pub metrics_listen: Option<String>,
    /// The data folder.
    pub data: Option<PathBuf>,
    /// The URL under which the world sees the server.
    pub public_url: Option<String>,
    /// The services that access tokens are for.
    pub audience: Vec<String>,
    /// `ES256`, `RS256`, `EdDSA` or `HS256`.
    pub signing_alg: Option<String>,
    /// The shared secret of HS256.
    pub signing_secret: Option<String>,
    /// A file with that secret.
    pub signing_secret_file: Option<PathBuf>,
    /// How long an access token lives: `10m`.
    pub access_ttl: Option<String>,
    /// How long a session lives: `30d`.
    pub session_ttl: Option<String>,
    /// How long a session lives without being refreshed: `14d`.
    pub session_idle_ttl: Option<String>,
    /// `401`, or `403` for clients written after tutorials.
    pub invalid_token_status: Option<String>,
    /// How many verified access tokens are remembered.
    pub token_cache: Option<String>,
    /// Who may open the inspector: `public`, `signed-in` or `off`.
    pub inspector: Option<String>,
    /// The key that the stored keys are sealed with: 32 bytes in base64.
    pub key_encryption_key: Option<String>,
    /// A file with that key.
    pub key_encryption_key_file: Option<PathBuf>,
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flags")
            .field("config", &self.config)
            .field("listen", &self.listen)
            .field("data", &self.data)
            .field("public_url", &self.public_url)
            .field("audience", &self.audience)
            .field("signing_alg", &self.signing_alg)
            .finish_non_exhaustive()
    }
}
