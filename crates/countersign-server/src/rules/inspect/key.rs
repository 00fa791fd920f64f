//! A key in the form that somebody says it has. What a text is, is stated and never guessed: the same letters are one
//! secret as text and another as base64.

mod armour;
mod import;

use countersign::{
    Algorithm, Error, ImportedKey, Jwk, JwkSet, MAX_SECRET_BYTES, Report, SigningKey, Step,
    Unverified, VerifyingKey, WeakKey,
};
use serde::{Deserialize, Serialize};

use crate::rules::secret::Secret;

/// The page has no field for the password of a key.
const ENCRYPTED: &str = "this PEM is encrypted: decrypt it first with `openssl pkey -in key.pem -out plain.pem`, or give its public half, which is all that verifying needs, by `openssl pkey -in key.pem -pubout`";

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Form {
    /// A secret, letter by letter.
    Text,
    /// A secret in base64 (RFC 4648 §4), padded or not.
    Base64,
    /// A secret in base64url (RFC 4648 §5), padded or not.
    Base64url,
    /// A secret in hexadecimal digits.
    Hex,
    Pem,
    Jwk,
    Jwks,
    /// The URL of an issuer, whose keys are fetched.
    Issuer,
}

impl Form {
    pub(crate) const ALL: [Self; 8] = [
        Self::Text,
        Self::Base64,
        Self::Base64url,
        Self::Hex,
        Self::Pem,
        Self::Jwk,
        Self::Jwks,
        Self::Issuer,
    ];

    /// As a request names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Base64 => "base64",
            Self::Base64url => "base64url",
            Self::Hex => "hex",
            Self::Pem => "pem",
            Self::Jwk => "jwk",
            Self::Jwks => "jwks",
            Self::Issuer => "issuer",
        }
    }

    /// As a page names it.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Text => "a secret, as text",
            Self::Base64 => "a secret, in base64",
            Self::Base64url => "a secret, in base64url",
            Self::Hex => "a secret, in hexadecimal",
            Self::Pem => "PEM: a key or a certificate",
            Self::Jwk => "JWK",
            Self::Jwks => "JWK Set",
            Self::Issuer => "the URL of an issuer",
        }
    }
}

/// A key, as it was typed in.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyText {
    pub(crate) form: Form,
    pub(crate) text: Secret,
    /// The algorithm, for a key that does not say its own; empty for what the token says, as far as the key can be for it.
    #[serde(default)]
    alg: String,
    /// The header of the token before somebody edited it, in base64url. A key that left its algorithm to that one keeps it,
    /// whatever the header says now.
    #[serde(default)]
    was: String,
}

/// The keys to verify with.
pub(super) struct Keys {
    pub(super) set: JwkSet,
    pub(super) facts: Option<KeyFacts>,
}

/// What there is to say about a key that can be used.
#[derive(Serialize)]
pub(crate) struct KeyFacts {
    /// What it is, in words.
    what: String,
    /// Its one algorithm, where there is one key.
    #[serde(skip_serializing_if = "Option::is_none")]
    alg: Option<&'static str>,
    /// Whether the algorithm was taken from the token, because the key does not say its own.
    assumed: bool,
    /// The algorithms that it could be for.
    fitting: Vec<&'static str>,
    can_sign: bool,
    is_symmetric: bool,
}

/// Why a key cannot be used.
#[derive(Debug, Serialize)]
pub(crate) struct KeyProblem {
    pub(super) code: &'static str,
    pub(super) message: String,
    /// The algorithms to choose from, where that is all that is missing.
    fitting: Vec<&'static str>,
}

impl From<Error> for KeyProblem {
    fn from(error: Error) -> Self {
        Self {
            code: error.code(),
            message: match error {
                Error::KeyEncrypted => ENCRYPTED.to_owned(),
                Error::KeyWeak(WeakKey::SecretTooShort {
                    found,
                    needed,
                    algorithm,
                }) => format!(
                    "the secret has {found} bytes, and {algorithm} needs at least {needed} (RFC 7518 §3.2): whoever has one token finds a shorter one by trying. So nothing is verified with it here, and whether the token was signed with it stays open. Make one with `countersign key generate {algorithm}`"
                ),
                error => error.to_string(),
            },
            fitting: Vec::new(),
        }
    }
}

impl KeyProblem {
    /// In the step that looked for a key and found none: the one that was given is the reason.
    pub(super) fn tell(&self, report: &mut Report) {
        if let Some(step) = without_key(report) {
            step.summary = format!("the key that was given cannot be used: {}", self.message);
            step.expected = Some("a key that can be used".to_owned());
            step.code = Some(self.code);
            step.fix = Some("mend the key, or give another; the token may be good".to_owned());
        }
    }

