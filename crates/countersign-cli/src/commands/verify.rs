//! `countersign verify`: a token, a key and a policy in; claims or a reason out.

use std::time::Duration;

use clap::{Args, ValueEnum};
use countersign::{
    Algorithm, Policy, Report, StatusReference, Step, Timestamp, Verified, Verifier,
};
use serde::Serialize;
use serde_json::Value;

use crate::algorithm;
use crate::answer::{self, Verdict};
use crate::exit::{Exit, Failure};
use crate::key_password::KeyPassword;
use crate::key_spec::{self, KeySpec};
use crate::time::{now, parse_duration, parse_moment};
use crate::{exact_number, output, token_input};

/// Stands below the flags in the help and in the manual.
const REVOCATION: &str = "\
Whether a token was revoked is not looked up: of one that names a status list, a warning says so, and with --json the member \
\"revocation\":\"not_checked\". The middleware and the server look.";

/// The flags of `verify`.
#[derive(Debug, Args)]
#[command(after_help = REVOCATION)]
pub(crate) struct Verify {
    /// The key: a file (PEM, DER, certificate, JWK, JWK Set or raw secret), `-`, env:NAME, b64:… or the https:// URL of a
    /// JWK Set; repeat it for several.
    #[arg(long = "key", value_name = "SPEC")]
    keys: Vec<KeySpec>,
    /// The URL of the issuer: its keys are found by discovery, and the token must name it.
    #[arg(long, value_name = "URL", conflicts_with_all = ["keys", "iss", "any_iss"])]
    issuer: Option<String>,
    #[command(flatten)]
    password: KeyPassword,
    /// Who must have issued the token.
    #[arg(long, conflicts_with = "any_iss")]
    iss: Option<String>,
    /// Whoever issued it.
    #[arg(long)]
    any_iss: bool,
    /// Whom the token must be for; repeat it to take a token for any of several.
    #[arg(long, conflicts_with_all = ["no_aud", "any_aud"])]
    aud: Vec<String>,
    /// The token names no audience; one that does is refused.
    #[arg(long, conflicts_with = "any_aud")]
    no_aud: bool,
    /// Whomever the token is for.
    #[arg(long)]
    any_aud: bool,
    /// The algorithm, for a key that does not say its own.
    #[arg(long, value_parser = algorithm::names(), ignore_case = true, hide_possible_values = true)]
    alg: Option<Algorithm>,
    /// The one kind of token to take, by its typ alone [default: none named, JWT or at+jwt]. A service behind
    /// countersign-http is stricter unless it says `.plain_jwt()`: at+jwt, with sub, client_id, iat and jti.
    #[arg(long)]
    typ: Option<String>,
    /// By how much clocks may differ, at most 300s.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "0s", allow_hyphen_values = true)]
    leeway: Duration,
    /// The time to verify at: RFC 3339 or epoch seconds [default: now].
    #[arg(long, value_name = "TIME", value_parser = parse_moment, allow_hyphen_values = true)]
    at: Option<Timestamp>,
    /// Take a token without exp; an expired one is still refused.
    #[arg(long)]
    allow_no_exp: bool,
    /// One JSON object, for a token that is taken and for one that is refused.
    #[arg(long)]
    json: bool,
    /// Print every check and its outcome instead of the claims; `--explain=full` also what each found, what it expected and
    /// the rule.
    #[arg(
        long,
        value_enum,
        value_name = "HOW",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "brief"
    )]
    explain: Option<Ladder>,
    /// The token; `-` or nothing reads it from standard input.
    token: Option<String>,
}

/// How much of each check is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Ladder {
    /// A line, and more for one that fails.
    Brief,
    /// All there is to say.
    Full,
}

