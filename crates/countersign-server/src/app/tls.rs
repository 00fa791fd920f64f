//! Our own TLS: rustls on aws-lc, TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1; a certificate that was renewed is taken up by itself.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use axum_server::tls_rustls::RustlsConfig;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::TlsFiles;
use crate::error::Error;

const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The certificate that is shown, and the files from which it came; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    config: RustlsConfig,
    files: Arc<TlsFiles>,
    read: Arc<Mutex<Stamp>>,
}

/// When both files were last written.
type Stamp = [Option<SystemTime>; 2];

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`Error::TlsFile`] when one of them cannot be read, [`Error::Tls`] when one holds something else, or they do not
    /// belong together.
    pub(super) fn open(files: &TlsFiles) -> Result<Self, Error> {
        let stamp = stamp(files);
        Ok(Self {
            config: RustlsConfig::from_config(config(files)?),
            files: Arc::new(files.clone()),
            read: Arc::new(Mutex::new(stamp)),
        })
    }

    /// While this is held, reading the files does not end.
    #[cfg(test)]
    pub(super) fn hang(&self) -> std::sync::MutexGuard<'_, impl Sized> {
        self.read.lock().unwrap()
    }

    /// What a listener shows.
    pub(super) fn config(&self) -> RustlsConfig {
        self.config.clone()
    }

    /// Reads the files again where they were written since. What cannot be used is told, and the certificate before stays. A pipe
    /// in their place is not read: who waits for one may wait for ever.
    pub(super) fn renew(&self) {
        let stamp = stamp(&self.files);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if *read == stamp {
            return;
        }
        match files_alone(&self.files).and_then(|()| config(&self.files)) {
            Ok(config) => {
                *read = stamp;
                self.config.reload_from_config(config);
                tracing::info!("the certificate was renewed");
            }
            Err(problem) => {
                tracing::error!(error = %problem, "the renewed certificate cannot be used; the one before stays");
            }
        }
    }
}

fn stamp(files: &TlsFiles) -> Stamp {
    let written = |path: &Path| path.metadata().and_then(|about| about.modified()).ok();
    [written(&files.cert), written(&files.key)]
}

/// # Errors
/// [`Error::Tls`] for what is there and no file.
fn files_alone(files: &TlsFiles) -> Result<(), Error> {
    let named = [
        (&files.cert, &files.cert_place),
        (&files.key, &files.key_place),
    ];
    for (path, place) in named {
        if path.metadata().is_ok_and(|about| !about.is_file()) {
            return Err(Error::Tls {
                origin: place.clone(),
                problem: format!("{} is not a file; put one in its place", path.display()),
            });
        }
    }
    Ok(())
}

fn config(files: &TlsFiles) -> Result<Arc<ServerConfig>, Error> {
    let cert_problem = |problem: String| Error::Tls {
        origin: files.cert_place.clone(),
        problem,
    };
    let key_problem = |problem: String| Error::Tls {
        origin: files.key_place.clone(),
        problem,
    };
    let cert = read(&files.cert, &files.cert_place)?;
    let chain = CertificateDer::pem_slice_iter(&cert)
        .collect::<Result<Vec<_>, _>>()
        .ok()
        .filter(|chain| !chain.is_empty())
        .ok_or_else(|| {
            cert_problem(format!(
                "{} holds no certificate in PEM",
                files.cert.display()
            ))
        })?;
    let key = read(&files.key, &files.key_place)?;
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|_| {
        key_problem(format!(
            "{} holds no private key in PEM without a password",
            files.key.display()
        ))
    })?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| cert_problem(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| key_problem(unfit(files, &error)))?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    Ok(Arc::new(config))
}

fn read(path: &Path, place: &str) -> Result<zeroize::Zeroizing<Vec<u8>>, Error> {
    let octets = std::fs::read(path).map_err(|source| Error::TlsFile {
        origin: place.to_owned(),
        path: path.to_owned(),
        source,
    })?;
    Ok(zeroize::Zeroizing::new(octets))
}

