//! The settings: the one place that reads the environment and the configuration file.
//!
//! A setting is given in a file (`--config FILE`, `countersign.toml`), in the environment (`COUNTERSIGN_…`) or as a flag;
//! the later of these wins. A name that is no setting is refused. Every secret has a `_file` twin.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use countersign::{Algorithm, SigningKey};
use http::StatusCode;

use crate::cookies::Cookies;
use crate::error::Error;
use crate::inspector::Access;
use crate::rules::proxies::Proxies;
use crate::rules::secret::Secret;
use crate::rules::session::Lifetimes;

mod exposure;
mod flags;
mod given;
mod names;
mod origin;
mod values;

pub use flags::Flags;

use given::{Given, Value};
use values::{MAX_ACCESS_TTL, Range};

const DAY: i64 = 24 * 60 * 60;

/// The settings of a server, checked.
#[derive(Clone)]
pub struct Settings {
    listen: SocketAddr,
    tls: Option<TlsFiles>,
    proxies: Proxies,
    cors_origins: Vec<String>,
    metrics_listen: Option<SocketAddr>,
    data: PathBuf,
    public_url: Option<String>,
    audience: Vec<String>,
    signing_alg: Algorithm,
    signing_secret: Option<SigningKey>,
    access_ttl: i64,
    lifetimes: Lifetimes,
    has_idle_for_nothing: bool,
    invalid_token_status: StatusCode,
    token_cache: usize,
    inspector: Option<Access>,
    key_encryption_key: Option<Secret>,
}

impl Settings {
    /// Reads the settings: flags over environment over file. Touches nothing but the files that it is told to read.
    ///
    /// # Errors
    /// [`Error::SettingUnknown`] with the nearest setting, [`Error::SettingInvalid`], [`Error::ConfigurationMalformed`],
    /// [`Error::SigningSecret`], [`Error::File`].
    pub fn load(
        flags: Flags,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Error> {
        let given = Given::collect(flags, environment)?;
        let listen = given.read("listen", "127.0.0.1:8080", values::address)?;
        let public_url = given
            .one("public_url")
            .map(values::public_url)
            .transpose()?;
        let tls = tls_files(&given)?;
        let proxies = given.all("trusted_proxy").map(values::network);
        let proxies = Proxies::new(proxies.collect::<Result<Vec<_>, _>>()?);
        exposure::refuse_what_must_not_go_live(
            &given,
            listen,
            public_url.as_deref(),
            &tls,
            &proxies,
        )?;
        let signing_alg = given.read("signing_alg", "ES256", values::signing_alg)?;
        let chosen_alg = given.or("signing_alg", "ES256");
        let absolute = given.read("session_ttl", "30d", |value| {
            values::duration(value, Range(60, 366 * DAY))
        })?;
        let idle = given.read("session_idle_ttl", "14d", |value| {
            values::duration(value, Range(60, 366 * DAY))
        })?;
        Ok(Self {
            listen,
            tls,
            proxies,
            cors_origins: given
                .all("cors_origin")
                .map(values::origin)
                .collect::<Result<_, _>>()?,
            metrics_listen: given
                .one("metrics_listen")
                .map(values::address)
                .transpose()?,
            data: given.one("data").map_or_else(
                || PathBuf::from("countersign-data"),
                |value| PathBuf::from(value.text()),
            ),
            public_url,
            audience: given
                .all("audience")
                .map(values::audience)
                .collect::<Result<_, _>>()?,
            signing_alg,
            signing_secret: values::signing_secret(
                signing_alg,
                &chosen_alg,
                given.one("signing_secret"),
            )?,
            access_ttl: given.read("access_ttl", "10m", |value| {
                values::duration(value, Range(1, MAX_ACCESS_TTL))
            })?,
            lifetimes: Lifetimes {
                absolute,
                idle: idle.min(absolute),
            },
            has_idle_for_nothing: idle > absolute && given.one("session_idle_ttl").is_some(),
            invalid_token_status: given.read(
                "invalid_token_status",
                "401",
                values::invalid_token_status,
            )?,
            token_cache: given.read("token_cache", "10000", values::token_cache)?,
            inspector: given.one("inspector").map(values::inspector).transpose()?,
            key_encryption_key: given
                .one("key_encryption_key")
                .map(|value| Secret::new(value.text().to_owned())),
        })
    }

    /// Where to listen; port 0 lets the system choose one.
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// The certificate and its key, where this server speaks TLS itself.
    pub(crate) fn tls(&self) -> Option<&TlsFiles> {
        self.tls.as_ref()
    }

    /// The proxies that are believed when they say who a client is.
    pub(crate) fn proxies(&self) -> &Proxies {
        &self.proxies
    }

    /// The origins of other sites' pages that may call this server.
    pub(crate) fn cors_origins(&self) -> &[String] {
        &self.cors_origins
    }

    /// Whether what comes over the listener may have been read on its way, unless a proxy of ours sent it.
    pub(crate) fn needs_proxy(&self) -> bool {
        self.tls.is_none() && !self.listen.ip().is_loopback()
    }

    /// Where the figures are told, if anywhere; never where the world is answered.
    #[must_use]
    pub fn metrics_listen(&self) -> Option<SocketAddr> {
        self.metrics_listen
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The database file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.data.join("countersign.db")
    }

    /// The URL under which the world sees the server, if it was set.
    #[must_use]
    pub fn public_url(&self) -> Option<&str> {
        self.public_url.as_deref()
    }

    /// The algorithm that access tokens are signed with.
    #[must_use]
    pub fn signing_alg(&self) -> Algorithm {
        self.signing_alg
    }

    /// The public URL, or the one that follows from the address as it was bound.
    pub(crate) fn issuer(&self, bound: SocketAddr) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        self.public_url
            .clone()
            .unwrap_or_else(|| format!("{scheme}://{bound}"))
    }

