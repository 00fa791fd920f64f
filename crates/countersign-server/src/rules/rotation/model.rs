//! The proof of the rule: a session, a browser with several tabs, lost answers, crashes, a database that is restored, a
//! clock that is set back, and a thief; searched breadth first for a history in which a promise is broken.
//!
//! The model calls [`super::decide`], the function that the server calls, and does with its decision what the server
//! does: writes the row and answers the token at which it stands. What is promised, for every history that is searched:
//!
//! - an honest client is never refused while its session lives, unless it had to ask again after more lost answers in a
//!   day than the budget has (those that were lost together count once);
//! - a session that is over answers nobody, and every answer is a later token than the one that was presented;
//! - a token that was used counts for one grace window from its use (or from the retry after a lost answer), and no
//!   longer: that window is what a thief can use unseen;
//! - after it, a token from before the last one ends the session, and the last one spends the budget;
//! - where a thief used a token, the client's next use spends the budget, ends the session, or is audited.
//!
//! An honest client is taken to be one that (1) has its answer within half a grace window, or not at all, (2) does not
//! refresh a token that it got less than half a window ago, except in a burst of several tabs after a quiet time, and
//! (3) never puts an older token in the place of a newer one. Or, instead of (1) and (2), one that is [`Pace::Brisk`]: it has its
//! answer within a quarter of a window, or not at all, and refreshes as often as it likes while none is lost.

use super::{Decision, RotationRule, fresh};
use crate::store::sessions::Counter;

mod claims;
mod mutants;
mod promises;
mod same;
mod search;

use same::Held;

/// The function under proof, or a broken one.
type Decide = fn(&Counter, i64, i64, &RotationRule) -> Decision;

const TABS: usize = 2;
/// How many used generations are remembered; a thief who holds an older one throws it away.
const REMEMBERED: usize = 4;
/// How many answers one tab gets in a burst while another waits for one.
const FAST: i64 = 2;
/// So far away that it is never met.
const NEVER: i64 = 1 << 40;

/// How a client refreshes that is promised something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// It waits for half a window between two refreshes, and no longer than that for an answer.
    Calm,
    /// It waits for nothing, and no longer than a quarter of a window for an answer. After one that was lost, it is calm until it
    /// has had another for half a window.
    Brisk,
}

/// What may happen in the histories that are searched.
#[derive(Clone, Copy)]
struct Setting {
    rule: RotationRule,
    pace: Pace,
    /// The absolute lifetime.
    life: i64,
    /// The times that may pass at once.
    waits: &'static [i64],
    tabs: usize,
    crashes: u8,
    restores: u8,
    /// How far the clock may be set back, once; 0 for never.
    set_back: i64,
    /// How often the thief looks at the token that the browser holds.
    thefts: u8,
    logout: bool,
    depth: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    /// A tab sends the token that the browser holds.
    Ask,
    /// The server takes up what a tab sent.
    Serve(usize),
    /// The answer reaches the browser.
    Deliver(usize),
    /// The request or its answer is lost.
    Lose(usize),
    Wait(i64),
    /// The server dies: everything on its way is lost, and what was committed is there.
    Crash,
    LogOut,
    /// The database file is copied.
    Copy,
    /// The copy is put in the database's place.
    Restore,
    SetBack,
    Steal,
    /// The thief presents a token.
    Use(i64),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Message {
    Asked(i64),
    Answered(i64),
}

impl Message {
    fn generation(self) -> i64 {
        let (Self::Asked(n) | Self::Answered(n)) = self;
        n
    }
}

/// What became of a generation.
#[derive(Clone, Copy)]
struct Past {
    /// When its grace began, by the server's clock: when it was used, or retried after a lost answer.
    at: i64,
    /// The same by the time that never goes back.
    time: i64,
    by_thief: bool,
}

/// A moment of a history. `clock` is the server's; `time` never goes back.
#[derive(Clone)]
struct World {
    clock: i64,
    time: i64,
    row: Counter,
    copy: Option<Counter>,
    /// Until when the session lives if nobody uses it.
    idle_until: i64,
    /// The token that the browser holds, and since when.
    jar: i64,
    jar_at: i64,
    /// What is on its way for each tab, and since when.
    tabs: [Option<(i64, Message)>; TABS],
    /// When the tabs last did anything, and when the present burst began.
    active_at: i64,
    burst_at: i64,
    /// An answer was lost, and nothing was asked since.
    is_missing: bool,
    /// What the browser held when a brisk client last lost an answer, until half a window after it has got another.
    shaken: Option<i64>,
    /// When the client asked again after a lost answer, by the server's clock.
    lost: Vec<i64>,
    /// The client was refused or has logged out.
    is_out: bool,
    /// What became of the generation before the row's, of the one before that, …; `None` where nobody knows.
    past: [Option<Past>; REMEMBERED],
    /// When the first of the late retries came that count together, and how many there were.
    late: (i64, i64),
    stolen: Held,
    is_thief_at_work: bool,
    /// When the thief first used a token of which the client has not noticed anything.
    unnoticed_at: Option<i64>,
    crashes: u8,
    restores: u8,
    thefts: u8,
    can_set_back: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Client,
    Thief,
}

impl World {
    fn begin(setting: &Setting) -> Self {
        let mut row = fresh(0, setting.rule.idle, setting.life);
        row.grace_at = -NEVER;
        row.before_at = -NEVER;
        row.late_since = -NEVER;
        Self {
            clock: 0,
            time: 0,
            idle_until: row.idle_expires_at,
            row,
            copy: None,
            jar: row.n,
            jar_at: -NEVER,
            tabs: [None; TABS],
            active_at: -NEVER,
            burst_at: -NEVER,
            is_missing: false,
            shaken: None,
            lost: Vec::new(),
            is_out: false,
            past: [None; REMEMBERED],
            late: (-NEVER, 0),
            stolen: Held::default(),
            is_thief_at_work: false,
            unnoticed_at: None,
            crashes: setting.crashes,
            restores: setting.restores,
            thefts: setting.thefts,
            can_set_back: setting.set_back > 0,
        }
    }

