//! Every branch of the rule matters: each is broken once, and the search finds a history in which a promise is.
//!
//! A broken rule is the rule itself with something taken from its input or turned over in its output, so that there is no
//! second text of it here either.

use super::claims::{BRISK, BRISK_THIEF, CLOCK, LOSSES, RACES, RESTORES, THIEF, rule};
use super::search::search;
use super::{Decide, NEVER, Setting};
use crate::rules::rotation::{Cause, Decision, RotationRule, decide};
use crate::store::sessions::Counter;

const ONE_RETRY: Setting = Setting {
    rule: rule(1),
    ..LOSSES
};

const OVER: &str = "a session that was over answered";
const GOES_ON: &str = "a token was refused and its session goes on";
const NOT_LATER: &str = "the answer is not the later token at which the row stands";
const OLD: &str = "a token from before the last one counted after its grace window";
const FREE: &str = "the last token counted after its grace window and spent nothing";
const REFUSED: &str = "an honest client was refused";
const UNNOTICED: &str = "a thief's use went unnoticed by the client's next one";
const TOO_MANY: &str = "more late retries were answered than the budget has";

/// What is broken, how, where it is searched for, and which promise that breaks first.
type Mutant = (&'static str, Decide, Setting, &'static str);

/// The decision about another row than the one that there is.
fn of(row: Counter, n: i64, now: i64, rule: &RotationRule) -> Decision {
    decide(&row, n, now, rule)
}

const LIFE: [Mutant; 6] = [
    (
        "that idleness counts from the latest use",
        |row, n, now, rule| match decide(row, n, now, rule) {
            Decision::Write(to, cause) => {
                let to = Counter {
                    latest_at: now,
                    idle_expires_at: now + rule.idle,
                    ..to
                };
                Decision::Write(to, cause)
            }
            other => other,
        },
        Setting {
            restores: 0,
            set_back: 20,
            logout: false,
            ..RESTORES
        },
        GOES_ON,
    ),
    (
        "a session that was ended",
        |row, n, now, rule| {
            of(
                Counter {
                    revoked_at: None,
                    ..*row
                },
                n,
                now,
                rule,
            )
        },
        RESTORES,
        OVER,
    ),
    (
        "the end of its time",
        |row, n, now, rule| {
            of(
                Counter {
                    expires_at: NEVER,
                    ..*row
                },
                n,
                now,
                rule,
            )
        },
        RESTORES,
        OVER,
    ),
    (
        "idleness",
        |row, n, now, rule| {
            of(
                Counter {
                    idle_expires_at: NEVER,
                    ..*row
                },
                n,
                now,
                rule,
            )
        },
        RESTORES,
        OVER,
    ),
    (
        "that a token ahead proves a later use",
        |row, n, now, rule| {
            if row.idle_expires_at <= now {
                return Decision::Dead;
            }
            decide(row, n, now, rule)
        },
        RESTORES,
        GOES_ON,
    ),
    (
        "that every write is a use",
        |row, n, now, rule| match decide(row, n, now, rule) {
            Decision::Write(to, cause) => {
                let idle_expires_at = row.idle_expires_at;
                Decision::Write(
                    Counter {
                        idle_expires_at,
                        ..to
                    },
                    cause,
                )
            }
            other => other,
        },
        RESTORES,
        GOES_ON,
    ),
];

