//! One pass over a JSON object: strict, without a copy, into the caller's type, and with an index of its members.
//!
//! The rules are those of the parser of the module above: no member twice at any depth, the same depth, the same number of
//! values, the same grammar. What this reader declines, that parser reads again and decides.

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::is_private;
use super::misfit::Stop;
use super::names::{Common, CommonValues, Fingerprints, Noted, Object, Stack};
use super::scan::{Allowance, Number, Scanner, Span};

/// Reads an object into `C`, and says where its members stand; it puts them on `stack`, in the place of what was there.
///
/// # Errors
/// [`Stop`] where the text is not strict JSON, is no object, or does not fit `C` in the way in which this reader offers it.
#[inline]
pub(crate) fn read<'de, C: Deserialize<'de>>(
    text: &'de str,
    stack: &'de mut Stack,
) -> Result<(C, Index<'de>), Stop> {
    stack.clear();
    let mut reader = Reader {
        scanner: Scanner::new(text),
        stack,
        common: CommonValues::new(),
        allowance: Allowance::of(text.len()),
        seen: None,
        stopped: false,
    };
    if reader.scanner.peek() != Some(b'{') {
        return Err(Stop::Declined);
    }
    let value = C::deserialize(&mut reader)?;
    reader.end()?;
    // A type that looked at nothing left the text where it was, and ended above.
    let seen = reader.seen.ok_or(Stop::Declined)?;
    let index = Index {
        text,
        plain: reader.scanner.is_plain(),
        members: reader.stack,
        common: reader.common,
        seen,
    };
    Ok((value, index))
}

/// Reads an object into `C` alone.
///
/// # Errors
/// Those of [`read`].
pub(crate) fn read_alone<'de, C: Deserialize<'de>>(text: &'de str) -> Result<C, Stop> {
    let mut reader = Reader {
        scanner: Scanner::new(text),
        stack: &mut Stack::new(),
        common: CommonValues::new(),
        allowance: Allowance::of(text.len()),
        seen: None,
        stopped: false,
    };
    let value = C::deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// The members of an object that was read, by name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Index<'de> {
    text: &'de str,
    plain: bool,
    members: &'de Stack,
    common: CommonValues,
    seen: Fingerprints,
}

impl<'de> Index<'de> {
    /// The text of a member's value.
    #[inline]
    pub(crate) fn get(&self, name: &str) -> Option<&'de str> {
        let member = self.seen.find(self.members, self.text, name)?;
        Some(member.value().of(self.text))
    }

    /// What was noted of a member that every verification asks for.
    #[inline]
    pub(crate) fn common(&self, common: Common) -> Noted {
        self.common.get(common)
    }

    /// The text of the place that was noted.
    #[inline]
    pub(crate) fn text_at(&self, place: Span) -> &'de str {
        place.of(self.text)
    }

    pub(crate) const fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether what stands in the text is what it says: it has no escape.
    pub(crate) const fn is_plain(&self) -> bool {
        self.plain
    }
}

struct Reader<'de, 'r> {
    scanner: Scanner<'de>,
    stack: &'r mut Stack,
    /// Of the outermost object.
    common: CommonValues,
    allowance: Allowance,
    /// The outermost object's names, once it has been read.
    seen: Option<Fingerprints>,
    /// Whether it has said no to anything. A type may take that for nothing and go on where it came up: inside of a value, as
    /// if that were the end of it, or behind one that was noted nowhere.
    stopped: bool,
}

