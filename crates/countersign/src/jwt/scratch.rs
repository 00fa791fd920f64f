//! Memory for verifications, used again and again.

use std::fmt;
use std::mem;

use super::verify::Notes;
use crate::base64url;
use crate::error::{Error, Part};
use crate::jwk::{JwkSet, VerifyingKey};
use crate::jws::{Compact, Header, Parts};

/// The longest signature that needs no memory of its own: that of an RSA key of 4096 bits.
const INLINE: usize = 512;

/// Memory that [`Verifier::verify_in`](crate::Verifier::verify_in) works in: one for each thread or task, for as long as
/// that lives. It keeps what the last token needed, which is at most its size.
///
/// ```
/// let scratch = countersign::Scratch::new();
/// ```
pub struct Scratch {
    payload: Decoded,
    signature: [u8; INLINE],
    long_signature: Vec<u8>,
    header: Option<Header>,
    notes: Notes,
}

/// A token that was taken apart in a [`Scratch`].
pub(super) struct Opened<'s> {
    pub(super) parts: Parts<'s>,
    /// The text of its header.
    pub(super) header: &'s [u8],
    /// The key that has signed under this very header before.
    pub(super) key: Option<&'s VerifyingKey>,
    pub(super) notes: &'s mut Notes,
}

impl Scratch {
    /// Nothing is allocated yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            payload: Decoded::new(),
            signature: [0; INLINE],
            long_signature: Vec::new(),
            header: None,
            notes: Notes::new(),
        }
    }

    /// Takes a token apart as [`Unverified::parse`](crate::Unverified::parse) does: the same refusals in the same order. A
    /// header under which a key of the set has signed before is not read again.
    pub(super) fn open<'s>(
        &'s mut self,
        token: &'s [u8],
        keys: &'s JwkSet,
        limit: usize,
    ) -> Result<Opened<'s>, Error> {
        let compact = Compact::split(token, limit)?;
        self.notes.renew();
        let (header, key) = match keys.recall(compact.header) {
            Some((header, key)) => (header, Some(key)),
            None => (
                &*self.header.insert(Header::parse_of_token(compact.header)?),
                None,
            ),
        };
        self.payload.decode(compact.payload)?;
        let text = compact.signature;
        let signature = match base64url::decode_to(text, &mut self.signature, Part::Signature)? {
            Some(signature) => signature,
            None => {
                base64url::decode_into(text, &mut self.long_signature, Part::Signature)?;
                &self.long_signature
            }
        };
        Ok(Opened {
            parts: Parts {
                signing_input: compact.signing_input,
                header,
                payload: self.payload.octets(),
                text: self.payload.text(),
                signature,
            },
            header: compact.header,
            key,
            notes: &mut self.notes,
        })
    }

    /// The payload of the last token, with its memory.
    pub(super) fn take_payload(&mut self) -> String {
        mem::take(&mut self.payload.text)
    }
}

/// A decoded payload: a text, unless it is not UTF-8.
struct Decoded {
    text: String,
    /// Empty beside a text.
    octets: Vec<u8>,
}

impl Decoded {
    const fn new() -> Self {
        Self {
            text: String::new(),
            octets: Vec::new(),
        }
    }

    /// Decodes another into the same memory.
    fn decode(&mut self, text: &[u8]) -> Result<(), Error> {
        let memory = mem::take(&mut self.text).into_bytes();
        if memory.capacity() > self.octets.capacity() {
            self.octets = memory;
        }
        base64url::decode_into(text, &mut self.octets, Part::Payload)?;
        match String::from_utf8(mem::take(&mut self.octets)) {
            Ok(text) => self.text = text,
            Err(not_text) => self.octets = not_text.into_bytes(),
        }
        Ok(())
    }

    fn text(&self) -> Option<&str> {
        self.octets.is_empty().then_some(&*self.text)
    }

    fn octets(&self) -> &[u8] {
        self.text().map_or(&*self.octets, str::as_bytes)
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Scratch {
    /// Nothing of the last token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}
