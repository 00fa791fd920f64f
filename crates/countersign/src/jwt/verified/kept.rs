//! What stays of a verified payload: its text, and where the registered claims stand in it.

use std::ops::Range;

use crate::jwt::registered::{Audience, Names, RegisteredClaims};
use crate::time::Timestamp;

/// The payload's text, and after it the claims that do not stand there as they read.
pub(super) struct Kept {
    text: String,
    payload_bytes: usize,
    iss: Option<Range<usize>>,
    sub: Option<Range<usize>>,
    jti: Option<Range<usize>>,
    aud: Recipients,
    exp: Option<Timestamp>,
    nbf: Option<Timestamp>,
    iat: Option<Timestamp>,
}

/// [`Names`], by their place.
enum Recipients {
    Absent,
    One(Range<usize>),
    List(Range<usize>),
    Each(Vec<Range<usize>>),
}

impl Kept {
    /// All but the payload, which [`add_payload`](Self::add_payload) adds.
    pub(super) fn draft(registered: &RegisteredClaims<'_>, payload: &[u8]) -> Self {
        let mut text = String::new();
        let mut keep = |claim: &str| {
            place(claim, payload).unwrap_or_else(|| {
                let start = payload.len().saturating_add(text.len());
                text.push_str(claim);
                start..payload.len().saturating_add(text.len())
            })
        };
        let iss = registered.iss().map(&mut keep);
        let sub = registered.sub().map(&mut keep);
        let jti = registered.jti().map(&mut keep);
        let aud = match registered.aud().0 {
            Names::Absent => Recipients::Absent,
            Names::One(one) => Recipients::One(keep(one)),
            Names::List(list) => Recipients::List(keep(list)),
            Names::Values(_) | Names::Places(..) => {
                Recipients::Each(registered.aud().iter().map(keep).collect())
            }
        };
        Self {
            text,
            payload_bytes: payload.len(),
            iss,
            sub,
            jti,
            aud,
            exp: registered.exp(),
            nbf: registered.nbf(),
            iat: registered.iat(),
        }
    }

    /// Puts the payload before what is kept beside it.
    pub(super) fn add_payload(&mut self, mut payload: String) {
        payload.push_str(&self.text);
        self.text = payload;
    }

    pub(super) fn payload(&self) -> &str {
        self.text.get(..self.payload_bytes).unwrap_or_default()
    }

    pub(super) fn registered(&self) -> RegisteredClaims<'_> {
        let text = |at: &Range<usize>| self.text.get(at.clone()).unwrap_or_default();
        RegisteredClaims {
            iss: self.iss.as_ref().map(text),
            sub: self.sub.as_ref().map(text),
            aud: Audience(match &self.aud {
                Recipients::Absent => Names::Absent,
                Recipients::One(one) => Names::One(text(one)),
                Recipients::List(list) => Names::List(text(list)),
                Recipients::Each(places) => Names::Places(&self.text, places),
            }),
            exp: self.exp,
            nbf: self.nbf,
            iat: self.iat,
            jti: self.jti.as_ref().map(text),
        }
    }
}

/// Where a claim stands in the payload that it was borrowed from; `None` for one that was not. What stands at an address of the
/// payload's is of the payload.
fn place(claim: &str, payload: &[u8]) -> Option<Range<usize>> {
    let start = claim.as_ptr().addr().checked_sub(payload.as_ptr().addr())?;
    let end = start.checked_add(claim.len())?;
    (end <= payload.len()).then_some(start..end)
}