impl<'de> Reader<'de, '_> {
    /// Remembers that something was refused, whatever becomes of the error.
    #[inline]
    fn keep<T>(&mut self, read: Result<T, Stop>) -> Result<T, Stop> {
        self.stopped |= read.is_err();
        read
    }

    /// The text has ended, and nothing in it was refused.
    fn end(&mut self) -> Result<(), Stop> {
        self.scanner.end()?;
        if self.stopped {
            return Err(Stop::Declined);
        }
        Ok(())
    }

    /// The value that began at `start`. A type that read nothing has not seen whether there is one.
    #[inline]
    fn consumed_since(&self, start: usize) -> Result<Span, Stop> {
        let end = self.scanner.at();
        if end == start {
            return Err(Stop::Declined);
        }
        Ok(Span::new(start, end)?)
    }

    fn any<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Stop> {
        self.allowance.value()?;
        match self.scanner.peek() {
            Some(b'{') => self.object(visitor),
            Some(b'[') => self.array(visitor),
            Some(b'"') => {
                let text = self.scanner.string()?;
                if text.escaped {
                    visitor.visit_string(text.decode()?.into_owned())
                } else {
                    visitor.visit_borrowed_str(text.raw)
                }
            }
            Some(b't') => {
                self.scanner.literal("true")?;
                visitor.visit_bool(true)
            }
            Some(b'f') => {
                self.scanner.literal("false")?;
                visitor.visit_bool(false)
            }
            Some(b'n') => {
                self.scanner.literal("null")?;
                visitor.visit_unit()
            }
            _ => match self.scanner.number()? {
                Number::Positive(value) => visitor.visit_u64(value),
                Number::Negative(value) => visitor.visit_i64(value),
                Number::Float(value) => visitor.visit_f64(value),
            },
        }
    }

    fn option<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Stop> {
        if self.scanner.peek() == Some(b'n') {
            self.allowance.value()?;
            self.scanner.literal("null")?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    /// A string without an escape; what else names a variant is left to serde_json.
    fn variant(&mut self) -> Result<&'de str, Stop> {
        self.allowance.value()?;
        if self.scanner.peek() != Some(b'"') {
            return Err(Stop::Declined);
        }
        let text = self.scanner.string()?;
        if text.escaped {
            return Err(Stop::Declined);
        }
        Ok(text.raw)
    }

    fn object<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Stop> {
        let mut members = Members::open(self)?;
        let value = visitor.visit_map(&mut members)?;
        // What a visitor leaves unread, nobody has looked at.
        if !members.ended && members.advance()?.is_some() {
            return Err(Stop::Declined);
        }
        members.close();
        Ok(value)
    }

    fn array<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Stop> {
        self.scanner.take(b'[')?;
        self.allowance.enter()?;
        let mut items = Items {
            reader: self,
            first: true,
            ended: false,
        };
        let value = visitor.visit_seq(&mut items)?;
        let Items {
            mut first, ended, ..
        } = items;
        if !ended && self.next_item(&mut first)? {
            return Err(Stop::Declined);
        }
        self.allowance.leave();
        Ok(value)
    }

    /// Goes over a value that nobody reads, as strictly as over one that is read.
    fn skip(&mut self) -> Result<(), Stop> {
        self.allowance.value()?;
        match self.scanner.peek() {
            Some(b'{') => {
                let mut members = Members::open(self)?;
                while members.advance()?.is_some() {
                    members.skip_value()?;
                }
                members.close();
            }
            Some(b'[') => {
                self.scanner.take(b'[')?;
                self.allowance.enter()?;
                let mut first = true;
                while self.next_item(&mut first)? {
                    self.skip()?;
                }
                self.allowance.leave();
            }
            Some(b'"') => self.scanner.skip_string()?,
            Some(b't') => self.scanner.literal("true")?,
            Some(b'f') => self.scanner.literal("false")?,
            Some(b'n') => self.scanner.literal("null")?,
            _ => {
                self.scanner.number()?;
            }
        }
        Ok(())
    }

    /// Whether an item follows; takes the comma before it, or the bracket after the last.
    fn next_item(&mut self, first: &mut bool) -> Result<bool, Stop> {
        if self.scanner.peek() == Some(b']') {
            self.scanner.take(b']')?;
            return Ok(false);
        }
        if std::mem::take(first) {
            self.allowance.first_item()?;
        } else {
            self.scanner.take(b',')?;
        }
        Ok(true)
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de, '_> {
    type Error = Stop;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let read = self.any(visitor);
        self.keep(read)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let read = self.option(visitor);
        self.keep(read)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let read = visitor.visit_newtype_struct(&mut *self);
        self.keep(read)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let read = self.variant().and_then(|variant| {
            BorrowedStrDeserializer::new(variant).deserialize_enum(name, variants, visitor)
        });
        self.keep(read)
    }

    /// The name of a variant or of a tag: never a number, which derived types take for a place in their list of names.
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        if self.scanner.peek() != Some(b'"') {
            return self.keep(Err(Stop::Declined));
        }
        self.deserialize_any(visitor)
    }

    /// What is finite as an `f64` may be none as an `f32`.
    fn deserialize_f32<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
        self.keep(Err(Stop::Declined))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let skipped = self.skip();
        self.keep(skipped)?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct
    }
}