const ROTATION: [Mutant; 7] = [
    (
        "that the present generation rotates",
        |row, n, now, rule| {
            if n == row.n {
                return Decision::Current;
            }
            decide(row, n, now, rule)
        },
        RACES,
        NOT_LATER,
    ),
    (
        "that a token ahead moves the row on",
        |row, n, now, rule| {
            if n > row.n {
                return Decision::Revoke(Cause::Reuse);
            }
            decide(row, n, now, rule)
        },
        RESTORES,
        REFUSED,
    ),
    (
        "that it moves the row beyond itself",
        |row, n, now, rule| {
            if n > row.n {
                return Decision::Current;
            }
            decide(row, n, now, rule)
        },
        RESTORES,
        NOT_LATER,
    ),
    (
        "that a token ahead opens a window",
        |row, n, now, rule| match decide(row, n, now, rule) {
            Decision::Write(to, Cause::Ahead) => {
                let (grace_n, grace_at) = (row.grace_n, row.grace_at);
                Decision::Write(
                    Counter {
                        grace_n,
                        grace_at,
                        ..to
                    },
                    Cause::Ahead,
                )
            }
            other => other,
        },
        Setting {
            logout: false,
            life: NEVER,
            depth: 14,
            ..RESTORES
        },
        REFUSED,
    ),
    (
        "that a rotation early in a window leaves it open",
        |row, n, now, rule| match decide(row, n, now, rule) {
            Decision::Write(to, Cause::Normal) => {
                let to = Counter {
                    grace_n: row.n,
                    grace_at: now,
                    before_n: row.grace_n,
                    before_at: row.grace_at,
                    ..to
                };
                Decision::Write(to, Cause::Normal)
            }
            other => other,
        },
        BRISK,
        REFUSED,
    ),
    (
        "that one late in a window opens another",
        |row, n, now, rule| match decide(row, n, now, rule) {
            Decision::Write(to, Cause::Normal) if now - row.grace_at <= rule.grace => {
                let to = Counter {
                    grace_n: row.grace_n,
                    grace_at: row.grace_at,
                    before_n: row.before_n,
                    before_at: row.before_at,
                    ..to
                };
                Decision::Write(to, Cause::Normal)
            }
            other => other,
        },
        BRISK,
        REFUSED,
    ),
    (
        "that a window which is over is forgotten",
        |row, n, now, rule| match decide(row, n, now, rule) {
            Decision::Write(to, Cause::Normal) if to.grace_n == row.n => {
                let to = Counter {
                    before_n: row.grace_n,
                    before_at: row.grace_at,
                    ..to
                };
                Decision::Write(to, Cause::Normal)
            }
            other => other,
        },
        CLOCK,
        FREE,
    ),
];

const GRACE: [Mutant; 9] = [
    (
        "the window before",
        |row, n, now, rule| {
            of(
                Counter {
                    before_n: NEVER,
                    ..*row
                },
                n,
                now,
                rule,
            )
        },
        BRISK,
        REFUSED,
    ),
    (
        "that the window before closes",
        |row, n, now, rule| {
            of(
                Counter {
                    before_at: now,
                    ..*row
                },
                n,
                now,
                rule,
            )
        },
        BRISK_THIEF,
        OLD,
    ),
    (
        "the window",
        |row, n, now, rule| {
            of(
                Counter {
                    grace_n: NEVER,
                    ..*row
                },
                n,
                now,
                rule,
            )
        },
        RACES,
        REFUSED,
    ),
    (
        "that a rotation outside a window opens one",
        |row, n, now, rule| match decide(row, n, now, rule) {
            Decision::Write(to, Cause::Normal) => {
                let (grace_n, grace_at) = (row.grace_n, row.grace_at);
                Decision::Write(
                    Counter {
                        grace_n,
                        grace_at,
                        ..to
                    },
                    Cause::Normal,
                )
            }
            other => other,
        },
        RACES,
        REFUSED,
    ),
    (
        "that the window closes",
        |row, n, now, rule| {
            of(
                Counter {
                    grace_at: now,
                    ..*row
                },
                n,
                now,
                rule,
            )
        },
        RACES,
        FREE,
    ),
    (
        "where the window begins",
        |row, n, now, rule| {
            of(
                Counter {
                    grace_n: -NEVER,
                    ..*row
                },
                n,
                now,
                rule,
            )
        },
        THIEF,
        OLD,
    ),
    (
        "that a rotation late in a window has a grace of its own",
        |row, n, now, rule| {
            of(
                Counter {
                    rotated_at: -NEVER,
                    ..*row
                },
                n,
                now,
                rule,
            )
        },
        RACES,
        REFUSED,
    ),
    (
        "that this grace ends",
        |row, n, now, rule| {
            of(
                Counter {
                    rotated_at: now,
                    ..*row
                },
                n,
                now,
                rule,
            )
        },
        RACES,
        FREE,
    ),
    (
        "that times yet to come are far away",
        |row, n, now, rule| {
            let (rotated_at, grace_at) = (row.rotated_at.min(now), row.grace_at.min(now));
            of(
                Counter {
                    rotated_at,
                    grace_at,
                    ..*row
                },
                n,
                now,
                rule,
            )
        },
        CLOCK,
        FREE,
    ),
];

