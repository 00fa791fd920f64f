//! Settings as they were given, in three layers, before anything is made of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::flags::Flags;
use super::names;
use super::origin::{Origin, Place};
use crate::error::Error;

const ENVIRONMENT: &str = "COUNTERSIGN_";
const DEFAULT_FILE: &str = "countersign.toml";
const FILE_TWIN: &str = "_file";
const SECRETS: [&str; 2] = ["key_encryption_key", "signing_secret"];

/// A value and where it stands, for messages.
#[derive(Clone)]
pub(super) struct Value {
    text: String,
    place: Place,
}

impl Value {
    pub(super) fn new(text: impl Into<String>, place: Place) -> Self {
        Self {
            text: text.into(),
            place,
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where it stands, for a message.
    pub(super) fn place(&self) -> String {
        self.place.to_string()
    }

    /// The name of another setting as it would be written where this value stands.
    pub(super) fn spelled(&self, key: &str) -> String {
        self.place.origin().spelled(key)
    }

    /// The error for this value.
    pub(super) fn invalid(&self, problem: impl Into<String>) -> Error {
        Error::SettingInvalid {
            origin: self.place(),
            problem: problem.into(),
        }
    }
}

/// What was given, the strongest layer for each setting.
#[derive(Default)]
pub(super) struct Given(BTreeMap<&'static str, Vec<Value>>);

impl Given {
    /// Reads file, environment and flags.
    pub(super) fn collect(
        flags: Flags,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Error> {
        let own = environment.into_iter().filter_map(|(name, text)| {
            let key = name.strip_prefix(ENVIRONMENT)?.to_ascii_lowercase();
            Some((key, name, text))
        });
        let environment: Vec<_> = own
            .filter(|(key, ..)| !is_link_of_an_orchestrator(key))
            .collect();
        let file = flags.config.clone().or_else(|| {
            let (.., text) = environment.iter().find(|(key, ..)| key == "config")?;
            Some(PathBuf::from(text))
        });
        let mut given = Self::default();
        given.merge(from_file(file.as_deref())?)?;
        let named = environment
            .into_iter()
            .filter(|(key, ..)| !names::OF_THE_COMMAND.contains(&key.as_str()));
        let entries = named.map(|(key, _, text)| {
            let texts = if names::LISTS.contains(&key.as_str()) {
                text.split(',').map(|one| one.trim().to_owned()).collect()
            } else {
                vec![text]
            };
            Entry {
                place: Origin::Environment.of(&key),
                texts,
            }
        });
        given.merge(entries.collect())?;
        given.merge(from_flags(flags))?;
        Ok(given)
    }

    /// The value of a setting.
    pub(super) fn one(&self, name: &str) -> Option<&Value> {
        self.0.get(name)?.last()
    }

    /// Every value of a setting that can be given several times.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.0.get(name).into_iter().flatten()
    }

    /// The value of a setting, or its default, as `read` understands it.
    pub(super) fn read<T>(
        &self,
        name: &str,
        default: &str,
        read: impl Fn(&Value) -> Result<T, Error>,
    ) -> Result<T, Error> {
        read(&self.or(name, default))
    }

    /// The value of a setting, or its default.
    pub(super) fn or(&self, name: &str, default: &str) -> Value {
        let value = self.one(name).cloned();
        value.unwrap_or_else(|| Value::new(default, Origin::Default.of(name)))
    }

    /// Puts a stronger layer over what there is.
    fn merge(&mut self, layer: Vec<Entry>) -> Result<(), Error> {
        let mut seen: Vec<&'static str> = Vec::new();
        for entry in layer {
            let (name, texts) = entry.resolve()?;
            if seen.contains(&name) {
                let problem = format!(
                    "`{name}` is given twice here, as a value and as a file; leave one of them out"
                );
                return Err(Error::SettingInvalid {
                    origin: entry.place.to_string(),
                    problem,
                });
            }
            seen.push(name);
            let values = texts
                .into_iter()
                .map(|text| Value::new(text, entry.place.clone()));
            self.0.insert(name, values.collect());
        }
        Ok(())
    }
}

/// One setting as one layer gives it.
struct Entry {
    place: Place,
    texts: Vec<String>,
}

impl Entry {
    /// The setting, and its value: of a `_file` twin, what the file holds.
    fn resolve(&self) -> Result<(&'static str, Vec<String>), Error> {
        let key = self.place.key();
        let secret = key
            .strip_suffix(FILE_TWIN)
            .and_then(|name| SECRETS.into_iter().find(|secret| *secret == name));
        if let Some(secret) = secret {
            let path = PathBuf::from(self.texts.last().map(String::as_str).unwrap_or_default());
            let text = std::fs::read_to_string(&path).map_err(|source| Error::SettingFile {
                origin: self.place.to_string(),
                path,
                source,
            })?;
            return Ok((secret, vec![text.trim_end_matches(['\r', '\n']).to_owned()]));
        }
        let origin = self.place.origin();
        match names::find(key) {
            Some(name) => Ok((name, self.texts.clone())),
            None => Err(Error::SettingUnknown {
                origin: self.place.to_string(),
                nearest: names::nearest(key).map(|name| origin.spelled(name)),
                known: names::ALL.map(|name| origin.spelled(name)).join(", "),
            }),
        }
    }
}

// A cluster tells its pods about a service named `countersign` in variables of these names.
fn is_link_of_an_orchestrator(key: &str) -> bool {
    ["service_host", "service_port", "port"].iter().any(|link| {
        key.strip_prefix(link)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    })
}

fn from_file(named: Option<&Path>) -> Result<Vec<Entry>, Error> {
    let path = named.unwrap_or(Path::new(DEFAULT_FILE));
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(problem) if named.is_none() && problem.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Vec::new());
        }
        Err(source) => {
            return Err(Error::ConfigurationUnreadable {
                path: path.to_owned(),
                source,
            });
        }
    };
    let table: toml::Table =
        text.parse()
            .map_err(|problem: toml::de::Error| Error::ConfigurationMalformed {
                path: path.to_owned(),
                // The message alone: the rendered error would quote the line, and a line may hold a secret.
                problem: format!("{}{}", problem.message(), line_of(&text, problem.span())),
            })?;
    table
        .into_iter()
        .map(|(key, value)| from_toml(path, &key, value))
        .collect()
}

