//! Reading files and standard input, of a bounded size.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Context;
use zeroize::Zeroizing;

use crate::exit::{Exit, Failure};

/// No key, token or set of claims that this command reads is larger than this: 2 MiB, in bytes.
const LIMIT_BYTES: u64 = 2 << 20;

/// No payload to sign, and no detached one to verify, is larger than this: 256 MiB, in bytes.
const PAYLOAD_LIMIT_BYTES: u64 = 256 << 20;

/// Reads a whole file.
pub(crate) fn file(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    file_up_to(path, LIMIT_BYTES)
}

/// Reads a file with a secret. People give the secret itself by mistake: what names no file is not shown, in no error.
///
/// `what` the file holds, and what to give `instead`, are for the error.
pub(crate) fn secret_file(
    path: &Path,
    what: &str,
    instead: &str,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    match path.symlink_metadata() {
        Ok(_) => file(path),
        Err(error) => {
            let reason = match error.kind() {
                io::ErrorKind::NotFound => "there is no such file".to_owned(),
                _ => error.to_string(),
            };
            Err(Failure::storage(format!(
                "cannot read {what}: {reason} (its name is not shown: it may be a secret); {instead}"
            )))
        }
    }
}

/// The text of an environment variable that should hold `what`. A name that is not spelled like one is not shown: it may
/// be the secret itself.
pub(crate) fn variable(name: &str, what: &str) -> Result<Zeroizing<String>, Failure> {
    let is_plain = name
        .bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    std::env::var(name).map(Zeroizing::new).map_err(|_| {
        let shown = if is_plain {
            format!("the environment variable {name}")
        } else {
            "the environment variable that was named (not shown: it may be a secret)".to_owned()
        };
        Failure::no_key(format!("{shown} is not set to text: it should hold {what}"))
    })
}

/// Reads standard input to its end.
pub(crate) fn stdin() -> Result<Zeroizing<Vec<u8>>, Failure> {
    stdin_up_to(LIMIT_BYTES)
}

/// Reads the start of standard input: more than any token has, so that one that is too large is refused as such.
pub(crate) fn stdin_start() -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = Zeroizing::new(Vec::new());
    let mut start = io::stdin().lock().take(LIMIT_BYTES);
    start
        .read_to_end(&mut bytes)
        .context("cannot read standard input")
        .map_err(|error| Failure::new(Exit::Storage, error))?;
    Ok(bytes)
}

/// Reads the octets of a payload: a file, or standard input for `-`.
pub(crate) fn payload(argument: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    match argument {
        "-" => stdin_up_to(PAYLOAD_LIMIT_BYTES),
        path => file_up_to(path.as_ref(), PAYLOAD_LIMIT_BYTES),
    }
}

fn file_up_to(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let shown = path.display();
    File::open(path)
        .and_then(|file| read_bounded(file, limit))
        .with_context(|| format!("cannot read {shown}"))
        .map_err(|error| Failure::new(Exit::Storage, error))
}

fn stdin_up_to(limit: u64) -> Result<Zeroizing<Vec<u8>>, Failure> {
    read_bounded(io::stdin().lock(), limit)
        .context("cannot read standard input")
        .map_err(|error| Failure::new(Exit::Storage, error))
}

/// Bytes as text; `what` names them in the error.
pub(crate) fn text(bytes: &[u8], what: &str) -> Result<Zeroizing<String>, Failure> {
    std::str::from_utf8(bytes)
        .map(|text| Zeroizing::new(text.to_owned()))
        .map_err(|_| Failure::usage(format!("{what} is not UTF-8 text")))
}

fn read_bounded(source: impl Read, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    source
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len > limit) {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than {} MiB", limit >> 20),
        ));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_input_of_exactly_the_limit() {
        let read = read_bounded(io::repeat(b'x').take(LIMIT_BYTES), LIMIT_BYTES).unwrap();
        assert_eq!(read.len(), 2 << 20);
    }

    #[test]
    fn rejects_input_over_the_limit() {
        let error = read_bounded(io::repeat(b'x'), LIMIT_BYTES).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(error.to_string(), "it is larger than 2 MiB");
    }
}
