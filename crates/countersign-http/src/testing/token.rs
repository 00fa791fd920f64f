//! Tokens as an issuer makes them, and as it never would.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use countersign::{ClaimsSet, Error, SigningHeader, SigningKey, StatusReference};
use serde_json::Value;

use super::state::{State, Which};

/// For how long a token is valid where nothing is said.
const LIFE: Duration = Duration::from_secs(10 * 60);

/// How far ahead a token lies that is not valid yet: further than any leeway.
const AHEAD: Duration = Duration::from_secs(10 * 60);

/// A token being described; each of the last methods makes one, and every one of them is another token.
#[derive(Clone)]
pub struct Token {
    state: Arc<State>,
    audience: String,
    subject: String,
    life: Duration,
    typ: &'static str,
    status: bool,
    scopes: Vec<String>,
    roles: Vec<String>,
    own: Vec<(String, Value)>,
}

impl Token {
    pub(super) fn new(state: Arc<State>, audience: String) -> Self {
        Self {
            state,
            audience,
            subject: "test-user".to_owned(),
            life: LIFE,
            typ: "at+jwt",
            status: true,
            scopes: Vec::new(),
            roles: Vec::new(),
            own: Vec::new(),
        }
    }

    /// Whom it is about.
    #[must_use]
    pub fn subject(mut self, sub: impl Into<String>) -> Self {
        self.subject = sub.into();
        self
    }

    /// A role of theirs; may be called for each of several.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.roles.push(role.into());
        self
    }

    /// What the client may do; may be called for each of several.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// A claim of one's own. `client_id`, `scope`, `roles` and `status` take the place of what else is said of them.
    #[must_use]
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.own.push((name.into(), value.into()));
        self
    }

    /// For how long it is valid, in whole seconds.
    #[must_use]
    pub const fn valid_for(mut self, life: Duration) -> Self {
        self.life = life;
        self
    }

    /// With `typ: JWT`, for services that call `.plain_jwt()`.
    #[must_use]
    pub const fn plain_jwt(mut self) -> Self {
        self.typ = "JWT";
        self
    }

    /// Without a place in the status list, as issuers without lists make them: for services that call
    /// `.require_status()`. It cannot be taken back; [`revoked`](Self::revoked) gives it a place all the same.
    #[must_use]
    pub const fn without_status(mut self) -> Self {
        self.status = false;
        self
    }

    /// One that is right in every way.
    ///
    /// # Errors
    /// [`Error::ReservedName`] for a claim of one's own that is a registered one (`sub`, `exp`, …), which are set by methods;
    /// those of signing.
    pub fn valid(&self) -> Result<String, Error> {
        self.sign(&self.key(), self.typ, &self.claims()?)
    }

    /// One that expired a second ago.
    ///
    /// # Errors
    /// As [`valid`](Self::valid).
    pub fn expired(&self) -> Result<String, Error> {
        let (now, second) = (self.state.clock.now(), Duration::from_secs(1));
        let issued = now.saturating_sub(self.life).saturating_sub(second);
        let claims = self.claims()?.expires_in(issued, self.life);
        self.sign(&self.key(), self.typ, &claims)
    }

    /// One that is valid only from ten minutes ahead, for as long as it is said: its `nbf` says so.
    ///
    /// # Errors
    /// As [`valid`](Self::valid).
    pub fn not_yet_valid(&self) -> Result<String, Error> {
        let from = self.state.clock.now().saturating_add(AHEAD);
        let claims = self.claims()?.not_before(from);
        let claims = claims.expires_at(from.saturating_add(self.life));
        self.sign(&self.key(), self.typ, &claims)
    }

    /// One that somebody else has signed in this issuer's name.
    ///
    /// # Errors
    /// As [`valid`](Self::valid).
    pub fn forged(&self) -> Result<String, Error> {
        let key = self.state.keys().impostor()?;
        self.sign(&key, self.typ, &self.claims()?)
    }

    /// One that was made for another service.
    ///
    /// # Errors
    /// As [`valid`](Self::valid).
    pub fn for_another_audience(&self) -> Result<String, Error> {
        let other = Self {
            audience: format!("not-{}", self.audience),
            ..self.clone()
        };
        other.valid()
    }

    /// One of another kind, with the same claims: `typ` is that of a security event.
    ///
    /// # Errors
    /// As [`valid`](Self::valid).
    pub fn of_another_type(&self) -> Result<String, Error> {
        self.sign(&self.key(), "secevent+jwt", &self.claims()?)
    }

    /// One that was taken back before anybody saw it.
    ///
    /// # Errors
    /// As [`valid`](Self::valid).
    pub fn revoked(&self) -> Result<String, Error> {
        let claims = self.claims_in(Some(Which::TakenBack))?;
        self.sign(&self.key(), self.typ, &claims)
    }

    fn key(&self) -> SigningKey {
        self.state.keys().signing().clone()
    }

    fn claims(&self) -> Result<ClaimsSet, Error> {
        self.claims_in(self.status.then_some(Which::Changing))
    }

    fn claims_in(&self, list: Option<Which>) -> Result<ClaimsSet, Error> {
        let number = self.state.number();
        let mut claims = ClaimsSet::new(&self.state.url, &self.audience)
            .subject(&self.subject)
            .jwt_id(number.to_string())
            .expires_in(self.state.clock.now(), self.life)
            .claim("client_id", "test-client")?;
        if let Some(list) = list {
            let place = StatusReference::new(self.state.list_url(list), number);
            claims = claims.claim("status", place)?;
        }
        if !self.scopes.is_empty() {
            claims = claims.claim("scope", self.scopes.join(" "))?;
        }
        if !self.roles.is_empty() {
            claims = claims.claim("roles", self.roles.clone())?;
        }
        for (name, value) in &self.own {
            claims = claims.claim(name.as_str(), value.clone())?;
        }
        Ok(claims)
    }

    fn sign(&self, key: &SigningKey, typ: &str, claims: &ClaimsSet) -> Result<String, Error> {
        key.sign_with(&SigningHeader::new().typ(typ), claims)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("audience", &self.audience)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}
