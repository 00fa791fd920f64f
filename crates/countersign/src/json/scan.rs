//! A cursor over JSON text: the grammar of RFC 8259, without a copy of anything.
//!
//! Strings and numbers of the plain kind are taken where they stand; one with an escape goes through serde_json, so that
//! what an escape means is written once. Whatever is not strict JSON is declined, and the parser of the module above says
//! what is wrong with it.

use std::borrow::Cow;

use super::MAX_DEPTH;

/// The text is not strict JSON, or not of the plain kind that this reader takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Declined;

/// Where a piece of the text stands, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub(crate) const EMPTY: Self = Self { start: 0, end: 0 };

    pub(crate) fn new(start: usize, end: usize) -> Result<Self, Declined> {
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) => Ok(Self { start, end }),
            _ => Err(Declined),
        }
    }

    pub(crate) const fn len(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }

    pub(crate) fn bytes_of(self, text: &str) -> &[u8] {
        text.as_bytes()
            .get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }

    /// The piece; empty where the span is of another text.
    pub(crate) fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }
}

/// A number, as serde_json tells them apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Positive(u64),
    Negative(i64),
    Float(f64),
}

impl Number {
    /// A text of a few digits and nothing else, as times are written.
    pub(crate) fn of_digits(text: &str) -> Option<Self> {
        if text.is_empty() || text.len() > PLAIN_DIGITS || text.starts_with('0') {
            return None;
        }
        let mut value = 0u64;
        for byte in text.bytes() {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        }
        Some(Self::Positive(value))
    }

    pub(crate) fn of(number: &serde_json::Number) -> Option<Self> {
        if let Some(value) = number.as_u64() {
            return Some(Self::Positive(value));
        }
        if let Some(value) = number.as_i64() {
            return Some(Self::Negative(value));
        }
        number.as_f64().map(Self::Float)
    }
}

/// A string between its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Text<'de> {
    pub(crate) raw: &'de str,
    pub(crate) escaped: bool,
}

impl<'de> Text<'de> {
    /// What it says.
    pub(crate) fn decode(self) -> Result<Cow<'de, str>, Declined> {
        if !self.escaped {
            return Ok(Cow::Borrowed(self.raw));
        }
        serde_json::from_str::<String>(&["\"", self.raw, "\""].concat())
            .map(Cow::Owned)
            .map_err(|_| Declined)
    }
}

/// The most digits of an integer that is read without a look at the range of its type.
const PLAIN_DIGITS: usize = 18;

#[derive(Clone, Debug)]
pub(crate) struct Scanner<'de> {
    text: &'de str,
    at: usize,
    /// No backslash and no control character stands anywhere: then a string ends at the next quote.
    plain: bool,
}

impl<'de> Scanner<'de> {
    pub(crate) fn new(text: &'de str) -> Self {
        let special = |byte: &u8| *byte < 0x20 || *byte == b'\\';
        // Without an early end, the compiler looks at many bytes at once.
        let found = text
            .bytes()
            .fold(false, |found, byte| found | special(&byte));
        Self {
            text,
            at: 0,
            plain: !found,
        }
    }

    /// Whether the text has neither an escape nor a control character.
    pub(crate) const fn is_plain(&self) -> bool {
        self.plain
    }

