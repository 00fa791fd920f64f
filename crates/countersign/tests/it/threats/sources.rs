//! What holds for the sources as a whole: how secrets are compared, what the library never reaches for.

use std::fs;
use std::path::{Path, PathBuf};

/// The code of every file of the library, without its comments and without its unit tests.
fn sources() -> Vec<(String, Vec<String>)> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, files);
            } else {
                files.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    files.sort();
    let code = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let lines = code
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with("//"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let name = |path: &PathBuf| {
        path.strip_prefix(&root)
            .unwrap()
            .to_string_lossy()
            .replace('\\', "/")
    };
    let sources: Vec<_> = files.iter().map(|path| (name(path), code(path))).collect();
    assert!(sources.len() > 30, "the sources are not where they were");
    sources
}

fn holding(found: impl Fn(&str) -> bool) -> Vec<String> {
    let sources = sources();
    let lines = sources
        .iter()
        .flat_map(|(file, lines)| lines.iter().map(move |line| (file, line)));
    lines
        .filter(|(_, line)| found(line))
        .map(|(file, line)| format!("{file}: {line}"))
        .collect()
}

/// The words of a line: names and keywords.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
}

#[test]
fn a_mac_is_compared_by_the_crypto_library_alone() {
    let named = holding(|line| words(line).any(|word| word == "hmac"));
    assert!(
        named.iter().all(|line| line.starts_with("crypto.rs: ")),
        "{named:#?}"
    );
    let made = holding(|line| line.contains("hmac::sign"));
    assert_eq!(
        made,
        ["crypto.rs: Self::Hmac(key) => Ok(Signature::of(hmac::sign(key, input).as_ref())),"]
    );
    let compared = holding(|line| line.contains("hmac::verify"));
    assert_eq!(
        compared,
        ["crypto.rs: Self::Hmac(key) => hmac::verify(key, input, signature).is_ok(),"]
    );
}

/// What stands on both sides of every comparison of a line, and the receiver and the arguments of those that are methods.
fn compared(line: &str) -> impl Iterator<Item = &str> {
    let operators = [
        " == ",
        " != ",
        ".eq(",
        ".ne(",
        ".cmp(",
        ".starts_with(",
        ".ends_with(",
        ".contains(",
    ];
    let around = move |operator: &'static str| {
        let pieces: Vec<&str> = line.split(operator).collect();
        let sides = pieces.windows(2).flat_map(|pair| {
            [
                pair[0].split_whitespace().next_back().unwrap_or_default(),
                pair[1].split_whitespace().next().unwrap_or_default(),
            ]
        });
        sides.collect::<Vec<_>>()
    };
    operators.into_iter().flat_map(around)
}

/// The names of what only a key's owner may know, and of what an attacker would guess octet by octet.
const SECRETS: [&str; 15] = [
    "secret",
    "mac",
    "tag",
    "signature",
    "seed",
    "password",
    "private",
    "scalar",
    "d",
    "p",
    "q",
    "dp",
    "dq",
    "qi",
    "k",
];

fn compares_a_secret(line: &str) -> bool {
    compared(line)
        .any(|side| !side.contains(".len()") && words(side).any(|word| SECRETS.contains(&word)))
}

#[test]
fn nothing_secret_is_compared_octet_by_octet() {
    for line in [
        "if mac == expected {",
        "if expected.as_ref() != signature {",
        "secret.eq(other)",
        "a.starts_with(&tag)",
    ] {
        assert!(compares_a_secret(line), "{line}");
    }
    for line in [
        "if signature.len() == 64 {",
        "if kid == other {",
        "let mac = sign(input);",
        "secret.len() != needed",
    ] {
        assert!(!compares_a_secret(line), "{line}");
    }
    assert_eq!(holding(compares_a_secret), Vec::<String>::new());
}

#[test]
fn no_type_that_holds_a_secret_can_be_compared() {
    // A derived comparison stops at the first octet that differs.
    const HOLDERS: [&str; 10] = [
        "KeyParts",
        "RsaPrivate",
        "Jwk",
        "ImportedKey",
        "JwkSet",
        "SigningKey",
        "VerifyingKey",
        "Prepared",
        "Signer",
        "Checker",
    ];
    let mut found = Vec::new();
    for (file, lines) in sources()
        .iter()
        .filter(|(file, _)| file.starts_with("jwk") || file.starts_with("crypto"))
    {
        for (at, line) in lines.iter().enumerate() {
            let mut words = words(line).skip_while(|word| !["struct", "enum"].contains(word));
            let Some(name) = words.nth(1).filter(|name| HOLDERS.contains(name)) else {
                continue;
            };
            let derives = lines[..at]
                .iter()
                .rev()
                .take_while(|line| line.starts_with("#["));
            assert!(
                derives.clone().all(|line| !line.contains("PartialEq")),
                "{file}: {name}"
            );
            found.push(name.to_owned());
        }
    }
    found.sort();
    found.dedup();
    assert_eq!(found.len(), HOLDERS.len(), "{found:?}");
    let written = holding(|line| line.starts_with("impl PartialEq for "));
    // Whom a token is for is no secret.
    assert_eq!(
        written,
        ["jwt/registered.rs: impl PartialEq for Audience<'_> {"]
    );
}

#[test]
fn the_library_reads_no_file_no_socket_and_no_clock() {
    let found = holding(|line| {
        [
            "std::fs",
            "std::net",
            "std::env",
            "std::process",
            "std::thread",
            "File::",
            "::now()",
            "tokio",
            "reqwest",
        ]
        .iter()
        .any(|what| line.contains(what))
    });
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn no_rsa_in_plain_rust_and_no_second_crypto_library_is_linked() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap();
    let bans = fs::read_to_string(root.join("deny.toml")).unwrap();
    // rustls can use ring in the place of aws-lc, and a lock file lists that whether it does or not: `.ci/bans` asks the
    // tree, where it would show.
    assert!(bans.contains("crate = \"ring\""), "ring is not banned");
    for name in ["rsa", "openssl", "openssl-sys"] {
        assert!(
            !lock.contains(&format!("name = \"{name}\"\n")),
            "{name} is in Cargo.lock"
        );
        assert!(
            bans.contains(&format!("crate = \"{name}\"")),
            "{name} is not banned"
        );
    }
    assert!(lock.contains("name = \"aws-lc-rs\"\n"));
}
