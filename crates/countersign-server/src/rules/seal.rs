//! Keys at rest: AES-256-GCM under the key-encryption key, bound to what the key is (AAD = kid | alg | purpose).

use std::io::Write as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::rules::disk;
use crate::rules::secret::{self, Secret};

pub(crate) mod change;

const KEY_BYTES: usize = 32;
const FILE: &str = "key-encryption.key";

/// The key-encryption key.
pub(crate) struct Seal(RandomizedNonceKey);

impl Seal {
    /// The key as an operator writes it: 32 bytes in base64, either alphabet.
    ///
    /// # Errors
    /// [`Error::KeyEncryptionKey`] when it is anything else.
    pub(crate) fn parse(text: &str, origin: &str) -> Result<Self, Error> {
        let unusable = || Error::KeyEncryptionKey {
            origin: origin.to_owned(),
            problem: "a key-encryption key is 32 random bytes in base64; make one with `openssl rand -base64 32`",
        };
        let text = text.trim().trim_end_matches('=');
        let standard: Zeroizing<String> = Zeroizing::new(
            text.chars()
                .map(|c| {
                    if c == '-' {
                        '+'
                    } else if c == '_' {
                        '/'
                    } else {
                        c
                    }
                })
                .collect(),
        );
        let padded = Zeroizing::new(format!("{}=", standard.as_str()));
        let bytes = Zeroizing::new(STANDARD.decode(padded.as_bytes()).map_err(|_| unusable())?);
        let one_byte_only = bytes.iter().all(|byte| bytes.first() == Some(byte));
        if bytes.len() != KEY_BYTES || one_byte_only {
            return Err(unusable());
        }
        Ok(Self(RandomizedNonceKey::new(&AES_256_GCM, &bytes)?))
    }

    /// The key in the data folder, made there when there is nothing yet for it to open.
    ///
    /// # Errors
    /// [`Error::KeyEncryptionKey`] when it is missing although keys were sealed with it, or others can read it.
    pub(crate) fn in_folder(folder: &Path, may_make: bool) -> Result<Self, Error> {
        let path = path_in(folder);
        let origin = path.display().to_string();
        match Self::of_file(&path) {
            Err(Error::File { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                if !may_make {
                    return Err(Error::KeyEncryptionKey {
                        origin,
                        problem: "the key-encryption key is missing but the database has keys sealed with one; put it back, \
                                  or name it with `key_encryption_key_file`",
                    });
                }
                let text =
                    Zeroizing::new(secret::encode(secret::random::<KEY_BYTES>()?.as_slice()));
                make_private_file(&path, &text).map_err(|source| Error::File { path, source })?;
                Self::parse(&text, &origin)
            }
            found => found,
        }
    }

    /// The key in a file that its owner alone can read.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::KeyEncryptionKey`] when it is malformed, or others can read it.
    pub(crate) fn of_file(path: &Path) -> Result<Self, Error> {
        let origin = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| Error::File {
            path: path.to_owned(),
            source,
        });
        let text = Zeroizing::new(text?);
        refuse_if_readable_by_others(path, &origin)?;
        Self::parse(&text, &origin)
    }

    /// Seals a key's bytes as text.
    pub(crate) fn seal(&self, plain: &[u8], what: &str) -> Result<String, Error> {
        // The buffer becomes ciphertext in place; no copy of the plain bytes stays behind.
        let mut buffer = plain.to_vec();
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(what.as_bytes()), &mut buffer)?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.extend_from_slice(&buffer);
        Ok(secret::encode(&sealed))
    }

    /// Opens what [`Seal::seal`] made for the same `what`.
    ///
    /// # Errors
    /// [`Error::KeyEncryptionKeyWrong`]: another key, another purpose, or changed bytes.
    pub(crate) fn open(&self, sealed: &str, what: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        let bytes = secret::decode(sealed).ok_or(Error::KeyEncryptionKeyWrong)?;
        let (nonce, sealed) = bytes
            .split_at_checked(NONCE_LEN)
            .ok_or(Error::KeyEncryptionKeyWrong)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce)?;
        let mut buffer = Zeroizing::new(sealed.to_vec());
        let plain = self
            .0
            .open_in_place(nonce, Aad::from(what.as_bytes()), &mut buffer);
        let length = plain.map_err(|_| Error::KeyEncryptionKeyWrong)?.len();
        buffer.truncate(length);
        Ok(buffer)
    }
}