    /// Everything that may happen next.
    fn actions(&self, setting: &Setting) -> Vec<Action> {
        let mut actions = Vec::new();
        let busy = self.tabs.iter().flatten().count();
        if busy < setting.tabs && self.may_ask(setting) {
            actions.push(Action::Ask);
        }
        for (tab, message) in self.tabs.iter().enumerate() {
            match message {
                None => {}
                Some((_, Message::Asked(_))) => {
                    actions.extend([Action::Serve(tab), Action::Lose(tab)]);
                }
                Some((_, Message::Answered(_))) => {
                    actions.extend([Action::Deliver(tab), Action::Lose(tab)]);
                }
            }
        }
        let in_time = |wait: i64| {
            let mut on_their_way = self.tabs.iter().flatten();
            on_their_way.all(|(at, _)| self.time + wait - at <= patience(setting))
        };
        let waits = setting.waits.iter().filter(|wait| in_time(**wait));
        actions.extend(waits.map(|wait| Action::Wait(*wait)));
        if self.crashes > 0 && self.tabs.iter().any(Option::is_some) {
            actions.push(Action::Crash);
        }
        if setting.logout && !self.is_out {
            actions.push(Action::LogOut);
        }
        if self.restores > 0 && self.row.revoked_at.is_none() && self.copy.is_none() {
            actions.push(Action::Copy);
        }
        if self.restores > 0 && self.copy.is_some() {
            actions.push(Action::Restore);
        }
        if self.can_set_back {
            actions.push(Action::SetBack);
        }
        if self.thefts > 0 && !self.stolen.has(self.jar) {
            actions.push(Action::Steal);
        }
        actions.extend(self.stolen.generations().map(Action::Use));
        actions
    }

    /// Whether the client is one of those that are promised something: see the top of this file.
    fn may_ask(&self, setting: &Setting) -> bool {
        if setting.pace == Pace::Brisk && self.shaken.is_none() {
            return !self.is_out;
        }
        let is_calm = self.time - self.jar_at > half(setting);
        let mut on_their_way = self.tabs.iter().flatten();
        let in_burst = self.time - self.burst_at <= half(setting)
            && on_their_way.all(|(_, message)| self.jar - message.generation() < FAST);
        !self.is_out && (is_calm || in_burst || self.begins_burst(setting))
    }