    fn new(message: impl Into<String>) -> Self {
        Self {
            code: "key_format",
            message: message.into(),
            fitting: Vec::new(),
        }
    }

    fn of_long_secret() -> Self {
        Self {
            code: "key_unfit",
            ..Self::new(format!(
                "a secret has at most {MAX_SECRET_BYTES} bytes, and this one has more"
            ))
        }
    }

    /// What was asked cannot be done with what was given.
    pub(super) fn of_call(message: &str) -> Self {
        Self {
            code: "invalid_request",
            ..Self::new(message)
        }
    }
}

/// In the same step, where nothing was given.
pub(super) fn tell_that_none_was_given(report: &mut Report) {
    if let Some(step) = without_key(report) {
        "no key was given to verify with".clone_into(&mut step.summary);
        step.expected = Some("a secret, a public key, a set of keys or an issuer".to_owned());
        step.fix = Some("give one above; until then anybody can have written this".to_owned());
    }
}

/// The step that found no key.
fn without_key(report: &mut Report) -> Option<&mut Step> {
    let missing = Error::KeyNotFound.code();
    let mut steps = report.steps.iter_mut();
    steps.find(|step| step.code == Some(missing))
}

impl Keys {
    pub(super) fn none() -> Self {
        Self {
            set: JwkSet::new([]),
            facts: None,
        }
    }

    /// The keys of a text, for a token whose header may settle what a key leaves open.
    pub(super) fn read(
        key: Option<&KeyText>,
        published: Option<Result<JwkSet, String>>,
        token: &str,
    ) -> Result<Self, KeyProblem> {
        let Some(key) = key.filter(|key| key.is_given()) else {
            return Ok(Self::none());
        };
        if let Some(set) = published {
            return Self::of_set(set.map_err(KeyProblem::new)?, "published");
        }
        match key.form {
            Form::Issuer => Err(KeyProblem::new(
                "the keys of an issuer are not fetched here",
            )),
            Form::Jwks => Self::of_set(key.set()?, "in the set"),
            _ => Self::of_one(key, token),
        }
    }

    fn of_set(set: JwkSet, words: &str) -> Result<Self, KeyProblem> {
        let (usable, left_out) = (set.keys().count(), set.unusable().len());
        if usable == 0 {
            return Err(match set.unusable().first() {
                Some(key) => KeyProblem::from(key.reason.clone()),
                None => KeyProblem::new("there is no key in the set"),
            });
        }
        let plural = if usable == 1 { "key" } else { "keys" };
        let mut what = format!("{usable} {plural} {words}");
        if left_out > 0 {
            what.push_str(&format!(", {left_out} left out"));
        }
        let alg = match set.keys().collect::<Vec<_>>().as_slice() {
            [one] => Some(one.algorithm().name()),
            _ => None,
        };
        let is_symmetric = set.keys().any(|key| key.algorithm().is_symmetric());
        Ok(Self {
            set,
            facts: Some(KeyFacts {
                what,
                alg,
                assumed: false,
                fitting: Vec::new(),
                can_sign: false,
                is_symmetric,
            }),
        })
    }

    fn of_one(given: &KeyText, token: &str) -> Result<Self, KeyProblem> {
        let imported = given.import()?;
        let (alg, assumed) = given.decide(&imported, token)?;
        let key = VerifyingKey::from_jwk_as(&imported.jwk, alg)?;
        Ok(Self {
            facts: Some(KeyFacts {
                what: given.in_words(&imported),
                alg: Some(alg.name()),
                assumed,
                fitting: names(&fitting(&imported.jwk)),
                can_sign: SigningKey::from_jwk_as(&imported.jwk, alg).is_ok(),
                is_symmetric: alg.is_symmetric(),
            }),
            set: JwkSet::from(key),
        })
    }
}

impl KeyText {
    pub(crate) fn new(form: Form, text: &str, alg: &str) -> Self {
        Self {
            form,
            text: Secret::new(text.to_owned()),
            alg: alg.to_owned(),
            was: String::new(),
        }
    }

    pub(super) fn is_given(&self) -> bool {
        !self.text.expose().is_empty()
    }

    /// The one key to sign with.
    pub(super) fn one(&self, token: &str) -> Result<(ImportedKey, Algorithm), KeyProblem> {
        let imported = match self.form {
            Form::Jwks | Form::Issuer => {
                return Err(KeyProblem::new(
                    "this needs one key, and not a set: give it as PEM, JWK or secret",
                ));
            }
            _ => self.import()?,
        };
        let (alg, _) = self.decide(&imported, token)?;
        Ok((imported, alg))
    }

