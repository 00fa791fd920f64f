//! Bearer -> parse -> key -> verify -> revoked?

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use countersign::Unverified;
use http::HeaderName;

use crate::bearer::{self, Credential, RequestHead, Sources};
use crate::clock::Clock;
use crate::explain::is_listened_to;
use crate::front::Front;
use crate::health::Health;
use crate::issuer::{Issuers, Trusted};
use crate::keys::Waiting;
use crate::rejection::{About, Rejection};
use crate::replay::SingleUse;
#[cfg(feature = "remote")]
use crate::status::Looked;
use crate::token::{Passage, VerifiedToken};
use crate::verify::{Refused, Verdict, with_keys};

/// A check of the service's own, after verification.
pub(crate) type Check = Arc<dyn Fn(VerifiedToken) -> Checking + Send + Sync>;
pub(crate) type Checking = Pin<Box<dyn Future<Output = Result<(), Rejection>> + Send>>;

/// Everything that a decision needs; shared by all clones of one layer.
pub(crate) struct Authenticator {
    pub(crate) issuers: Issuers,
    pub(crate) front: Arc<Front>,
    pub(crate) sources: Sources,
    pub(crate) clock: Clock,
    pub(crate) checks: Vec<Check>,
    pub(crate) single_use: Option<SingleUse>,
}

/// Where a request without a credential goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anonymous {
    Refused,
    LetIn,
}

/// What is known without waiting.
pub(crate) enum Decision {
    Passed {
        passage: Passage,
        /// The headers that hold the credential, beside those that always may.
        holding: Vec<HeaderName>,
    },
    /// The rest takes time: see [`Authenticator::finish`].
    Pending {
        pending: Pending,
        holding: Vec<HeaderName>,
    },
}

/// A request whose credential is still being looked at.
pub(crate) struct Pending {
    todo: Todo,
    /// Whether it is one of gRPC.
    grpc: bool,
}

enum Todo {
    /// Keys or a status list are on their way; then the token is looked at again.
    Judge {
        text: String,
        wait: Waiting,
        waited: Waited,
    },
    /// It passes; the checks of the service are still to run.
    Check(VerifiedToken),
}

/// What a request has waited for already, and waits for no more.
#[derive(Clone, Copy, Debug, Default)]
struct Waited {
    keys: bool,
    #[cfg(feature = "remote")]
    status: bool,
}

impl Waited {
    /// The code of what was waited for last, where it did not come.
    const fn without(self) -> &'static str {
        #[cfg(feature = "remote")]
        if self.status {
            return "status_unavailable";
        }
        "keys_unavailable"
    }
}

/// How often a request waits at most: for keys, for the status list, and once more where a clock has leapt meanwhile.
const MAX_WAITS: usize = 3;

/// A judgement, as far as it needs no waiting.
enum Judged {
    Passes(VerifiedToken),
    Wait { wait: Waiting, waited: Waited },
}

impl Authenticator {
    /// Decides about a request, as far as that needs no waiting.
    ///
    /// # Errors
    /// The rejection to answer with, counted and logged.
    pub(crate) fn decide(
        &self,
        head: RequestHead<'_>,
        anonymous: Anonymous,
    ) -> Result<Decision, Rejection> {
        let answered = |rejection: Rejection| rejection.answering(head.is_grpc());
        let refuse = |rejection| answered(self.front.refuse(rejection, &About::default()));
        let credential = match bearer::credential(head, &self.sources) {
            Ok(Some(credential)) => credential,
            Ok(None) if anonymous == Anonymous::LetIn => {
                self.front.outcomes.anonymous();
                let front = Arc::clone(&self.front);
                return Ok(Decision::Passed {
                    passage: Passage::Anonymous(front),
                    holding: Vec::new(),
                });
            }
            Ok(None) => return Err(refuse(Rejection::no_credential())),
            Err(rejection) => return Err(refuse(rejection)),
        };
        let judged = self.judge(credential, Waited::default());
        let judged = judged.map_err(answered)?;
        let holding = self.sources.holding(head.headers, credential);
        let todo = match judged {
            Judged::Passes(token) if self.checks.is_empty() => {
                self.use_up(&token).map_err(answered)?;
                self.front.outcomes.passed();
                let passage = Passage::Token(token.asked_in(head.is_grpc()));
                return Ok(Decision::Passed { passage, holding });
            }
            Judged::Passes(token) => Todo::Check(token),
            Judged::Wait { wait, waited } => Todo::Judge {
                text: credential.text().to_owned(),
                wait,
                waited,
            },
        };
        let grpc = head.is_grpc();
        let pending = Pending { todo, grpc };
        Ok(Decision::Pending { pending, holding })
    }

    /// Waits for keys and runs the checks of the service.
    ///
    /// # Errors
    /// The rejection to answer with, counted and logged.
    pub(crate) async fn finish(&self, pending: Pending) -> Result<Passage, Rejection> {
        let Pending { todo, grpc } = pending;
        match self.approve(todo, grpc).await {
            Ok(token) => {
                self.front.outcomes.passed();
                Ok(Passage::Token(token))
            }
            Err(rejection) => Err(rejection.answering(grpc)),
        }
    }

