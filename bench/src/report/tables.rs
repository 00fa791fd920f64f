//! Markdown.

use std::fmt::Write as _;

use harness::data::ALGORITHMS;

use crate::goals;
use crate::growth::Step;
use crate::rounds::Measured;

/// Whether it is measured against another primitive than aws-lc-rs: only Rust counts allocations.
pub fn is_elsewhere(measured: &Measured) -> bool {
    measured.item.allocations.is_none()
}

/// One row for each library and flavour, one column for each algorithm; those in Rust, or the others.
pub fn peers(measured: &[&Measured], op: &str, rust: bool) -> String {
    let chosen: Vec<_> =
        measured.iter().filter(|measured| measured.item.op == op && is_elsewhere(measured) != rust).collect();
    let mut names: Vec<(&str, Option<&str>)> = Vec::new();
    for measured in &chosen {
        let name = (measured.item.who.as_str(), measured.item.claims.as_deref());
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let counted = if rust { " | allocations (HS256)" } else { "" };
    let mut text = format!("| {op} | {}{counted} |\n", ALGORITHMS.join(" | "));
    text += &format!("|{}\n", "---|".repeat(ALGORITHMS.len() + 1 + usize::from(rust)));
    for (who, claims) in names {
        let find = |alg: &str| {
            chosen.iter().find(|measured| {
                let item = &measured.item;
                (item.alg.as_str(), item.who.as_str(), item.claims.as_deref()) == (alg, who, claims)
            })
        };
        let claims = claims.map(|claims| format!(", {claims}")).unwrap_or_default();
        let _ = write!(text, "| {who}{claims} |");
        for alg in ALGORITHMS {
            let Some(measured) = find(alg) else {
                text.push_str(" |");
                continue;
            };
            let _ = match measured.item.raw {
                true => write!(text, " {} |", figure(measured.us())),
                false => write!(text, " {} ({:.2}) |", figure(measured.us()), measured.ratio_to_raw()),
            };
        }
        if rust {
            let allocations = find("HS256").and_then(|measured| measured.item.allocations);
            let _ = write!(text, " {} |", allocations.map(|count| count.to_string()).unwrap_or_default());
        }
        text.push('\n');
    }
    text.push('\n');
    text
}

/// Each goal, what was measured, and what is missing.
pub fn goals(measured: &[&Measured]) -> String {
    let mut text = String::from(
        "### Goals: times raw aws-lc-rs in the same round\n\n| | goal | measured | |\n|---|---|---|---|\n",
    );
    for measured in measured.iter().filter(|measured| measured.item.who == "countersign") {
        let item = &measured.item;
        let claims = item.claims.as_deref();
        let name = format!("{} {} {}", item.op, item.alg, claims.unwrap_or_default());
        if let Some(goal) = goals::goal(&item.op, &item.alg, claims) {
            let ratio = measured.ratio_to_raw();
            // What is shown is what counts: two decimals, as the goal has.
            let missed = (ratio * 100.0).round() / 100.0 > goal;
            let ns = (ratio - goal) * measured.us() / ratio * 1000.0;
            let verdict = if missed { format!("missed by {ns:.0} ns") } else { "holds".into() };
            let _ = writeln!(text, "| {} | {goal:.2} | {ratio:.2} | {verdict} |", name.trim());
        }
        if let (Some(goal), Some(count)) = (goals::allocations(&item.op, claims), item.allocations) {
            let verdict = if count > goal { "missed" } else { "holds" };
            let _ = writeln!(text, "| {}, allocations | {goal} | {count} | {verdict} |", name.trim());
        }
    }
    text.push('\n');
    text
}

/// One table for each thing that grows.
pub fn growth(steps: &[Step]) -> String {
    let mut text = String::new();
    for (of, title) in
        [("size", "token size"), ("claims", "claims"), ("keys", "keys in the set"), ("threads", "threads")]
    {
        let grew = if of == "threads" { "times raw" } else { "above raw" };
        let _ = writeln!(
            text,
            "| {title} | who | µs | raw, µs | times raw | above raw, ns | allocations | input grew | {grew} grew | |\n\
             |---|---|---|---|---|---|---|---|---|---|"
        );
        for step in steps.iter().filter(|step| step.of == of) {
            let times = |times: Option<f64>| times.map(|times| format!("{times:.2}")).unwrap_or_default();
            let claims = step.claims.as_ref().map(|claims| format!(", {claims}")).unwrap_or_default();
            let _ = writeln!(
                text,
                "| {} | {}{claims} | {} | {} | {:.2} | {:.0} | {} | {} | {} | {} |",
                step.at,
                step.who,
                figure(step.us),
                figure(step.raw_us),
                step.ratio_to_raw,
                step.above_raw_ns,
                step.allocations.map(|count| count.to_string()).unwrap_or_default(),
                times(step.input_times),
                times(step.cost_times),
                verdict(step),
            );
        }
        text.push('\n');
    }
    text.push_str(
        "| a hit among 1,000 hot tokens: threads | who | ns | raw HS256, ns | |\n|---|---|---|---|---|\n",
    );
    for step in steps.iter().filter(|step| step.of == "cache") {
        let (ns, anew) = (step.us * 1000.0, step.raw_us * 1000.0);
        let _ = writeln!(text, "| {} | {} | {ns:.0} | {anew:.0} | {} |", step.at, step.who, verdict(step));
    }
    text.push('\n');
    text
}

/// Nothing may grow faster than its input; finding a key and sharing a verifier not at all; a tenth is noise. A hit of
/// the cache has a goal in nanoseconds.
fn verdict(step: &Step) -> &'static str {
    if let Some(goal) = goals::hit(&step.of, &step.who, &step.at) {
        return if step.us * 1000.0 <= goal { "holds" } else { "missed" };
    }
    let (Some(input), Some(cost)) = (step.input_times, step.cost_times) else { return "" };
    let allowed = match step.of.as_str() {
        "keys" | "threads" => 1.0,
        "size" | "claims" => input,
        _ => return "",
    };
    if cost <= allowed * 1.1 { "holds" } else { "grows faster" }
}

fn figure(us: f64) -> String {
    match us {
        ..10.0 => format!("{us:.2}"),
        10.0..100.0 => format!("{us:.1}"),
        _ => format!("{us:.0}"),
    }
}
