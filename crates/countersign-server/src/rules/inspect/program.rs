//! Programs that verify one very token, with the library that each language has for it. The key, where it is public,
//! stands in the program; a secret never does.

mod text;

use askama::Template;
use countersign::{Algorithm, VerifyingKey, dangerous};
use http::Uri;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Question;
use super::key::{Form, KeyProblem, KeyText};
use text::Text;

/// What a program is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Language {
    Rust,
    Node,
    Python,
    Go,
    Curl,
}

/// A program that is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    language: Language,
    question: Question,
}

/// The text of a program.
#[derive(Serialize)]
pub(crate) struct Program {
    program: String,
}

impl Language {
    pub(crate) const ALL: [Self; 5] = [Self::Rust, Self::Node, Self::Python, Self::Go, Self::Curl];

    /// As a request names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Node => "node",
            Self::Python => "python",
            Self::Go => "go",
            Self::Curl => "curl",
        }
    }

    /// As a page names it.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Node => "Node",
            Self::Python => "Python",
            Self::Go => "Go",
            Self::Curl => "curl",
        }
    }

    /// The library, where it lacks an algorithm under this name.
    fn lacking(self, alg: &str) -> Option<&'static str> {
        let is_common = Algorithm::from_name(alg).is_some_and(|known| known.name() == alg)
            && !alg.starts_with("ML-DSA");
        match self {
            Self::Rust | Self::Curl => None,
            Self::Node => (alg == Algorithm::ES256K.name()).then_some("jose"),
            Self::Python => (!is_common).then_some("PyJWT"),
            Self::Go => (!is_common || alg == Algorithm::ES256K.name()).then_some("golang-jwt"),
        }
    }
}

/// Where a program has its key from.
enum Source {
    /// The environment, in one of the forms of a secret.
    Secret(Form),
    /// The program itself.
    Public(String),
    /// `key.pem`.
    PemFile,
    /// `jwks.json`.
    SetFile,
    Issuer(Text),
}

impl Source {
    fn of(key: Option<&KeyText>, alg: Algorithm, token: &str) -> Result<Self, KeyProblem> {
        let Some(key) = key else {
            return Ok(match alg.is_symmetric() {
                true => Self::Secret(Form::Text),
                false => Self::PemFile,
            });
        };
        Ok(match key.form {
            Form::Jwk if alg.is_symmetric() => Self::Secret(Form::Base64url),
            Form::Jwk | Form::Pem => Self::public(key, token).map_or(Self::PemFile, Self::Public),
            Form::Jwks => Self::SetFile,
            Form::Issuer => Self::Issuer(issuer(key.text.expose().trim())?),
            form => Self::Secret(form),
        })
    }

    /// The public half, whatever was given.
    fn public(key: &KeyText, token: &str) -> Option<String> {
        let (imported, alg) = key.one(token).ok()?;
        let key = VerifyingKey::from_jwk_as(&imported.jwk, alg).ok()?;
        key.to_pem().ok()
    }
}

/// An address that a program asks: of the web, and not an option or a file of the machine that runs it.
fn issuer(url: &str) -> Result<Text, KeyProblem> {
    let parsed = url.parse::<Uri>().ok();
    let is_of_web = parsed.is_some_and(|url| {
        matches!(url.scheme_str(), Some("https" | "http"))
            && url.host().is_some_and(|host| !host.is_empty())
    });
    if is_of_web {
        return Ok(Text(url.to_owned()));
    }
    Err(KeyProblem::of_call(
        "the issuer is no URL that starts with https:// or http://, so no program asks it for keys",
    ))
}

/// What a program has to name.
struct Facts {
    token: Text,
    /// As the token names it.
    alg: Text,
    /// As our library names it.
    variant: String,
    iss: Option<Text>,
    aud: Vec<Text>,
    typ: Option<Text>,
    leeway: u64,
    /// Whether a token without `exp` is taken.
    is_endless: bool,
    names_key: bool,
    is_jwk: bool,
    source: Source,
}

macro_rules! program {
    ($name:ident, $path:literal) => {
        #[derive(Template)]
        #[template(path = $path, escape = "none")]
        struct $name<'a> {
            f: &'a Facts,
        }
    };
}
program!(Rust, "programs/rust.txt");
program!(Node, "programs/node.txt");
program!(Python, "programs/python.txt");
program!(Go, "programs/go.txt");
program!(Curl, "programs/curl.txt");

impl Wanted {
    /// The program.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn write(&self) -> Result<Program, KeyProblem> {
        let facts = Facts::of(&self.question)?;
        if let Some(library) = self.language.lacking(&facts.alg.0) {
            let (alg, title) = (&facts.alg.0, self.language.title());
            let words = format!("there is no program for {title}: {library} does not know {alg}");
            return Err(KeyProblem::of_call(&words));
        }
        if self.language == Language::Curl && facts.texts().any(Text::has_nul) {
            return Err(KeyProblem::of_call(
                "there is no program for curl: no argument of a command holds the letter U+0000",
            ));
        }
        let f = &facts;
        let program = match self.language {
            Language::Rust => Rust { f }.render(),
            Language::Node => Node { f }.render(),
            Language::Python => Python { f }.render(),
            Language::Go => Go { f }.render(),
            Language::Curl => Curl { f }.render(),
        };
        let program = program.map_err(|problem| KeyProblem::of_call(&problem.to_string()))?;
        Ok(Program {
            program: program + "\n",
        })
    }
}

