//! Which moments are the same from here on: those that differ in nothing that anything depends on.

use super::{Message, NEVER, REMEMBERED, Setting, World, half};
use crate::store::sessions::Counter;

/// A set of generations, relative to the row's: a bit for each from 16 before it to 15 after it.
#[derive(Clone, Copy, Default)]
pub(super) struct Held(u32);

impl Held {
    fn bit(n: i64) -> u32 {
        1 << u32::try_from(n + 16).unwrap()
    }

    pub(super) fn add(&mut self, n: i64) {
        self.0 |= Self::bit(n);
    }

    pub(super) fn has(self, n: i64) -> bool {
        self.0 & Self::bit(n) != 0
    }

    /// From the oldest on.
    pub(super) fn generations(self) -> impl Iterator<Item = i64> {
        (-16..16).filter(move |n| self.has(*n))
    }

    /// Relative to a row that is `n` further on, without those before `oldest`.
    fn moved_by(self, n: i64, oldest: i64) -> Self {
        let mut moved = Self::default();
        let still = self
            .generations()
            .map(|of| of - n)
            .filter(|of| *of >= oldest);
        still.for_each(|of| moved.add(of));
        moved
    }
}

const KEY_BYTES: usize = 92;

/// What two worlds have in common exactly when they are the same.
pub(super) type Key = [i8; KEY_BYTES];

fn numbers(row: &Counter) -> [i64; 12] {
    [
        row.n,
        row.rotated_at,
        row.grace_n,
        row.grace_at,
        row.before_n,
        row.before_at,
        row.latest_at,
        row.late_count,
        row.late_since,
        row.idle_expires_at,
        row.expires_at,
        i64::from(row.revoked_at.is_some()),
    ]
}

impl World {
    /// Moves both clocks and the row's generation to zero, and forgets differences that nothing depends on, so that
    /// what is the same from here on is the same world.
    pub(super) fn forget(&mut self, setting: &Setting) {
        let jump = if self.can_set_back {
            setting.set_back
        } else {
            0
        };
        let (clock, time, n) = (self.clock, self.time, self.row.n);
        let (grace, day) = (setting.rule.grace + jump, setting.rule.late_window + jump);
        let oldest = -i64::try_from(REMEMBERED).unwrap();
        let ago = |at: i64, matters: i64| (at - clock).max(-matters - 1);
        let ahead = |at: i64| if at > NEVER / 2 { NEVER } else { at - clock };
        for row in std::iter::once(&mut self.row).chain(&mut self.copy) {
            row.n -= n;
            row.grace_n = (row.grace_n - n).max(oldest - 1);
            row.rotated_at = ago(row.rotated_at, grace);
            row.grace_at = ago(row.grace_at, grace);
            row.before_n = (row.before_n - n).max(oldest - 1);
            row.before_at = ago(row.before_at, grace);
            row.late_since = ago(row.late_since, day);
            row.idle_expires_at = ahead(row.idle_expires_at);
            row.latest_at = if row.idle_expires_at >= NEVER {
                0
            } else {
                (row.latest_at - clock).max(-jump - 1)
            };
            row.expires_at = ahead(row.expires_at);
            row.revoked_at = row.revoked_at.map(|_| 0);
        }
        self.jar -= n;
        self.shaken = self.shaken.map(|of| (of - n).max(oldest - 1));
        self.jar_at = (self.jar_at - time).max(-half(setting) - 1);
        self.active_at = (self.active_at - time).max(-setting.rule.grace - 1);
        self.burst_at = (self.burst_at - time).max(-half(setting) - 1);
        for (at, message) in self.tabs.iter_mut().flatten() {
            *at -= time;
            let (Message::Asked(of) | Message::Answered(of)) = message;
            *of -= n;
        }
        // One tab is like another.
        self.tabs.sort_unstable();
        self.lost.iter_mut().for_each(|at| *at -= clock);
        // A retry that took its time to arrive begins its day a little later.
        self.lost.retain(|at| at.abs() < day + setting.rule.grace);
        self.stolen = self.stolen.moved_by(n, oldest);
        self.forget_what_nobody_holds(setting.rule.grace, jump);
        for past in self.past.iter_mut().flatten() {
            past.at = ago(past.at, grace);
            past.time = (past.time - time).max(-setting.rule.grace - 1);
        }
        self.late.0 = ago(self.late.0, day);
        self.unnoticed_at = self.unnoticed_at.map(|at| ago(at, grace));
        self.idle_until = ahead(self.idle_until);
        (self.clock, self.time) = (0, 0);
    }

    /// All of it in few bytes, once what does not matter is forgotten.
    pub(super) fn key(&self) -> Key {
        let mut key = [0; KEY_BYTES];
        let mut bytes = key.iter_mut();
        let mut put = |value: i64| {
            // Far away is far away.
            *bytes.next().unwrap() = i8::try_from(value.min(i64::from(i8::MAX))).unwrap();
        };
        for row in [Some(self.row), self.copy] {
            put(i64::from(row.is_some()));
            for value in row.map_or([0; 12], |row| numbers(&row)) {
                put(value);
            }
        }
        put(self.jar);
        put(self.jar_at);
        for tab in self.tabs {
            let (at, kind, n) = match tab {
                None => (0, 0, 0),
                Some((at, Message::Asked(n))) => (at, 1, n),
                Some((at, Message::Answered(n))) => (at, 2, n),
            };
            [at, kind, n].into_iter().for_each(&mut put);
        }
        for past in self.past {
            let (at, time, kind) = match past {
                None => (0, 0, 0),
                Some(past) => (past.at, past.time, 1 + i64::from(past.by_thief)),
            };
            [at, time, kind].into_iter().for_each(&mut put);
        }
        let flags = [
            self.is_missing,
            self.is_out,
            self.is_thief_at_work,
            self.can_set_back,
        ];
        flags.into_iter().map(i64::from).for_each(&mut put);
        [self.crashes, self.restores, self.thefts]
            .into_iter()
            .map(i64::from)
            .for_each(&mut put);
        [self.active_at, self.burst_at, self.late.0, self.late.1]
            .into_iter()
            .for_each(&mut put);
        put(i64::from(self.unnoticed_at.is_some()));
        put(self.unnoticed_at.unwrap_or(0));
        put(self.idle_until);
        put(self.shaken.map_or(100, |of| of));
        self.stolen.generations().for_each(&mut put);
        put(100);
        self.lost.iter().copied().for_each(&mut put);
        put(100);
        key
    }

    /// Drops what is known of generations that nobody can present any more.
    fn forget_what_nobody_holds(&mut self, grace: i64, jump: i64) {
        let mut held = self.stolen;
        held.add(self.jar);
        let on_their_way = self.tabs.iter().flatten();
        on_their_way.for_each(|(_, message)| held.add(message.generation()));
        for (behind, past) in (1..).zip(&mut self.past) {
            past.take_if(|_| !held.has(-behind));
        }
        let row = &mut self.row;
        let oldest = held.generations().next().unwrap_or(0);
        row.grace_n = row.grace_n.max(oldest);
        row.before_n = row.before_n.max(oldest);
        if row.before_at < -grace - jump {
            row.before_n = 0;
        }
        if !held.has(-1) {
            row.rotated_at = -grace - jump - 1;
        }
    }
}
