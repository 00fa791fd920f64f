//! A cursor over JSON text: the grammar of RFC 8259, without a copy of anything.
//!
//! Strings and numbers of the plain kind are taken where they stand; one with an escape goes through serde_json, so that
//! what an escape means is written once. Whatever is not strict JSON is declined, and the parser of the module above says
//! what is wrong with it.

use std::borrow::Cow;

use super::MAX_DEPTH;
use super::words::{Start, below, eight_digits, first_marked, plain_prefix, quote, quotes_in};

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

/// The name of a member.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'de> {
    pub(crate) raw: &'de str,
    /// Where it stands.
    pub(crate) at: usize,
    pub(crate) start: Start,
}

/// The most digits of an integer that is read without a look at the range of its type.
const PLAIN_DIGITS: usize = 18;

#[derive(Clone, Debug)]
pub(crate) struct Scanner<'de> {
    text: &'de str,
    at: usize,
    /// No backslash and no control character stands anywhere: then a string ends at the next quote.
    plain: bool,
    /// The last number that was small, whole and not negative, as times are, and where it stood.
    whole: Option<(usize, u64)>,
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
            whole: None,
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

    /// What is left.
    #[inline]
    fn rest(&self) -> &'de [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// The number that starts at `at`, if the last that was read does, and is small, whole and not negative.
    #[inline]
    pub(crate) fn whole_at(&self, at: usize) -> Option<u64> {
        let (start, value) = self.whole?;
        (start == at).then_some(value)
    }

    /// The next byte that is no white space, which stays where it is.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        match self.text.as_bytes().get(self.at) {
            Some(byte) if *byte > b' ' => Some(*byte),
            _ => self.peek_after_space(),
        }
    }

    #[cold]
    fn peek_after_space(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at) {
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
        if !self.rest().starts_with(word.as_bytes()) {
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
        let bytes = quote(self.rest()).ok_or(Declined)?;
        Ok(Text {
            raw: self.take_string(bytes)?,
            escaped: false,
        })
    }

    /// Goes over the rest of a string of so many bytes, and its last quote.
    #[inline]
    fn take_string(&mut self, bytes: usize) -> Result<&'de str, Declined> {
        let start = self.at;
        let end = start.wrapping_add(bytes);
        self.at = end.wrapping_add(1);
        self.text.get(start..end).ok_or(Declined)
    }

    /// A string without an escape, as the name of a member.
    #[inline]
    pub(crate) fn name(&mut self) -> Result<Name<'de>, Declined> {
        self.take(b'"')?;
        let at = self.at;
        let Some(word) = self.rest().first_chunk().filter(|_| self.plain) else {
            return self.any_name();
        };
        let word = u64::from_le_bytes(*word);
        let quotes = quotes_in(word);
        let (bytes, start) = match first_marked(quotes) {
            Some(bytes) => (bytes, Start(word & below(quotes))),
            None => (quote(self.rest()).ok_or(Declined)?, Start(word)),
        };
        Ok(Name {
            raw: self.take_string(bytes)?,
            at,
            start,
        })
    }

    /// The rest of a name in a text that is not plain, or near its end.
    #[cold]
    fn any_name(&mut self) -> Result<Name<'de>, Declined> {
        let at = self.at;
        let text = self.any_string()?;
        if text.escaped {
            return Err(Declined);
        }
        Ok(Name {
            raw: text.raw,
            at,
            start: Start::of(text.raw),
        })
    }

    /// Goes over a string as strictly as [`string`](Self::string) does.
    #[inline]
    pub(crate) fn skip_string(&mut self) -> Result<(), Declined> {
        self.take(b'"')?;
        if !self.plain {
            return self.any_string().map(|_| ());
        }
        let bytes = quote(self.rest()).ok_or(Declined)?;
        self.step(bytes.wrapping_add(1));
        Ok(())
    }

    /// The rest of a string in a text that is not plain.
    #[inline(never)]
    fn any_string(&mut self) -> Result<Text<'de>, Declined> {
        let start = self.at;
        let mut escaped = false;
        loop {
            self.step(plain_prefix(self.rest()));
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
        let first = self.text.as_bytes().get(start);
        let (digits, value) = self.digits();
        if matches!(first, Some(b'1'..=b'9')) && digits <= PLAIN_DIGITS && !self.goes_on() {
            self.whole = Some((start, value));
            return Ok(Number::Positive(value));
        }
        self.at = start;
        self.any_number()
    }

    /// Whether a fraction or an exponent follows.
    fn goes_on(&self) -> bool {
        matches!(self.text.as_bytes().get(self.at), Some(b'.' | b'e' | b'E'))
    }

    /// A number of any kind, from its first byte.
    #[inline(never)]
    fn any_number(&mut self) -> Result<Number, Declined> {
        let start = self.at;
        let negative = self.text.as_bytes().get(self.at) == Some(&b'-');
        if negative {
            self.step(1);
        }
        let first_digit = self.text.as_bytes().get(self.at) == Some(&b'0');
        let (digits, value) = self.digits();
        let leading_zero = digits > 1 && first_digit;
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
        let rest = self.rest();
        let eight = rest.first_chunk().and_then(|word| eight_digits(*word));
        let (mut count, mut value) = eight.map_or((0usize, 0u64), |value| (8, value));
        for byte in rest.get(count..).unwrap_or_default() {
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
        self.at = self.at.wrapping_add(bytes);
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
        self.depth = self.depth.wrapping_add(1);
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
            let whole = scanner.whole_at(0).map(Number::Positive);
            assert!(whole.is_none() || whole == theirs, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_start_of_a_name_is_its_first_eight_bytes(name in "[a-z\u{e9}]{0,12}", rest in "[ -~]{0,9}") {
            let mut eight = [0; 8];
            for (to, from) in eight.iter_mut().zip(name.bytes()) {
                *to = from;
            }
            let start = Start(u64::from_le_bytes(eight));
            prop_assert_eq!(Start::of(&name), start);
            let text = format!("\"{name}\"{rest}");
            let found = Scanner::new(&text).name().unwrap();
            prop_assert_eq!((found.raw, found.at, found.start), (name.as_str(), 1, start));
        }

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
    }
}