/// Where the key of a data folder is kept, unless a setting says otherwise.
pub(crate) fn path_in(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// Makes the key from a setting or, without one, from the data folder.
pub(crate) fn from_setting(
    setting: Option<&Secret>,
    folder: &Path,
    may_make: bool,
) -> Result<Seal, Error> {
    match setting {
        Some(text) => Seal::parse(text.expose(), "key_encryption_key"),
        None => Seal::in_folder(folder, may_make),
    }
}

#[cfg(unix)]
fn refuse_if_readable_by_others(path: &Path, origin: &str) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = std::fs::metadata(path).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })?;
    if metadata.permissions().mode() & 0o077 != 0 {
        let problem = "other users can read the key-encryption key; run `chmod 600` on it";
        return Err(Error::KeyEncryptionKey {
            origin: origin.to_owned(),
            problem,
        });
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_if_readable_by_others(_: &Path, _: &str) -> Result<(), Error> {
    Ok(())
}

fn make_private_file(path: &Path, text: &str) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    writeln!(file, "{text}")?;
    // The database will hold what only this file opens: it must survive a power cut as well as the database does.
    file.sync_all()?;
    disk::sync_folder_of(path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(byte: u8) -> Seal {
        let mut bytes = [byte; KEY_BYTES];
        bytes[0] = 0;
        Seal::parse(&secret::encode(&bytes), "test").unwrap()
    }

    #[test]
    fn what_was_sealed_opens_and_looks_different_every_time() {
        let seal = seal(7);
        let (a, b) = (
            seal.seal(b"private", "kid|ES256|sig").unwrap(),
            seal.seal(b"private", "kid|ES256|sig").unwrap(),
        );
        assert_ne!(a, b);
        assert_eq!(
            seal.open(&a, "kid|ES256|sig").unwrap().as_slice(),
            b"private"
        );
    }

    #[test]
    fn rejects_another_key_another_purpose_and_changed_bytes() {
        let sealed = seal(7).seal(b"private", "kid|ES256|sig").unwrap();
        let changed: String = sealed.chars().rev().collect();
        for (seal, sealed, what) in [
            (seal(8), sealed.as_str(), "kid|ES256|sig"),
            (seal(7), sealed.as_str(), "kid|ES256|refresh"),
            (seal(7), changed.as_str(), "kid|ES256|sig"),
            (seal(7), "AAAA", "kid|ES256|sig"),
        ] {
            assert!(matches!(
                seal.open(sealed, what),
                Err(Error::KeyEncryptionKeyWrong)
            ));
        }
    }

    #[test]
    fn accepts_both_base64_alphabets_and_rejects_other_lengths_and_runs() {
        let bytes: Vec<u8> = (0..32).map(|i| 255 - i).collect();
        assert!(Seal::parse(&STANDARD.encode(&bytes), "t").is_ok());
        assert!(Seal::parse(&format!("{}\n", secret::encode(&bytes)), "t").is_ok());
        for wrong in [
            "",
            "changeme",
            &secret::encode(&bytes[..31]),
            &secret::encode(&[7; 32]),
            &"ab".repeat(32),
        ] {
            assert!(Seal::parse(wrong, "t").is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_folder_without_the_key_gets_one_only_when_nothing_was_sealed_yet() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            Seal::in_folder(folder.path(), false),
            Err(Error::KeyEncryptionKey { .. })
        ));
        assert!(!folder.path().join(FILE).exists());
        let sealed = Seal::in_folder(folder.path(), true)
            .unwrap()
            .seal(b"x", "t")
            .unwrap();
        assert_eq!(
            Seal::in_folder(folder.path(), false)
                .unwrap()
                .open(&sealed, "t")
                .unwrap()
                .as_slice(),
            b"x"
        );
    }

    #[cfg(unix)]
    #[test]
    fn rejects_a_key_file_that_others_can_read() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        Seal::in_folder(folder.path(), true).unwrap();
        let path = folder.path().join(FILE);
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            Seal::in_folder(folder.path(), true),
            Err(Error::KeyEncryptionKey { .. })
        ));
    }
}
