//! Every history up to a depth, the shortest first.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::{Action, Decide, Setting, World};

/// What a search found.
pub(super) struct Found {
    pub(super) states: usize,
    /// How many steps the longest history has.
    pub(super) depth: usize,
    pub(super) broken: Option<Broken>,
}

/// A promise that was broken, and the shortest way there.
pub(super) struct Broken {
    pub(super) promise: &'static str,
    pub(super) history: Vec<Action>,
}

impl Broken {
    pub(super) fn told(&self) -> String {
        let mut text = format!("{}, by", self.promise);
        for action in &self.history {
            let _ = write!(text, " {action:?}");
        }
        text
    }
}

/// Searches all histories of a setting.
pub(super) fn search(setting: &Setting, decide: Decide) -> Found {
    let mut begin = World::begin(setting);
    begin.forget(setting);
    let mut seen = HashSet::from([begin.key()]);
    let mut came_from: Vec<(usize, Option<Action>)> = vec![(0, None)];
    let mut edge = vec![(0, begin)];
    for depth in 0..setting.depth {
        let mut next = Vec::new();
        for (at, world) in edge {
            for action in world.actions(setting) {
                match world.after(action, setting, decide) {
                    Ok(after) => {
                        if seen.insert(after.key()) {
                            next.push((came_from.len(), after));
                            came_from.push((at, Some(action)));
                        }
                    }
                    Err(promise) => {
                        let history = history(&came_from, at, action);
                        return Found {
                            states: seen.len(),
                            depth: depth + 1,
                            broken: Some(Broken { promise, history }),
                        };
                    }
                }
            }
        }
        edge = next;
    }
    Found {
        states: seen.len(),
        depth: setting.depth,
        broken: None,
    }
}

fn history(came_from: &[(usize, Option<Action>)], at: usize, last: Action) -> Vec<Action> {
    let mut history = vec![last];
    let mut step = at;
    while let (before, Some(action)) = came_from[step] {
        history.push(action);
        step = before;
    }
    history.reverse();
    history
}
