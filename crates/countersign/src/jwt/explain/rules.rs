//! The rule of each step in words: the one text of it, for the command, the page and JSON.

use crate::error::{Error, Malformed};
use crate::jwt::profile::Profile;
use crate::jwt::verify::CheckName;

pub(super) const SYNTAX: &str = "a token is three parts in base64url with a dot between each two; header and payload are JSON, and name no member twice";
pub(super) const HEADER: &str = "the header says how the token was signed (alg), by which key (kid) and what kind it is (typ): hints, until the signature holds";
pub(super) const ISSUER_KNOWN: &str = "the issuer that the token names is one of those known here, and it is verified with the keys of that one alone";
pub(super) const KEY: &str =
    "the key is one of the verifier's own: kid and alg select it, and no header brings one along";
pub(super) const EMBEDDED_KEY: &str = "a proof is signed by the private half of the key in its header; whose key it has to be, the access token says";
pub(super) const SHAPE: &str = "the claims are what this kind of token is read into";

/// That of a syntax that is broken.
pub(super) const fn of_syntax(error: &Error) -> &'static str {
    match error {
        Error::Critical(_) => {
            "whoever does not understand a member that crit names refuses the token"
        }
        Error::UnencodedPayload => "the payload of a JWT is always in base64url: b64 has no place",
        Error::Malformed(Malformed::Member { .. } | Malformed::DuplicateMember { .. }) => {
            "no member is named twice, and each that is registered has its type"
        }
        _ => SYNTAX,
    }
}

/// That of a key that was not found.
pub(super) const fn of_key(error: &Error) -> &'static str {
    match error {
        Error::Unsecured => "a token without a signature is never taken",
        Error::AlgorithmUnknown | Error::AlgorithmMismatch { .. } => of(CheckName::Algorithm),
        _ => KEY,
    }
}

/// That of a check that failed, which a policy for logout tokens words in its own way.
pub(super) const fn of_failed(name: CheckName, profile: Profile) -> &'static str {
    match (name, profile) {
        (CheckName::Kind, Profile::LogoutToken) => of(name),
        (CheckName::Kind, _) => {
            "a token holds the claims of its kind, each of its type, and none that only another kind has"
        }
        _ => of(name),
    }
}

/// That of a check.
pub(super) const fn of(name: CheckName) -> &'static str {
    match name {
        CheckName::Algorithm => {
            "a key is for one algorithm: alg can agree with it, and chooses nothing"
        }
        CheckName::Signature => {
            "only who has the key can have signed these very bytes: one bit changed, and the signature no longer holds"
        }
        CheckName::Type => {
            "typ says what kind of token this is, so that one kind is never taken for another"
        }
        CheckName::Claims => {
            "the claims are one JSON object that names none twice, and each that is registered has its type"
        }
        CheckName::Issuer => "iss is, letter by letter, who was to have issued the token",
        CheckName::Audience => "a service that aud does not name refuses the token",
        CheckName::AuthorizedParty => {
            "azp, where it stands or aud names several, is the client that asked for the token"
        }
        CheckName::Subject => "sub is whom the token has to be about",
        CheckName::Required => "a token has every claim that its kind has to have",
        CheckName::Kind => {
            "a logout token holds the event of a back-channel logout, sub or sid, and no nonce"
        }
        CheckName::Exact => "a claim that was agreed on has the very value that was given",
        CheckName::Target => "htu is the URL that the request went to, without query and fragment",
        CheckName::Hashes => "a token holds the hash of the one that it was issued with",
        CheckName::Confirmation => {
            "a token with cnf is bound to a key, and counts only with a proof of having it"
        }
        CheckName::Expiry => {
            "a token has an end: from the second of exp on, it is not taken any more"
        }
        CheckName::NotBefore => "before the second of nbf, the token is not taken yet",
        CheckName::IssuedAt => {
            "iat does not lie ahead, for the clock that set it would be wrong, nor longer ago than the policy takes"
        }
        CheckName::AuthTime => "auth_time, the last log-in, is as recent as the policy asks for",
    }
}
