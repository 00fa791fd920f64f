//! Text that must not be seen: wiped when dropped, and without `Debug`.

use aws_lc_rs::{constant_time, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::error::Error;

/// A password, a token or a code on its way through.
#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

/// `N` random bytes of the operating system's generator.
pub(crate) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, Error> {
    let mut bytes = Zeroizing::new([0; N]);
    rand::fill(bytes.as_mut_slice())?;
    Ok(bytes)
}

/// Bytes as base64url without padding, the one text form of bytes here.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of a base64url text in its one canonical spelling.
pub(crate) fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    URL_SAFE_NO_PAD.decode(text).ok().map(Zeroizing::new)
}

/// As [`decode`], of `N` bytes and no others; without an allocation.
pub(crate) fn decode_exactly<const N: usize>(text: &str) -> Option<[u8; N]> {
    // Four characters are three bytes: so many can come out of the longest text that may be tried.
    const MOST: usize = 48;
    let mut bytes = Zeroizing::new([0; MOST]);
    if text.len() > MOST {
        return None;
    }
    let length = URL_SAFE_NO_PAD
        .decode_slice(text, bytes.as_mut_slice())
        .ok()?;
    bytes.get(..length)?.try_into().ok()
}

/// Whether two byte strings are the same, in a time that depends on their length alone.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_one_spelling_of_bytes_only() {
        assert_eq!(decode("AQI").map(|bytes| bytes.to_vec()), Some(vec![1, 2]));
        for other in ["AQI=", "AQJ", "AQ I", "A"] {
            assert!(decode(other).is_none(), "{other}");
        }
    }

    #[test]
    fn accepts_so_many_bytes_in_their_one_spelling_only() {
        assert_eq!(decode_exactly("AQI"), Some([1, 2]));
        assert_eq!(decode_exactly::<32>(&encode(&[7; 32])), Some([7; 32]));
        for other in [
            "AQID",
            "AQ",
            "",
            "AQI=",
            "AQJ",
            "A",
            "AQ I",
            &"A".repeat(100),
        ] {
            assert_eq!(decode_exactly::<2>(other), None, "{other}");
        }
    }

    #[test]
    fn sameness_needs_every_byte_and_the_same_length() {
        assert!(same(b"abc", b"abc"));
        for other in [&b"abd"[..], b"ab", b"abcd", b""] {
            assert!(!same(b"abc", other));
        }
    }
}
