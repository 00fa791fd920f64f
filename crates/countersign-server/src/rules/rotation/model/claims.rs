//! What the server promises, searched for a history that breaks it.

use super::search::search;
use super::{Action, NEVER, Pace, Setting, World};
use crate::rules::rotation::{RotationRule, decide};

/// The rule with a grace window of 2, a day of 8, and without an end by idleness. Times are only ever compared, so what
/// holds for short ones holds for long ones, and there are fewer of them.
pub(super) const fn rule(late_budget: i64) -> RotationRule {
    RotationRule {
        grace: 2,
        late_budget,
        late_window: 8,
        idle: NEVER,
    }
}

/// Two tabs that race and lose answers, and a server that dies.
pub(super) const RACES: Setting = Setting {
    rule: rule(0),
    pace: Pace::Calm,
    life: NEVER,
    waits: &[1, 3, 8],
    tabs: 2,
    crashes: 1,
    restores: 0,
    set_back: 0,
    thefts: 0,
    logout: false,
    depth: 20,
};

/// The same with a budget.
pub(super) const LOSSES: Setting = Setting {
    rule: rule(2),
    crashes: 0,
    depth: 20,
    ..RACES
};

/// Two tabs that refresh without a pause, whose answers come soon.
pub(super) const BRISK: Setting = Setting {
    rule: RotationRule {
        grace: 4,
        ..rule(0)
    },
    pace: Pace::Brisk,
    waits: &[1, 5],
    crashes: 0,
    depth: 18,
    ..RACES
};

/// The same with lost answers and a budget.
pub(super) const BRISK_LOSSES: Setting = Setting {
    rule: RotationRule {
        grace: 4,
        ..rule(2)
    },
    depth: 17,
    ..BRISK
};

/// The same and a thief.
pub(super) const BRISK_THIEF: Setting = Setting {
    thefts: 1,
    depth: 12,
    ..BRISK
};

/// A database that goes back in time, and sessions that go idle.
pub(super) const RESTORES: Setting = Setting {
    rule: RotationRule { idle: 9, ..rule(1) },
    life: 20,
    restores: 1,
    crashes: 0,
    logout: true,
    waits: &[3, 8],
    depth: 12,
    ..RACES
};

/// A thief who looks into the browser twice.
pub(super) const THIEF: Setting = Setting {
    rule: rule(1),
    thefts: 2,
    crashes: 0,
    tabs: 1,
    waits: &[1, 3, 8],
    depth: 12,
    ..RACES
};

/// A clock that is set back by two and a half days.
pub(super) const CLOCK: Setting = Setting {
    rule: rule(1),
    set_back: 20,
    thefts: 1,
    depth: 10,
    crashes: 0,
    tabs: 1,
    ..RACES
};

/// Everything at once.
pub(super) const EVERYTHING: Setting = Setting {
    rule: RotationRule {
        idle: 20,
        ..rule(1)
    },
    life: 40,
    restores: 1,
    set_back: 20,
    thefts: 1,
    logout: true,
    depth: 8,
    ..RACES
};

/// Searches a setting; `states` is how many there are in it.
fn holds(setting: &Setting, states: usize) {
    let found = search(setting, decide);
    if let Some(broken) = &found.broken {
        panic!("{}", broken.told());
    }
    assert_eq!((found.states, found.depth), (states, setting.depth));
}

#[test]
fn tabs_that_race_are_never_refused() {
    holds(&RACES, 74_810);
}

#[test]
fn tabs_that_refresh_without_a_pause_are_never_refused() {
    holds(&BRISK, 42_526);
}

#[test]
fn tabs_that_refresh_without_a_pause_lose_answers_and_are_not_refused_before_the_budget_is_spent() {
    holds(&BRISK_LOSSES, 49_119);
}

#[test]
fn a_thief_gains_nothing_by_a_client_that_refreshes_without_a_pause() {
    holds(&BRISK_THIEF, 98_668);
}

#[test]
fn a_client_that_loses_answers_is_refused_when_they_are_more_than_the_budget_and_not_before() {
    holds(&LOSSES, 120_988);
}

#[test]
fn a_database_that_goes_back_in_time_refuses_nobody_who_was_there_before() {
    holds(&RESTORES, 35_732);
}

#[test]
fn a_thief_is_noticed_by_the_clients_next_use() {
    holds(&THIEF, 69_367);
}

#[test]
fn a_clock_that_is_set_back_breaks_no_promise() {
    holds(&CLOCK, 131_535);
}

#[test]
fn nothing_is_broken_by_all_of_it_together() {
    holds(&EVERYTHING, 154_154);
}

#[test]
fn within_a_grace_window_of_its_client_a_thief_is_not_noticed() {
    // The limit that is stated: the token that was stolen and the one that the client used are the same, and so is what
    // both are answered. From there on the two take turns, and that is noticed.
    let mut world = World::begin(&THIEF);
    let history = [
        Action::Steal,
        Action::Ask,
        Action::Serve(1),
        Action::Deliver(1),
        Action::Wait(1),
        Action::Use(-1),
    ];
    for action in history {
        world = world.after(action, &THIEF, decide).unwrap();
    }
    assert!(world.stolen.has(world.jar) && world.jar == world.row.n);
    assert_eq!((world.row.late_count, world.row.revoked_at), (0, None));
    for action in [
        Action::Wait(3),
        Action::Use(0),
        Action::Wait(3),
        Action::Ask,
    ] {
        world = world.after(action, &THIEF, decide).unwrap();
    }
    assert!(world.unnoticed_at.is_some());
    world = world.after(Action::Serve(1), &THIEF, decide).unwrap();
    assert!(world.unnoticed_at.is_none() && world.row.late_count == 1);
}

#[test]
fn turns_of_a_thief_and_a_client_end_the_session_after_as_many_as_the_budget_and_one_more() {
    for budget in [1, 2, 3] {
        // All in one day.
        let setting = Setting {
            rule: RotationRule {
                late_window: 100,
                ..rule(budget)
            },
            ..THIEF
        };
        let after = |world: World, action| world.after(action, &setting, decide).unwrap();
        let mut world = after(World::begin(&setting), Action::Steal);
        let mut turns = 0;
        while world.row.revoked_at.is_none() {
            turns += 1;
            let newest = world.stolen.generations().last().unwrap();
            for action in [
                Action::Use(newest),
                Action::Wait(3),
                Action::Ask,
                Action::Serve(1),
            ] {
                world = after(world, action);
            }
            if !world.is_out {
                world = after(after(world, Action::Deliver(1)), Action::Lose(0));
            }
        }
        assert_eq!(turns, budget + 1);
    }
}
