//! The members of the objects that are open while a text is read: where they stand, and whether one stands twice.
//!
//! One stack for all of them. When the text has been read, what is left on it are the members of the outermost object.

use std::collections::HashSet;

use super::scan::{Declined, Span};

/// A member: its name between the quotes, and its value.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Member {
    pub(crate) name: Span,
    pub(crate) value: Span,
}

/// How many members are held before memory is asked for; a token has about ten.
const INLINE: usize = 32;

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

    fn push(&mut self, name: Span) {
        let member = Member {
            name,
            value: Span::EMPTY,
        };
        match self.inline.get_mut(self.len) {
            Some(slot) => *slot = member,
            None => self.more.push(member),
        }
        self.len = self.len.saturating_add(1);
    }

    fn get_mut(&mut self, index: usize) -> Option<&mut Member> {
        match index.checked_sub(INLINE) {
            None => self.inline.get_mut(index),
            Some(index) => self.more.get_mut(index),
        }
    }

    /// The members from `base` on.
    pub(crate) fn from(&self, base: usize) -> impl Iterator<Item = &Member> {
        let inline = self.inline.get(base.min(INLINE)..self.len.min(INLINE));
        let more = self.more.get(base.saturating_sub(INLINE)..);
        inline
            .unwrap_or_default()
            .iter()
            .chain(more.unwrap_or_default())
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

    /// Puts a member on the stack and returns its place there.
    ///
    /// # Errors
    /// [`Declined`] where the object has one of that name.
    pub(crate) fn admit(
        &mut self,
        stack: &mut Stack,
        text: &'de str,
        name: Span,
    ) -> Result<usize, Declined> {
        let word = name.of(text);
        if self.is_taken(stack, text, word) {
            return Err(Declined);
        }
        self.seen.add(word);
        let place = stack.len();
        stack.push(name);
        Ok(place)
    }

    fn is_taken(&mut self, stack: &Stack, text: &'de str, word: &'de str) -> bool {
        if let Some(names) = &mut self.many {
            return !names.insert(word);
        }
        let mut names = stack.from(self.base).map(|member| member.name.of(text));
        if stack.len().saturating_sub(self.base) >= COMPARED {
            let mut names: HashSet<&str> = names.collect();
            let taken = !names.insert(word);
            self.many = Some(names);
            return taken;
        }
        self.seen.may_hold(word) && names.any(|name| name == word)
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
    fn add(&mut self, name: &str) {
        self.0 |= bit(name);
    }

    pub(crate) fn may_hold(self, name: &str) -> bool {
        self.0 & bit(name) != 0
    }
}

/// One of 64 bits, by the length of a name and three of its bytes.
fn bit(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let at = |index: usize| bytes.get(index).copied().map_or(0, u32::from);
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let word = at(0)
        ^ at(bytes.len() / 2).wrapping_shl(8)
        ^ at(bytes.len().saturating_sub(1)).wrapping_shl(16)
        ^ length.wrapping_shl(24);
    1 << (word.wrapping_mul(0x9e37_79b1) >> 26)
}