    fn begins_burst(&self, setting: &Setting) -> bool {
        self.time - self.active_at > setting.rule.grace && self.tabs.iter().all(Option::is_none)
    }

    /// The world after something happened.
    ///
    /// # Errors
    /// The promise that was broken.
    fn after(
        &self,
        action: Action,
        setting: &Setting,
        decide: Decide,
    ) -> Result<Self, &'static str> {
        let mut world = self.clone();
        match action {
            Action::Ask => {
                if world.begins_burst(setting) {
                    world.burst_at = world.time;
                }
                let asked = (world.time, Message::Asked(world.jar));
                let mut tabs = world.tabs.iter_mut();
                if let Some(free) = tabs.find(|tab| tab.is_none()) {
                    *free = Some(asked);
                }
            }
            Action::Serve(tab) => world.serve(tab, setting, decide)?,
            Action::Deliver(tab) => {
                if let Some((_, Message::Answered(n))) = world.tabs[tab].take()
                    && n > world.jar
                {
                    (world.jar, world.jar_at) = (n, world.time);
                }
            }
            Action::Lose(tab) => world.lose(tab),
            Action::Wait(secs) => {
                world.clock += secs;
                world.time += secs;
            }
            Action::Crash => {
                world.crashes -= 1;
                world.lose_all();
            }
            Action::LogOut => {
                world.is_out = true;
                world.row.revoked_at = Some(world.clock);
            }
            Action::Copy => world.copy = Some(world.row),
            Action::Restore => world.restore(),
            Action::SetBack => {
                world.can_set_back = false;
                world.clock -= setting.set_back;
                world.lose_all();
            }
            Action::Steal => {
                world.thefts -= 1;
                world.stolen.add(world.jar);
            }
            Action::Use(n) => {
                world.is_thief_at_work = true;
                let answer = world.present(n, Who::Thief, setting, decide)?;
                answer.into_iter().for_each(|n| world.stolen.add(n));
            }
        }
        if matches!(
            action,
            Action::Ask | Action::Serve(_) | Action::Deliver(_) | Action::Lose(_)
        ) {
            world.active_at = world.time;
        }
        if setting.pace == Pace::Brisk {
            world.calm_down(self, setting);
        }
        world.forget(setting);
        Ok(world)
    }

    /// Whether the client has lost an answer since `before`, or has got over one.
    fn calm_down(&mut self, before: &Self, setting: &Setting) {
        if self.is_missing && !before.is_missing {
            self.shaken = Some(self.jar);
        }
        let is_over = |of: i64| self.jar > of && self.time - self.jar_at > half(setting);
        self.shaken = self.shaken.filter(|of| !is_over(*of));
    }

    fn serve(&mut self, tab: usize, setting: &Setting, decide: Decide) -> Result<(), &'static str> {
        let Some((at, Message::Asked(n))) = self.tabs[tab].take() else {
            return Ok(());
        };
        if std::mem::take(&mut self.is_missing) {
            self.lost.push(self.clock);
        }
        match self.present(n, Who::Client, setting, decide)? {
            Some(answer) => self.tabs[tab] = Some((at, Message::Answered(answer))),
            None => self.is_out = true,
        }
        Ok(())
    }

    fn lose(&mut self, tab: usize) {
        if let Some((_, Message::Answered(_))) = self.tabs[tab].take() {
            self.is_missing = true;
        }
    }

    fn lose_all(&mut self) {
        (0..TABS).for_each(|tab| self.lose(tab));
    }

    /// Nobody knows any more what happened after the copy; neither does this.
    fn restore(&mut self) {
        self.restores -= 1;
        self.lose_all();
        if let Some(copy) = self.copy.take() {
            self.row = copy;
        }
        self.idle_until = self.row.idle_expires_at;
        self.past = [None; REMEMBERED];
        self.late = (-NEVER, 0);
        self.unnoticed_at = None;
    }
}

fn half(setting: &Setting) -> i64 {
    setting.rule.grace / 2
}

/// How long an answer may take.
fn patience(setting: &Setting) -> i64 {
    match setting.pace {
        Pace::Calm => half(setting),
        Pace::Brisk => half(setting) / 2,
    }
}

fn is_near(at: i64, clock: i64, setting: &Setting) -> bool {
    (at - clock).abs() <= setting.rule.grace
}