    pub(crate) const fn text(&self) -> &'de str {
        self.text
    }

    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// The next byte that is no white space, which stays where it is.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.step(1),
                other => return other.copied(),
            }
        }
    }

    /// Takes `byte`, white space before it left out.
    #[inline]
    pub(crate) fn take(&mut self, byte: u8) -> Result<(), Declined> {
        if self.peek() != Some(byte) {
            return Err(Declined);
        }
        self.step(1);
        Ok(())
    }

    /// Goes over the byte that [`peek`](Self::peek) has shown.
    pub(crate) const fn skip_byte(&mut self) {
        self.step(1);
    }

    /// Nothing but white space is left.
    pub(crate) fn end(&mut self) -> Result<(), Declined> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(Declined),
        }
    }

    pub(crate) fn literal(&mut self, word: &str) -> Result<(), Declined> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(Declined);
        }
        self.step(word.len());
        Ok(())
    }

    /// A string, from its first quote.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<Text<'de>, Declined> {
        self.take(b'"')?;
        if !self.plain {
            return self.any_string();
        }
        let start = self.at;
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        let end = start.saturating_add(quote(rest).ok_or(Declined)?);
        self.at = end.saturating_add(1);
        Ok(Text {
            raw: self.text.get(start..end).ok_or(Declined)?,
            escaped: false,
        })
    }

    /// Goes over a string as strictly as [`string`](Self::string) does.
    #[inline]
    pub(crate) fn skip_string(&mut self) -> Result<(), Declined> {
        self.take(b'"')?;
        if !self.plain {
            return self.any_string().map(|_| ());
        }
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let bytes = quote(rest).ok_or(Declined)?;
        self.step(bytes.saturating_add(1));
        Ok(())
    }

    /// The rest of a string in a text that is not plain.
    #[inline(never)]
    fn any_string(&mut self) -> Result<Text<'de>, Declined> {
        let start = self.at;
        let mut escaped = false;
        loop {
            self.step(plain_prefix(
                self.text.as_bytes().get(self.at..).unwrap_or_default(),
            ));
            match self.text.as_bytes().get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.step(2);
                }
                _ => return Err(Declined),
            }
        }
        let raw = self.text.get(start..self.at).ok_or(Declined)?;
        self.step(1);
        let text = Text { raw, escaped };
        if escaped {
            text.decode()?;
        }
        Ok(text)
    }

    /// What a string says, where it has no escape.
    pub(crate) fn plain_string(&mut self) -> Option<&'de str> {
        let text = self.string().ok()?;
        (!text.escaped).then_some(text.raw)
    }

    /// A number, from its first byte.
    pub(crate) fn number(&mut self) -> Result<Number, Declined> {
        let start = self.at;
        let negative = self.text.as_bytes().get(self.at) == Some(&b'-');
        if negative {
            self.step(1);
        }
        let (digits, value) = self.digits();
        let leading_zero =
            digits > 1 && self.text.as_bytes().get(self.at.wrapping_sub(digits)) == Some(&b'0');
        if digits == 0 || leading_zero {
            return Err(Declined);
        }
        let mut whole = true;
        if self.text.as_bytes().get(self.at) == Some(&b'.') {
            whole = false;
            self.step(1);
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.text.as_bytes().get(self.at) {
            whole = false;
            self.step(1);
            if let Some(b'+' | b'-') = self.text.as_bytes().get(self.at) {
                self.step(1);
            }
            self.some_digits()?;
        }
        if whole && digits <= PLAIN_DIGITS {
            return Ok(match (negative, i64::try_from(value)) {
                (false, _) => Number::Positive(value),
                (true, Ok(value)) if value > 0 => Number::Negative(value.wrapping_neg()),
                (true, _) => Number::Float(-0.0),
            });
        }
        large_or_real(self.text.get(start..self.at).ok_or(Declined)?, whole)
    }

    /// How many digits follow, and their value where it is small.
    fn digits(&mut self) -> (usize, u64) {
        let (mut count, mut value) = (0usize, 0u64);
        for byte in self.text.as_bytes().get(self.at..).unwrap_or_default() {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            count = count.wrapping_add(1);
        }
        self.step(count);
        (count, value)
    }

    fn some_digits(&mut self) -> Result<(), Declined> {
        match self.digits() {
            (0, _) => Err(Declined),
            _ => Ok(()),
        }
    }

    /// The text is at most as long as memory, so a step over bytes of it cannot overflow.
    const fn step(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }
}

/// A number with a fraction, an exponent, or more digits than are read on the way.
fn large_or_real(text: &str, whole: bool) -> Result<Number, Declined> {
    if whole {
        if let Ok(value) = text.parse::<u64>() {
            return Ok(Number::Positive(value));
        }
        if let Ok(value) = text.parse::<i64>() {
            return Ok(Number::Negative(value));
        }
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Number::Float(value)),
        _ => Err(Declined),
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const QUOTES: u64 = u64::from_le_bytes([b'"'; 8]);
const BACKSLASHES: u64 = u64::from_le_bytes([b'\\'; 8]);
const SPACES: u64 = u64::from_le_bytes([b' '; 8]);
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Where the first quote stands; eight bytes at a time.
#[inline]
fn quote(bytes: &[u8]) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut before = 0usize;
    for word in words {
        let quote = u64::from_le_bytes(*word) ^ QUOTES;
        let found = quote.wrapping_sub(ONES) & !quote & HIGH;
        if found != 0 {
            return Some(before.saturating_add(found.trailing_zeros() as usize / 8));
        }
        before = before.saturating_add(8);
    }
    let at = rest.iter().position(|byte| *byte == b'"')?;
    Some(before.saturating_add(at))
}

