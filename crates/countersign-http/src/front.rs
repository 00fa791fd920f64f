//! What a layer's decisions share with the extractors and guards behind it: in whose name they refuse, what they count, and
//! what the handlers read claims into.
//!
//! It is apart from the [`Authenticator`](crate::authenticate::Authenticator), which remembers tokens: so that a remembered
//! token may hold it, and whoever passes with one counts no reference that other threads count too.

use std::sync::Arc;

use http::Response;

use crate::expected::Expected;
use crate::explain::is_listened_to;
use crate::outcomes::Outcomes;
use crate::rejection::{About, Challenge, Rejection};
use crate::token::{Passage, VerifiedToken};

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

    /// `rejection` in this layer's name, counted and logged, where it was not before.
    pub(crate) fn refuse(&self, rejection: Rejection, about: &About<'_>) -> Rejection {
        let (told, rejection) = (rejection.is_told(), rejection.under(&self.challenge));
        if told {
            return rejection;
        }
        self.outcomes.refused(rejection.cause());
        rejection.logged(about)
    }

    /// Counts and logs what a handler behind this layer has refused by itself, and names the realm.
    fn hear<B>(&self, rejection: Rejection, about: &About<'_>, response: &mut Response<B>) {
        self.outcomes.refused(rejection.cause());
        let told = rejection.logged(about);
        told.under(&self.challenge).name_realm(response);
    }

    /// The same about a token that is good, and not enough.
    pub(crate) fn refuse_token(&self, rejection: Rejection, token: &VerifiedToken) -> Rejection {
        let about = About::token(token, &rejection);
        self.refuse(rejection, &about)
    }

    /// Sees to it that nothing behind this layer refuses without a trace.
    pub(crate) fn overhear<B>(passage: &Passage, response: &mut Response<B>) {
        let Some(rejection) = Rejection::untold(response) else {
            return;
        };
        match passage {
            Passage::Token(token) => {
                let about = About::token(token, &rejection);
                token.front().hear(rejection, &about, response);
            }
            Passage::Anonymous(front) => front.hear(rejection, &About::default(), response),
        }
    }
}

impl<'t> About<'t> {
    /// About a token that is good, and that `rejection` refuses all the same.
    fn token(token: &'t VerifiedToken, rejection: &Rejection) -> Self {
        let explains = !rejection.is_told() && is_listened_to();
        Self {
            kid: token.kid(),
            issuer: token.registered().iss(),
            explain: explains.then(|| rejection.explained(token)),
            ..Self::default()
        }
    }
}