/// The members of one object, as they come.
struct Members<'de, 'm, 'r> {
    reader: &'m mut Reader<'de, 'r>,
    object: Object<'de>,
    first: bool,
    ended: bool,
    /// The member whose name was read and whose value was not.
    pending: Option<(usize, &'de str)>,
}

impl<'de, 'm, 'r> Members<'de, 'm, 'r> {
    fn open(reader: &'m mut Reader<'de, 'r>) -> Result<Self, Stop> {
        reader.scanner.take(b'{')?;
        reader.allowance.enter()?;
        Ok(Self {
            object: Object::open(reader.stack),
            reader,
            first: true,
            ended: false,
            pending: None,
        })
    }

    /// Takes the next name and the colon after it; `None` after the last.
    #[inline]
    fn advance(&mut self) -> Result<Option<&'de str>, Stop> {
        if self.ended || self.pending.is_some() {
            return Err(Stop::Declined);
        }
        let Reader {
            scanner,
            stack,
            allowance,
            ..
        } = &mut *self.reader;
        if scanner.peek() == Some(b'}') {
            scanner.take(b'}')?;
            self.ended = true;
            return Ok(None);
        }
        if std::mem::take(&mut self.first) {
            allowance.first_member()?;
        } else {
            scanner.take(b',')?;
        }
        let name = scanner.name()?;
        if is_private(name.raw) {
            return Err(Stop::Declined);
        }
        let place = self.object.admit(stack, scanner.text(), name)?;
        self.pending = Some((place, name.raw));
        scanner.take(b':')?;
        Ok(Some(name.raw))
    }

    #[inline]
    fn value<T>(
        &mut self,
        read: impl FnOnce(&mut Reader<'de, 'r>) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        let (place, name) = self.pending.take().ok_or(Stop::Declined)?;
        self.reader.scanner.peek();
        let start = self.reader.scanner.at();
        let value = match read(self.reader) {
            Ok(value) => value,
            Err(stop) if self.object.is_outermost() => return Err(stop.within(name)),
            Err(stop) => return Err(stop),
        };
        let span = self.reader.consumed_since(start)?;
        if self.object.is_outermost() {
            self.reader.stack.set_value(place, span);
            let whole = self.reader.scanner.whole_at(start).map(Noted::Whole);
            self.reader
                .common
                .note(name, whole.unwrap_or(Noted::At(span)));
        }
        Ok(value)
    }

    fn skip_value(&mut self) -> Result<(), Stop> {
        self.value(Reader::skip)
    }

    /// The members of the outermost object stay on the stack, to be found there.
    fn close(self) {
        self.reader.allowance.leave();
        if self.object.is_outermost() {
            self.reader.seen = Some(self.object.keep());
        } else {
            self.object.close(self.reader.stack);
        }
    }
}

impl<'de> MapAccess<'de> for &mut Members<'de, '_, '_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Stop> {
        let named = self.advance().and_then(|name| match name {
            Some(name) => seed
                .deserialize(BorrowedStrDeserializer::new(name))
                .map(Some),
            None => Ok(None),
        });
        self.reader.keep(named)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        let value = self.value(|reader| seed.deserialize(reader));
        self.reader.keep(value)
    }
}

/// The items of one array, as they come.
struct Items<'de, 'm, 'r> {
    reader: &'m mut Reader<'de, 'r>,
    first: bool,
    ended: bool,
}

impl<'de> SeqAccess<'de> for &mut Items<'de, '_, '_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Stop> {
        if self.ended {
            return Ok(None);
        }
        let follows = self.reader.next_item(&mut self.first);
        if !self.reader.keep(follows)? {
            self.ended = true;
            return Ok(None);
        }
        self.reader.scanner.peek();
        let start = self.reader.scanner.at();
        let item = seed.deserialize(&mut *self.reader);
        let item = item.and_then(|item| self.reader.consumed_since(start).map(|_| Some(item)));
        self.reader.keep(item)
    }
}

#[cfg(test)]
mod tests;