impl Verify {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        answer::end(self.json, Verdict::Valid, self.outcome())
    }

    fn outcome(&self) -> Result<Exit, Failure> {
        if self.keys.is_empty() && self.issuer.is_none() {
            return Err(Failure::usage(
                "choose the keys to verify with: --issuer URL finds those of an issuer, --key SPEC names a file or the URL of a JWK Set",
            ));
        }
        let policy = self.policy()?;
        let key_is_stdin = self.keys.iter().any(KeySpec::is_stdin);
        let token = token_input::read(self.token.as_deref(), key_is_stdin)?;
        let keys = match &self.issuer {
            Some(issuer) => key_spec::keys_of_issuer(issuer, self.alg)?,
            None => key_spec::verifying_keys(&self.keys, self.alg, &self.password)?,
        };
        let alone = self.issuer.is_none() && keys.keys().count() == 1;
        let verifier = Verifier::new(keys, policy);
        let now = self.at.unwrap_or_else(now);
        let result = verifier.verify::<Value>(&token, now);
        // The report runs the check list once more: only where somebody reads it.
        let report = (self.explain.is_some() || self.json).then(|| verifier.explain(&token, now));
        if result.is_ok()
            && let Some(rounded) = exact_number::warning(&token)
        {
            output::warning(&rounded);
        }
        if result.as_ref().is_ok_and(names_a_status) {
            output::warning(
                "the token names a status list, which was not looked at: whether it was revoked since, as by a log-out, is not known",
            );
        }
        self.print(&result, report.as_ref(), alone)
    }

    fn policy(&self) -> Result<Policy, Failure> {
        let policy = Policy::builder();
        let policy = match self.iss.as_ref().or(self.issuer.as_ref()) {
            Some(iss) => policy.issuer(iss),
            None if self.any_iss => policy.any_issuer(),
            None => {
                return Err(Failure::usage(
                    "choose who may have issued the token: --iss ISSUER, or --any-iss to take any issuer",
                ));
            }
        };
        let policy = match self.aud.as_slice() {
            [] if self.no_aud => policy.no_audience(),
            [] if self.any_aud => policy.any_audience(),
            [] => {
                return Err(Failure::usage(
                    "choose whom the token must be for: --aud AUDIENCE, --no-aud when it names nobody, or --any-aud to take any audience",
                ));
            }
            several => several
                .iter()
                .fold(policy, |policy, aud| policy.audience(aud)),
        };
        let policy = match &self.typ {
            Some(typ) => policy.typ(typ.clone()),
            None => policy.plain_or_access_token(),
        };
        let policy = if self.allow_no_exp {
            policy.without_expiry()
        } else {
            policy
        };
        Ok(policy.leeway(self.leeway).build()?)
    }

    fn print(
        &self,
        result: &Result<Verified<Value>, countersign::Error>,
        report: Option<&Report>,
        alone: bool,
    ) -> Result<Exit, Failure> {
        match result {
            Ok(token) if self.json => output::json(&Taken {
                valid: true,
                header: token.header().to_value(),
                claims: token.claims(),
                revocation: names_a_status(token).then_some("not_checked"),
                unchecked: report.map_or(&[], |report| report.unchecked.as_slice()),
                checks: report
                    .filter(|_| self.explain.is_some())
                    .map(|report| report.steps.as_slice()),
            })?,
            Err(error) if self.json => output::json(&Refused {
                valid: false,
                code: error.code(),
                message: key_spec::said(error, alone),
                checks: report.map(|report| report.steps.as_slice()),
            })?,
            Ok(token) => match report {
                Some(report) if names_a_status(token) => {
                    let text = self.coloured(report);
                    output::line(&format!(
                        "{text}; whether it was revoked since is not known"
                    ))?;
                }
                Some(report) => output::line(&self.coloured(report))?,
                None => output::pretty_json(token.claims())?,
            },
            Err(error) => match report {
                Some(report) => output::line(&self.coloured(report))?,
                None => return Err(Failure::new(Exit::Refused, refusal(error, alone))),
            },
        }
        Ok(if result.is_ok() {
            Exit::Done
        } else {
            Exit::Refused
        })
    }

    /// The report with its ticks and crosses in colour, which standard output takes away again where it is no terminal.
    fn coloured(&self, report: &Report) -> String {
        let text = match self.explain {
            Some(Ladder::Full) => output::inert(&format!("{report:#}")),
            _ => output::inert(&report.to_string()),
        };
        let lines = text.trim_end().lines().map(|line| {
            // The mark stands behind the number of the step: `12 ✓ …`.
            let styled = [('✓', output::GREEN), ('✗', output::CROSS)]
                .into_iter()
                .find(|(mark, _)| line.chars().nth(3) == Some(*mark));
            match styled {
                Some((mark, style)) => line.replacen(mark, &format!("{style}{mark}{style:#}"), 1),
                None => line.to_owned(),
            }
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// What `--json` prints for a token that is taken.
#[derive(Serialize)]
struct Taken<'a> {
    valid: bool,
    header: Value,
    claims: &'a Value,
    /// `not_checked` for a token whose status list would say whether it is revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation: Option<&'static str>,
    /// The claims of which any value was taken.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    unchecked: &'a [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<&'a [Step]>,
}

/// What `--json` prints for a token that is refused.
#[derive(Serialize)]
struct Refused<'a> {
    valid: bool,
    code: &'static str,
    message: String,
    checks: Option<&'a [Step]>,
}

/// Whether the issuer tells elsewhere if the token still counts. A claim that cannot be read may say so too.
fn names_a_status(token: &Verified<Value>) -> bool {
    !matches!(StatusReference::of(token), Ok(None))
}

fn refusal(error: &countersign::Error, alone: bool) -> anyhow::Error {
    let way = match error {
        countersign::Error::ClaimMissing { claim } if claim == "exp" => {
            ", so the token would never end; --allow-no-exp takes it all the same"
        }
        _ => "",
    };
    anyhow::anyhow!(
        "token refused ({}): {}{way}; --explain shows every check",
        error.code(),
        key_spec::said(error, alone)
    )
}
