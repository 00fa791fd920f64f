//! One part of the cache: entries by hash and whole token, in a ring that forgets what was not asked for since it came round
//! last (the clock algorithm).

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::jwk::VerifyingKey;
use crate::jwt::Window;

/// What an entry costs beside its texts, in bytes, about.
const OVERHEAD: usize = 256;

pub(super) struct Entry<T> {
    pub(super) token: Box<[u8]>,
    /// Apart, because a hit rarely looks at it: what one does look at stands in one line of the processor's cache.
    pub(super) key: Box<VerifyingKey>,
    /// Of the key set that the key was last seen in.
    pub(super) generation: u64,
    /// When it passes the rules about times.
    pub(super) window: Window,
    pub(super) held: T,
}

impl<T> Entry<T> {
    /// The token, the claims' text in it once more, and the rest.
    fn bytes(&self) -> usize {
        self.token.len().saturating_mul(2).saturating_add(OVERHEAD)
    }
}

#[repr(align(64))]
struct Slot<T> {
    hash: u64,
    entry: Entry<T>,
}

/// Of a hash, itself: hashed once more, it would be no better.
#[derive(Default)]
struct Itself(u64);

impl Hasher for Itself {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    /// Of nothing else is there a hash.
    fn write(&mut self, _: &[u8]) {}
}

pub(super) struct Shard<T> {
    /// The places of entries, by hash, which is keyed already ([`TokenCache`](super::TokenCache)). Of two with one hash, the later takes the place of the earlier.
    places: HashMap<u64, usize, BuildHasherDefault<Itself>>,
    ring: Vec<Option<Slot<T>>>,
    /// Which of them were asked for since the hand came by.
    asked_for: Vec<bool>,
    free: Vec<usize>,
    hand: usize,
    bytes: usize,
    max_entries: usize,
    max_bytes: usize,
}

impl<T> Shard<T> {
    pub(super) fn new(max_entries: usize, max_bytes: usize) -> Self {
        Self {
            places: HashMap::default(),
            ring: Vec::new(),
            asked_for: Vec::new(),
            free: Vec::new(),
            hand: 0,
            bytes: 0,
            max_entries,
            max_bytes,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new(self.max_entries, self.max_bytes);
    }

    pub(super) fn find(&mut self, hash: u64, token: &[u8]) -> Option<&mut Entry<T>> {
        let place = *self.places.get(&hash)?;
        let slot = self.ring.get_mut(place)?.as_mut()?;
        if *slot.entry.token != *token {
            return None;
        }
        // What is so already is not written: others read it too.
        if let Some(asked_for @ false) = self.asked_for.get_mut(place) {
            *asked_for = true;
        }
        Some(&mut slot.entry)
    }

    pub(super) fn insert(&mut self, hash: u64, entry: Entry<T>) {
        let bytes = entry.bytes();
        if self.max_entries == 0 || bytes > self.max_bytes {
            return;
        }
        if let Some(place) = self.places.get(&hash).copied() {
            self.empty(place);
        }
        while self.places.len() >= self.max_entries
            || self.bytes.saturating_add(bytes) > self.max_bytes
        {
            self.make_room();
        }
        let slot = Some(Slot { hash, entry });
        let place = match self.free.pop() {
            Some(place) => {
                if let Some(free) = self.ring.get_mut(place) {
                    *free = slot;
                }
                if let Some(asked_for) = self.asked_for.get_mut(place) {
                    *asked_for = false;
                }
                place
            }
            None => {
                self.ring.push(slot);
                self.asked_for.push(false);
                self.ring.len().saturating_sub(1)
            }
        };
        self.places.insert(hash, place);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    pub(super) fn remove(&mut self, hash: u64, token: &[u8]) {
        if self.find(hash, token).is_none() {
            return;
        }
        if let Some(place) = self.places.get(&hash).copied() {
            self.empty(place);
        }
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&Entry<T>) -> bool) {
        for place in 0..self.ring.len() {
            let slot = self.ring.get(place).and_then(Option::as_ref);
            if slot.is_some_and(|slot| !keep(&slot.entry)) {
                self.empty(place);
            }
        }
    }

    /// Goes round until one entry was not asked for since the hand last came by, and forgets that.
    fn make_room(&mut self) {
        loop {
            self.hand = self.hand.checked_add(1).unwrap_or_default();
            if self.hand >= self.ring.len() {
                self.hand = 0;
            }
            let asked_for = self.asked_for.get_mut(self.hand);
            let spared = asked_for.is_some_and(std::mem::take);
            match self.ring.get(self.hand) {
                Some(Some(_)) if !spared => return self.empty(self.hand),
                Some(_) => {}
                None => return,
            }
        }
    }

    fn empty(&mut self, place: usize) {
        if let Some(slot) = self.ring.get_mut(place).and_then(Option::take) {
            self.places.remove(&slot.hash);
            self.bytes = self.bytes.saturating_sub(slot.entry.bytes());
            self.free.push(place);
        }
    }
}
