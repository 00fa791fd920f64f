//! `countersign sign`: claims in, token out.

mod newborn;

use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use countersign::{SigningHeader, Timestamp};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::exit::{Exit, Failure};
use crate::key_spec::{KeySpec, Signing};
use crate::named_value::{header_member, parse_json, parse_text, parse_text_claim};
use crate::time::{now, parse_duration, parse_moment};
use crate::{claims_file, output};

const DEFAULT_LIFE: Duration = Duration::from_secs(15 * 60);

/// The flags of `sign`. A flag wins over the same claim in the file.
#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// The key: a file (PEM, DER, JWK, JWK Set or raw secret), `-`, env:NAME or b64:…
    #[arg(long, value_name = "SPEC")]
    key: KeySpec,
    #[command(flatten)]
    signing: Signing,
    /// Who issues the token.
    #[arg(long)]
    iss: Option<String>,
    /// Whom the token is about.
    #[arg(long)]
    sub: Option<String>,
    /// Whom the token is for; repeat it for several.
    #[arg(long)]
    aud: Vec<String>,
    /// How long the token is valid, from now or from a later nbf [default: 15m, unless the claims have exp].
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, conflicts_with = "no_exp", allow_hyphen_values = true)]
    expires_in: Option<Duration>,
    /// From when the token is valid: RFC 3339 or epoch seconds.
    #[arg(long, value_name = "TIME", value_parser = parse_moment, allow_hyphen_values = true)]
    not_before: Option<Timestamp>,
    /// The token's own id [default: a random one, unless the claims have jti].
    #[arg(long, conflicts_with = "no_jti")]
    jti: Option<String>,
    /// A further claim whose value is text.
    #[arg(long = "claim", value_name = "NAME=TEXT", value_parser = parse_text_claim)]
    claims: Vec<(String, Value)>,
    /// A further claim whose value is JSON.
    #[arg(long = "claim-json", value_name = "NAME=JSON", value_parser = parse_json)]
    json_claims: Vec<(String, Value)>,
    /// A further member of the header whose value is text.
    #[arg(long = "header", value_name = "NAME=TEXT", value_parser = parse_text)]
    headers: Vec<(String, Value)>,
    /// The kind of token, such as at+jwt [default: JWT].
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    typ: Option<String>,
    /// Add no iat.
    #[arg(long)]
    no_iat: bool,
    /// Add no jti.
    #[arg(long)]
    no_jti: bool,
    /// Add no exp: the token never expires.
    #[arg(long)]
    no_exp: bool,
    /// Sign also a token that is expired already, to test verifiers with.
    #[arg(long)]
    allow_expired: bool,
    /// A file with the claims, a JSON object; `-` reads standard input.
    #[arg(value_name = "CLAIMS.json")]
    claims_file: Option<String>,
}

impl Sign {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let file = claims_file::read(self.claims_file.as_deref(), self.key.is_stdin())?;
        let now = now();
        let claims = self.claims(file, now)?;
        let key = self.signing.key(&self.key)?;
        let token = key.sign_with(&self.header()?, &claims)?;
        newborn::check(&token, &key, now, self.allow_expired)?;
        output::line(&token)?;
        Ok(Exit::Done)
    }

    fn header(&self) -> Result<SigningHeader, Failure> {
        let mut header = SigningHeader::new();
        if let Some(typ) = &self.typ {
            header = header.typ(typ);
        }
        for member in &self.headers {
            header = header_member(header, member)?;
        }
        Ok(header)
    }

    /// The file's claims, under those of the flags, and `iat`, `exp` and `jti` where neither has them.
    fn claims(
        &self,
        mut claims: Map<String, Value>,
        now: Timestamp,
    ) -> Result<Map<String, Value>, Failure> {
        let start = self.start(&claims, now);
        for (name, value) in self.given(start)? {
            claims.insert(name, value);
        }
        if !self.no_iat {
            claims.entry("iat").or_insert_with(|| secs(now));
        }
        if !self.no_exp {
            claims
                .entry("exp")
                .or_insert_with(|| secs(start.saturating_add(DEFAULT_LIFE)));
        }
        if !self.no_jti {
            claims
                .entry("jti")
                .or_insert_with(|| Uuid::new_v4().to_string().into());
        }
        Ok(claims)
    }

    /// When the life of the token begins: now, or at `nbf` where that lies ahead.
    fn start(&self, file: &Map<String, Value>, now: Timestamp) -> Timestamp {
        let mut named = self.json_claims.iter().filter(|(name, _)| name == "nbf");
        let nbf = named.next().map(|(_, nbf)| nbf).or(file.get("nbf"));
        let nbf = nbf.and_then(Value::as_i64).map(Timestamp::from_unix_secs);
        self.not_before.or(nbf).map_or(now, |nbf| nbf.max(now))
    }

    /// The claims that the flags give, each name once.
    fn given(&self, start: Timestamp) -> Result<Map<String, Value>, Failure> {
        let aud = match self.aud.as_slice() {
            [] => None,
            [one] => Some(one.clone().into()),
            several => Some(several.into()),
        };
        let life = self.expires_in.map(|life| start.saturating_add(life));
        let named = [
            ("iss", self.iss.clone().map(Value::from)),
            ("sub", self.sub.clone().map(Value::from)),
            ("aud", aud),
            ("exp", life.map(secs)),
            ("nbf", self.not_before.map(secs)),
            ("jti", self.jti.clone().map(Value::from)),
        ];
        let named = named
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let free = self.claims.iter().chain(&self.json_claims).cloned();
        let mut claims = Map::new();
        for (name, value) in named.chain(free) {
            if claims.contains_key(&name) {
                return Err(Failure::usage(format!(
                    "claim {name:?} is given twice: give it once, a list with --claim-json"
                )));
            }
            claims.insert(name, value);
        }
        Ok(claims)
    }
}

fn secs(moment: Timestamp) -> Value {
    moment.unix_secs().into()
}
