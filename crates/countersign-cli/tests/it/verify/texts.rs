//! What is given as a text: a token with something around it, something else instead, letters that are no text.

use super::{bench, verify};

#[test]
fn rejects_what_is_pasted_instead_of_a_token_and_says_what_it_is() {
    let (bench, token) = bench();
    bench.write("token.txt", &token);
    bench.write("my token", &token);
    let commands = [
        &["verify", "--key", "ec.pub.jwk", "--any-iss", "--any-aud"][..],
        &["decode"],
        &["lint"],
        &["jws", "verify", "--key", "ec.pub.jwk"],
    ];
    let other = bench.token("ec.jwk", &["--claim", "name=eve"]);
    for command in commands {
        let run = |text: &str| bench.run(&[command, &[text]].concat());
        run("token.txt").fails(2, &["this is a file", "`< token.txt`"]);
        run("my token").fails(2, &["`< \"my token\"`"]);
        run(&format!("{token}\n{other}\n")).fails(1, &["these are 2 tokens"]);
        let both = format!("{{\"access_token\":\"{token}\",\"id_token\":\"{other}\"}}");
        run(&both).fails(1, &["these are 2 tokens"]);
        for empty in ["Authorization: Bearer ", "Bearer "] {
            run(empty).fails(1, &["this is a header without a token"]);
        }
        let key = bench.read("ec.jwk");
        let refused = run(&key);
        refused.fails(1, &["this is a private key, and no token"]);
        assert!(!refused.stderr.contains("\"d\""), "{refused:?}");
        let piped = bench.run_with(command, &[], &format!("{token}\n{other}\n"));
        piped.fails(1, &["these are 2 tokens"]);
    }
}

/// Neither on standard error nor in the object, whose place is a log as often as not.
#[test]
fn a_second_token_is_refused_and_no_part_of_it_is_said() {
    let (bench, token) = bench();
    let key = ["--key", "ec.pub.jwk", "--any-iss", "--any-aud"];
    for command in [
        &[&["verify"], &key[..]].concat()[..],
        &["decode"],
        &["lint", "--json"],
        &["verify", "--json"],
        &["jws", "verify", "--key", "ec.pub.jwk"],
    ] {
        for more in [
            &[&*token, &*token][..],
            &["--at", &token, &token],
            &["--leeway", &token],
        ] {
            let run = bench.run(&[command, more].concat());
            assert_eq!(run.code, 2, "{run:?}");
            assert!(
                run.stderr.contains("Usage:") || run.stderr.contains("--help"),
                "{run:?}"
            );
            for part in token.split('.') {
                assert!(!run.stderr.contains(part), "{run:?}");
                assert!(!run.stdout.contains(part), "{run:?}");
            }
        }
    }
    bench
        .run(&[&token])
        .misused("unrecognized subcommand '(not shown");
    bench
        .run(&["decode", &token, "more"])
        .misused("unexpected argument 'more'");
}

/// The command finds what the inspector's page finds, and says the same of it.
#[test]
fn accepts_a_token_in_whatever_it_was_pasted_with_and_says_what_that_is() {
    let (bench, token) = bench();
    let (head, rest) = token.split_at(20);
    let commands = [
        &["verify", "--key", "ec.pub.jwk", "--any-iss", "--any-aud"][..],
        &["decode"],
        &["jws", "verify", "--key", "ec.pub.jwk"],
    ];
    for command in commands {
        let plain = bench.run(&[command, &[&token]].concat());
        let shown = plain.ok();
        for (text, said) in [
            (
                format!("'Bearer {token}'"),
                "the value of an Authorization header",
            ),
            (format!("TOKEN={token}"), "a variable named TOKEN"),
            (
                format!("https://a.example/#token={token}"),
                "the parameter token of an address",
            ),
            (
                format!("{head}\n{rest}"),
                "text of several lines, put together of 2 pieces",
            ),
            (
                format!("{{\"access_token\":\"{token}\"}}"),
                "the member access_token of a JSON answer",
            ),
            (format!("{token}\n{token}\n"), "the text around it"),
        ] {
            let run = bench.run(&[command, &[&text]].concat());
            assert_eq!(run.ok(), shown, "{text}");
            let said = format!("Taken out of {said}.\n{}", plain.stderr);
            assert_eq!(run.stderr, said, "{text}");
        }
    }
}

#[test]
fn what_was_asked_for_reaches_no_terminal_as_it_is() {
    let (bench, token) = bench();
    for more in [&["--explain"][..], &["--explain=full"], &[]] {
        let more = [more, &["--typ", "x\u{202e}\u{9b}31m\r"]].concat();
        let run = verify(&bench, "ec.pub.jwk", &token, &more);
        let said = format!("{}{}", run.stdout, run.stderr);
        assert_eq!(run.code, 1, "{said}");
        assert!(said.contains("\\u202e"), "{said}");
        assert!(!said.contains(['\u{202e}', '\u{9b}', '\r']), "{said:?}");
    }
}
