//! `countersign completions` and `countersign man`.

use std::process::Stdio;

use crate::support::Bench;

#[test]
fn every_shell_gets_a_script_that_names_every_subcommand() {
    let bench = Bench::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = bench.run(&["completions", shell]);
        for word in ["serve", "lint", "jws", "jwks", "thumbprint", "unencoded"] {
            assert!(run.ok().contains(word), "{shell} {word}");
        }
        assert_eq!(run.stderr, "");
    }
    bench.run(&["completions", "tcsh"]).misused("tcsh");
    bench.run(&["completions"]).misused("SHELL");
}

#[test]
fn the_manual_is_roff_and_has_a_page_for_every_subcommand() {
    let bench = Bench::new();
    let page = bench.run(&["man"]);
    assert!(page.ok().contains("\n.TH countersign 1"), "{page:?}");
    bench.run(&["man", "--out", "man"]).ok();
    for name in [
        "countersign",
        "countersign-key-generate",
        "countersign-jws-verify",
        "countersign-jwks-add",
    ] {
        assert!(
            bench.read(&format!("man/{name}.1")).contains(".TH"),
            "{name}"
        );
    }
    bench
        .run(&["man", "--out", "man/countersign.1/pages"])
        .fails(4, &["cannot write the manual"]);
}

#[test]
fn a_closed_pipe_is_no_failure_of_long_output() {
    let bench = Bench::new();
    for args in [
        &["completions", "bash"][..],
        &["man"],
        &["key", "generate", "ML-DSA-87"],
    ] {
        let mut child = bench
            .command()
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{args:?}");
        assert_eq!(output.status.code(), Some(0), "{args:?}");
    }
}
