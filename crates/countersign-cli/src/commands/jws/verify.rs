//! `countersign jws verify`: a JWS and keys in; the octets that were signed, or a reason, out.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Args;
use countersign::{Algorithm, Error, Jws, VerifiedJws};
use serde::Serialize;
use serde_json::Value;

use crate::algorithm;
use crate::answer::{self, Verdict};
use crate::exit::{Exit, Failure};
use crate::key_password::KeyPassword;
use crate::key_spec::{self, KeySpec};
use crate::{input, output, token_input};

/// The flags of `jws verify`. Of several signatures, one that holds is enough.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The key: a file (PEM, DER, certificate, JWK, JWK Set or raw secret), `-`, env:NAME or b64:…; repeat it for several.
    #[arg(long = "key", value_name = "SPEC", required = true)]
    keys: Vec<KeySpec>,
    #[command(flatten)]
    password: KeyPassword,
    /// The algorithm, for a key that does not say its own.
    #[arg(long, value_parser = algorithm::names(), ignore_case = true, hide_possible_values = true)]
    alg: Option<Algorithm>,
    /// The payload, for a JWS from which it is detached; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    payload: Option<String>,
    /// One JSON object with the header and the payload in base64url, instead of the payload alone.
    #[arg(long)]
    json: bool,
    /// The JWS, compact or JSON (flattened or general); `-` or nothing reads it from standard input.
    token: Option<String>,
}

impl Verify {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        answer::end(self.json, Verdict::Valid, self.outcome())
    }

    fn outcome(&self) -> Result<Exit, Failure> {
        let key_is_stdin = self.keys.iter().any(KeySpec::is_stdin);
        let payload_is_stdin = self.payload.as_deref() == Some("-");
        if key_is_stdin && payload_is_stdin {
            return Err(Failure::usage(
                "only one of the key and the payload can be read from standard input: give the other as a file",
            ));
        }
        let taken = key_is_stdin || payload_is_stdin;
        let text = token_input::read_jws(self.token.as_deref(), taken)?;
        let keys = key_spec::verifying_keys(&self.keys, self.alg, &self.password)?;
        let alone = keys.keys().count() == 1;
        let payload = match self.payload.as_deref() {
            Some(payload) => Some(input::payload(payload)?.to_vec()),
            None => None,
        };
        let outcome = Jws::parse(&text).and_then(|jws| match payload {
            Some(payload) => jws.with_payload(payload)?.verify(&keys),
            None => {
                // The compact form of a detached payload is that of an empty one: say what may be missing.
                let detached = jws.is_detached();
                jws.verify(&keys).map_err(|error| match error {
                    Error::SignatureInvalid if detached => Error::PayloadDetached,
                    error => error,
                })
            }
        });
        self.print(outcome, alone)
    }

    fn print(&self, outcome: Result<VerifiedJws, Error>, alone: bool) -> Result<Exit, Failure> {
        match outcome {
            Ok(verified) if self.json => output::json(&Taken::new(&verified))?,
            Ok(verified) => output::bytes(verified.payload())?,
            Err(error @ Error::PayloadDetached) => {
                let what = "the JWS does not hold its payload: give it with --payload FILE";
                return Err(Failure::usage(what).with_code(error.code()));
            }
            Err(error) => {
                let (code, said) = (error.code(), key_spec::said(&error, alone));
                let exit = Failure::from(error).exit();
                let refusal = if self.json {
                    anyhow::anyhow!(said)
                } else {
                    anyhow::anyhow!("JWS refused ({code}): {said}")
                };
                return Err(Failure::new(exit, refusal).with_code(code));
            }
        }
        Ok(Exit::Done)
    }
}

/// What `--json` prints for a JWS that is taken: of the one signature that held.
#[derive(Serialize)]
struct Taken {
    valid: bool,
    header: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    unprotected_header: Option<Value>,
    payload: String,
}

impl Taken {
    fn new(verified: &VerifiedJws) -> Self {
        let signature = verified.signature();
        Self {
            valid: true,
            header: signature.header().to_value(),
            unprotected_header: signature.unprotected_header().map(|own| own.to_value()),
            payload: URL_SAFE_NO_PAD.encode(verified.payload()),
        }
    }
}
