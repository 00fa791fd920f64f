//! What is pasted where a token is expected and is none, by its form, and what to do with it.

use std::fmt;

use crate::rules::refresh_token;

/// Something else than a token. Nothing of it is in here.
#[derive(PartialEq, Eq)]
pub struct Other {
    /// Its stable name.
    pub code: &'static str,
    /// What it is, in a word or a few.
    pub title: &'static str,
    /// What to do with it.
    pub text: &'static str,
    /// Whether whoever reads it could use it: it is shown nowhere.
    pub is_secret: bool,
}

impl fmt::Debug for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

/// A string of letters without a dot that is at least so long is no word of a language.
const OPAQUE: usize = 20;

impl Other {
    const fn public(code: &'static str, title: &'static str, text: &'static str) -> Self {
        Self {
            code,
            title,
            text,
            is_secret: false,
        }
    }

    const fn secret(code: &'static str, title: &'static str, text: &'static str) -> Self {
        Self {
            code,
            title,
            text,
            is_secret: true,
        }
    }

    pub(super) const fn key_in_json(is_set: bool, is_private: bool) -> Self {
        match (is_set, is_private) {
            (false, false) => Self::public(
                "jwk",
                "A key, and no token",
                "This is a public key as a JWK. Give it as the key, and a token here.",
            ),
            (true, false) => Self::public(
                "jwks",
                "A set of keys, and no token",
                "This is a JWK Set. Give it as the key, and a token here.",
            ),
            (is_set, true) => Self::secret(
                if is_set {
                    "private_jwks"
                } else {
                    "private_jwk"
                },
                "A private key, and no token",
                "This JWK is private or a shared secret: whoever has it signs tokens in your name. Nothing of it is kept or shown here. Where it may have been seen by others, replace it; to verify with it, give it as the key.",
            ),
        }
    }

    pub(super) const fn jws_in_json(signatures: usize) -> Self {
        if signatures == 1 {
            return Self::public(
                "jws_json",
                "A JWS in JSON",
                "Its one signature has a header that is not signed, or parts that are no base64url, so there is no compact form of it, and no JWT is like that. `countersign jws verify` reads it.",
            );
        }
        Self::public(
            "jws_json",
            "A JWS in JSON",
            "It does not have exactly one signature, so there is no compact form of it, and no JWT is like that. `countersign jws verify` reads it.",
        )
    }

    pub(super) const fn jwe_in_json() -> Self {
        Self::public(
            "jwe_json",
            "Encrypted, in JSON",
            "This is a JWE in its JSON form (RFC 7516 §7.2): only whoever has the key reads what is inside.",
        )
    }

    pub(super) const fn empty_header() -> Self {
        Self::public(
            "empty_header",
            "A header without a token",
            "Nothing stands behind its scheme: where a shell filled it in, the variable was not set.",
        )
    }

    pub(super) const fn plain_json() -> Self {
        Self::public(
            "json",
            "JSON, and no token",
            "No string of it is a token: a token is three parts of letters with dots between them, as eyJ….eyJ….…. If these are a token's claims, the token is what they came out of.",
        )
    }

    pub(super) const fn refresh_token() -> Self {
        Self::secret(
            "refresh_token",
            "A refresh token, and no JWT",
            "Only this kind of server reads it, at /refresh: there are no claims in it. Whoever has it stays logged in, so nothing of it is shown here. Where others may have seen it, log out.",
        )
    }
}

const PRIVATE_PEM: Other = Other::secret(
    "private_pem",
    "A private key, and no token",
    "Whoever has this key signs in your name. Nothing of it is kept or shown here. Where it may have been seen by others, replace it; to verify, give its public half as the key.",
);
const PRIVATE_SSH: Other = Other::secret(
    "private_ssh",
    "A private key of SSH, and no token",
    "Whoever has this key logs in to your machines. Nothing of it is kept or shown here. Where it may have been seen by others, take it off them and make another.",
);
const BASIC: Other = Other::secret(
    "basic",
    "A name and a password, and no token",
    "An Authorization header of the scheme Basic holds them as plain text. Nothing of it is kept or shown here. Where others may have seen it, change the password.",
);
const PUBLIC_PEM: Other = Other::public(
    "pem",
    "A key, and no token",
    "This is a public key or a certificate in PEM. Give it as the key, and a token here.",
);
const PUBLIC_SSH: Other = Other::public(
    "ssh",
    "A public key of SSH, and no token",
    "No token is verified with it as it stands. `ssh-keygen -e -m PKCS8 -f FILE` writes it as PEM, to be given as the key.",
);
const PASETO: Other = Other::public(
    "paseto",
    "A PASETO, and no JWT",
    "It begins with its version and its purpose, as v4.public.…, and is verified by libraries for PASETO.",
);
const SAML: Other = Other::public(
    "saml",
    "SAML, and no JWT",
    "XML, or XML in base64: an assertion or an answer of SAML. It is signed by XML Signature and verified by libraries for SAML.",
);
const ADDRESS: Other = Other::public(
    "address",
    "An address, and no token",
    "There is no token in it. If it is that of an issuer, give it as the issuer, in place of a key.",
);
const OPAQUE_TOKEN: Other = Other::public(
    "opaque",
    "No JWT",
    "Letters without a dot: an opaque token, about which only its issuer can be asked (RFC 7662), or a secret. There are no claims in it. A secret to verify with is given as the key.",
);

