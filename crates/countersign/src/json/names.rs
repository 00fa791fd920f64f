//! The members of the objects that are open while a text is read: where they stand, and whether one stands twice.
//!
//! One stack for all of them. When the text has been read, what is left on it are the members of the outermost object.

use std::collections::HashSet;

use super::scan::{Declined, Name, Span};
use super::words::{START, Start};

/// A member: its name between the quotes, and its value.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Member {
    name: Span,
    value: Span,
    start: Start,
}

impl Member {
    pub(crate) const fn value(&self) -> Span {
        self.value
    }

    /// Whether it has this name, whose start is `start`.
    fn is(&self, text: &str, name: &str, start: Start) -> bool {
        self.start == start
            && self.name.len() == name.len()
            && (name.len() <= START || self.name.bytes_of(text) == name.as_bytes())
    }
}

/// The claims that every verification asks for (RFC 7519 §4.1): the reader notes them as they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Common {
    Iss,
    Sub,
    Aud,
    Exp,
    Nbf,
    Iat,
    Jti,
}

impl Common {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Iss => "iss",
            Self::Sub => "sub",
            Self::Aud => "aud",
            Self::Exp => "exp",
            Self::Nbf => "nbf",
            Self::Iat => "iat",
            Self::Jti => "jti",
        }
    }

    #[inline]
    fn of(name: &str) -> Option<Self> {
        Some(match name.as_bytes() {
            b"iss" => Self::Iss,
            b"sub" => Self::Sub,
            b"aud" => Self::Aud,
            b"exp" => Self::Exp,
            b"nbf" => Self::Nbf,
            b"iat" => Self::Iat,
            b"jti" => Self::Jti,
            _ => return None,
        })
    }
}

/// What was noted of a value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Noted {
    Absent,
    /// A whole number, not negative and small, as times are.
    Whole(u64),
    /// Any other, which stands here.
    At(Span),
}

/// The values of the common members of one object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CommonValues([Noted; 7]);

impl CommonValues {
    pub(crate) const fn new() -> Self {
        Self([Noted::Absent; 7])
    }

    #[inline]
    pub(crate) fn note(&mut self, name: &str, value: Noted) {
        if let Some(slot) = Common::of(name).and_then(|common| self.0.get_mut(common as usize)) {
            *slot = value;
        }
    }

    #[inline]
    pub(crate) fn get(&self, common: Common) -> Noted {
        self.0
            .get(common as usize)
            .copied()
            .unwrap_or(Noted::Absent)
    }
}

/// How many members are held before memory is asked for; a token has about ten.
const INLINE: usize = 32;

/// Room for the members of one text after the other.
#[derive(Clone, Debug)]
pub(crate) struct Stack {
    inline: [Member; INLINE],
    len: usize,
    more: Vec<Member>,
}

impl Stack {
    pub(crate) const fn new() -> Self {
        const NONE: Member = Member {
            name: Span::EMPTY,
            value: Span::EMPTY,
            start: Start::EMPTY,
        };
        Self {
            inline: [NONE; INLINE],
            len: 0,
            more: Vec::new(),
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn clear(&mut self) {
        self.truncate(0);
    }

    #[inline]
    fn push(&mut self, name: Span, start: Start) {
        let member = Member {
            name,
            value: Span::EMPTY,
            start,
        };
        match self.inline.get_mut(self.len) {
            Some(slot) => *slot = member,
            None => self.more.push(member),
        }
        self.len = self.len.wrapping_add(1);
    }

    fn get_mut(&mut self, index: usize) -> Option<&mut Member> {
        match index.checked_sub(INLINE) {
            None => self.inline.get_mut(index),
            Some(index) => self.more.get_mut(index),
        }
    }

    /// The members from `base` on: those here and those in memory of their own.
    fn from(&self, base: usize) -> (&[Member], &[Member]) {
        let inline = self.inline.get(base.min(INLINE)..self.len.min(INLINE));
        let more = self.more.get(base.saturating_sub(INLINE)..);
        (inline.unwrap_or_default(), more.unwrap_or_default())
    }

    fn find(&self, base: usize, text: &str, name: &str, start: Start) -> Option<&Member> {
        let (inline, more) = self.from(base);
        let named = |member: &&Member| member.is(text, name, start);
        inline
            .iter()
            .find(named)
            .or_else(|| more.iter().find(named))
    }

    pub(crate) fn set_value(&mut self, index: usize, value: Span) {
        if let Some(member) = self.get_mut(index) {
            member.value = value;
        }
    }

    fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
        self.more.truncate(len.saturating_sub(INLINE));
    }
}

/// How many members of one object are compared with each other before a hash set takes over.
const COMPARED: usize = 24;

/// What a member takes of a text that holds many, about.
const BYTES_PER_MEMBER: usize = 20;

/// One open object.
#[derive(Debug)]
pub(crate) struct Object<'de> {
    base: usize,
    seen: Fingerprints,
    /// The names, once there are many: keyed at random, so that nobody can choose names that collide.
    many: Option<HashSet<&'de str>>,
}

impl<'de> Object<'de> {
    pub(crate) const fn open(stack: &Stack) -> Self {
        Self {
            base: stack.len(),
            seen: Fingerprints(0),
            many: None,
        }
    }

    pub(crate) const fn is_outermost(&self) -> bool {
        self.base == 0
    }

    /// Puts the member of this name on the stack and returns its place there.
    ///
    /// # Errors
    /// [`Declined`] where the object has one of that name.
    #[inline]
    pub(crate) fn admit(
        &mut self,
        stack: &mut Stack,
        text: &'de str,
        name: Name<'de>,
    ) -> Result<usize, Declined> {
        let Name { raw, at, start } = name;
        let place = stack.len();
        if self.many.is_some() || place.saturating_sub(self.base) >= COMPARED {
            self.admit_to_many(stack, text, raw)?;
        } else if self.seen.0 & start.bit() != 0
            && stack.find(self.base, text, raw, start).is_some()
        {
            return Err(Declined);
        }
        self.seen.0 |= start.bit();
        stack.push(Span::new(at, at.wrapping_add(raw.len()))?, start);
        Ok(place)
    }

    fn admit_to_many(
        &mut self,
        stack: &Stack,
        text: &'de str,
        name: &'de str,
    ) -> Result<(), Declined> {
        let names = self.many.get_or_insert_with(|| {
            let (inline, more) = stack.from(self.base);
            let members = inline.iter().chain(more);
            // Room for as many as the text is likely to hold, so that it need not grow again and again.
            let mut names = HashSet::with_capacity(text.len().div_euclid(BYTES_PER_MEMBER));
            names.extend(members.map(|member| member.name.of(text)));
            names
        });
        if names.insert(name) {
            Ok(())
        } else {
            Err(Declined)
        }
    }

    /// Takes the object's members off the stack.
    pub(crate) fn close(self, stack: &mut Stack) {
        stack.truncate(self.base);
    }

    /// Leaves them there.
    pub(crate) fn keep(self) -> Fingerprints {
        self.seen
    }
}

/// A set of names that may say yes to one that it does not hold, never no to one that it does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fingerprints(u64);

impl Fingerprints {
    /// The member of this name among those of the outermost object.
    pub(crate) fn find<'s>(self, stack: &'s Stack, text: &str, name: &str) -> Option<&'s Member> {
        let start = Start::of(name);
        if self.0 & start.bit() == 0 {
            return None;
        }
        stack.find(0, text, name, start)
    }
}
