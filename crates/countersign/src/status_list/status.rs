//! What a status list can say of a token (draft-ietf-oauth-status-list §7).

use std::fmt;

use crate::error::Error;

/// How many bits of a list each token has; what they can say is at most 1, 3, 15 or 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StatusBits {
    /// Valid or not.
    One,
    /// And suspended, and one status of the application's own.
    Two,
    /// Sixteen.
    Four,
    /// Every status that there is.
    Eight,
}

impl StatusBits {
    /// 1, 2, 4 or 8.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }

    /// The largest status.
    pub(super) const fn mask(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 3,
            Self::Four => 15,
            Self::Eight => 255,
        }
    }

    pub(super) const fn entries_per_byte_log2(self) -> u32 {
        match self {
            Self::One => 3,
            Self::Two => 2,
            Self::Four => 1,
            Self::Eight => 0,
        }
    }

    /// The index of the last entry of the first byte, which is a mask for the place in any byte.
    pub(super) const fn last_of_byte(self) -> u64 {
        match self {
            Self::One => 7,
            Self::Two => 3,
            Self::Four => 1,
            Self::Eight => 0,
        }
    }

    pub(super) const fn entries_per_byte(self) -> usize {
        1 << self.entries_per_byte_log2()
    }
}

impl TryFrom<u8> for StatusBits {
    type Error = Error;

    /// Of 1, 2, 4 and 8 (§4.1).
    fn try_from(number: u8) -> Result<Self, Error> {
        match number {
            1 => Ok(Self::One),
            2 => Ok(Self::Two),
            4 => Ok(Self::Four),
            8 => Ok(Self::Eight),
            _ => Err(Error::StatusListMalformed {
                what: "has a number of `bits` other than 1, 2, 4 and 8",
            }),
        }
    }
}

/// What a list says of one token: 0 to 255 (§7.1). Only [`VALID`](Self::VALID) lets it pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Status(u8);

impl Status {
    /// The token is in order.
    pub const VALID: Self = Self(0);
    /// It was taken back, for good.
    pub const INVALID: Self = Self(1);
    /// It does not count for the time being.
    pub const SUSPENDED: Self = Self(2);

    /// Its number.
    #[must_use]
    pub const fn value(self) -> u8 {
        self.0
    }

    /// Whether the token passes.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        self.0 == Self::VALID.0
    }

    /// Whether the number is left to applications for ever: 3 and 12 to 15.
    #[must_use]
    pub const fn is_application_specific(self) -> bool {
        matches!(self.0, 0x03 | 0x0C..=0x0F)
    }
}

impl From<u8> for Status {
    fn from(value: u8) -> Self {
        Self(value)
    }
}

impl fmt::Display for Status {
    /// `valid`, `invalid`, `suspended`, or the number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::VALID => f.write_str("valid"),
            Self::INVALID => f.write_str("invalid"),
            Self::SUSPENDED => f.write_str("suspended"),
            Self(other) => write!(f, "status {other}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_four_numbers_of_bits_and_rejects_every_other() {
        for number in 0..=255 {
            match (number, StatusBits::try_from(number)) {
                (1 | 2 | 4 | 8, Ok(bits)) => assert_eq!(bits.number(), number),
                (1 | 2 | 4 | 8, refused) => panic!("{number}: {refused:?}"),
                (_, read) => assert_eq!(read.unwrap_err().code(), "status_list_malformed"),
            }
        }
    }

    #[test]
    fn nothing_but_zero_is_valid() {
        assert!((0..=255).all(|value| Status::from(value).is_valid() == (value == 0)));
        let own: Vec<u8> = (0..=255)
            .filter(|value| Status::from(*value).is_application_specific())
            .collect();
        assert_eq!(own, [3, 12, 13, 14, 15]);
    }

    #[test]
    fn a_status_is_written_by_its_name() {
        let written: Vec<String> = (0..4)
            .map(|value| Status::from(value).to_string())
            .collect();
        assert_eq!(written, ["valid", "invalid", "suspended", "status 3"]);
    }
}