    /// The one key that a token is verified with: of several, the one that its header selects.
    pub(super) fn that_verifies(
        &self,
        published: Option<Result<JwkSet, String>>,
        token: &str,
    ) -> Result<VerifyingKey, KeyProblem> {
        if !matches!(self.form, Form::Jwks | Form::Issuer) {
            let (imported, alg) = self.one(token)?;
            return Ok(VerifyingKey::from_jwk_as(&imported.jwk, alg)?);
        }
        let set = Keys::read(Some(self), published, token)?.set;
        let mut keys = set.keys();
        if let (Some(only), None) = (keys.next(), keys.next()) {
            return Ok(only.clone());
        }
        let parsed = Unverified::parse(token)?;
        set.find(parsed.header()).cloned().map_err(|problem| {
            KeyProblem::of_call(match problem {
                Error::KeyAmbiguous { .. } => {
                    "this needs one key, and several of the set fit the token's header: give the one alone, as JWK"
                }
                _ => {
                    "this needs one key, and none of the set fits the token's `kid` and `alg`: give the one alone, as JWK"
                }
            })
        })
    }

    /// The algorithm under which this key takes a token.
    ///
    /// # Errors
    /// Why it takes it under none.
    pub(super) fn algorithm_of(&self, token: &str) -> Result<Algorithm, KeyProblem> {
        let parsed = Unverified::parse(token)?;
        let named = parsed.header().algorithm()?;
        match self.form {
            Form::Issuer if named.is_symmetric() => Err(KeyProblem::of_call(&format!(
                "an issuer publishes no secrets, and the token says {named}"
            ))),
            Form::Issuer => Ok(named),
            Form::Jwks => match Keys::of_set(self.set()?, "")?.set.find(parsed.header()) {
                Ok(key) => Ok(key.algorithm()),
                // All of them are for what the header says.
                Err(Error::KeyAmbiguous { .. }) => Ok(named),
                Err(problem) => Err(problem.into()),
            },
            _ => {
                let (imported, alg) = self.one(token)?;
                VerifyingKey::from_jwk_as(&imported.jwk, alg)?;
                match alg == named {
                    true => Ok(alg),
                    false => Err(Error::AlgorithmMismatch { key: alg }.into()),
                }
            }
        }
    }

    fn set(&self) -> Result<JwkSet, KeyProblem> {
        let set = JwkSet::parse(self.text.expose().as_bytes())?;
        Ok(match self.algorithm()? {
            Some(alg) => set.assuming(alg)?,
            None => set,
        })
    }

    /// The same letters as another kind of secret.
    pub(super) fn other_readings(&self) -> Vec<(&'static str, Self)> {
        let forms = [
            (Form::Text, "read as text, letter by letter"),
            (Form::Base64, "read as base64"),
            (Form::Base64url, "read as base64url"),
            (Form::Hex, "read as hexadecimal digits"),
        ];
        if !forms.iter().any(|(form, _)| *form == self.form) {
            return Vec::new();
        }
        let others = forms.into_iter().filter(|(form, _)| *form != self.form);
        let mut readings: Vec<_> = others
            .map(|(form, words)| {
                (
                    words,
                    Self {
                        form,
                        ..self.clone()
                    },
                )
            })
            .collect();
        let trimmed = self.text.expose().trim();
        if trimmed != self.text.expose() {
            let text = Secret::new(trimmed.to_owned());
            readings.push((
                "taken without the space around it",
                Self {
                    text,
                    ..self.clone()
                },
            ));
        }
        readings
    }

    fn algorithm(&self) -> Result<Option<Algorithm>, KeyProblem> {
        match self.alg.as_str() {
            "" => Ok(None),
            name => Algorithm::from_name(name)
                .map(Some)
                .ok_or_else(|| KeyProblem::from(Error::AlgorithmUnknown)),
        }
    }