const REUSE: [Mutant; 3] = [
    (
        "that reuse ends the session",
        |row, n, now, rule| match decide(row, n, now, rule) {
            Decision::Revoke(Cause::Reuse) => Decision::Dead,
            other => other,
        },
        THIEF,
        GOES_ON,
    ),
    (
        "reuse",
        |row, n, now, rule| match decide(row, n, now, rule) {
            Decision::Revoke(Cause::Reuse) => Decision::Current,
            other => other,
        },
        THIEF,
        OLD,
    ),
    (
        "that the last token is no reuse",
        |row, n, now, rule| match decide(row, n, now, rule) {
            Decision::Write(_, Cause::LateRetry) => Decision::Revoke(Cause::Reuse),
            other => other,
        },
        LOSSES,
        REFUSED,
    ),
];

const BUDGET: [Mutant; 9] = [
    (
        "that a late retry is counted",
        |row, n, now, rule| {
            of(
                Counter {
                    late_count: 0,
                    ..*row
                },
                n,
                now,
                rule,
            )
        },
        LOSSES,
        TOO_MANY,
    ),
    (
        "the last one of the budget",
        |row, n, now, rule| {
            let late_budget = rule.late_budget + 1;
            decide(
                row,
                n,
                now,
                &RotationRule {
                    late_budget,
                    ..*rule
                },
            )
        },
        RACES,
        TOO_MANY,
    ),
    (
        "that a budget is there to be spent",
        |row, n, now, rule| {
            let late_budget = rule.late_budget - 1;
            decide(
                row,
                n,
                now,
                &RotationRule {
                    late_budget,
                    ..*rule
                },
            )
        },
        ONE_RETRY,
        REFUSED,
    ),
    (
        "that the budget is whole again after a day",
        |row, n, now, rule| {
            of(
                Counter {
                    late_since: now,
                    ..*row
                },
                n,
                now,
                rule,
            )
        },
        LOSSES,
        REFUSED,
    ),
    (
        "and not before",
        |row, n, now, rule| {
            of(
                Counter {
                    late_since: -NEVER,
                    ..*row
                },
                n,
                now,
                rule,
            )
        },
        LOSSES,
        TOO_MANY,
    ),
    (
        "that a day yet to come does not hold it",
        |row, n, now, rule| {
            let late_since = row.late_since.min(now);
            of(Counter { late_since, ..*row }, n, now, rule)
        },
        Setting {
            thefts: 0,
            depth: 14,
            ..CLOCK
        },
        REFUSED,
    ),
    (
        "that one retry serves all who ask at the time",
        |row, n, now, rule| match decide(row, n, now, rule) {
            Decision::Write(to, Cause::LateRetry) => {
                let (grace_n, grace_at) = (row.grace_n, row.grace_at);
                Decision::Write(
                    Counter {
                        grace_n,
                        grace_at,
                        ..to
                    },
                    Cause::LateRetry,
                )
            }
            other => other,
        },
        ONE_RETRY,
        REFUSED,
    ),
    (
        "that a spent budget ends the session",
        |row, n, now, rule| match decide(row, n, now, rule) {
            Decision::Revoke(Cause::LateRetry) => Decision::Dead,
            other => other,
        },
        RACES,
        GOES_ON,
    ),
    (
        "that a late retry is no rotation",
        |row, n, now, rule| match decide(row, n, now, rule) {
            Decision::Write(_, Cause::LateRetry) => decide(row, row.n, now, rule),
            other => other,
        },
        THIEF,
        UNNOTICED,
    ),
];

fn are_found(mutants: &[Mutant]) {
    for (what, broken, setting, promise) in mutants {
        let found = search(setting, *broken).broken;
        let found = found.unwrap_or_else(|| panic!("nobody misses {what}"));
        assert_eq!(found.promise, *promise, "{what}: {}", found.told());
    }
}

#[test]
fn the_end_of_a_session_matters() {
    are_found(&LIFE);
}

#[test]
fn every_step_that_a_row_makes_matters() {
    are_found(&ROTATION);
}

#[test]
fn every_bound_of_the_grace_matters() {
    are_found(&GRACE);
}

#[test]
fn reuse_matters() {
    are_found(&REUSE);
}

#[test]
fn every_bound_of_the_budget_matters() {
    are_found(&BUDGET);
}