    async fn approve(&self, todo: Todo, grpc: bool) -> Result<VerifiedToken, Rejection> {
        let token = match todo {
            Todo::Check(token) => token,
            Todo::Judge { text, wait, waited } => self.judge_after(&text, wait, waited).await?,
        };
        let token = token.asked_in(grpc);
        if !self.checks.is_empty() {
            // What one of them reads, the next and the handler find.
            token.tree();
        }
        // In the order in which they were named.
        for check in &self.checks {
            let checked = check(token.clone()).await;
            let checked = checked.and_then(|()| {
                let illegible = || Rejection::invalid_token("claims_unreadable");
                token.is_legible().then_some(()).ok_or_else(illegible)
            });
            if let Err(rejection) = checked {
                return Err(self.front.refuse_token(rejection, &token));
            }
        }
        self.use_up(&token)?;
        Ok(token)
    }

    /// Takes the one use of a token that has no more than one: last, so that nothing else refuses what was used.
    #[inline]
    fn use_up(&self, token: &VerifiedToken) -> Result<(), Rejection> {
        match &self.single_use {
            Some(once) => self.use_of(once, token),
            None => Ok(()),
        }
    }

    #[inline(never)]
    fn use_of(&self, once: &SingleUse, token: &VerifiedToken) -> Result<(), Rejection> {
        once.take(token.registered(), self.clock.both())
            .map_err(|refused| self.front.refuse_token(refused.into(), token))
    }

    async fn judge_after(
        &self,
        text: &str,
        mut wait: Waiting,
        mut waited: Waited,
    ) -> Result<VerifiedToken, Rejection> {
        for _ in 0..MAX_WAITS {
            wait.await;
            match self.judge(Credential::read(text), waited)? {
                Judged::Passes(token) => return Ok(token),
                Judged::Wait {
                    wait: next,
                    waited: by_now,
                } => (wait, waited) = (next, by_now),
            }
        }
        // What was waited for has come and gone.
        let unavailable = Rejection::unavailable_for(waited.without(), Duration::from_secs(1));
        Err(self.front.refuse(unavailable, &About::default()))
    }

    /// Whose token it is, which keys, the check list, and whether it was taken back.
    fn judge(&self, credential: Credential<'_>, mut waited: Waited) -> Result<Judged, Rejection> {
        let issuer = match self.issuers.only() {
            Some(only) => only,
            None => Unverified::parse(credential.text())
                .and_then(|parsed| self.issuers.of(&parsed))
                .map_err(|error| self.refuse_text(Rejection::from(&error), credential, None))?,
        };
        let refuse = |rejection| self.refuse_text(rejection, credential, Some(issuer));
        let parse = || Unverified::parse(credential.text());
        let now = self.clock.now();
        let verdict = with_keys(&issuer.keys, &self.clock, parse, waited.keys, |keys| {
            issuer.verify(keys, &self.front, credential.octets(), now)
        });
        let token = match verdict {
            Ok(Verdict::Verified(token)) => token,
            Ok(Verdict::Wait(wait)) => {
                waited.keys = true;
                return Ok(Judged::Wait { wait, waited });
            }
            Err(Refused::Invalid(error)) => return Err(refuse(Rejection::from(&error))),
            Err(Refused::Unavailable { retry_after }) => {
                let cause = "keys_unavailable";
                return Err(refuse(Rejection::unavailable_for(cause, retry_after)));
            }
        };
        #[cfg(feature = "remote")]
        if let Some(status) = &issuer.status {
            match status.look(&token, waited.status) {
                Looked::Passes => {}
                Looked::Wait(wait) => {
                    waited.status = true;
                    return Ok(Judged::Wait { wait, waited });
                }
                Looked::Refused(rejection) => return Err(refuse(rejection)),
            }
        } else if let Some(unread) = &issuer.unread {
            unread.passes(&token, &issuer.name, now);
        }
        Ok(Judged::Passes(token))
    }

    /// `rejection` of the token that a credential is, or is not.
    fn refuse_text(
        &self,
        rejection: Rejection,
        credential: Credential<'_>,
        issuer: Option<&Trusted>,
    ) -> Rejection {
        if let Err(malformed) = credential.check() {
            return self.front.refuse(malformed.into(), &About::default());
        }
        let text = credential.text();
        let parsed = Unverified::parse(text).ok();
        let about = About {
            kid: parsed.as_ref().and_then(|parsed| parsed.header().kid()),
            // What is no token is of no issuer.
            issuer: parsed
                .as_ref()
                .and(issuer)
                .map(|issuer| issuer.name.as_str()),
            iss: matches!(rejection.cause(), "issuer_unknown" | "issuer_mismatch")
                .then(|| claimed_issuer(text))
                .flatten(),
            explain: self.explanation(text),
            ..About::default()
        };
        self.front.refuse(rejection, &about)
    }

    /// The same for the log, without a value of the token, where somebody listens: never in an answer.
    fn explanation(&self, text: &str) -> Option<String> {
        is_listened_to().then(|| self.explain(text).redacted().to_string())
    }

    pub(crate) fn health(&self) -> Health {
        let of = |issuer: &Trusted| issuer.health(&self.clock);
        Health {
            issuers: self.issuers.iter().map(of).collect(),
        }
    }
}

/// Whose token it says that it is, which nobody has verified: for the log, where it is nobody's here.
fn claimed_issuer(text: &str) -> Option<String> {
    let token = countersign::dangerous::decode_unverified(text).ok()?;
    token.claims.get("iss")?.as_str().map(str::to_owned)
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator")
            .field("issuers", &self.issuers)
            .field("sources", &self.sources)
            .field("front", &self.front)
            .field("checks", &self.checks.len())
            .finish_non_exhaustive()
    }
}