    /// What was stated, else the key's own algorithm, else that of the token, as it is or as it was, where the key can be
    /// for it: a secret never becomes a public key by that, nor the other way round.
    fn decide(&self, imported: &ImportedKey, token: &str) -> Result<(Algorithm, bool), KeyProblem> {
        if let Some(alg) = self.algorithm()? {
            return Ok((alg, false));
        }
        let undecided = match imported.jwk.algorithm() {
            Ok(alg) => return Ok((alg, false)),
            Err(error) => error,
        };
        let fitting = fitting(&imported.jwk);
        let named = named_by(token);
        let before = named_by(&format!("{}.e30.", self.was));
        let mut candidates = named.into_iter().chain(before);
        if let Some(alg) = candidates.find(|alg| fitting.contains(alg)) {
            return Ok((alg, true));
        }
        let kty = imported.jwk.kty();
        if let Some(alg) = named.filter(|alg| kty == "oct" && alg.kty() != kty) {
            return Err(KeyProblem {
                code: "key_unfit",
                message: format!(
                    "the token says {alg}, which wants a public key, and this is taken for a secret: give the key as PEM, JWK or JWK Set, or the URL of its issuer, and say above what it is"
                ),
                fitting: names(&fitting),
            });
        }
        // Which one it was meant for decides why it is too weak.
        let wanted = named.filter(|alg| alg.kty() == kty);
        let first = wanted.or_else(|| Algorithm::ALL.iter().copied().find(|alg| alg.kty() == kty));
        let refusal = first.and_then(|alg| VerifyingKey::from_jwk_as(&imported.jwk, alg).err());
        Err(match (fitting.as_slice(), refusal) {
            ([], Some(refusal)) => refusal.into(),
            ([], None) => undecided.into(),
            (_, Some(refusal)) if wanted.is_some() => refusal.into(),
            (fitting, _) => KeyProblem {
                code: "key_unfit",
                message: format!("{imported} does not say its algorithm: choose one"),
                fitting: names(fitting),
            },
        })
    }
}

/// What the header of a token says its algorithm is.
fn named_by(token: &str) -> Option<Algorithm> {
    let parsed = Unverified::parse(token).ok()?;
    parsed.header().algorithm().ok()
}

/// The algorithms that a key could be for.
fn fitting(jwk: &Jwk) -> Vec<Algorithm> {
    let kty = jwk.kty();
    let of_its_kind = Algorithm::ALL
        .iter()
        .copied()
        .filter(|alg| alg.kty() == kty);
    of_its_kind
        .filter(|alg| VerifyingKey::from_jwk_as(jwk, *alg).is_ok())
        .collect()
}

fn names(algorithms: &[Algorithm]) -> Vec<&'static str> {
    algorithms.iter().map(|alg| alg.name()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(form: Form, text: &str) -> KeyText {
        KeyText::new(form, text, "")
    }

    fn octets(form: Form, letters: &str) -> Option<String> {
        let imported = text(form, letters).import().ok()?;
        Some(imported.to_string())
    }

    #[test]
    fn the_same_letters_are_another_secret_in_another_form() {
        for (form, bytes) in [
            (Form::Text, 8),
            (Form::Base64, 6),
            (Form::Base64url, 6),
            (Form::Hex, 4),
        ] {
            assert_eq!(
                octets(form, "deadbeef"),
                Some(format!("a shared secret of {bytes} bytes (raw secret)"))
            );
        }
    }

    #[test]
    fn rejects_what_is_not_in_the_form_that_was_stated() {
        for (form, letters) in [
            (Form::Hex, "abc"),
            (Form::Hex, "zz"),
            (Form::Base64, "a-b_"),
            (Form::Base64url, "a+b/"),
            (Form::Pem, "deadbeef"),
            (Form::Jwk, "deadbeef"),
        ] {
            assert!(text(form, letters).import().is_err(), "{form:?} {letters}");
        }
    }

    #[test]
    fn rejects_a_secret_without_end_in_every_form_and_says_the_limit() {
        for (form, letters) in [
            (Form::Text, "aq".repeat(950_000)),
            (Form::Hex, "aq".repeat(950_000)),
            (Form::Base64, "aq".repeat(950_000)),
            (Form::Base64url, "aq".repeat(950_000)),
            (Form::Text, "aq9".repeat(30_000)),
        ] {
            let given = text(form, &letters);
            let token = "eyJhbGciOiJIUzI1NiJ9.e30.AA";
            let problem = Keys::read(Some(&given), None, token).err().unwrap();
            assert_eq!(problem.code, "key_unfit", "{form:?}");
            assert!(problem.message.contains("65536 bytes"), "{form:?}");
        }
    }

    #[test]
    fn a_public_key_never_becomes_a_secret_whatever_the_token_says() {
        let pem = SigningKey::generate(Algorithm::RS256)
            .unwrap()
            .verifying_key()
            .to_pem()
            .unwrap();
        let token = "eyJhbGciOiJIUzI1NiJ9.e30.AA";
        let problem = Keys::read(Some(&text(Form::Pem, &pem)), None, token)
            .err()
            .unwrap();
        assert!(problem.fitting.contains(&"RS256") && !problem.fitting.contains(&"HS256"));
        let problem = Keys::read(Some(&text(Form::Text, &pem)), None, token)
            .err()
            .unwrap();
        assert_eq!(problem.code, "key_weak");
    }
}
