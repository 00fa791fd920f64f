//! `countersign key generate`: a new key of any algorithm.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use countersign::SigningKey;
use zeroize::Zeroizing;

use crate::algorithm::{self, Named};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::private_file::NewFile;

/// How the key is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// JSON Web Key (RFC 7517), with kid and alg
    Jwk,
    /// PEM: PKCS#8 for the private key, SPKI for the public one
    Pem,
}

/// The flags of `key generate`.
#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// The algorithm that the key is for, such as ES256, EdDSA, RS256 or HS256.
    #[arg(value_parser = algorithm::named(), ignore_case = true)]
    alg: Named,
    /// The size of an RSA key in bits: 2048, 3072, 4096 or 8192 [default: 2048].
    #[arg(long)]
    bits: Option<usize>,
    /// How to write it.
    #[arg(long, value_enum, default_value = "jwk")]
    format: Format,
    /// The file for the private key, made with mode 0600 [default: standard output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The file for the public key, made with mode 0644.
    #[arg(long, value_name = "FILE")]
    public_out: Option<PathBuf>,
}

impl Generate {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        if self.alg.algorithm.is_symmetric() {
            self.check_symmetric()?;
        }
        // Both files are there before the key is made: nothing is left half-created.
        let out = self.out.as_deref().map(NewFile::create).transpose()?;
        let public_out = self
            .public_out
            .as_deref()
            .map(NewFile::create_public)
            .transpose()?;
        let key = self.alg.name(self.generate()?);
        if let Some(mut file) = public_out {
            file.write(self.public_text(&key)?.as_bytes())?;
        }
        let private = self.private_text(&key)?;
        match out {
            Some(mut file) => file.write(private.as_bytes())?,
            None => output::line(private.trim_end())?,
        }
        Ok(Exit::Done)
    }

    /// A secret has neither a public half nor a PEM form.
    fn check_symmetric(&self) -> Result<(), Failure> {
        if self.public_out.is_some() {
            return Err(Failure::usage(format!(
                "{} is a shared secret and has no public half: leave --public-out out",
                self.alg.algorithm
            )));
        }
        if self.format == Format::Pem {
            return Err(Failure::usage(format!(
                "{} is a shared secret and has no PEM form: use --format jwk",
                self.alg.algorithm
            )));
        }
        Ok(())
    }

    fn generate(&self) -> Result<SigningKey, Failure> {
        match self.bits {
            None => Ok(SigningKey::generate(self.alg.algorithm)?),
            Some(bits) if self.alg.algorithm.kty() == "RSA" => {
                SigningKey::generate_with_bits(self.alg.algorithm, bits)
                    .map_err(|error| Failure::new(Exit::Usage, error))
            }
            Some(_) => Err(Failure::usage(format!(
                "--bits is for RSA keys; the size of a key for {} is fixed",
                self.alg.algorithm
            ))),
        }
    }

    fn private_text(&self, key: &SigningKey) -> Result<Zeroizing<String>, Failure> {
        let mut text = match self.format {
            Format::Jwk => key.to_jwk().to_json(),
            Format::Pem => key.to_pem()?,
        };
        end_line(&mut text);
        Ok(text)
    }

    fn public_text(&self, key: &SigningKey) -> Result<String, Failure> {
        let key = key.verifying_key();
        let mut text = match self.format {
            Format::Jwk => key
                .to_public_jwk()
                .map(|jwk| jwk.to_json())
                .ok_or_else(|| Failure::key("a shared secret has no public half"))?,
            Format::Pem => key.to_pem()?,
        };
        end_line(&mut text);
        Ok(text)
    }
}

fn end_line(text: &mut String) {
    if !text.ends_with('\n') {
        text.push('\n');
    }
}
