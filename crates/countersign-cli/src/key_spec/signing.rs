//! The key to sign with.

use clap::Args;
use countersign::{Algorithm, ImportedKey, SigningKey};

use super::set::{self, Member};
use super::{KeySpec, Material, decide, refused, undecided_secret, unusable};
use crate::algorithm::{self, Named};
use crate::exit::Failure;
use crate::key_password::KeyPassword;
use crate::output::plain;

/// What there is to say of the key that signs, beside where it comes from.
#[derive(Debug, Args)]
pub(crate) struct Signing {
    #[command(flatten)]
    password: KeyPassword,
    /// The algorithm, for a key that does not say its own.
    #[arg(long, value_parser = algorithm::named(), ignore_case = true, hide_possible_values = true)]
    alg: Option<Named>,
    /// The kid: of a JWK Set, which key signs; of a key without one, the name that its signature points at.
    #[arg(long, allow_hyphen_values = true)]
    kid: Option<String>,
}

impl Signing {
    /// Loads the one key that `spec` names. `--alg` has to agree with its own algorithm, or decides where it has none.
    pub(crate) fn key(&self, spec: &KeySpec) -> Result<SigningKey, Failure> {
        if spec.is_url() {
            return Err(Failure::usage(
                "a key to sign with is not fetched from a URL: what everybody can read, everybody can sign with",
            ));
        }
        let key = match spec.load(&self.password)? {
            Material::Key(imported) => self.import(&imported)?,
            Material::JwkSet(octets) => self.choose(&octets)?,
            Material::Secret(secret) => {
                let alg = self.algorithm().ok_or_else(undecided_secret)?;
                SigningKey::from_secret(alg, &secret).map_err(unusable)?
            }
        };
        let key = match self.alg {
            Some(named) => named.name(key),
            None => key,
        };
        self.named(key)
    }

    fn algorithm(&self) -> Option<Algorithm> {
        self.alg.map(|named| named.algorithm)
    }

    fn import(&self, imported: &ImportedKey) -> Result<SigningKey, Failure> {
        let alg = decide(imported, self.algorithm())?;
        SigningKey::from_jwk_as(&imported.jwk, alg).map_err(|error| refused(imported, error))
    }

    /// The key under the name that was asked for, unless it has another one.
    fn named(&self, key: SigningKey) -> Result<SigningKey, Failure> {
        match (&self.kid, key.key_id()) {
            (Some(kid), None) => Ok(key.with_key_id(kid)),
            (Some(kid), Some(own)) if own != kid => Err(Failure::key(format!(
                "the key is named {}, not {}",
                plain(own),
                plain(kid)
            ))),
            _ => Ok(key),
        }
    }

    /// The one key of a set that can sign.
    fn choose(&self, octets: &[u8]) -> Result<SigningKey, Failure> {
        let members = set::members(octets, self.algorithm())?;
        let asked = |member: &&Member| self.kid.is_none() || member.kid == self.kid;
        let fitting: Vec<(&Member, &ImportedKey)> = members
            .iter()
            .filter(asked)
            .filter_map(|member| Some((member, self.signs(member)?)))
            .collect();
        match fitting.as_slice() {
            [(_, imported)] => self.import(imported),
            [] => Err(Failure::key(self.none(&members))),
            several => {
                let names: Vec<String> = several.iter().map(|(member, _)| member.name()).collect();
                Err(Failure::usage(format!(
                    "{} keys of the JWK Set can sign: choose one with --kid: {}",
                    names.len(),
                    names.join(", ")
                )))
            }
        }
    }

    /// The key of a member that can sign, for the algorithm that was asked for.
    fn signs<'m>(&self, member: &'m Member) -> Option<&'m ImportedKey> {
        let (imported, key) = (member.imported.as_ref()?, member.outcome.as_ref().ok()?);
        let alg = key.algorithm();
        let asked = self.algorithm().is_none_or(|asked| asked == alg);
        (asked && SigningKey::from_jwk_as(&imported.jwk, alg).is_ok()).then_some(imported)
    }

    /// Why no key of the set will do.
    fn none(&self, members: &[Member]) -> String {
        let names = || {
            let names: Vec<String> = members.iter().map(Member::name).collect();
            names.join(", ")
        };
        let named = |member: &&Member| self.kid.is_none() || member.kid == self.kid;
        let of = match &self.kid {
            Some(kid) if !members.iter().any(|member| named(&member)) => {
                return format!(
                    "the JWK Set holds no key named {}; it holds {}",
                    plain(kid),
                    names()
                );
            }
            Some(kid) => format!("the key {} of the JWK Set", plain(kid)),
            None => "the JWK Set".to_owned(),
        };
        let reason = members.iter().filter(named).find_map(|member| {
            let private = member.imported.as_ref()?.jwk.is_private();
            let error = member.outcome.as_ref().err()?;
            private.then(|| format!(": key {} is unusable: {error}", member.name()))
        });
        let alg = self
            .algorithm()
            .map(|alg| format!(" with {alg}"))
            .unwrap_or_default();
        format!(
            "{of} holds no private key that can sign{alg}{}",
            reason.unwrap_or_default()
        )
    }
}
