//! What becomes of a token that is presented, and what was promised about it.

use super::{Decide, Past, REMEMBERED, Setting, Who, World, is_near};
use crate::rules::rotation::{Cause, Decision};

impl World {
    /// A token is presented: what the server does, and what it had promised.
    pub(super) fn present(
        &mut self,
        n: i64,
        who: Who,
        setting: &Setting,
        decide: Decide,
    ) -> Result<Option<i64>, &'static str> {
        let (before, past) = (self.row, self.past_of(n));
        let is_over = self.is_over(n);
        let decision = decide(&before, n, self.clock, &setting.rule);
        let answer = match decision {
            Decision::Write(to, _) => {
                self.row = to;
                // By the latest clock of all: which of them was right, nobody knows.
                self.idle_until = self.idle_until.max(self.clock + setting.rule.idle);
                Some(to.n)
            }
            Decision::Current => Some(before.n),
            Decision::Revoke(_) => {
                self.row.revoked_at = Some(self.clock);
                None
            }
            Decision::Dead => None,
        };
        if is_over {
            return match answer {
                None => Ok(None),
                Some(_) => Err("a session that was over answered"),
            };
        }
        self.promised_to_all(n, before.n, past, decision, answer, setting)?;
        self.remember(n, before.n, who, decision);
        self.count_late(decision, setting)?;
        match who {
            Who::Client => self.promised_to_client(answer, decision, setting)?,
            Who::Thief => self.watch_thief(past, decision, setting),
        }
        Ok(answer)
    }

    fn promised_to_all(
        &self,
        n: i64,
        before: i64,
        past: Option<Past>,
        decision: Decision,
        answer: Option<i64>,
        setting: &Setting,
    ) -> Result<(), &'static str> {
        let Some(answer) = answer else {
            return match self.row.revoked_at {
                Some(_) => Ok(()),
                None => Err("a token was refused and its session goes on"),
            };
        };
        if answer <= n || answer != self.row.n {
            return Err("the answer is not the later token at which the row stands");
        }
        let is_late = past.is_some_and(|past| !self.is_in_grace(past, setting));
        if is_late && n + 1 < before {
            return Err("a token from before the last one counted after its grace window");
        }
        if is_late && decision == Decision::Current {
            return Err("the last token counted after its grace window and spent nothing");
        }
        Ok(())
    }

    fn promised_to_client(
        &mut self,
        answer: Option<i64>,
        decision: Decision,
        setting: &Setting,
    ) -> Result<(), &'static str> {
        let lost = i64::try_from(self.lost.len()).unwrap();
        let is_excused = self.is_out || self.is_thief_at_work || lost > setting.rule.late_budget;
        if answer.is_none() && !is_excused {
            return Err("an honest client was refused");
        }
        let Some(since) = self.unnoticed_at.take() else {
            return Ok(());
        };
        let is_noticed = match decision {
            Decision::Write(_, Cause::LateRetry | Cause::Ahead)
            | Decision::Revoke(_)
            | Decision::Dead => true,
            // Within a grace window of each other the two cannot be told apart: this is the limit that is stated.
            Decision::Current => is_near(since, self.clock, setting),
            Decision::Write(..) => false,
        };
        if is_noticed {
            Ok(())
        } else {
            Err("a thief's use went unnoticed by the client's next one")
        }
    }

    fn watch_thief(&mut self, past: Option<Past>, decision: Decision, setting: &Setting) {
        let in_window_of_client =
            past.is_some_and(|past| !past.by_thief && self.is_in_grace(past, setting));
        match decision {
            Decision::Write(_, Cause::LateRetry | Cause::Ahead) => self.unnoticed_at = None,
            Decision::Write(..) if !in_window_of_client => {
                self.unnoticed_at = self.unnoticed_at.or(Some(self.clock));
            }
            _ => {}
        }
    }

    /// Late retries that count together are at most as many as the budget.
    fn count_late(&mut self, decision: Decision, setting: &Setting) -> Result<(), &'static str> {
        let Decision::Write(_, Cause::LateRetry) = decision else {
            return Ok(());
        };
        let (since, count) = self.late;
        if since.abs_diff(self.clock) >= setting.rule.late_window.unsigned_abs() {
            self.late = (self.clock, 1);
        } else {
            self.late = (since, count + 1);
        }
        if self.late.1 > setting.rule.late_budget {
            return Err("more late retries were answered than the budget has");
        }
        Ok(())
    }

    /// Whether nobody may be answered any more. What is known of idleness does not count against a token that is ahead of
    /// the row, because that proves a later use.
    pub(super) fn is_over(&self, n: i64) -> bool {
        self.row.revoked_at.is_some()
            || self.row.expires_at <= self.clock
            || (self.idle_until <= self.clock && n <= self.row.n)
    }

    /// Whether a used token may still count. After the clock was set back nobody can tell how long ago it was used: then
    /// it may count while it is near by either clock, or near the beginning of the window in which it was used.
    fn is_in_grace(&self, past: Past, setting: &Setting) -> bool {
        let was_set_back = setting.set_back > 0 && !self.can_set_back;
        is_near(past.at, self.clock, setting)
            || is_near(past.time, self.time, setting)
            || (was_set_back && (past.at - self.clock).abs() <= 2 * setting.rule.grace)
    }

    fn past_of(&self, n: i64) -> Option<Past> {
        let behind = usize::try_from(self.row.n - n - 1).ok()?;
        *self.past.get(behind)?
    }

    /// What became of generation `n`, of which a use was just decided, and of those that moved back by it.
    fn remember(&mut self, n: i64, before: i64, who: Who, decision: Decision) {
        let by_thief = who == Who::Thief;
        match decision {
            Decision::Write(_, Cause::LateRetry) => {
                if let Some(Some(past)) = self.past.first_mut() {
                    (past.at, past.time) = (self.clock, self.time);
                }
            }
            Decision::Write(to, _) => {
                let moved = usize::try_from(to.n - before).unwrap_or(0).min(REMEMBERED);
                self.past.rotate_right(moved);
                self.past[..moved].fill(None);
                if to.n == n + 1 {
                    self.past[0] = Some(Past {
                        at: self.clock,
                        time: self.time,
                        by_thief,
                    });
                }
            }
            _ => {}
        }
    }
}