fn line_of(text: &str, span: Option<std::ops::Range<usize>>) -> String {
    let before = span.and_then(|span| text.get(..span.start));
    before.map_or_else(String::new, |before| {
        format!(
            " in line {}",
            before.matches('\n').count().saturating_add(1)
        )
    })
}

fn from_toml(path: &Path, key: &str, value: toml::Value) -> Result<Entry, Error> {
    let place = Origin::File(path.to_owned()).of(key);
    let problem = || Error::SettingInvalid {
        origin: place.to_string(),
        problem: "write a text, a number, or a list of texts".to_owned(),
    };
    let scalar = |value: toml::Value| match value {
        toml::Value::String(text) => Ok(text),
        toml::Value::Integer(number) => Ok(number.to_string()),
        _ => Err(problem()),
    };
    let texts = match value {
        toml::Value::Array(items) if names::LISTS.contains(&key) => {
            items.into_iter().map(scalar).collect::<Result<_, _>>()?
        }
        other => vec![scalar(other)?],
    };
    Ok(Entry { place, texts })
}

fn from_flags(flags: Flags) -> Vec<Entry> {
    let path = |path: Option<PathBuf>| path.map(|path| path.to_string_lossy().into_owned());
    let single = [
        ("listen", flags.listen),
        ("metrics_listen", flags.metrics_listen),
        ("tls_cert", path(flags.tls_cert)),
        ("tls_key", path(flags.tls_key)),
        ("data", path(flags.data)),
        ("public_url", flags.public_url),
        ("signing_alg", flags.signing_alg),
        ("signing_secret", flags.signing_secret),
        ("signing_secret_file", path(flags.signing_secret_file)),
        ("access_ttl", flags.access_ttl),
        ("session_ttl", flags.session_ttl),
        ("session_idle_ttl", flags.session_idle_ttl),
        ("invalid_token_status", flags.invalid_token_status),
        ("token_cache", flags.token_cache),
        ("inspector", flags.inspector),
        ("key_encryption_key", flags.key_encryption_key),
        (
            "key_encryption_key_file",
            path(flags.key_encryption_key_file),
        ),
    ];
    let entry = |key: &str, texts| Entry {
        place: Origin::Flag.of(key),
        texts,
    };
    let mut entries: Vec<_> = single
        .into_iter()
        .filter_map(|(key, text)| Some(entry(key, vec![text?])))
        .collect();
    let lists = [
        ("audience", flags.audience),
        ("cors_origin", flags.cors_origin),
        ("trusted_proxy", flags.trusted_proxy),
    ];
    let lists = lists.into_iter().filter(|(_, texts)| !texts.is_empty());
    entries.extend(lists.map(|(key, texts)| entry(key, texts)));
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(environment: &[(&str, &str)]) -> Result<Given, Error> {
        Given::collect(
            Flags::default(),
            environment
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    }

    fn of_file(text: &str) -> Result<Given, Error> {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("c.toml");
        std::fs::write(&config, text).unwrap();
        Given::collect(
            Flags {
                config: Some(config),
                ..Flags::default()
            },
            [],
        )
    }

    #[test]
    fn rejects_an_unknown_name_and_says_the_nearest() {
        let error = of(&[("COUNTERSIGN_LSTEN", "x")]).err().unwrap();
        assert_eq!(
            error.to_string(),
            "environment variable COUNTERSIGN_LSTEN names no setting; did you mean COUNTERSIGN_LISTEN?"
        );
        let error = of_file("public-url = \"https://id.example\"")
            .err()
            .unwrap();
        assert!(
            error
                .to_string()
                .ends_with("names no setting; did you mean `public_url`?"),
            "{error}"
        );
    }

    #[test]
    fn a_name_that_is_near_to_nothing_is_told_all_names_and_none_is_suggested() {
        let error = of(&[("COUNTERSIGN_FOO", "x")]).err().unwrap().to_string();
        assert!(
            error.starts_with(
                "environment variable COUNTERSIGN_FOO names no setting; known are COUNTERSIGN_ACCESS_TTL, "
            ),
            "{error}"
        );
        let error = of_file("zzzz = 1").err().unwrap().to_string();
        assert!(
            error.contains("names no setting; known are `access_ttl`, `audience`, `cors_origin`, "),
            "{error}"
        );
    }

    #[test]
    fn accepts_what_is_not_for_it() {
        let environment = [
            ("PATH", "/bin"),
            ("COUNTERSIGN_LOG", "debug"),
            ("COUNTERSIGN_VECTORS", "../vectors"),
            ("COUNTERSIGN_SERVICE_HOST", "10.0.0.1"),
            ("COUNTERSIGN_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
        ];
        assert!(of(&environment).unwrap().0.is_empty());
    }

    #[test]
    fn an_audience_is_a_list_in_every_layer() {
        let texts = |given: &Given| {
            given
                .all("audience")
                .map(|value| value.text().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            texts(&of(&[("COUNTERSIGN_AUDIENCE", "a, b")]).unwrap()),
            ["a", "b"]
        );
        assert_eq!(
            texts(&of_file("audience = [\"a\", \"b\"]").unwrap()),
            ["a", "b"]
        );
        assert_eq!(texts(&of_file("audience = \"a\"").unwrap()), ["a"]);
    }

    #[test]
    fn rejects_a_file_that_is_malformed_without_quoting_it() {
        let error = of_file("listen = \"127.0.0.1:1\"\nsigning_secret = \"hunter2")
            .err()
            .unwrap();
        assert!(
            error.to_string().ends_with("in line 2") && !error.to_string().contains("hunter2"),
            "{error}"
        );
        for text in ["listen = true", "listen = [\"a\"]", "[listen]\na = 1"] {
            assert_eq!(
                of_file(text).err().unwrap().code(),
                "setting_invalid",
                "{text}"
            );
        }
    }

    #[test]
    fn rejects_a_named_file_that_is_not_there() {
        let flags = Flags {
            config: Some(PathBuf::from("/nowhere/at/all.toml")),
            ..Flags::default()
        };
        let error = Given::collect(flags, []).err().unwrap();
        assert_eq!(error.exit_code(), 4);
        assert_eq!(
            error.to_string(),
            "the configuration file /nowhere/at/all.toml does not exist; name another with `--config`"
        );
    }
}
