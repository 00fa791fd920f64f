//! JSON Web Token: claims, policies and the one verification (RFC 7519, RFC 8725, RFC 9068).

mod access_token;
mod audience;
mod claims;
mod client_assertion;
mod dpop;
mod explain;
mod id_token;
mod issuers;
mod logout_token;
mod members;
mod numeric_date;
mod policy;
mod profile;
mod registered;
mod scratch;
mod status_list_token;
mod verified;
mod verifier;
mod verify;

pub use access_token::AccessToken;
pub use claims::ClaimsSet;
pub use client_assertion::ClientAssertion;
pub use dpop::{DpopClaims, DpopProof, DpopVerifier};
pub use explain::{ConsideredKey, Outcome, Report, Step};
pub use id_token::IdToken;
pub use issuers::Issuers;
pub use logout_token::LogoutToken;
pub use policy::{MAX_LEEWAY, Policy, PolicyBuilder};
pub use registered::{Audience, RegisteredClaims};
pub use scratch::Scratch;
pub use status_list_token::StatusListToken;
pub use verified::{NoClaims, Verified, VerifiedRef};
pub use verifier::Verifier;
pub(crate) use verifier::verify_with;
pub(crate) use verify::Window;
