//! `countersign serve`: start the server, say what runs where, stop when asked to.

mod banner;
mod log;
pub(super) mod signals;

use std::path::PathBuf;

use clap::Args;
use countersign_server::{Flags, Settings, start};
use tokio::runtime::Runtime;

use super::data_folder::{environment, runtime};
use crate::exit::{Exit, Failure};
use crate::output;

/// Stands below the flags in the help and in the manual.
const SETTINGS: &str = "\
A flag wins over its environment variable, and that over the configuration file, which spells the names with underscores: \
--access-ttl is COUNTERSIGN_ACCESS_TTL in the environment and access_ttl = \"10m\" in the file. Several audiences, \
proxies and origins are separated by commas in the environment and are lists in the file.

A secret has a name for itself and one for a file that holds it: COUNTERSIGN_SIGNING_SECRET and \
COUNTERSIGN_SIGNING_SECRET_FILE, COUNTERSIGN_KEY_ENCRYPTION_KEY (no flag) and COUNTERSIGN_KEY_ENCRYPTION_KEY_FILE. \
`countersign key generate HS256 --out FILE` makes a signing secret.

COUNTERSIGN_LOG, or RUST_LOG, chooses what is logged: info, or countersign_server=debug.";

/// The flags of `serve`.
#[derive(Debug, Args)]
#[command(after_help = SETTINGS)]
pub(crate) struct Serve {
    /// The configuration file [default: ./countersign.toml, when it exists; env: COUNTERSIGN_CONFIG].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The address to listen on; port 0 lets the system choose [default: 127.0.0.1:8080; env: COUNTERSIGN_LISTEN].
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// A file with the certificate chain in PEM: the server speaks HTTPS itself; a renewed file is taken up by itself [default: none; env: COUNTERSIGN_TLS_CERT].
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// A file with the private key of the certificate in PEM [default: none; env: COUNTERSIGN_TLS_KEY].
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// The address or network of a proxy whose X-Forwarded-For is believed; repeat it for several [default: none; env: COUNTERSIGN_TRUSTED_PROXY].
    #[arg(long, value_name = "NETWORK")]
    trusted_proxy: Vec<String>,
    /// The origin of a site whose pages may call this server, like https://app.example; repeat it for several [default: none; env: COUNTERSIGN_CORS_ORIGIN].
    #[arg(long, value_name = "ORIGIN")]
    cors_origin: Vec<String>,
    /// An address at which to tell figures to Prometheus, GET /metrics, and nothing else [default: none; env: COUNTERSIGN_METRICS_LISTEN].
    #[arg(long, value_name = "ADDRESS")]
    metrics_listen: Option<String>,
    /// The data folder; made when it does not exist [default: ./countersign-data; env: COUNTERSIGN_DATA].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The URL that clients use; it is the issuer [default: http:// and the bound address; env: COUNTERSIGN_PUBLIC_URL].
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Whom access tokens are for; repeat it for several [default: the public URL; env: COUNTERSIGN_AUDIENCE].
    #[arg(long, value_name = "AUDIENCE")]
    audience: Vec<String>,
    /// What access tokens are signed with: ES256, RS256, EdDSA or HS256 [default: ES256; env: COUNTERSIGN_SIGNING_ALG].
    #[arg(long, value_name = "ALG")]
    signing_alg: Option<String>,
    /// The shared secret of HS256. Others see it in the list of processes: prefer --signing-secret-file [env: COUNTERSIGN_SIGNING_SECRET].
    #[arg(long, value_name = "SECRET", conflicts_with = "signing_secret_file")]
    signing_secret: Option<String>,
    /// A file with the shared secret of HS256, a JWK or the text itself [env: COUNTERSIGN_SIGNING_SECRET_FILE].
    #[arg(long, value_name = "FILE")]
    signing_secret_file: Option<PathBuf>,
    /// A file with the key that encrypts the signing keys at rest [default: one in the data folder; env: COUNTERSIGN_KEY_ENCRYPTION_KEY_FILE].
    #[arg(long, value_name = "FILE")]
    key_encryption_key_file: Option<PathBuf>,
    /// How long an access token is valid, 1s to 24h [default: 10m; env: COUNTERSIGN_ACCESS_TTL].
    #[arg(long, value_name = "DURATION")]
    access_ttl: Option<String>,
    /// How long a session lasts at most [default: 30d; env: COUNTERSIGN_SESSION_TTL].
    #[arg(long, value_name = "DURATION")]
    session_ttl: Option<String>,
    /// How long a session lasts unused [default: 14d; env: COUNTERSIGN_SESSION_IDLE_TTL].
    #[arg(long, value_name = "DURATION")]
    session_idle_ttl: Option<String>,
    /// The status that answers a bad token: 401, or 403 for clients that expect it [default: 401; env: COUNTERSIGN_INVALID_TOKEN_STATUS].
    #[arg(long, value_name = "STATUS")]
    invalid_token_status: Option<String>,
    /// How many verified access tokens are remembered, so that one that comes again costs no signature; 0 for none [default: 10000; env: COUNTERSIGN_TOKEN_CACHE].
    #[arg(long, value_name = "TOKENS")]
    token_cache: Option<String>,
    /// Who may open the page that takes tokens apart: public, signed-in or off [default: public in development, else signed-in; env: COUNTERSIGN_INSPECTOR].
    #[arg(long, value_name = "WHO")]
    inspector: Option<String>,
}

