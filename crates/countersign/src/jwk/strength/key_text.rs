//! Whether the octets of a secret spell a key that others know: the way in of algorithm confusion (RFC 8725 §2.1).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD_INDIFFERENT, URL_SAFE_NO_PAD_INDIFFERENT};
use serde_json::Value;

use crate::error::Part;
use crate::json;

/// The kind of key that a secret's octets spell, as they are or behind base64, base64url or hexadecimal digits.
pub(super) fn kind(secret: &[u8]) -> Option<&'static str> {
    plain_kind(secret).or_else(|| {
        decodings(secret)
            .iter()
            .find_map(|octets| plain_kind(octets))
    })
}

fn plain_kind(octets: &[u8]) -> Option<&'static str> {
    if is_der(octets) {
        return Some("DER document");
    }
    // UTF-16 is ASCII with zeros between.
    let text: Vec<u8> = octets.iter().copied().filter(|octet| *octet != 0).collect();
    let text = [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff"]
        .into_iter()
        .fold(text.as_slice(), |text, mark| {
            text.strip_prefix(mark).unwrap_or(text)
        })
        .trim_ascii();
    if contains(text, b"-----BEGIN ") || contains(text, b"---- BEGIN ") {
        return Some("PEM document");
    }
    if is_ssh(text) {
        return Some("SSH public key");
    }
    let names_a_key = [&b"\"kty\""[..], b"\"keys\"", b"\"x5c\""]
        .iter()
        .any(|name| contains(text, name));
    let is_json = matches!(text.first(), Some(b'{' | b'['));
    (is_json && (names_a_key || names_a_key_in_escapes(text))).then_some("JWK")
}

/// A word of the text is the name of a kind of key of OpenSSH. Whole names: a random text in base64url may well begin with
/// `ssh-`.
pub(in crate::jwk) fn is_ssh(text: &[u8]) -> bool {
    const NAMES: [&[u8]; 7] = [
        b"ssh-rsa",
        b"ssh-dss",
        b"ssh-ed25519",
        b"ssh-ed448",
        b"ecdsa-sha2-",
        b"sk-ssh-ed25519",
        b"sk-ecdsa-sha2-",
    ];
    let mut words = text.split(u8::is_ascii_whitespace);
    words.any(|word| NAMES.iter().any(|name| word.starts_with(name)))
}

/// The same where a name is written with escapes: `k\u0074y` is `kty` to every parser.
fn names_a_key_in_escapes(text: &[u8]) -> bool {
    let names_a_key = |value: &Value| {
        ["kty", "keys", "x5c"]
            .iter()
            .any(|name| value.get(name).is_some())
    };
    contains(text, b"\\u")
        && match json::parse_value(text, Part::Document) {
            Ok(Value::Array(values)) => values.iter().any(names_a_key),
            Ok(value) => names_a_key(&value),
            Err(_) => false,
        }
}

/// What the text stands for where it is an encoding of octets.
fn decodings(secret: &[u8]) -> Vec<Vec<u8>> {
    let digits: Vec<u8> = secret
        .iter()
        .copied()
        .filter(|octet| !octet.is_ascii_whitespace())
        .collect();
    let hex = || -> Option<Vec<u8>> {
        let value = |digit: &u8| {
            char::from(*digit)
                .to_digit(16)
                .and_then(|value| u8::try_from(value).ok())
        };
        let pairs = digits.chunks_exact(2);
        pairs
            .map(|pair| Some(value(pair.first()?)?.wrapping_shl(4) | value(pair.last()?)?))
            .collect()
    };
    [
        STANDARD_NO_PAD_INDIFFERENT.decode(&digits).ok(),
        URL_SAFE_NO_PAD_INDIFFERENT.decode(&digits).ok(),
        hex(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The most octets of a value whose length is one octet.
const SHORT: usize = 127;

/// One ASN.1 SEQUENCE that fills the octets to the end, white space apart: what every DER key and certificate is. A random secret
/// may well begin like a short one, and like one that is as long as it is: there, others have to be in it.
fn is_der(octets: &[u8]) -> bool {
    // Of an indefinite length, which is no DER and is read all the same.
    if let [0x30, 0x80, .., 0, 0] = octets.trim_ascii_end() {
        return true;
    }
    let is_blank = |octet: &u8| *octet == 0 || octet.is_ascii_whitespace();
    match value(octets) {
        Some((0x30, content, rest)) => {
            rest.iter().all(is_blank) && (content.len() > SHORT || are_values(content))
        }
        _ => false,
    }
}

/// Values of ASN.1, one after the other, to the end, as a key has them: first an INTEGER, a SEQUENCE or an OBJECT IDENTIFIER.
fn are_values(mut octets: &[u8]) -> bool {
    let is_key = matches!(octets.first(), Some(0x02 | 0x06 | 0x30));
    while !octets.is_empty() {
        match value(octets) {
            Some((_, _, rest)) => octets = rest,
            None => return false,
        }
    }
    is_key
}

/// A value of ASN.1 in DER: its tag, its content, and what follows.
fn value(octets: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = octets.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if !(1..=4).contains(&count) {
            return None;
        }
        let (length, rest) = rest.split_at_checked(count)?;
        let length = length.iter().fold(0usize, |length, byte| {
            length.wrapping_shl(8) | usize::from(*byte)
        });
        (length, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn contains(text: &[u8], what: &[u8]) -> bool {
    text.windows(what.len()).any(|window| window == what)
}
