//! The report as people read it, in 100 columns: one line for each step and more for one that failed; in the alternate
//! form all there is to say of each.

use std::fmt;

use super::words::{plain, wrap};
use super::{ConsideredKey, Outcome, Report, Step};

/// The width of the summaries, so that the rules stand in a column of their own.
const SUMMARY_WIDTH: usize = 76;

/// The width of what stands below a summary.
const BELOW_WIDTH: usize = 95;

/// The width of the words before what was found, what was expected, the rule and what to do.
const LABEL_WIDTH: usize = 10;

/// How many of the keys that were considered are written out.
const MAX_KEYS: usize = 8;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let in_full = f.alternate();
        for step in &self.steps {
            match step.outcome {
                Outcome::Passed if self.unchecked.contains(&step.name) => {
                    write_step(f, '–', step, in_full)?;
                }
                Outcome::Passed => write_step(f, '✓', step, in_full)?,
                Outcome::Failed => write_step(f, '✗', step, in_full)?,
                Outcome::Skipped if in_full || step.further => write_step(f, '·', step, in_full)?,
                Outcome::Skipped => {}
            }
        }
        let skipped = self
            .steps
            .iter()
            .filter(|step| step.outcome == Outcome::Skipped && !step.further);
        match skipped.count() {
            0 => {}
            1 => writeln!(f, "     1 step could not be looked at")?,
            count => writeln!(f, "     {count} steps could not be looked at")?,
        }
        match (self.first_code(), self.failures().saturating_sub(1)) {
            (None, _) => match self.conclusion().filter(|_| self.is_qualified()) {
                Some(conclusion) => {
                    let lines = wrap(&format!("valid: {conclusion}"), BELOW_WIDTH);
                    f.write_str(&lines.join("\n"))
                }
                None => f.write_str("valid"),
            },
            (Some(code), 0) => write!(f, "refused: {code}"),
            (Some(code), more) => write!(f, "refused: {code} (and {more} more)"),
        }
    }
}

fn write_step(f: &mut fmt::Formatter<'_>, mark: char, step: &Step, in_full: bool) -> fmt::Result {
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
    let has_failed = step.outcome == Outcome::Failed;
    if in_full {
        // The summary of a step that was skipped has found nothing.
        write_below(f, "found", step.found.as_deref())?;
        write_below(f, "expected", step.expected.as_deref())?;
    }
    if in_full || has_failed {
        for key in step.keys.iter().take(MAX_KEYS) {
            write_below(f, "", Some(&describe(key)))?;
        }
        match step.keys.len().saturating_sub(MAX_KEYS) {
            0 => {}
            more => writeln!(f, "     and {more} more keys")?,
        }
        write_below(f, "rule", Some(step.rule))?;
    }
    write_below(f, "to do", step.fix.as_deref())
}

/// What has a label is set in from it.
fn write_below(f: &mut fmt::Formatter<'_>, label: &str, text: Option<&str>) -> fmt::Result {
    let indent = if label.is_empty() { 0 } else { LABEL_WIDTH };
    let lines = text.map(|text| wrap(text, BELOW_WIDTH.saturating_sub(indent)));
    for (at, line) in lines.into_iter().flatten().enumerate() {
        let label = if at == 0 { label } else { "" };
        writeln!(f, "     {label:indent$}{line}")?;
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
