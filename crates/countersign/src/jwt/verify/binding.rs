//! What the token is bound to: the login, the request, the token beside it, the key of its sender.

use serde_json::Value;

use super::{Evidence, missing, name};
use crate::base64url;
use crate::crypto;
use crate::error::Error;
use crate::jwt::dpop;
use crate::jwt::members::Claim;

/// Claims of which the one right value is known. One that is absent is refused: a check that passes on nothing is none.
pub(super) fn exact(evidence: &Evidence<'_>) -> Result<(), Error> {
    for (claim, expected) in &evidence.policy.exact {
        match name(evidence.members()?, claim)? {
            Some(found) if found == expected.0 => {}
            Some(_) => return Err(Error::ClaimMismatch { claim }),
            None => return missing(claim),
        }
    }
    Ok(())
}

/// RFC 9449 §4.3, step 9: the request's URI, query and fragment left out.
pub(super) fn target(evidence: &Evidence<'_>) -> Result<(), Error> {
    let Some(expected) = &evidence.policy.target else {
        return Ok(());
    };
    match name(evidence.members()?, "htu")? {
        Some(found) if dpop::normal_form(found) == *expected => Ok(()),
        Some(_) => Err(Error::ClaimMismatch { claim: "htu" }),
        None => missing("htu"),
    }
}

/// OpenID Connect Core §3.1.3.8 and §3.3.2.10. An algorithm without a hash function of its own fails closed.
pub(super) fn hashes(evidence: &Evidence<'_>) -> Result<(), Error> {
    for (claim, text) in &evidence.policy.hashes {
        let expected = crypto::left_half(evidence.key()?.algorithm(), text.0.as_bytes())
            .map(base64url::encode);
        match name(evidence.members()?, claim)? {
            Some(found) if Some(found) == expected.as_deref() => {}
            Some(_) => return Err(Error::ClaimMismatch { claim }),
            None => return missing(claim),
        }
    }
    Ok(())
}

/// RFC 7800 §3.1: a token bound to its sender's key needs a proof of that key. A `cnf` that says more than the thumbprint
/// asks for a proof that nobody has looked at.
pub(super) fn confirmation(evidence: &Evidence<'_>) -> Result<(), Error> {
    let cnf = evidence.members()?.get("cnf").map(Claim::to_value);
    match (cnf.as_deref(), &evidence.policy.proved) {
        (None, None) => Ok(()),
        (None, Some(_)) => missing("cnf"),
        (Some(_), None) => Err(Error::ProofRequired),
        (Some(Value::Object(cnf)), Some(key)) if cnf.len() == 1 => match cnf.get("jkt") {
            Some(Value::String(jkt)) if *jkt == key.to_string() => Ok(()),
            Some(_) => Err(Error::ClaimMismatch { claim: "cnf" }),
            None => Err(Error::ProofRequired),
        },
        (Some(_), Some(_)) => Err(Error::ProofRequired),
    }
}