/// A private key anywhere in a text, or a password.
pub(super) fn secret(text: &str) -> Option<Other> {
    for (at, begin) in text.match_indices("-----BEGIN ") {
        let rest = text.get(at.saturating_add(begin.len())..)?;
        let label: String = rest
            .chars()
            .take(40)
            .take_while(|letter| *letter != '-')
            .collect();
        if label.contains("OPENSSH PRIVATE KEY") {
            return Some(PRIVATE_SSH);
        }
        if label.contains("PRIVATE KEY") {
            return Some(PRIVATE_PEM);
        }
    }
    if text.starts_with("PuTTY-User-Key-File") {
        return Some(PRIVATE_SSH);
    }
    let start = text.get(..64).unwrap_or(text).to_ascii_lowercase();
    let value = start.strip_prefix("authorization:").unwrap_or(&start);
    value.trim_start().starts_with("basic ").then_some(BASIC)
}

/// A word of base64url letters and dots, where its form has a name and is not that of a token.
pub(super) fn of_word(word: &str) -> Option<Other> {
    if is_refresh_token(word) {
        return Some(Other::refresh_token());
    }
    let mut parts = word.split('.');
    if let (Some(version), Some(purpose), Some(_)) = (parts.next(), parts.next(), parts.next())
        && matches!(version, "v1" | "v2" | "v3" | "v4")
        && matches!(purpose, "public" | "local")
    {
        return Some(PASETO);
    }
    if is_saml(word) {
        return Some(SAML);
    }
    let begins_a_token = word.starts_with("ey") || word.starts_with("ew");
    (word.len() >= OPAQUE && !word.contains('.') && !begins_a_token).then_some(OPAQUE_TOKEN)
}

/// Anything else that has a name.
pub(super) fn of_text(text: &str) -> Option<Other> {
    if text.contains("-----BEGIN ") {
        return Some(PUBLIC_PEM);
    }
    let starts = |all: &[&str]| all.iter().any(|one| text.starts_with(one));
    if starts(&[
        "ssh-rsa ",
        "ssh-ed25519 ",
        "ecdsa-sha2-",
        "sk-ssh-",
        "sk-ecdsa-",
    ]) {
        return Some(PUBLIC_SSH);
    }
    if is_saml(text) || text.contains("SAMLResponse=") {
        return Some(SAML);
    }
    if starts(&["http://", "https://"]) && !text.contains(char::is_whitespace) {
        return Some(ADDRESS);
    }
    let is_base64 = |byte: u8| super::find::is_letter(byte) || matches!(byte, b'+' | b'/' | b'=');
    let is_opaque = text.len() >= OPAQUE && !text.contains('.') && text.bytes().all(is_base64);
    (is_opaque && !starts(&["ey", "ew"])).then_some(OPAQUE_TOKEN)
}

/// `<saml`, `<?xml` and what they are in base64.
fn is_saml(text: &str) -> bool {
    let start = text.get(..1_024).unwrap_or(text);
    let is_xml = start.starts_with("<?xml") && start.to_ascii_lowercase().contains("saml");
    let starts = |one: &str| {
        start
            .get(..one.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(one))
    };
    is_xml
        || starts("<saml")
        || ["PHNhbW", "PFNBTU", "PD94bWw"]
            .iter()
            .any(|one| start.starts_with(one))
}

/// This server's own, by its form.
pub(super) fn is_refresh_token(word: &str) -> bool {
    refresh_token::has_its_form(word)
}

/// Whether these are the names of a key's members.
pub(super) fn is_key<'n>(mut names: impl Iterator<Item = &'n String>) -> bool {
    names.any(|name| name == "kty")
}