impl Facts {
    fn of(question: &Question) -> Result<Self, KeyProblem> {
        let token = question.token.expose();
        let decoded = dangerous::decode_unverified(token)?;
        let said = decoded.header.get("alg").and_then(Value::as_str);
        let named = said.and_then(Algorithm::from_name);
        let given = question.key.as_ref();
        let key = given.filter(|key| !key.text.expose().is_empty());
        // Whoever wrote the header chooses nothing where there is a key: one that does not fit has no program.
        let alg = match key {
            Some(key) => key.algorithm_of(token)?,
            None => named.unwrap_or(Algorithm::ES256),
        };
        let policy = &question.policy;
        let claims = &decoded.claims;
        let iss = policy.iss().or_else(|| claims.get("iss")?.as_str());
        let aud = match policy.aud() {
            [] => audiences(claims),
            stated => stated.to_vec(),
        };
        Ok(Self {
            token: Text(token.to_owned()),
            alg: Text(
                said.filter(|_| named == Some(alg))
                    .unwrap_or(alg.name())
                    .to_owned(),
            ),
            variant: format!("{alg:?}"),
            iss: iss.map(|iss| Text(iss.to_owned())),
            aud: aud.into_iter().map(Text).collect(),
            typ: policy.typ().map(|typ| Text(typ.to_owned())),
            leeway: policy.leeway_secs(),
            is_endless: policy.allow_no_exp,
            names_key: decoded.header.get("kid").is_some(),
            is_jwk: key.is_some_and(|key| key.form == Form::Jwk),
            source: Source::of(key, alg, token)?,
        })
    }

    /// What is somebody else's.
    fn texts(&self) -> impl Iterator<Item = &Text> {
        let all = [Some(&self.token), self.iss.as_ref(), self.typ.as_ref()];
        all.into_iter().flatten().chain(&self.aud)
    }

    /// The spellings of the `typ` that is expected, in small letters (RFC 7515 §4.1.9).
    fn typs(&self) -> Option<Vec<Text>> {
        let typ = self.typ.as_ref()?.0.to_ascii_lowercase();
        let bare = typ.strip_prefix("application/").unwrap_or(&typ);
        Some(if bare.contains('/') {
            vec![Text(typ)]
        } else {
            vec![Text(bare.to_owned()), Text(format!("application/{bare}"))]
        })
    }

    fn is_issuer(&self) -> bool {
        matches!(self.source, Source::Issuer(_))
    }

    fn is_set(&self) -> bool {
        matches!(self.source, Source::SetFile)
    }

    fn is_base64(&self) -> bool {
        matches!(self.source, Source::Secret(Form::Base64 | Form::Base64url))
    }

    /// What to put into SECRET, where that is not the secret itself.
    fn of_secret(&self) -> Option<&'static str> {
        match self.source {
            Source::Secret(_) if self.is_jwk => Some("the member k of the JWK"),
            Source::Secret(Form::Base64) => Some("in base64"),
            Source::Secret(Form::Base64url) => Some("in base64url"),
            Source::Secret(Form::Hex) => Some("in hexadecimal"),
            _ => None,
        }
    }

    /// As golang-jwt names a kind of key.
    fn go_kind(&self) -> &'static str {
        match self.alg.0.as_bytes() {
            [b'R' | b'P', ..] => "RSA",
            [b'E', b'd', ..] => "Ed",
            _ => "EC",
        }
    }

    /// What a program in Go takes from its own library, in order.
    fn go_packages(&self) -> Vec<&'static str> {
        let mut all = vec!["fmt", "os"];
        match self.source {
            Source::Secret(Form::Base64 | Form::Base64url) => {
                all.extend(["encoding/base64", "strings"]);
            }
            Source::Secret(Form::Hex) => all.push("encoding/hex"),
            Source::SetFile if !self.names_key => all.push("context"),
            Source::Issuer(_) => all.extend(["encoding/json", "net/http"]),
            _ => {}
        }
        if self.leeway > 0 {
            all.push("time");
        }
        if self.typ.is_some() {
            all.extend(["errors", "strings"]);
        }
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// Whom a token is for.
fn audiences(claims: &Value) -> Vec<String> {
    let one = |value: &Value| value.as_str().map(str::to_owned);
    match claims.get("aud") {
        Some(Value::Array(all)) => all.iter().filter_map(one).collect(),
        Some(aud) => one(aud).into_iter().collect(),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_not_asked_for_what_it_lacks() {
        for (language, alg, library) in [
            (Language::Rust, "ML-DSA-44", None),
            (Language::Node, "ES256K", Some("jose")),
            (Language::Python, "ES256K", None),
            (Language::Python, "Ed25519", Some("PyJWT")),
            (Language::Go, "ES256K", Some("golang-jwt")),
            (Language::Go, "EdDSA", None),
        ] {
            assert_eq!(language.lacking(alg), library, "{language:?} {alg}");
        }
    }
}
