//! The strict base64url codec: one text for each octet sequence (RFC 7515 §2, RFC 4648 §5).
//!
//! No padding, no white space, no second alphabet, and the unused bits of the last character are zero. A decoder that
//! forgives any of these gives one token many spellings, and a deny list or a cache keyed by the text can be walked around.

use base64::{DecodeError, Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use base64_simd::{Out, URL_SAFE_NO_PAD as SIMD};

use crate::error::{Error, Malformed, Part};

/// Encodes without padding.
pub(crate) fn encode(octets: impl AsRef<[u8]>) -> String {
    SIMD.encode_to_string(octets)
}

/// Appends the text of `octets` to `out`.
pub(crate) fn encode_into(octets: &[u8], out: &mut String) {
    SIMD.encode_append(octets, out);
}

/// Puts the text of what stands from `start` on in its place.
pub(crate) fn encode_tail(octets: &mut Vec<u8>, start: usize) {
    let end = octets.len();
    let text = SIMD.encoded_length(end.saturating_sub(start));
    octets.resize(end.saturating_add(text), 0);
    let (before, room) = octets.split_at_mut(end);
    let _ = SIMD.encode(
        before.get(start..).unwrap_or_default(),
        Out::from_slice(room),
    );
    octets.copy_within(end.., start);
    octets.truncate(start.saturating_add(text));
}

/// Decodes the only text that [`encode`] makes of some octets, and refuses every other.
///
/// # Errors
/// [`Malformed::Alphabet`] for a character outside `A-Z a-z 0-9 - _`, [`Malformed::Base64`] for padding, an impossible
/// length or unused bits that are not zero. `part` says where the text stood.
pub(crate) fn decode(text: impl AsRef<[u8]>, part: Part) -> Result<Vec<u8>, Error> {
    let mut octets = Vec::new();
    decode_into(text.as_ref(), &mut octets, part)?;
    Ok(octets)
}

/// Decodes as [`decode`] does, in the place of what `octets` held.
pub(crate) fn decode_into(text: &[u8], octets: &mut Vec<u8>, part: Part) -> Result<(), Error> {
    octets.clear();
    SIMD.decode_append(text, octets)
        .map_err(|_| refused(text, part))
}

/// Decodes as [`decode`] does, to the front of `octets`; `None` where they do not fit there.
pub(crate) fn decode_to<'o>(
    text: &[u8],
    octets: &'o mut [u8],
    part: Part,
) -> Result<Option<&'o [u8]>, Error> {
    if text.len().div_ceil(4).saturating_mul(3) > octets.len() {
        return Ok(None);
    }
    match SIMD.decode(text, Out::from_slice(octets)) {
        Ok(octets) => Ok(Some(octets)),
        Err(_) => Err(refused(text, part)),
    }
}

/// What is wrong with a text that the fast decoder has refused. The other decoder knows the place; should it find nothing
/// wrong, the text is refused all the same.
fn refused(text: &[u8], part: Part) -> Error {
    let error = URL_SAFE_NO_PAD.decode(text).err();
    error
        .map_or(Malformed::Base64 { part }, |error| malformed(error, part))
        .into()
}

fn malformed(error: DecodeError, part: Part) -> Malformed {
    match error {
        DecodeError::InvalidByte(_, b'=') => Malformed::Base64 { part },
        DecodeError::InvalidByte(at, _) => Malformed::Alphabet { part, at },
        _ => Malformed::Base64 { part },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(text: &str) -> Result<Vec<u8>, Error> {
        decode(text, Part::Payload)
    }

    #[test]
    fn accepts_the_text_of_rfc_7515_appendix_c() {
        assert_eq!(decoded("A-z_4ME"), Ok(vec![3, 236, 255, 224, 193]));
        assert_eq!(encode([3, 236, 255, 224, 193]), "A-z_4ME");
    }

    #[test]
    fn a_buffer_of_just_the_size_is_enough() {
        let mut octets = [0; 6];
        let to = decode_to(b"QUJDREVG", &mut octets, Part::Payload);
        assert_eq!(to, Ok(Some(&b"ABCDEF"[..])));
        let mut octets = [0; 5];
        assert_eq!(decode_to(b"QUJDREVG", &mut octets, Part::Payload), Ok(None));
    }

    #[test]
    fn rejects_padding() {
        for text in ["QQ==", "QQ=", "QUI=", "="] {
            assert_eq!(
                decoded(text),
                Err(Error::Malformed(Malformed::Base64 {
                    part: Part::Payload
                })),
                "{text}"
            );
        }
    }

    #[test]
    fn rejects_unused_bits_that_are_not_zero() {
        assert!(decoded("QQ").is_ok());
        for text in ["QR", "Qf", "QUJ", "QUL"] {
            assert_eq!(
                decoded(text),
                Err(Error::Malformed(Malformed::Base64 {
                    part: Part::Payload
                })),
                "{text}"
            );
        }
    }

    #[test]
    fn rejects_characters_of_other_alphabets() {
        for text in ["QU+J", "QU/J", "QU J", "QUI\n", "\0QUI", "QU.I", "QÜI"] {
            assert!(
                matches!(
                    decoded(text),
                    Err(Error::Malformed(Malformed::Alphabet {
                        part: Part::Payload,
                        ..
                    }))
                ),
                "{text:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_itself(octets: Vec<u8>) {
            prop_assert_eq!(decoded(&encode(&octets)), Ok(octets));
        }

        #[test]
        fn both_decoders_take_and_refuse_the_same_texts(text in "[A-Za-z0-9_=+-]{0,80}", noise: Vec<u8>) {
            for text in [text.as_bytes(), &noise, encode(&noise).as_bytes()] {
                let plain = URL_SAFE_NO_PAD.decode(text);
                let mut stack = [0; 64];
                prop_assert_eq!(decode(text, Part::Payload).ok(), plain.as_ref().ok().cloned());
                match decode_to(text, &mut stack, Part::Payload) {
                    Ok(Some(octets)) => prop_assert_eq!(Ok(octets), plain.as_deref()),
                    Ok(None) => prop_assert!(text.len() > 80),
                    Err(_) => prop_assert!(plain.is_err()),
                }
            }
        }

        #[test]
        fn what_decodes_has_no_other_spelling(text in "[A-Za-z0-9_=-]{0,40}") {
            if let Ok(octets) = decoded(&text) {
                prop_assert_eq!(encode(octets), text);
            }
        }
    }
}