/// How many bytes stand before the first quote, backslash or control character; eight at a time.
fn plain_prefix(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut plain = 0usize;
    for word in words {
        let special = special(u64::from_le_bytes(*word));
        if special != 0 {
            return plain.saturating_add(special.trailing_zeros() as usize / 8);
        }
        plain = plain.saturating_add(8);
    }
    let more = rest
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
    plain.saturating_add(more.unwrap_or(rest.len()))
}

/// The high bit of each byte that is a quote, a backslash or a control character. A borrow may mark a byte above such a one
/// too, never one below it, so the lowest mark is exact.
const fn special(word: u64) -> u64 {
    let quote = word ^ QUOTES;
    let backslash = word ^ BACKSLASHES;
    let found = (quote.wrapping_sub(ONES) & !quote)
        | (backslash.wrapping_sub(ONES) & !backslash)
        | (word.wrapping_sub(SPACES) & !word);
    found & HIGH
}

/// What a reader may still go through: the same depth and the same values as the parser of the module above.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    depth: usize,
    values: usize,
}

impl Allowance {
    pub(crate) const fn of(bytes: usize) -> Self {
        Self {
            depth: 0,
            values: super::allowed_values(bytes),
        }
    }

    pub(crate) fn value(&mut self) -> Result<(), Declined> {
        self.charge(1)
    }

    pub(crate) fn first_member(&mut self) -> Result<(), Declined> {
        self.charge(super::VALUES_PER_OBJECT)
    }

    pub(crate) fn first_item(&mut self) -> Result<(), Declined> {
        self.charge(super::VALUES_PER_ARRAY)
    }

    fn charge(&mut self, values: usize) -> Result<(), Declined> {
        self.values = self.values.checked_sub(values).ok_or(Declined)?;
        Ok(())
    }

    pub(crate) fn enter(&mut self) -> Result<(), Declined> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH {
            return Err(Declined);
        }
        Ok(())
    }

    pub(crate) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_is_what_serde_json_takes_it_for() {
        for text in [
            "0",
            "-0",
            "7",
            "-7",
            "999999999999999999",
            "-999999999999999999",
            "1000000000000000000",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551615",
            "18446744073709551616",
            "-9223372036854775808",
            "-9223372036854775809",
            "1.5",
            "-1.5e3",
            "1e400",
            "1E+2",
            "1e-400",
            "0.0",
            "123456789012345678901234567890",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "1e+",
            "--1",
            "+1",
            "-01",
            "00",
        ] {
            let mut scanner = Scanner::new(text);
            let ours = scanner
                .number()
                .and_then(|number| scanner.end().map(|()| number));
            let theirs = serde_json::from_str::<serde_json::Number>(text).ok();
            let theirs = theirs.as_ref().and_then(Number::of);
            assert_eq!(ours.ok(), theirs, "{text}");
            let digits = Number::of_digits(text);
            assert!(digits.is_none() || digits == theirs, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_string_ends_where_serde_json_ends_it(content in "[ -~\\n\\u{1}\\u{e9}\\u{1f600}]{0,40}", tail in "[ -~]{0,20}") {
            let text = format!("\"{content}\"{tail}");
            let theirs = serde_json::Deserializer::from_str(&text).into_iter::<String>().next();
            match (Scanner::new(&text).string(), theirs) {
                (Ok(ours), Some(Ok(theirs))) => prop_assert_eq!(ours.decode().unwrap(), theirs),
                (Err(_), Some(Err(_))) => {}
                (ours, theirs) => prop_assert!(false, "{:?} {:?} {:?}", text, ours, theirs),
            }
        }

        #[test]
        fn the_first_special_byte_is_found_at_every_place(bytes: Vec<u8>) {
            let naive = bytes.iter().position(|byte| *byte == b'"' || *byte == b'\\' || *byte < 0x20);
            prop_assert_eq!(plain_prefix(&bytes), naive.unwrap_or(bytes.len()));
        }
    }
}
