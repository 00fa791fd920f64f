//! The rows of a document's tables, and what is wrong with one by itself.

use std::fmt;
use std::fs;
use std::path::Path;

use super::tests_of_sources;

/// One line of a table: what it is about, and what its last two cells name between backticks.
#[derive(Debug)]
pub(super) struct Row {
    /// `17`, `S4`, `§4.1.11`, `Appendix A.1`.
    pub(super) name: String,
    /// The heading that it stands under, without its marks.
    pub(super) heading: String,
    cells: usize,
    says: String,
    rules: Vec<String>,
    proofs: Vec<Proof>,
    waits: Vec<String>,
}

/// What shows that a rule holds.
#[derive(Debug, PartialEq)]
enum Proof {
    /// A test, by package, module and name.
    Test(String),
    /// A doctest of a file that must not compile.
    CompileFail(String),
    /// A script that the whole check runs.
    Step(String),
}

/// What is wrong with a row.
#[derive(Debug, PartialEq)]
pub(super) struct Fault {
    row: String,
    what: String,
}

impl Fault {
    pub(super) fn new(row: &str, what: impl Into<String>) -> Self {
        Self {
            row: row.to_owned(),
            what: what.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.row, self.what)
    }
}

/// The rows of every table; a table's first two lines are its head.
pub(super) fn rows(document: &str) -> (Vec<Row>, Vec<Fault>) {
    let (mut rows, mut faults, mut heading, mut line_of_table) =
        (Vec::new(), Vec::new(), "", 0usize);
    for line in document.lines() {
        if let Some(text) = line.strip_prefix('#') {
            heading = text.trim_start_matches('#').trim();
        }
        let Some(cells) = line
            .strip_prefix('|')
            .and_then(|line| line.trim_end().strip_suffix('|'))
        else {
            line_of_table = 0;
            continue;
        };
        line_of_table = line_of_table.saturating_add(1);
        if line_of_table > 2 {
            match Row::parse(
                heading,
                &cells.split('|').map(str::trim).collect::<Vec<_>>(),
            ) {
                Ok(row) => rows.push(row),
                Err(fault) => faults.push(fault),
            }
        }
    }
    (rows, faults)
}

impl Row {
    fn parse(heading: &str, cells: &[&str]) -> Result<Self, Fault> {
        let name = cells.first().copied().unwrap_or_default();
        let numbered = name
            .trim_start_matches('S')
            .chars()
            .all(|digit| digit.is_ascii_digit());
        if name.is_empty() || !(numbered || name.starts_with('§') || name.starts_with("Appendix "))
        {
            return Err(Fault::new(name, "is the name of no row"));
        }
        let cell = |at: usize| cells.get(at).copied().unwrap_or_default();
        let mut row = Self {
            name: name.to_owned(),
            heading: heading.to_owned(),
            cells: cells.len(),
            says: cell(1).to_owned(),
            rules: Vec::new(),
            proofs: Vec::new(),
            waits: Vec::new(),
        };
        row.read(cell(2), Self::rule);
        row.read(cell(3), Self::proof);
        Ok(row)
    }

    /// Hands every span between backticks to `take`, with the words before it.
    fn read(&mut self, cell: &str, take: fn(&mut Self, &str, &str)) {
        let pieces: Vec<&str> = cell.split('`').collect();
        for pair in pieces.chunks_exact(2) {
            let (words, span) = (pair[0].trim_end(), pair[1]);
            if words.ends_with("waits for") {
                self.waits.push(span.to_owned());
            } else {
                take(self, words, span);
            }
        }
    }

    fn rule(&mut self, _: &str, span: &str) {
        self.rules.push(span.to_owned());
    }

    fn proof(&mut self, words: &str, span: &str) {
        if words.ends_with("doctest in") {
            self.proofs.push(Proof::CompileFail(span.to_owned()));
        } else if words.ends_with("runs") {
            self.proofs.push(Proof::Step(span.to_owned()));
        } else if span.contains("::") {
            self.proofs.push(Proof::Test(span.to_owned()));
        }
    }

    /// What is wrong with this row by itself.
    pub(super) fn faults(&self, root: &Path) -> Vec<Fault> {
        let fault = |what: String| Fault::new(&self.name, what);
        if self.cells != 4 {
            return vec![fault(format!("has {} cells, not 4", self.cells))];
        }
        let mut faults = Vec::new();
        if self.says.is_empty() {
            faults.push(fault("says nothing of the weakness".to_owned()));
        }
        match (
            self.rules.is_empty(),
            self.proofs.is_empty(),
            self.waits.is_empty(),
        ) {
            (true, true, true) => {
                faults.push(fault(
                    "has neither a rule and a test nor anything that it waits for".to_owned(),
                ));
            }
            (false, true, _) => faults.push(fault("has a rule without a test".to_owned())),
            (true, false, _) => faults.push(fault("has a test without a rule".to_owned())),
            _ => {}
        }
        let missing = self.rules.iter().filter(|path| !root.join(path).exists());
        faults.extend(missing.map(|path| fault(format!("names `{path}`, which does not exist"))));
        let come = self.waits.iter().filter(|path| root.join(path).exists());
        faults.extend(come.map(|path| {
            fault(format!(
                "waits for `{path}`, which exists: name the rule and its test"
            ))
        }));
        faults.extend(
            self.proofs
                .iter()
                .filter_map(|proof| proof.fault(root))
                .map(fault),
        );
        faults
    }
}

impl Proof {
    fn fault(&self, root: &Path) -> Option<String> {
        let holds = |path: &str, text: &str| {
            fs::read_to_string(root.join(path)).is_ok_and(|found| found.contains(text))
        };
        match self {
            Self::Test(name) => {
                let why = tests_of_sources::find(root, name).err()?;
                Some(format!("names the test `{name}`: {why}"))
            }
            Self::CompileFail(path) if !holds(path, "```compile_fail") => Some(format!(
                "names a `compile_fail` doctest of `{path}`, which has none"
            )),
            Self::Step(path) if !holds(".ci/run", path) => Some(format!(
                "says that `.ci/run` runs `{path}`, which it does not"
            )),
            Self::CompileFail(_) | Self::Step(_) => None,
        }
    }
}
