//! Where a value was given, and how somebody who gives values there spells a setting.

use std::fmt;
use std::path::PathBuf;

/// The place of a value.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// A key of the configuration file.
    File(PathBuf),
    /// An environment variable.
    Environment,
    /// A flag.
    Flag,
    /// Nowhere: the default.
    Default,
}

impl Origin {
    /// The name of a setting as it is written there.
    pub(super) fn spelled(&self, key: &str) -> String {
        match self {
            Self::File(_) => format!("`{key}`"),
            Self::Environment => format!("COUNTERSIGN_{}", key.to_ascii_uppercase()),
            Self::Flag | Self::Default => format!("--{}", key.replace('_', "-")),
        }
    }

    /// The setting and its place, as the beginning of a message.
    pub(super) fn of(&self, key: &str) -> Place {
        Place {
            origin: self.clone(),
            key: key.to_owned(),
        }
    }
}

/// A setting at a place.
#[derive(Clone, Debug)]
pub(super) struct Place {
    origin: Origin,
    key: String,
}

impl Place {
    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spelled = self.origin.spelled(&self.key);
        match &self.origin {
            Origin::File(path) => write!(f, "key {spelled} of {}", path.display()),
            Origin::Environment => write!(f, "environment variable {spelled}"),
            Origin::Flag => write!(f, "flag {spelled}"),
            Origin::Default => write!(f, "the default of {spelled}"),
        }
    }
}