    /// The audiences of access tokens: those that were set, or the issuer itself.
    pub(crate) fn audiences(&self, issuer: &str) -> Vec<String> {
        if self.audience.is_empty() {
            vec![issuer.to_owned()]
        } else {
            self.audience.clone()
        }
    }

    pub(crate) fn signing_secret(&self) -> Option<&SigningKey> {
        self.signing_secret.as_ref()
    }

    pub(crate) fn access_ttl(&self) -> i64 {
        self.access_ttl
    }

    pub(crate) fn lifetimes(&self) -> Lifetimes {
        self.lifetimes
    }

    /// Whether an idle time was set that no session lives to see.
    pub(crate) fn has_idle_for_nothing(&self) -> bool {
        self.has_idle_for_nothing
    }

    /// Whether the public URL is plain http and names another machine than this.
    pub(crate) fn is_plain_elsewhere(&self) -> bool {
        self.public_url
            .as_deref()
            .is_some_and(exposure::is_plain_elsewhere)
    }

    pub(crate) fn invalid_token_status(&self) -> StatusCode {
        self.invalid_token_status
    }

    /// How many verified access tokens are remembered.
    pub(crate) fn token_cache(&self) -> usize {
        self.token_cache
    }

    /// Who may open the inspector: whoever comes by in development, else whoever is logged in.
    pub(crate) fn inspector(&self) -> Access {
        self.inspector.unwrap_or(if self.is_development() {
            Access::Public
        } else {
            Access::SignedIn
        })
    }

    pub(crate) fn key_encryption_key(&self) -> Option<&Secret> {
        self.key_encryption_key.as_ref()
    }

    /// A loopback listener with an http public URL is development; anything else is production.
    pub(crate) fn is_development(&self) -> bool {
        let url = self.issuer(self.listen);
        self.listen.ip().is_loopback() && Cookies::of_public_url(&url) == Cookies::Bare
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("listen", &self.listen)
            .field("data", &self.data)
            .field("public_url", &self.public_url)
            .field("audience", &self.audience)
            .field("signing_alg", &self.signing_alg)
            .finish_non_exhaustive()
    }
}

/// Where a certificate and its key are, and where that was said.
#[derive(Clone, Debug)]
pub(crate) struct TlsFiles {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) cert_place: String,
    pub(crate) key_place: String,
}

