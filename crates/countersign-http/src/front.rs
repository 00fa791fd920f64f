//! What a layer's decisions share with the extractors and guards behind it: in whose name they refuse, what they count, and
//! what the handlers read claims into.
//!
//! It is apart from the [`Authenticator`](crate::authenticate::Authenticator), which remembers tokens: so that a remembered
//! token may hold it, and whoever passes with one counts no reference that other threads count too.

use std::sync::Arc;

use crate::expected::Expected;
use crate::outcomes::Outcomes;
use crate::rejection::{About, Challenge, Rejection};
use crate::token::VerifiedToken;

/// One for each layer, and for all clones of it.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) challenge: Arc<Challenge>,
    pub(crate) outcomes: Outcomes,
    pub(crate) expected: Expected,
}

impl Front {
    pub(crate) fn new(challenge: Challenge) -> Self {
        Self {
            challenge: Arc::new(challenge),
            outcomes: Outcomes::default(),
            expected: Expected::default(),
        }
    }

    /// `rejection` in this layer's name, counted and logged.
    pub(crate) fn refuse(&self, rejection: Rejection, about: &About<'_>) -> Rejection {
        self.outcomes.refused(rejection.cause());
        rejection.under(&self.challenge).logged(about)
    }

    /// The same about a token that is good, and not enough.
    pub(crate) fn refuse_token(&self, rejection: Rejection, token: &VerifiedToken) -> Rejection {
        let about = About {
            kid: token.kid(),
            issuer: token.registered().iss(),
            explain: None,
        };
        self.refuse(rejection, &about)
    }
}
