//! The forms in which a key is written, and where it goes.

use std::path::Path;

use clap::{Args, ValueEnum};
use countersign::{Algorithm, Family, ImportedKey, SigningKey, VerifyingKey};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::algorithm;
use crate::exit::{Exit, Failure};
use crate::key_password::KeyPassword;
use crate::key_spec::{KeySpec, needs_alg, refused, unusable, verifying_key};
use crate::output;
use crate::private_file::NewFile;

/// How the key is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// JSON Web Key (RFC 7517)
    Jwk,
    /// PEM: PKCS#8 for a private key, SPKI for a public one
    Pem,
    /// The same in DER
    Der,
}

/// Which key a command is about.
#[derive(Debug, Args)]
pub(super) struct Source {
    /// The key: a file (PEM, DER, certificate, JWK or raw secret), `-`, env:NAME or b64:…
    #[arg(value_name = "FILE")]
    spec: KeySpec,
    #[command(flatten)]
    password: KeyPassword,
    /// The algorithm, for a key that does not say its own.
    #[arg(long, value_parser = algorithm::names(), ignore_case = true, hide_possible_values = true)]
    pub(super) alg: Option<Algorithm>,
}

impl Source {
    pub(super) fn load(&self) -> Result<ImportedKey, Failure> {
        self.spec.load_one(&self.password)
    }
}

/// A key that is fit for use, to be written.
pub(super) struct Writable {
    imported: ImportedKey,
    alg: Algorithm,
    /// Whether the key or the caller names the algorithm: an RSA key can be written without.
    named: bool,
}

impl Writable {
    pub(super) fn new(
        imported: ImportedKey,
        alg: Option<Algorithm>,
        kid: Option<String>,
    ) -> Result<Self, Failure> {
        let open = alg.is_none() && imported.jwk.algorithm().is_err();
        let stand_in = Algorithm::ALL.iter().find(|alg| {
            let fits = VerifyingKey::from_jwk_as(&imported.jwk, **alg).is_ok();
            open && alg.kty() == "RSA" && fits
        });
        let (alg, named) = match stand_in {
            Some(alg) => (*alg, false),
            None => (verifying_key(&imported, alg)?.algorithm(), true),
        };
        let imported = match kid {
            Some(kid) => {
                let mut imported = imported;
                imported.jwk = imported.jwk.with_key_id(kid);
                imported
            }
            None => imported,
        };
        Ok(Self {
            imported,
            alg,
            named,
        })
    }

    /// A JWK has no word for an RSA key that is for PSS with any hash, as PEM and DER have.
    fn check_jwk(&self) -> Result<(), Failure> {
        if self.named || self.alg.family() != Family::RsaPss {
            return Ok(());
        }
        Err(needs_alg(
            &self.imported.to_string(),
            &["PS256", "PS384", "PS512"],
        ))
    }

    /// The public half.
    pub(super) fn public(&self, form: Form) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let key = verifying_key(&self.imported, Some(self.alg))?;
        let octets = match form {
            Form::Jwk => {
                self.check_jwk()?;
                let jwk = key
                    .to_public_jwk()
                    .ok_or_else(|| Failure::key("a shared secret has no public half"))?;
                let mut jwk =
                    serde_json::to_value(jwk).map_err(|error| Failure::new(Exit::Key, error))?;
                if let (false, Value::Object(members)) = (self.named, &mut jwk) {
                    members.remove("alg");
                }
                format!("{jwk}\n").into_bytes()
            }
            Form::Pem => key.to_pem().map_err(unusable)?.into_bytes(),
            Form::Der => key.to_der().map_err(unusable)?,
        };
        Ok(Zeroizing::new(octets))
    }

    /// The key whole: private where it is private.
    pub(super) fn whole(&self, form: Form) -> Result<Zeroizing<Vec<u8>>, Failure> {
        if !self.imported.jwk.is_private() {
            return self.public(form);
        }
        let key = SigningKey::from_jwk_as(&self.imported.jwk, self.alg)
            .map_err(|error| refused(&self.imported, error))?;
        let octets = match form {
            Form::Jwk if self.named => json_line(&key.to_jwk().to_json()),
            Form::Jwk => {
                self.check_jwk()?;
                json_line(&self.imported.jwk.to_json())
            }
            Form::Pem => key.to_pem().map_err(unusable)?.as_bytes().to_vec(),
            Form::Der => return key.to_der().map_err(unusable),
        };
        Ok(Zeroizing::new(octets))
    }
}

fn json_line(json: &str) -> Vec<u8> {
    [json.as_bytes(), b"\n"].concat()
}

/// Writes a key to a new file of mode 0600, or to standard output.
pub(super) fn write(out: Option<&Path>, octets: &[u8]) -> Result<Exit, Failure> {
    match out {
        Some(path) => NewFile::create(path)?.write(octets)?,
        None => output::bytes(octets)?,
    }
    Ok(Exit::Done)
}
