//! Text looked at eight bytes at a time, as one number each: where a string ends, what a name starts with, what digits say.

const ONES: u64 = 0x0101_0101_0101_0101;
const QUOTES: u64 = u64::from_le_bytes([b'"'; 8]);
const BACKSLASHES: u64 = u64::from_le_bytes([b'\\'; 8]);
const SPACES: u64 = u64::from_le_bytes([b' '; 8]);
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The high bit of each byte below that of `least`, which is under 0x80. A borrow may mark a byte above such a one too, never
/// one below it, so the lowest mark is exact.
const fn less(word: u64, least: u64) -> u64 {
    word.wrapping_sub(least) & !word & HIGH
}

/// The high bit of each byte that is a quote.
pub(super) const fn quotes_in(word: u64) -> u64 {
    less(word ^ QUOTES, ONES)
}

/// How many bytes stand before the first that is marked.
pub(super) const fn first_marked(marks: u64) -> Option<usize> {
    match marks {
        0 => None,
        _ => Some(marks.trailing_zeros() as usize / 8),
    }
}

/// All bits of the bytes before the first that is marked.
pub(super) const fn below(marks: u64) -> u64 {
    (marks & marks.wrapping_neg())
        .wrapping_shr(7)
        .wrapping_sub(1)
}

/// The number that eight digits are; the first is the most significant.
pub(super) fn eight_digits(word: [u8; 8]) -> Option<u64> {
    const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);
    // The high bit of a byte that is more than nine.
    const TOO_MUCH: u64 = u64::from_le_bytes([0x80 - 10; 8]);
    let digits = u64::from_le_bytes(word) ^ ZEROS;
    if (digits.wrapping_add(TOO_MUCH) | digits) & HIGH != 0 {
        return None;
    }
    let pairs =
        digits.wrapping_mul(10).wrapping_add(digits.wrapping_shr(8)) & 0x00ff_00ff_00ff_00ff;
    let fours =
        pairs.wrapping_mul(100).wrapping_add(pairs.wrapping_shr(16)) & 0x0000_ffff_0000_ffff;
    let eight = fours
        .wrapping_mul(10_000)
        .wrapping_add(fours.wrapping_shr(32))
        & 0xffff_ffff;
    Some(eight)
}

/// Where the first quote stands; eight bytes at a time.
#[inline]
pub(super) fn quote(bytes: &[u8]) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut before = 0usize;
    for word in words {
        if let Some(at) = first_marked(quotes_in(u64::from_le_bytes(*word))) {
            return Some(before.wrapping_add(at));
        }
        before = before.wrapping_add(8);
    }
    let at = rest.iter().position(|byte| *byte == b'"')?;
    Some(before.wrapping_add(at))
}

/// How many bytes stand before the first quote, backslash or control character; eight at a time.
pub(super) fn plain_prefix(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut plain = 0usize;
    for word in words {
        if let Some(at) = first_marked(special(u64::from_le_bytes(*word))) {
            return plain.wrapping_add(at);
        }
        plain = plain.wrapping_add(8);
    }
    let more = rest
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
    plain.saturating_add(more.unwrap_or(rest.len()))
}

/// The high bit of each byte that is a quote, a backslash or a control character.
const fn special(word: u64) -> u64 {
    quotes_in(word) | less(word ^ BACKSLASHES, ONES) | less(word, SPACES)
}

/// How many bytes of a name are compared as one number.
pub(super) const START: usize = 8;

/// The first bytes of a name; with its length, all there is to most names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Start(pub(super) u64);

impl Start {
    /// By overlapping reads: what two of them take is the same in both.
    #[inline]
    pub(super) fn of(name: &str) -> Self {
        let bytes = name.as_bytes();
        let shift = |at: usize| u32::try_from(at).unwrap_or_default().wrapping_mul(8);
        if let Some(eight) = bytes.first_chunk::<START>() {
            return Self(u64::from_le_bytes(*eight));
        }
        if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
            let last = u64::from(u32::from_le_bytes(*last));
            let later = last.wrapping_shl(shift(bytes.len().wrapping_sub(4)));
            return Self(u64::from(u32::from_le_bytes(*first)) | later);
        }
        let (middle, end) = (bytes.len() / 2, bytes.len().saturating_sub(1));
        let byte = |at: usize| u64::from(bytes.get(at).copied().unwrap_or_default());
        Self(
            byte(0) | byte(middle).wrapping_shl(shift(middle)) | byte(end).wrapping_shl(shift(end)),
        )
    }

    pub(super) const EMPTY: Self = Self(0);

    /// One of 64 bits.
    #[inline]
    pub(super) const fn bit(self) -> u64 {
        1 << (self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_first_special_byte_is_found_at_every_place(bytes: Vec<u8>) {
            let naive = bytes.iter().position(|byte| *byte == b'"' || *byte == b'\\' || *byte < 0x20);
            prop_assert_eq!(plain_prefix(&bytes), naive.unwrap_or(bytes.len()));
        }

        #[test]
        fn eight_digits_are_what_the_standard_library_reads(text in "[0-9:/]{8}|[0-9]{8}|[ -~]{8}") {
            let word: [u8; 8] = text.as_bytes().try_into().unwrap();
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            prop_assert_eq!(eight_digits(word), digits.then(|| text.parse().unwrap()));
        }

        #[test]
        fn bytes_of_every_value_are_no_digits_but_the_ten(word: [u8; 8]) {
            let digits = word.iter().all(u8::is_ascii_digit);
            prop_assert_eq!(eight_digits(word).is_some(), digits);
        }
    }
}
