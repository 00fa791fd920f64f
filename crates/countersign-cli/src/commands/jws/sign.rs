//! `countersign jws sign`: octets in, JWS out.

use std::io::{self, IsTerminal};

use clap::{Args, ValueEnum};
use countersign::{Jws, JwsBuilder, JwsSigner, SigningHeader};
use serde_json::Value;

use crate::exit::{Exit, Failure};
use crate::key_spec::{KeySpec, Signing};
use crate::named_value::{header_member, parse_text};
use crate::{input, output};

/// The flags of `jws sign`.
#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// The key: a file (PEM, DER, JWK, JWK Set or raw secret), `-`, env:NAME or b64:…; repeat it to sign with several.
    #[arg(long = "key", value_name = "SPEC", required = true)]
    keys: Vec<KeySpec>,
    #[command(flatten)]
    signing: Signing,
    /// The kind of document, so that no signature passes for that of another kind.
    #[arg(long)]
    typ: Option<String>,
    /// A further member of the protected header whose value is text.
    #[arg(long = "header", value_name = "NAME=TEXT", value_parser = parse_text)]
    headers: Vec<(String, Value)>,
    /// Leave the payload out: whoever verifies has it already (RFC 7515, Appendix F).
    #[arg(long)]
    detached: bool,
    /// Sign the octets themselves and not their base64url text (RFC 7797).
    #[arg(long)]
    unencoded: bool,
    /// Write JSON instead of the compact form; flattened holds one signature, general any number of them.
    #[arg(
        long,
        value_name = "FORM",
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "flattened"
    )]
    json_serialization: Option<JsonForm>,
    /// The file to sign; `-` or nothing reads standard input.
    #[arg(value_name = "FILE")]
    file: Option<String>,
}

/// The two forms of RFC 7515 §7.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum JsonForm {
    /// One signature (RFC 7515 §7.2.2)
    Flattened,
    /// Any number of signatures (RFC 7515 §7.2.1)
    General,
}

impl Sign {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        self.check()?;
        let payload = input::payload(self.file.as_deref().unwrap_or("-"))?;
        let mut builder = JwsBuilder::new(payload.to_vec());
        if self.unencoded {
            builder = builder.unencoded();
        }
        for spec in &self.keys {
            let key = self.signing.key(spec)?;
            builder = builder.signer(JwsSigner::new(&key).header(self.header()?));
        }
        let jws = builder.sign()?;
        let jws = if self.detached {
            jws.without_payload()
        } else {
            jws
        };
        output::line(&self.write(&jws)?)?;
        Ok(Exit::Done)
    }

    /// What the flags say that does not go together, before anything is read.
    fn check(&self) -> Result<(), Failure> {
        let from_stdin = self.keys.iter().filter(|key| key.is_stdin()).count();
        if from_stdin > 1 {
            return Err(Failure::usage(
                "only one key can be read from standard input: give the others as files",
            ));
        }
        if from_stdin > 0 && self.file.as_deref().unwrap_or("-") == "-" {
            return Err(Failure::usage(
                "only one of the key and the payload can be read from standard input: give the other as a file",
            ));
        }
        if self.keys.len() > 1 && self.json_serialization != Some(JsonForm::General) {
            return Err(Failure::usage(
                "several keys make several signatures, which only --json-serialization=general holds",
            ));
        }
        if self.file.is_none() && io::stdin().is_terminal() {
            return Err(Failure::usage(
                "no payload: give a file, or `-` to read it from standard input",
            ));
        }
        Ok(())
    }

    fn header(&self) -> Result<SigningHeader, Failure> {
        let mut header = SigningHeader::new().without_typ();
        if let Some(typ) = &self.typ {
            header = header.typ(typ);
        }
        for member in &self.headers {
            header = header_member(header, member)?;
        }
        Ok(header)
    }

    fn write(&self, jws: &Jws) -> Result<String, Failure> {
        Ok(match self.json_serialization {
            None => jws.to_compact()?,
            Some(JsonForm::Flattened) => jws.to_flattened()?,
            Some(JsonForm::General) => jws.to_general()?,
        })
    }
}