/// Why a certificate and a key cannot be used together.
fn unfit(files: &TlsFiles, error: &rustls::Error) -> String {
    let (cert, key) = (files.cert.display(), files.key.display());
    match error {
        rustls::Error::InconsistentKeys(_) => format!(
            "{key} is not the key of the certificate in {cert}; name the key that it was issued for"
        ),
        _ => format!("{key} and {cert} cannot be used together ({error}); have them made anew"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn write(folder: &Path) -> TlsFiles {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let files = TlsFiles {
            cert: folder.join("cert.pem"),
            key: folder.join("key.pem"),
            cert_place: "flag --tls-cert".to_owned(),
            key_place: "flag --tls-key".to_owned(),
        };
        std::fs::write(&files.cert, made.cert.pem()).unwrap();
        std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        files
    }

    /// The time at which a file was written, moved on: clocks of file systems are coarse.
    fn touch(path: &PathBuf) {
        let file = std::fs::File::options().append(true).open(path).unwrap();
        let later = SystemTime::now().checked_add(std::time::Duration::from_secs(5));
        file.set_modified(later.unwrap()).unwrap();
    }

    #[test]
    fn a_renewed_certificate_is_taken_up_and_one_that_cannot_be_used_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let files = write(folder.path());
        let tls = Tls::open(&files).unwrap();
        let first = tls.config().get_inner();
        tls.renew();
        assert!(Arc::ptr_eq(&first, &tls.config().get_inner()));
        // Half of it is written.
        std::fs::write(&files.cert, "-----BEGIN").unwrap();
        touch(&files.cert);
        tls.renew();
        assert!(Arc::ptr_eq(&first, &tls.config().get_inner()));
        write(folder.path());
        touch(&files.key);
        tls.renew();
        let second = tls.config().get_inner();
        assert!(!Arc::ptr_eq(&first, &second));
        tls.renew();
        assert!(Arc::ptr_eq(&second, &tls.config().get_inner()));
    }

    #[test]
    fn a_renewed_certificate_that_does_not_fit_its_key_is_told_in_words_of_our_own() {
        let (folder, log) = (tempfile::tempdir().unwrap(), tempfile::NamedTempFile::new());
        let files = write(folder.path());
        let tls = Tls::open(&files).unwrap();
        let other = tempfile::tempdir().unwrap();
        std::fs::copy(write(other.path()).cert, &files.cert).unwrap();
        touch(&files.cert);
        let log = log.unwrap();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(Mutex::new(log.reopen().unwrap()));
        tracing::subscriber::with_default(subscriber.finish(), || tls.renew());
        let text = std::fs::read_to_string(log.path()).unwrap();
        for part in [
            "ERROR",
            "the renewed certificate cannot be used",
            "key.pem is not the key of the certificate in",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("Mismatch"), "{text}");
    }

    /// Nobody writes to this one, so that reading it would not end.
    #[cfg(unix)]
    #[test]
    fn a_pipe_in_the_place_of_a_certificate_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let files = write(folder.path());
        let tls = Tls::open(&files).unwrap();
        let first = tls.config().get_inner();
        std::fs::remove_file(&files.cert).unwrap();
        let made = std::process::Command::new("mkfifo")
            .arg(&files.cert)
            .status();
        assert!(made.unwrap().success());
        let (ended, end) = std::sync::mpsc::channel();
        let renewed = tls.clone();
        std::thread::spawn(move || {
            renewed.renew();
            ended.send(()).unwrap();
        });
        let waited = end.recv_timeout(std::time::Duration::from_secs(20));
        assert!(waited.is_ok(), "the pipe is read");
        assert!(Arc::ptr_eq(&first, &tls.config().get_inner()));
        std::fs::remove_file(&files.cert).unwrap();
        write(folder.path());
        tls.renew();
        assert!(!Arc::ptr_eq(&first, &tls.config().get_inner()));
    }

    #[test]
    fn a_file_that_is_not_there_is_the_trouble_of_a_file_and_one_without_a_certificate_of_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let files = write(folder.path());
        std::fs::write(&files.key, "no key").unwrap();
        let error = Tls::open(&files).unwrap_err();
        assert_eq!((error.code(), error.exit_code()), ("tls_unusable", 3));
        for (missing, place) in [(&files.key, "--tls-key"), (&files.cert, "--tls-cert")] {
            std::fs::remove_file(missing).unwrap();
            let error = Tls::open(&files).unwrap_err();
            assert_eq!((error.code(), error.exit_code()), ("tls_unusable", 4));
            assert_eq!(
                error.to_string(),
                format!(
                    "flag {place}: {} does not exist; name the right one",
                    missing.display()
                )
            );
        }
    }

    #[test]
    fn old_versions_of_tls_are_not_spoken() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(&write(folder.path())).unwrap();
        let suites = &config.crypto_provider().cipher_suites;
        let versions: Vec<_> = suites.iter().map(|suite| suite.version().version).collect();
        assert!(versions.iter().all(|version| {
            matches!(
                version,
                rustls::ProtocolVersion::TLSv1_2 | rustls::ProtocolVersion::TLSv1_3
            )
        }));
        assert_eq!(config.alpn_protocols, [&b"h2"[..], b"http/1.1"]);
    }
}
