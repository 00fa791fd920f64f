//! What a check that passed saw.

use std::borrow::Cow;

use super::super::words::{plain, span};
use super::super::{Step, rules, step};
use super::{asked, clock_difference, expected, found, time, title};
use crate::jwt::policy::Expected;
use crate::jwt::verify::{CheckName, Evidence};

/// The step; `None` where the policy asks nothing and the token says nothing.
pub(in crate::jwt::explain) fn passed(name: CheckName, evidence: &Evidence<'_>) -> Option<Step> {
    let policy = evidence.policy;
    if !asked(name, Some(policy)) {
        return None;
    }
    let (summary, quoting) = match name {
        CheckName::Expiry | CheckName::NotBefore | CheckName::IssuedAt | CheckName::AuthTime => {
            time_words(name, evidence)?
        }
        CheckName::Confirmation => {
            policy.proved?;
            ("cnf names the key of the proof".to_owned(), None)
        }
        _ => words(name, evidence)?,
    };
    let (title, rfc, _) = title(name, Some(policy));
    let step = Step {
        found: found::of(name, evidence),
        expected: expected::of(name, policy, evidence.key, Some(evidence.now)),
        clock_difference_secs: clock_difference(name, evidence),
        ..step(title, rules::of(name), rfc, summary)
    };
    Some(match quoting {
        Some(full) => step.quoting(full),
        None => step,
    })
}

/// The summary for logs and, where it quotes the token, the one for people.
type Words = (String, Option<String>);

fn words(name: CheckName, evidence: &Evidence<'_>) -> Option<Words> {
    let policy = evidence.policy;
    let payload = evidence.payload().ok();
    Some(match name {
        CheckName::Algorithm => (
            format!(
                "alg is {}, the one algorithm of the key",
                evidence.key?.algorithm()
            ),
            None,
        ),
        CheckName::Signature => (
            format!(
                "signature holds over the first {} bytes",
                evidence.token.signing_input.len()
            ),
            None,
        ),
        CheckName::Type => match evidence.token.header.typ() {
            Some(typ) => (
                format!("typ is {}, as expected", policy.kinds.describe()),
                Some(format!("typ is {}", plain(typ))),
            ),
            None => ("typ is absent, which the policy takes".to_owned(), None),
        },
        CheckName::Claims => (
            match payload?.members.len() {
                1 => "payload is a JSON object of 1 claim".to_owned(),
                count => format!("payload is a JSON object of {count} claims"),
            },
            None,
        ),
        CheckName::Issuer => issuer(payload?.registered.iss(), &policy.issuer),
        CheckName::Audience => (
            match &policy.audience {
                Expected::OneOf(names) => format!("aud names {}", names.join(" or ")),
                Expected::Absent => "aud is absent, as expected".to_owned(),
                Expected::Any => "aud: the policy takes any".to_owned(),
            },
            None,
        ),
        CheckName::AuthorizedParty => (
            if payload?.members.contains_key("azp") {
                "azp is the client".to_owned()
            } else {
                "azp is absent, and aud names the client alone".to_owned()
            },
            None,
        ),
        CheckName::Subject => (
            format!("sub is {}", plain(policy.subject.as_deref()?)),
            None,
        ),
        CheckName::Required => (are("there", &policy.required), None),
        CheckName::Kind => (
            "events holds the back-channel logout event; there is no nonce".to_owned(),
            None,
        ),
        CheckName::Exact => (are("as expected", &names(&policy.exact)), None),
        CheckName::Target => (format!("htu is {}", policy.target.as_deref()?), None),
        CheckName::Hashes => (are("that of the token given", &names(&policy.hashes)), None),
        CheckName::Confirmation
        | CheckName::Expiry
        | CheckName::NotBefore
        | CheckName::IssuedAt
        | CheckName::AuthTime => return None,
    })
}

pub(super) fn names<T>(claims: &[(&'static str, T)]) -> Vec<Cow<'static, str>> {
    claims
        .iter()
        .map(|(claim, _)| Cow::Borrowed(*claim))
        .collect()
}

fn are(what: &str, claims: &[Cow<'static, str>]) -> String {
    let verb = if claims.len() == 1 { "is" } else { "are" };
    format!("{} {verb} {what}", claims.join(", "))
}

fn issuer(found: Option<&str>, expected: &Expected) -> Words {
    match (expected, found) {
        (Expected::Any, Some(found)) => (
            "iss: the policy takes any".to_owned(),
            Some(format!("iss is {}; the policy takes any", plain(found))),
        ),
        (_, Some(found)) => (
            "iss is as expected".to_owned(),
            Some(format!("iss is {}", plain(found))),
        ),
        (_, None) => ("iss is absent, which the policy takes".to_owned(), None),
    }
}

fn time_words(name: CheckName, evidence: &Evidence<'_>) -> Option<Words> {
    let (now, leeway) = (evidence.now, evidence.policy.leeway);
    let (claim, ..) = title(name, Some(evidence.policy));
    let Some(at) = time(name, evidence) else {
        return (name == CheckName::Expiry)
            .then(|| ("exp is absent, which the policy takes".to_owned(), None));
    };
    let within = if leeway.is_zero() {
        String::new()
    } else {
        format!("; leeway {} s", leeway.as_secs())
    };
    Some(if at > now {
        (
            format!("{claim} lies ahead{within}"),
            Some(format!("{claim} is in {}{within}", span(at.since(now)))),
        )
    } else {
        let within = if name == CheckName::Expiry {
            within.as_str()
        } else {
            ""
        };
        (
            format!("{claim} has passed{within}"),
            Some(format!("{claim} was {} ago{within}", span(now.since(at)))),
        )
    })
}
