//! A list as it is published: the JSON object `{"bits": …, "lst": …}` (draft-ietf-oauth-status-list §4.1, §4.2).

use std::fmt;

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::DecompressorOxide;
use miniz_oxide::inflate::core::decompress;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use serde::{Deserialize, Serialize};

use super::{StatusBits, StatusList, too_large};
use crate::base64url;
use crate::error::{Error, Part};

/// The effort of the compressor, from 0 to 10. The draft asks for the highest; beyond this a list takes several times as
/// long and is hardly smaller.
const LEVEL: u8 = 9;

/// The room that a list is given first, where the limit allows it; it grows by doubling.
const FIRST_BYTES: usize = 4 * 1024;

/// A status list as it stands in a token; further members, such as `aggregation_uri`, are not read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncodedStatusList {
    /// How many bits each token has: 1, 2, 4 or 8.
    pub bits: u8,
    /// The bytes of the list, as a ZLIB stream (RFC 1950), in base64url.
    pub lst: String,
}

impl EncodedStatusList {
    pub(super) fn of(list: &StatusList) -> Self {
        Self {
            bits: list.bits().number(),
            lst: base64url::encode(compress_to_vec_zlib(list.as_bytes(), LEVEL)),
        }
    }

    pub(super) fn list(&self, max_bytes: usize) -> Result<StatusList, Error> {
        let bits = StatusBits::try_from(self.bits)?;
        let stream = base64url::decode(&self.lst, Part::Document)
            .map_err(|_| malformed("is not base64url without padding"))?;
        Ok(StatusList::from_bytes(bits, inflate(&stream, max_bytes)?))
    }
}

const fn malformed(what: &'static str) -> Error {
    Error::StatusListMalformed { what }
}

/// Inflates one ZLIB stream that ends with its last byte. No more than `limit` bytes are ever held.
fn inflate(stream: &[u8], limit: usize) -> Result<Vec<u8>, Error> {
    let mut inflater = DecompressorOxide::new();
    let mut octets = vec![0; FIRST_BYTES.min(limit)];
    let (mut read, mut written) = (0_usize, 0_usize);
    loop {
        let (status, consumed, produced) = decompress(
            &mut inflater,
            stream.get(read..).unwrap_or_default(),
            &mut octets,
            written,
            TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
        );
        read = read.saturating_add(consumed);
        written = written.saturating_add(produced);
        match status {
            TINFLStatus::Done if read == stream.len() => {
                octets.truncate(written);
                return Ok(octets);
            }
            TINFLStatus::Done => return Err(malformed("goes on after the end of its ZLIB stream")),
            TINFLStatus::HasMoreOutput if octets.len() < limit => {
                octets.resize(octets.len().saturating_mul(2).min(limit), 0);
            }
            TINFLStatus::HasMoreOutput => return Err(too_large(limit)),
            TINFLStatus::Adler32Mismatch => return Err(malformed("does not fit its checksum")),
            _ => return Err(malformed("is not a whole ZLIB stream")),
        }
    }
}

impl fmt::Debug for EncodedStatusList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncodedStatusList")
            .field("bits", &self.bits)
            .field("lst", &format_args!("{} bytes", self.lst.len()))
            .finish()
    }
}
