//! Token Status List: a few bits for each of many tokens, so that a verifier can tell which of them were taken back
//! without asking about any (draft-ietf-oauth-status-list §4).
//!
//! A list is kept as the bytes that it is made of: a million tokens at one bit each are 125,000 bytes. What comes from
//! elsewhere is inflated up to a bound, checked to its last byte, and an index beyond its end says nothing.

mod encoded;
mod reference;
mod status;

use std::fmt;

pub use encoded::EncodedStatusList;
pub use reference::StatusReference;
pub use status::{Status, StatusBits};

use crate::error::Error;

/// The largest list that is read or made, in bytes: eight million tokens at one bit each.
pub const MAX_STATUS_LIST_BYTES: usize = 1024 * 1024;

/// The status of many tokens, each at its index.
///
/// ```
/// # fn main() -> Result<(), countersign::Error> {
/// use countersign::{MAX_STATUS_LIST_BYTES, Status, StatusBits, StatusList};
/// let mut list = StatusList::new(StatusBits::One, 1_000_000)?;
/// list.set(77, Status::INVALID)?;
/// let published = list.encode();
///
/// let read = StatusList::decode(&published, MAX_STATUS_LIST_BYTES)?;
/// assert_eq!(read.get(77)?, Status::INVALID);
/// assert_eq!(read.get(78)?, Status::VALID);
/// assert!(read.get(1_000_000).is_err());
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct StatusList {
    bits: StatusBits,
    octets: Box<[u8]>,
}

impl StatusList {
    /// A list of at least `entries` tokens, all of them [`VALID`](Status::VALID); it ends with a whole byte.
    ///
    /// # Errors
    /// [`Error::StatusListTooLarge`] for more than [`MAX_STATUS_LIST_BYTES`].
    pub fn new(bits: StatusBits, entries: usize) -> Result<Self, Error> {
        let octets = entries.div_ceil(bits.entries_per_byte());
        if octets > MAX_STATUS_LIST_BYTES {
            return Err(too_large(MAX_STATUS_LIST_BYTES));
        }
        Ok(Self::from_bytes(bits, vec![0; octets]))
    }

    /// The list that these bytes are: index 0 is in the lowest bits of the first (§4.1).
    #[must_use]
    pub fn from_bytes(bits: StatusBits, bytes: impl Into<Box<[u8]>>) -> Self {
        Self {
            bits,
            octets: bytes.into(),
        }
    }

    /// The bytes that the list is.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.octets
    }

    /// How many bits each token has.
    #[must_use]
    pub const fn bits(&self) -> StatusBits {
        self.bits
    }

    /// How many tokens there is room for: the first index that says nothing.
    #[must_use]
    pub fn entries(&self) -> u64 {
        let entries = self
            .octets
            .len()
            .saturating_mul(self.bits.entries_per_byte());
        u64::try_from(entries).unwrap_or(u64::MAX)
    }

    /// The status at an index.
    ///
    /// # Errors
    /// [`Error::StatusIndexOutOfRange`] beyond the end: nothing is known of such a token, so it is not valid either (§8.3).
    pub fn get(&self, index: u64) -> Result<Status, Error> {
        let (byte, shift) = self.place(index);
        let octet = byte.and_then(|byte| self.octets.get(byte));
        match octet {
            Some(octet) => Ok(Status::from((octet >> shift) & self.bits.mask())),
            None => Err(self.out_of_range()),
        }
    }

    /// Sets the status at an index.
    ///
    /// # Errors
    /// [`Error::StatusIndexOutOfRange`] beyond the end; [`Error::StatusUnfit`] for a status that its bits do not hold.
    pub fn set(&mut self, index: u64, status: Status) -> Result<(), Error> {
        let mask = self.bits.mask();
        if status.value() > mask {
            return Err(Error::StatusUnfit {
                bits: self.bits.number(),
            });
        }
        let (byte, shift) = self.place(index);
        let out_of_range = self.out_of_range();
        let octet = byte
            .and_then(|byte| self.octets.get_mut(byte))
            .ok_or(out_of_range)?;
        *octet = (*octet & !(mask << shift)) | (status.value() << shift);
        Ok(())
    }

    /// As it is published: compressed as well as it goes, in base64url (§4.2).
    #[must_use]
    pub fn encode(&self) -> EncodedStatusList {
        EncodedStatusList::of(self)
    }

    /// Reads a published list of at most `max_bytes` once it is inflated.
    ///
    /// # Errors
    /// [`Error::StatusListMalformed`] for a number of bits other than 1, 2, 4 and 8, and for text that is not one whole
    /// ZLIB stream in base64url and nothing after it; [`Error::StatusListTooLarge`].
    pub fn decode(encoded: &EncodedStatusList, max_bytes: usize) -> Result<Self, Error> {
        encoded.list(max_bytes)
    }

    /// The byte and the bits in it that an index stands for.
    fn place(&self, index: u64) -> (Option<usize>, u32) {
        let per_byte = self.bits.entries_per_byte_log2();
        let within = index & self.bits.last_of_byte();
        let shift = within.saturating_mul(u64::from(self.bits.number()));
        (
            usize::try_from(index >> per_byte).ok(),
            u32::try_from(shift).unwrap_or_default(),
        )
    }

    fn out_of_range(&self) -> Error {
        Error::StatusIndexOutOfRange {
            entries: self.entries(),
        }
    }
}

fn too_large(limit: usize) -> Error {
    Error::StatusListTooLarge { limit }
}

impl fmt::Debug for StatusList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusList")
            .field("bits", &self.bits.number())
            .field("entries", &self.entries())
            .finish_non_exhaustive()
    }
}
