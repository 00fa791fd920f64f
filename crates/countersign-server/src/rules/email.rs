//! E-mail addresses: what counts as one, and that they are compared lower-cased.

use crate::error::Error;

const MAX_CHARS: usize = 254;
const MAX_LOCAL_CHARS: usize = 64;
const MAX_LABEL_CHARS: usize = 63;

/// An address in the one form in which it is stored and compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Email(String);

impl Email {
    /// Takes an address as a person types it.
    ///
    /// Whether mail arrives there only a mail can tell; this refuses what cannot be an address (RFC 5321 §4.1.2,
    /// without quoted local parts) or would be dangerous in a header.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim().to_lowercase();
        let (local, domain) = text.rsplit_once('@').ok_or(Error::InvalidEmail)?;
        let holds = text.chars().count() <= MAX_CHARS && is_local_part(local) && is_domain(domain);
        if holds {
            Ok(Self(text))
        } else {
            Err(Error::InvalidEmail)
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_local_part(local: &str) -> bool {
    local.chars().count() <= MAX_LOCAL_CHARS
        && local
            .split('.')
            .all(|atom| !atom.is_empty() && atom.chars().all(is_atom_char))
}

// RFC 5322 §3.2.3, and RFC 6531 for what is not ASCII.
fn is_atom_char(c: char) -> bool {
    c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
}

fn is_domain(domain: &str) -> bool {
    domain.split('.').all(|label| {
        label.chars().count() <= MAX_LABEL_CHARS
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            && !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_addresses_and_lower_cases_them() {
        for (text, stored) in [
            ("ada@example.com", "ada@example.com"),
            (
                " Ada.Lovelace+tag@Example.COM ",
                "ada.lovelace+tag@example.com",
            ),
            ("o'brien@mail.example", "o'brien@mail.example"),
            ("root@localhost", "root@localhost"),
            ("jürgen@bücher.example", "jürgen@bücher.example"),
        ] {
            assert_eq!(Email::parse(text).unwrap().as_str(), stored);
        }
    }

    #[test]
    fn rejects_what_is_no_address() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long = format!("a@{}", "example.".repeat(40));
        for text in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "a b@example.com",
            "ada@exa mple.com",
            ".ada@example.com",
            "ada.@example.com",
            "a..b@example.com",
            "ada@-example.com",
            "ada@example..com",
            "ada@example.com\r\nBcc: eve@example.com",
            "ada@example.com, eve@example.com",
            "<ada@example.com>",
            "a@b@example.com",
            "\"ada\"@example.com",
            &long_local,
            &long,
        ] {
            assert!(
                matches!(Email::parse(text), Err(Error::InvalidEmail)),
                "{text:?}"
            );
        }
    }
}
