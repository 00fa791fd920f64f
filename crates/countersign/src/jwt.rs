//! JSON Web Token: claims, policies and the one verification (RFC 7519, RFC 8725, RFC 9068).

mod access_token;
mod claims;
mod explain;
mod policy;
mod verified;
mod verifier;
mod verify;

pub use access_token::AccessToken;
pub use claims::{ClaimsSet, RegisteredClaims};
pub use explain::{Outcome, Report, Step};
pub use policy::{MAX_LEEWAY, Policy, PolicyBuilder};
pub use verified::Verified;
pub use verifier::Verifier;
