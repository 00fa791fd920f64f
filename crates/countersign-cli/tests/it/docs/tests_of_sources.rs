//! Where a test that a document names stands in the sources.

use std::fs;
use std::path::Path;

/// Finds `package::it::module::name` in the package's `tests/it`, and `package::module::tests::name` in its `src`: in the
/// module's own file, or in the one beside it that holds its tests.
///
/// # Errors
/// Why there is no such test.
pub(super) fn find(root: &Path, test: &str) -> Result<(), String> {
    let segments: Vec<&str> = test.split("::").collect();
    let [package, modules @ .., name] = segments.as_slice() else {
        return Err("it names no module".to_owned());
    };
    let (folder, mut parent, modules) = match modules {
        ["it", modules @ ..] => ("tests/it", "main".to_owned(), modules),
        [own @ .., "tests"] => {
            let beside = format!("crates/{package}/src/{}/tests.rs", own.join("/"));
            let modules = if root.join(beside).exists() {
                modules
            } else {
                own
            };
            ("src", "lib".to_owned(), modules)
        }
        _ => ("src", "lib".to_owned(), modules),
    };
    if modules.is_empty() {
        return Err("it names no module".to_owned());
    }
    let read = |module: &str| {
        let path = format!("crates/{package}/{folder}/{module}.rs");
        match fs::read_to_string(root.join(&path)) {
            Ok(source) => Ok((path, source)),
            Err(_) => Err(format!("{path} is not there")),
        }
    };
    let (path, source) = read(&modules.join("/"))?;
    if !holds_test(&source, name) {
        return Err(format!("no test of this name in {path}"));
    }
    for (at, module) in modules.iter().enumerate() {
        // The command's root is main.rs, and has no library.
        let (path, source) = read(&parent).or_else(|_| read("main"))?;
        if !holds_module(&source, module) {
            return Err(format!("{path} does not hold the module {module}"));
        }
        parent = modules.get(..=at).unwrap_or_default().join("/");
    }
    Ok(())
}

/// Whether a function of this name stands under an attribute that makes it a test, and none that leaves it out.
fn holds_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let is_named = |line: &str| {
        let rest = line
            .strip_prefix("async ")
            .unwrap_or(line)
            .strip_prefix("fn ");
        rest.and_then(|rest| rest.strip_prefix(name))
            .is_some_and(|rest| rest.starts_with('('))
    };
    let found = lines.iter().enumerate().filter(|(_, line)| is_named(line));
    found.into_iter().any(|(at, _)| {
        let attributes = lines.iter().take(at).rev();
        let attributes: Vec<&&str> = attributes
            .take_while(|line| line.starts_with("#[") || line.starts_with("//"))
            .collect();
        let is_test = |line: &&&str| **line == "#[test]" || line.starts_with("#[tokio::test");
        attributes.iter().any(is_test)
            && !attributes.iter().any(|line| line.starts_with("#[ignore"))
    })
}

/// Whether a file has this file for a module.
fn holds_module(source: &str, module: &str) -> bool {
    source.lines().any(|line| {
        let line = line.trim();
        let line = line.strip_prefix("pub ").unwrap_or(line);
        let line = line.strip_prefix("pub(crate) ").unwrap_or(line);
        line == format!("mod {module};")
    })
}

#[test]
fn accepts_a_test_under_each_attribute_and_rejects_what_is_none() {
    let source = "#[test]\nfn plain() {}\n    #[tokio::test(flavor = \"multi_thread\")]\n    async fn later() {}\n\
                  /// Help.\nfn helper() {}\nproptest! {\n    #[test]\n    fn property(n: u8) {}\n}\n\
                  // fn spoken() {}\n#[test]\n#[ignore = \"slow\"]\nfn left_out() {}\n";
    for name in ["plain", "later", "property"] {
        assert!(holds_test(source, name), "{name}");
    }
    for name in ["helper", "plai", "plainly", "spoken", "left_out", ""] {
        assert!(!holds_test(source, name), "{name}");
    }
}

#[test]
fn accepts_a_module_that_is_declared_and_rejects_one_that_is_not() {
    let source =
        "mod plain;\n    pub mod open;\npub(crate) mod inner;\n// mod spoken;\nmod inline {\n}\n";
    for module in ["plain", "open", "inner"] {
        assert!(holds_module(source, module), "{module}");
    }
    for module in ["spoken", "inline", "plai", ""] {
        assert!(!holds_module(source, module), "{module}");
    }
}
