//! `countersign jws sign`: octets in, JWS out.

use std::io::{self, IsTerminal};

use clap::Args;
use countersign::{JwsBuilder, JwsSigner, SigningHeader};
use serde_json::Value;

use crate::algorithm::{self, Named};
use crate::exit::{Exit, Failure};
use crate::key_password::KeyPassword;
use crate::key_spec::{self, KeySpec};
use crate::named_value::parse_text;
use crate::{input, output};

/// The flags of `jws sign`.
#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// The key: a file (PEM, DER, JWK or raw secret), `-`, env:NAME or b64:…
    #[arg(long, value_name = "SPEC")]
    key: KeySpec,
    #[command(flatten)]
    password: KeyPassword,
    /// The algorithm, for a key that does not say its own.
    #[arg(long, value_parser = algorithm::named(), ignore_case = true, hide_possible_values = true)]
    alg: Option<Named>,
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
    /// Write the flattened JSON serialisation instead of the compact one.
    #[arg(long)]
    json_serialization: bool,
    /// The file to sign; `-` or nothing reads standard input.
    #[arg(value_name = "FILE")]
    file: Option<String>,
}

impl Sign {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let file = self.file.as_deref().unwrap_or("-");
        if file == "-" && self.key.is_stdin() {
            return Err(Failure::usage(
                "only one of the key and the payload can be read from standard input: give the other as a file",
            ));
        }
        if self.file.is_none() && io::stdin().is_terminal() {
            return Err(Failure::usage(
                "no payload: give a file, or `-` to read it from standard input",
            ));
        }
        let payload = input::payload(file)?;
        let alg = self.alg.map(|named| named.algorithm);
        let key = key_spec::signing_key(&self.key, alg, &self.password)?;
        let key = match self.alg {
            Some(named) => named.name(key),
            None => key,
        };
        let builder = JwsBuilder::new(payload.to_vec());
        let builder = if self.unencoded {
            builder.unencoded()
        } else {
            builder
        };
        let signer = JwsSigner::new(&key).header(self.header()?);
        let jws = builder.signer(signer).sign()?;
        let jws = if self.detached {
            jws.without_payload()
        } else {
            jws
        };
        let text = if self.json_serialization {
            jws.to_flattened()?
        } else {
            jws.to_compact()?
        };
        output::line(&text)?;
        Ok(Exit::Done)
    }

    fn header(&self) -> Result<SigningHeader, Failure> {
        let mut header = SigningHeader::new().without_typ();
        if let Some(typ) = &self.typ {
            header = header.typ(typ);
        }
        for (name, value) in &self.headers {
            header = header.param(name, value.clone())?;
        }
        Ok(header)
    }
}
