//! Of which kind the token is: `typ`, the claims that its kind must hold, and those that only another kind holds.

use serde_json::Value;

use super::{Evidence, missing, name};
use crate::error::Error;
use crate::jwt::members::{Claim, Members};
use crate::jwt::policy::Policy;
use crate::jwt::profile::{LOGOUT_EVENT, Profile};

/// RFC 8725 §3.11: a token of one kind does not pass for another.
pub(super) fn typ(evidence: &Evidence<'_>) -> Result<(), Error> {
    let (header, kinds) = (evidence.token.header, &evidence.policy.kinds);
    let passes = if header.has_typ() {
        kinds.named.iter().any(|kind| header.typ_is(kind))
    } else {
        kinds.absent
    };
    if passes {
        Ok(())
    } else {
        Err(Error::TypeMismatch {
            expected: kinds.describe(),
        })
    }
}

/// The claims that the policy or its kind of token needs, of whatever value but null.
pub(super) fn required(evidence: &Evidence<'_>) -> Result<(), Error> {
    let members = evidence.members()?;
    let absent = evidence
        .policy
        .required
        .iter()
        .find(|claim| members.get(claim).is_none_or(Claim::is_null));
    if let Some(claim) = absent {
        return Err(Error::ClaimMissing {
            claim: claim.clone(),
        });
    }
    if evidence.policy.profile == Profile::Migrating {
        return required_of_either(members, evidence);
    }
    Ok(())
}

/// Where the policy takes two kinds, each has to hold what it has to hold alone.
fn required_of_either(members: &Members<'_>, evidence: &Evidence<'_>) -> Result<(), Error> {
    let profile = Profile::Migrating.of(evidence.token.header);
    let asked = profile.required().iter().copied();
    for claim in asked.filter(|claim| !evidence.policy.waived.contains(claim)) {
        if members.get(claim).is_none_or(Claim::is_null) {
            return missing(claim);
        }
    }
    if profile == Profile::AccessToken {
        name(members, "sub")?;
    }
    Ok(())
}

/// RFC 8725 §3.12: the kinds exclude each other also where they share a `typ`.
pub(super) fn profile(evidence: &Evidence<'_>) -> Result<(), Error> {
    let members = evidence.members()?;
    let profile = evidence.policy.profile.of(evidence.token.header);
    if let Some(claim) = profile
        .foreign()
        .iter()
        .find(|claim| members.contains_key(claim))
    {
        return Err(Error::ClaimForeign {
            claim,
            kind: profile.words(),
        });
    }
    let Policy { exact, hashes, .. } = evidence.policy;
    let read_elsewhere = |claim| exact.iter().chain(hashes).any(|(read, _)| *read == claim);
    for claim in profile.names() {
        if !read_elsewhere(*claim) {
            name(members, claim)?;
        }
    }
    if profile == Profile::AccessToken {
        for claim in &evidence.policy.waived {
            name(members, claim)?;
        }
    }
    if profile == Profile::LogoutToken {
        logout(members)?;
    }
    Ok(())
}

/// OpenID Connect Back-Channel Logout §2.6, steps 5 and 6.
fn logout(members: &Members<'_>) -> Result<(), Error> {
    let wrong = Error::ClaimType {
        claim: "events",
        expected: "an object with the back-channel logout event",
    };
    let events = members.get("events").map(Claim::to_value);
    let event = events.as_ref().and_then(|events| events.get(LOGOUT_EVENT));
    if !event.is_some_and(Value::is_object) {
        return Err(wrong);
    }
    if name(members, "sub")?.is_none() && name(members, "sid")?.is_none() {
        return missing("sub");
    }
    Ok(())
}
