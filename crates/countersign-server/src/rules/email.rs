//! E-mail addresses: what counts as one, and the one spelling in which it is stored and compared.
//!
//! Two texts that mail takes for one address are one account: letter case counts for nothing, accents may be written in either
//! of Unicode's ways (NFC), and a domain is what UTS 46 makes of it, in letters and not in Punycode. Letters of two scripts that
//! only look the same stay two addresses; [`in_ascii`] tells them apart for a person.

use std::borrow::Cow;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization as _;

use crate::error::Error;

const MAX_CHARS: usize = 254;
const MAX_LOCAL_CHARS: usize = 64;
const MAX_LABEL_CHARS: usize = 63;
/// Nobody's, and never will be (RFC 2606 §2).
const NOBODYS: &str = "invalid";

/// An address in the one form in which it is stored and compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Email(Cow<'static, str>);

impl Email {
    /// Takes an address as a person types it.
    ///
    /// Whether mail arrives there only a mail can tell; this refuses what cannot be an address (RFC 5321 §4.1.2,
    /// without quoted local parts) or would be dangerous in a header.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let text: String = folded(text).nfc().collect();
        let (local, domain) = parts(&text).ok_or(Error::InvalidEmail)?;
        let (domain, read) =
            Uts46::new().to_unicode(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::Allow);
        let text = format!("{local}@{domain}");
        let is_nobodys = domain.rsplit('.').next() == Some(NOBODYS);
        let holds = read.is_ok() && parts(&text).is_some() && ascii_domain(&domain).is_some();
        if holds && !is_nobodys {
            Ok(Self(text.into()))
        } else {
            Err(Error::InvalidEmail)
        }
    }

    /// An address that nobody can come with: its local part is quoted, and so it was never [parsed](Self::parse).
    pub(crate) const fn of_nobody(quoted: &'static str) -> Self {
        Self(Cow::Borrowed(quoted))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Every spelling under which the account of an address may have been stored, as a person types it: accounts that were made
/// before there was one form are found by the text with which they were made. Of what is no address there are none.
pub(crate) fn spellings(text: &str) -> Vec<String> {
    // What it was made with comes first: there may be a newer account in the one form.
    let typed = Some(folded(text)).filter(|text| parts(text).is_some());
    let one = Email::parse(text).ok().map(|email| email.0.into_owned());
    let in_punycode = one.as_deref().and_then(with_ascii_domain);
    let mut all = Vec::new();
    for spelling in [typed, one, in_punycode].into_iter().flatten() {
        if !all.contains(&spelling) {
            all.push(spelling);
        }
    }
    all
}

/// The one text by which attempts at an account are counted, however its address is spelled; of what is no address, the
/// text itself.
pub(crate) fn counted_as(text: &str) -> String {
    Email::parse(text).map_or_else(|_| folded(text), |email| email.0.into_owned())
}

/// An address that is not ASCII, in ASCII: its domain in Punycode, other letters by their numbers. `None` for every other.
pub(crate) fn in_ascii(email: &str) -> Option<String> {
    if email.is_ascii() {
        return None;
    }
    let punycode = with_ascii_domain(email);
    let letters = punycode.as_deref().unwrap_or(email).chars();
    let written = letters.map(|letter| {
        if letter.is_ascii() {
            letter.to_string()
        } else {
            letter.escape_unicode().to_string()
        }
    });
    Some(written.collect())
}

fn with_ascii_domain(email: &str) -> Option<String> {
    let (local, domain) = email.rsplit_once('@')?;
    Some(format!("{local}@{}", ascii_domain(domain)?))
}

fn ascii_domain(domain: &str) -> Option<Cow<'_, str>> {
    let domain = domain.as_bytes();
    let (hyphens, length) = (Hyphens::Allow, DnsLength::Verify);
    let ascii = Uts46::new().to_ascii(domain, AsciiDenyList::STD3, hyphens, length);
    ascii.ok()
}

fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}

/// The local part and the domain of what has the form of an address.
fn parts(text: &str) -> Option<(&str, &str)> {
    let (local, domain) = text.rsplit_once('@')?;
    let holds = text.chars().count() <= MAX_CHARS && is_local_part(local) && is_domain(domain);
    holds.then_some((local, domain))
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
    fn an_address_has_one_form_however_it_is_spelled() {
        for (text, stored) in [
            ("root@\u{ff58}.example", "root@x.example"),
            ("root@X.EXAMPLE", "root@x.example"),
            ("ada@xn--bcher-kva.example", "ada@bücher.example"),
            ("ada@BÜCHER.example", "ada@bücher.example"),
            (
                "ju\u{308}rgen@bu\u{308}cher.example",
                "jürgen@bücher.example",
            ),
            ("ada@r3---sn.example", "ada@r3---sn.example"),
        ] {
            let email = Email::parse(text).unwrap();
            assert_eq!(email.as_str(), stored, "{text}");
            assert_eq!(Email::parse(stored).unwrap(), email);
            assert_eq!(counted_as(text), stored);
        }
        assert_eq!(counted_as(" No Address "), "no address");
    }

    #[test]
    fn an_account_is_looked_for_under_what_was_typed_before_the_one_form() {
        assert_eq!(spellings("Ada@Example.com"), ["ada@example.com"]);
        assert_eq!(
            spellings("root@\u{ff58}.example"),
            ["root@\u{ff58}.example", "root@x.example"]
        );
        let (letters, punycode) = ("ada@bücher.example", "ada@xn--bcher-kva.example");
        assert_eq!(spellings(letters), [letters, punycode]);
        assert_eq!(spellings(punycode), [punycode, letters]);
        assert_eq!(spellings("demo@x.invalid"), ["demo@x.invalid"]);
        assert!(spellings("\"demo\"@x.invalid").is_empty());
    }

    #[test]
    fn letters_that_only_look_the_same_are_told_apart_in_ascii() {
        assert_eq!(in_ascii("root@x.example"), None);
        for (email, written) in [
            ("r\u{43e}ot@x.example", r"r\u{43e}ot@x.example"),
            ("root@\u{445}.example", "root@xn--u1a.example"),
            ("ada@bücher.example", "ada@xn--bcher-kva.example"),
            // Stored before there was one form.
            ("root@\u{ff58}.example", "root@x.example"),
        ] {
            assert_eq!(in_ascii(email).as_deref(), Some(written), "{email}");
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
            "demo@countersign.invalid",
            "demo@invalid",
            "demo@countersign.\u{ff49}nvalid",
            "ada@xn--a.example",
            "ada@exa\u{ad}mple.com",
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
