//! The report as people read it: one line for each step, in 100 columns.

use std::fmt;

use super::words::{plain, wrap};
use super::{ConsideredKey, Outcome, Report, Step};

/// The width of the summaries, so that the rules stand in a column of their own.
const SUMMARY_WIDTH: usize = 76;

/// The width of what stands below a summary.
const BELOW_WIDTH: usize = 95;

/// How many of the keys that were considered are written out.
const MAX_KEYS: usize = 8;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            match step.outcome {
                Outcome::Passed => write_step(f, '✓', step)?,
                Outcome::Failed => write_step(f, '✗', step)?,
                Outcome::Skipped => {}
            }
        }
        let skipped = self.count(Outcome::Skipped);
        if skipped > 0 {
            writeln!(f, "     {skipped} steps could not be looked at")?;
        }
        match (&self.error, self.failures().saturating_sub(1)) {
            (None, _) => f.write_str("valid"),
            (Some(error), 0) => write!(f, "refused: {}", error.code()),
            (Some(error), more) => write!(f, "refused: {} (and {more} more)", error.code()),
        }
    }
}

fn write_step(f: &mut fmt::Formatter<'_>, mark: char, step: &Step) -> fmt::Result {
    let mut lines = wrap(&step.summary, SUMMARY_WIDTH).into_iter();
    let first = lines.next().unwrap_or_default();
    writeln!(
        f,
        "{:2} {mark} {first:SUMMARY_WIDTH$} {}",
        step.number, step.rfc
    )?;
    for line in lines {
        writeln!(f, "     {line}")?;
    }
    if step.outcome == Outcome::Failed {
        for key in step.keys.iter().take(MAX_KEYS) {
            write_below(f, &describe(key))?;
        }
        match step.keys.len().saturating_sub(MAX_KEYS) {
            0 => {}
            more => writeln!(f, "     and {more} more keys")?,
        }
    }
    step.fix.as_ref().map_or(Ok(()), |fix| write_below(f, fix))
}

fn write_below(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for line in wrap(text, BELOW_WIDTH) {
        writeln!(f, "     {line}")?;
    }
    Ok(())
}

fn describe(key: &ConsideredKey) -> String {
    let kid = key.kid.as_deref().map_or_else(
        || "a key without a kid".to_owned(),
        |kid| format!("key {kid}"),
    );
    let refused = key.refused.as_deref().unwrap_or("taken");
    match key.alg {
        Some(alg) => format!("{kid} ({alg}): {refused}"),
        None => format!("{kid}: {}", plain_reason(refused)),
    }
}

/// A reason may hold no sender's text, but a set is fetched from elsewhere: nothing in it reaches a terminal unescaped.
fn plain_reason(reason: &str) -> String {
    if reason.chars().any(char::is_control) {
        plain(reason)
    } else {
        reason.to_owned()
    }
}
