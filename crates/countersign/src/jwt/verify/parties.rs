//! Who issued the token, for whom, to whom and about whom.

use super::{Evidence, missing, name};
use crate::error::Error;
use crate::jwt::policy::Expected;
use crate::jwt::profile::Profile;

/// RFC 7519 §4.1.1. An expectation that is empty, as of a variable that nobody set, matches nothing; a policy that takes
/// any issuer frees the value, and not the claim where the kind of token has it (RFC 9068 §2.2).
pub(super) fn issuer(evidence: &Evidence<'_>) -> Result<(), Error> {
    let iss = evidence.registered()?.iss();
    match (&evidence.policy.issuer, iss) {
        (Expected::Any, None) if evidence.policy.profile.needs_parties() => missing("iss"),
        (Expected::Any, _) => Ok(()),
        (Expected::OneOf(names), Some(iss))
            if !iss.is_empty() && names.iter().any(|name| name == iss) =>
        {
            Ok(())
        }
        (Expected::OneOf(names), Some(_)) => Err(Error::IssuerMismatch {
            expected: names.join(" or "),
        }),
        (_, None) if evidence.policy.profile.takes_absent_iss() => Ok(()),
        (_, None) => missing("iss"),
        (Expected::Absent, Some(_)) => Err(Error::IssuerMismatch {
            expected: String::new(),
        }),
    }
}

/// RFC 7519 §4.1.3: a token that names others, and not this service, is refused; so is one that names the empty string.
pub(super) fn audience(evidence: &Evidence<'_>) -> Result<(), Error> {
    let claims = evidence.registered()?;
    match &evidence.policy.audience {
        Expected::Any if claims.aud().is_empty() && evidence.policy.profile.needs_parties() => {
            missing("aud")
        }
        Expected::Any => Ok(()),
        Expected::Absent if !claims.aud().is_empty() => Err(Error::AudienceUnexpected),
        Expected::Absent => Ok(()),
        Expected::OneOf(_) if claims.aud().is_empty() => missing("aud"),
        Expected::OneOf(names)
            if !names
                .iter()
                .any(|name| !name.is_empty() && claims.aud().contains(name)) =>
        {
            Err(Error::AudienceMismatch {
                expected: names.join(" or "),
            })
        }
        // RFC 7523bis §4: a server that is one of several audiences could use the assertion at the others.
        Expected::OneOf(names)
            if evidence.policy.profile == Profile::ClientAssertion && claims.aud().len() != 1 =>
        {
            Err(Error::AudienceShared {
                expected: names.join(" or "),
            })
        }
        Expected::OneOf(_) => Ok(()),
    }
}

/// OpenID Connect Core §3.1.3.7, steps 4 and 5: of several audiences, `azp` is the client.
pub(super) fn authorized_party(evidence: &Evidence<'_>) -> Result<(), Error> {
    let policy = evidence.policy;
    let (Profile::IdToken, Expected::OneOf(clients)) = (policy.profile, &policy.audience) else {
        return Ok(());
    };
    match name(evidence.members()?, "azp")? {
        Some(azp) if clients.iter().any(|client| client == azp) => Ok(()),
        Some(_) => Err(Error::ClaimMismatch { claim: "azp" }),
        None if evidence.registered()?.aud().len() > 1 => missing("azp"),
        None => Ok(()),
    }
}

/// RFC 7519 §4.1.2: a principal; where somebody relies on it, the empty string is none.
pub(super) fn subject(evidence: &Evidence<'_>) -> Result<(), Error> {
    let policy = evidence.policy;
    let needed = policy.required.iter().any(|claim| claim == "sub");
    match (&policy.subject, evidence.registered()?.sub()) {
        (None, Some("")) if needed => Err(Error::ClaimType {
            claim: "sub",
            expected: "a string that is not empty",
        }),
        (None, _) => Ok(()),
        (Some(expected), Some(sub)) if expected == sub && !sub.is_empty() => Ok(()),
        (Some(_), Some(_)) => Err(Error::SubjectMismatch),
        (Some(_), None) => missing("sub"),
    }
}