fn tls_files(given: &Given) -> Result<Option<TlsFiles>, Error> {
    let lonely = |value: &Value, other: &str| {
        Err(value.invalid(format!(
            "a certificate and its key belong together; set {} too",
            value.spelled(other)
        )))
    };
    match (given.one("tls_cert"), given.one("tls_key")) {
        (None, None) => Ok(None),
        (Some(cert), None) => lonely(cert, "tls_key"),
        (None, Some(key)) => lonely(key, "tls_cert"),
        (Some(cert), Some(key)) => Ok(Some(TlsFiles {
            cert: PathBuf::from(cert.text()),
            key: PathBuf::from(key.text()),
            cert_place: cert.place(),
            key_place: key.place(),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "tf2Zb1kQ7r9wXy0uVvP4sLmNcE8aHdJg";

    fn load(environment: &[(&str, &str)]) -> Result<Settings, Error> {
        Settings::load(
            Flags::default(),
            environment
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    }

    fn message(environment: &[(&str, &str)]) -> String {
        load(environment).unwrap_err().to_string()
    }

    #[test]
    fn everything_has_a_default() {
        let settings = load(&[]).unwrap();
        assert_eq!(settings.listen().to_string(), "127.0.0.1:8080");
        assert_eq!(
            settings.database(),
            Path::new("countersign-data/countersign.db")
        );
        assert_eq!(settings.signing_alg(), Algorithm::ES256);
        assert_eq!(
            (settings.access_ttl(), settings.lifetimes().absolute),
            (600, 30 * DAY)
        );
        assert!(settings.is_development());
        assert_eq!(settings.issuer(settings.listen()), "http://127.0.0.1:8080");
        assert_eq!(
            settings.audiences("http://127.0.0.1:8080"),
            ["http://127.0.0.1:8080"]
        );
    }

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.toml");
        std::fs::write(&file, "listen = \"127.0.0.1:1\"\naccess_ttl = \"1m\"\nsession_ttl = \"1h\"\ninvalid_token_status = 403\n").unwrap();
        let flags = Flags {
            config: Some(file),
            listen: Some("127.0.0.1:3".to_owned()),
            ..Flags::default()
        };
        let environment = [
            ("COUNTERSIGN_LISTEN", "127.0.0.1:2"),
            ("COUNTERSIGN_ACCESS_TTL", "2m"),
        ];
        let settings = Settings::load(
            flags,
            environment.map(|(name, value)| (name.to_owned(), value.to_owned())),
        )
        .unwrap();
        assert_eq!(settings.listen().port(), 3);
        assert_eq!(
            (settings.access_ttl(), settings.lifetimes().absolute),
            (120, 3600)
        );
        assert_eq!(settings.invalid_token_status(), StatusCode::FORBIDDEN);
    }

    #[test]
    fn the_inspector_is_public_in_development_and_for_people_with_an_account_elsewhere() {
        let live = [
            ("COUNTERSIGN_PUBLIC_URL", "https://id.example"),
            ("COUNTERSIGN_LISTEN", "127.0.0.1:8080"),
        ];
        assert_eq!(load(&[]).unwrap().inspector(), Access::Public);
        assert_eq!(load(&live).unwrap().inspector(), Access::SignedIn);
        for (text, access) in [
            ("public", Access::Public),
            ("signed-in", Access::SignedIn),
            ("off", Access::Off),
        ] {
            let settings = load(&[live[0], live[1], ("COUNTERSIGN_INSPECTOR", text)]).unwrap();
            assert_eq!(settings.inspector(), access);
        }
        assert!(message(&[("COUNTERSIGN_INSPECTOR", "on")]).contains("public, signed-in or off"));
    }

    #[test]
    fn an_idle_time_is_never_longer_than_the_session() {
        let settings = load(&[("COUNTERSIGN_SESSION_TTL", "1h")]).unwrap();
        assert_eq!(settings.lifetimes().idle, 3600);
    }

    #[test]
    fn an_idle_time_that_no_session_lives_to_see_is_noticed_where_somebody_set_it() {
        let session = ("COUNTERSIGN_SESSION_TTL", "1h");
        for (idle, is_noticed) in [(None, false), (Some("1h"), false), (Some("61m"), true)] {
            let idle = idle.map(|idle| ("COUNTERSIGN_SESSION_IDLE_TTL", idle));
            let environment: Vec<_> = idle.into_iter().chain([session]).collect();
            let settings = load(&environment).unwrap();
            assert_eq!(settings.has_idle_for_nothing(), is_noticed, "{idle:?}");
        }
    }

    #[test]
    fn what_is_missing_before_others_can_reach_it_is_named_and_nothing_else_is() {
        let listen = ("COUNTERSIGN_LISTEN", "0.0.0.0:8443");
        let tls = [
            ("COUNTERSIGN_TLS_CERT", "chain.pem"),
            ("COUNTERSIGN_TLS_KEY", "key.pem"),
        ];
        let error = message(&[listen, tls[0], tls[1]]);
        assert!(error.starts_with("environment variable COUNTERSIGN_LISTEN: "));
        assert!(error.contains("does not know its own address") && error.contains("PUBLIC_URL"));
        for part in ["in the clear", "TLS_CERT", "TRUSTED_PROXY"] {
            assert!(!error.contains(part), "{error}");
        }
        let error = message(&[listen, ("COUNTERSIGN_PUBLIC_URL", "https://id.example")]);
        assert!(error.starts_with("environment variable COUNTERSIGN_LISTEN: "));
        for part in ["in the clear", "TLS_CERT", "TRUSTED_PROXY"] {
            assert!(error.contains(part), "{error}");
        }
        assert!(!error.contains("PUBLIC_URL"), "{error}");
    }

    #[test]
    fn rejects_plain_http_where_others_can_reach_it() {
        for environment in [
            &[("COUNTERSIGN_LISTEN", "0.0.0.0:8080")][..],
            &[
                ("COUNTERSIGN_LISTEN", "[::]:8080"),
                ("COUNTERSIGN_PUBLIC_URL", "http://id.example"),
            ],
        ] {
            let error = load(environment).unwrap_err();
            assert_eq!((error.code(), error.exit_code()), ("setting_invalid", 2));
            assert!(
                error
                    .to_string()
                    .starts_with("environment variable COUNTERSIGN_"),
                "{error}"
            );
            for part in ["PUBLIC_URL to https", "TLS_CERT", "TRUSTED_PROXY"] {
                assert!(error.to_string().contains(part), "{error}");
            }
        }
    }

    #[test]
    fn rejects_a_listener_for_others_without_tls_and_without_a_proxy() {
        let live = [
            ("COUNTERSIGN_LISTEN", "0.0.0.0:8080"),
            ("COUNTERSIGN_PUBLIC_URL", "https://id.example"),
        ];
        let error = load(&live).unwrap_err();
        assert_eq!((error.code(), error.exit_code()), ("setting_invalid", 2));
        for part in [
            "COUNTERSIGN_TLS_CERT",
            "COUNTERSIGN_TLS_KEY",
            "COUNTERSIGN_TRUSTED_PROXY",
        ] {
            assert!(error.to_string().contains(part), "{error}");
        }
        let behind = [
            &live[..],
            &[("COUNTERSIGN_TRUSTED_PROXY", "10.0.0.5, 10.1.0.0/16")],
        ]
        .concat();
        let settings = load(&behind).unwrap();
        assert!(!settings.is_development() && settings.needs_proxy());
        assert!(settings.proxies().contains("10.1.2.3".parse().unwrap()));
        let tls = [
            ("COUNTERSIGN_TLS_CERT", "cert.pem"),
            ("COUNTERSIGN_TLS_KEY", "key.pem"),
        ];
        let settings = load(&[&live[..], &tls].concat()).unwrap();
        assert!(!settings.is_development() && !settings.needs_proxy());
    }

    #[test]
    fn a_certificate_makes_the_issuer_https_also_on_loopback() {
        let tls = [
            ("COUNTERSIGN_TLS_CERT", "cert.pem"),
            ("COUNTERSIGN_TLS_KEY", "key.pem"),
        ];
        let settings = load(&tls).unwrap();
        assert_eq!(settings.issuer(settings.listen()), "https://127.0.0.1:8080");
        assert!(!settings.is_development());
        let plain = [
            &tls[..],
            &[("COUNTERSIGN_PUBLIC_URL", "http://127.0.0.1:8080")],
        ]
        .concat();
        assert!(message(&plain).starts_with("environment variable COUNTERSIGN_PUBLIC_URL: "));
        for one in tls {
            assert!(message(&[one]).contains("belong together"), "{one:?}");
        }
    }

    #[test]
    fn a_message_speaks_of_what_was_written_where_it_was_written() {
        let flags = Flags {
            listen: Some("0.0.0.0:8080".to_owned()),
            ..Flags::default()
        };
        let error = Settings::load(flags, []).unwrap_err().to_string();
        assert!(
            error.starts_with("flag --listen: ") && error.contains("set --public-url to https://"),
            "{error}"
        );
        let error = message(&[("COUNTERSIGN_SIGNING_ALG", "HS256")]);
        assert!(
            error.starts_with("environment variable COUNTERSIGN_SIGNING_ALG: ")
                && error.ends_with("set COUNTERSIGN_SIGNING_SECRET_FILE"),
            "{error}"
        );
        let error = message(&[
            ("COUNTERSIGN_SIGNING_ALG", "HS256"),
            ("COUNTERSIGN_SIGNING_SECRET", "changeme"),
        ]);
        assert!(
            error.starts_with("environment variable COUNTERSIGN_SIGNING_SECRET: "),
            "{error}"
        );
    }

    #[test]
    fn rejects_hs256_without_a_good_secret_and_a_secret_without_hs256() {
        assert!(message(&[("COUNTERSIGN_SIGNING_ALG", "HS256")]).contains("SIGNING_SECRET"));
        assert!(message(&[("COUNTERSIGN_SIGNING_SECRET", SECRET)]).contains("HS256"));
        for weak in ["changeme", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] {
            let error = load(&[
                ("COUNTERSIGN_SIGNING_ALG", "HS256"),
                ("COUNTERSIGN_SIGNING_SECRET", weak),
            ])
            .unwrap_err();
            assert_eq!(error.exit_code(), 3);
            assert!(!error.to_string().contains(weak));
        }
        assert!(
            load(&[
                ("COUNTERSIGN_SIGNING_ALG", "HS256"),
                ("COUNTERSIGN_SIGNING_SECRET", SECRET)
            ])
            .is_ok()
        );
    }

    #[test]
    fn a_secret_is_read_from_its_file_but_not_from_two_places() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, format!("{SECRET}\n")).unwrap();
        let path = file.to_str().unwrap();
        let from_file = [
            ("COUNTERSIGN_SIGNING_ALG", "HS256"),
            ("COUNTERSIGN_SIGNING_SECRET_FILE", path),
        ];
        assert!(load(&from_file).unwrap().signing_secret().is_some());
        let twice = [
            from_file[0],
            from_file[1],
            ("COUNTERSIGN_SIGNING_SECRET", SECRET),
        ];
        assert!(message(&twice).contains("twice"));
        let missing = [
            ("COUNTERSIGN_SIGNING_ALG", "HS256"),
            ("COUNTERSIGN_SIGNING_SECRET_FILE", "/nowhere/at/all"),
        ];
        let error = load(&missing).unwrap_err();
        assert_eq!(error.exit_code(), 4);
        assert_eq!(
            error.to_string(),
            "environment variable COUNTERSIGN_SIGNING_SECRET_FILE: the file of that name (not shown: it may be a secret) does not exist; name the right one"
        );
    }

    #[test]
    fn settings_do_not_show_a_secret() {
        let settings = load(&[
            ("COUNTERSIGN_SIGNING_ALG", "HS256"),
            ("COUNTERSIGN_SIGNING_SECRET", SECRET),
        ])
        .unwrap();
        assert!(!format!("{settings:?}").contains(SECRET));
        assert!(
            !format!(
                "{:?}",
                Flags {
                    signing_secret: Some(SECRET.to_owned()),
                    ..Flags::default()
                }
            )
            .contains(SECRET)
        );
    }
}