impl Serve {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let settings = Settings::load(self.into_flags(), environment())?;
        log::start()?;
        to_the_end(runtime()?, serve(settings))
    }

    fn into_flags(self) -> Flags {
        Flags {
            config: self.config,
            listen: self.listen,
            tls_cert: self.tls_cert,
            tls_key: self.tls_key,
            trusted_proxy: self.trusted_proxy,
            cors_origin: self.cors_origin,
            metrics_listen: self.metrics_listen,
            data: self.data,
            public_url: self.public_url,
            audience: self.audience,
            signing_alg: self.signing_alg,
            signing_secret: self.signing_secret,
            signing_secret_file: self.signing_secret_file,
            key_encryption_key_file: self.key_encryption_key_file,
            access_ttl: self.access_ttl,
            session_ttl: self.session_ttl,
            session_idle_ttl: self.session_idle_ttl,
            invalid_token_status: self.invalid_token_status,
            token_cache: self.token_cache,
            inspector: self.inspector,
            ..Flags::default()
        }
    }
}

/// Runs what is to be done and waits for nothing else: what a thread still reads, from a network that hangs for one, may never
/// come.
fn to_the_end<T>(runtime: Runtime, work: impl Future<Output = T>) -> T {
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}

async fn serve(settings: Settings) -> Result<Exit, Failure> {
    // From here on a signal ends the server in an orderly way, also one that comes before the first request.
    let stop = signals::stop().map_err(|error| {
        Failure::new(
            Exit::Server,
            anyhow::Error::new(error).context("cannot listen for signals"),
        )
    })?;
    let server = start(settings).await?;
    for warning in &server.facts().warnings {
        output::warning(warning);
    }
    output::line(&banner::banner(server.facts()))?;
    server.run(stop).await?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{RecvTimeoutError, channel};
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_read_that_hangs_does_not_hold_the_end_up() {
        let (hangs, read) = channel::<()>();
        let (ended, end) = channel();
        std::thread::spawn(move || {
            to_the_end(runtime().unwrap(), async move {
                tokio::task::spawn_blocking(move || read.recv());
            });
            ended.send(()).unwrap();
        });
        let waited = end.recv_timeout(Duration::from_secs(20));
        assert_ne!(waited, Err(RecvTimeoutError::Timeout));
        drop(hangs);
    }
}
