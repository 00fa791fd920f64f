use super::*;

use countersign::{Algorithm, SigningKey};
use serde_json::json;

/// `{"alg":"HS256"}` and `{"sub":"ada"}`, under a signature of 32 bytes.
const TOKEN: &str =
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const OTHER: &str =
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJldmUifQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const ENCRYPTED: &str =
    "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA";
const REFRESH: &str = "v1.AAAAAAAAAAAAAAAAAAAAAA.3.AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA";

fn taken(text: &str) -> Taken {
    match read(text) {
        Pasted::Taken(taken) => taken,
        other => panic!("{other:?}: {text:.200}"),
    }
}

fn other(text: &str) -> Other {
    match read(text) {
        Pasted::Other(other) => other,
        found => panic!("{found:?}: {text:.200}"),
    }
}

fn is_bare(text: &str) -> bool {
    matches!(read(text), Pasted::Bare)
}

/// `@` stands for the token.
#[test]
fn takes_a_token_out_of_whatever_it_stands_in_and_says_what_that_is() {
    let rows = [
        ("Bearer @", "the value of an Authorization header"),
        ("dpop   @ \n", "the value of an Authorization header"),
        ("Authorization: Bearer @", "an Authorization header"),
        ("authorization:BEARER @", "an Authorization header"),
        ("'Authorization: DPoP @'", "an Authorization header"),
        (
            "curl https://api.example -H 'authorization: Bearer @'",
            "an Authorization header",
        ),
        (
            "GET / HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer @\r\nAccept: */*\r\n",
            "an Authorization header",
        ),
        (
            "curl --oauth2-bearer @ https://api.example",
            "the flag `--oauth2-bearer` of curl",
        ),
        ("\"@\"", "a string of JSON"),
        ("'@'", "quotation marks"),
        ("`@`", "quotation marks"),
        ("```\n@\n```", "quotation marks"),
        ("“@”", "quotation marks"),
        ("Cookie: at=@", "a cookie named at"),
        ("Cookie: theme=dark; at=@; other=1", "a cookie named at"),
        (
            "Set-Cookie: __Host-at=@; Path=/; HttpOnly; Secure",
            "a cookie named __Host-at",
        ),
        ("curl -b at=@ https://api.example", "a cookie named at"),
        ("export TOKEN=@", "a variable named TOKEN"),
        ("TOKEN=@", "a variable named TOKEN"),
        ("TOKEN=\"@\"", "a variable named TOKEN"),
        ("$env:TOKEN = '@'", "a variable named TOKEN"),
        (
            "https://app.example/callback#token=@",
            "the parameter token of an address",
        ),
        (
            "https://app.example/?access_token=@&state=x",
            "the parameter access_token of an address",
        ),
        (
            "https://app.example/x?h=Bearer%20@",
            "the value of an Authorization header",
        ),
        (
            "2026-11-27T08:00:00Z WARN refused token @ of 10.0.0.1",
            "the text around it",
        ),
        ("the token is @.", "the text around it"),
        (
            "level=warn token=@ client=10.0.0.1",
            "a variable named token",
        ),
        ("  token: @", "a header or a line named token"),
        ("X-Id-Token: @", "a header or a line named X-Id-Token"),
        (
            "{\"message\":\"welcome\",\"token\":\"@\"}",
            "the member token of a JSON answer",
        ),
        (
            "{\n  \"access_token\": \"@\",\n  \"token_type\": \"Bearer\"\n}",
            "the member access_token of a JSON answer",
        ),
        (
            "{\"data\":{\"jwt\":\"@\"}}",
            "the member data.jwt of a JSON answer",
        ),
        ("[\"@\"]", "a list in JSON"),
        (
            "{\"headers\":[{\"cookie\":\"a=b; at=@\"}]}",
            "a variable named at in the member headers.cookie of JSON",
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\n{\"token\":\"@\"}\n",
            "a member named token",
        ),
        ("{\\\"token\\\":\\\"@\\\"}", "a member named token"),
        (
            "> Look at this:\n> @\n",
            "the text around it in a quoted e-mail",
        ),
        (">> @\n>> thanks", "the text around it in a quoted e-mail"),
    ];
    for (text, from) in rows {
        let found = taken(&text.replace('@', TOKEN));
        assert_eq!(found.token.as_str(), TOKEN, "{text}");
        assert_eq!(found.from, from, "{text}");
        assert_eq!(found.left_out, Vec::<String>::new(), "{text}");
        assert!(!found.note().contains("eyJ"), "{}", found.note());
    }
}

#[test]
fn what_stands_alone_is_left_as_it_is_whole_or_broken() {
    let damaged = TOKEN.replacen('J', "'", 3);
    for text in [
        TOKEN,
        ENCRYPTED,
        "",
        " ",
        "a",
        "nonsense",
        "%%%",
        "eyJ",
        "....",
        "a.b.c",
        "a.b.c.d.e",
        "é.ü.ß",
        "eyJhbGciOiJIUzI1NiJ9",
        "a b",
        "bearer of good news",
        &damaged,
        &format!("{TOKEN}AAAA"),
        &format!("{TOKEN}.."),
        &format!("{TOKEN}=="),
        &format!("'{TOKEN}"),
        &format!("{TOKEN}\""),
        &format!("!{TOKEN}"),
        &format!("{TOKEN}~x"),
        &format!("\n {TOKEN} \r\n"),
    ] {
        assert!(is_bare(text), "{text}: {:?}", read(text));
    }
}

#[test]
fn lines_that_were_broken_are_put_together_and_no_letter_is_lost() {
    for at in 2..TOKEN.len() - 1 {
        let (one, two) = TOKEN.split_at(at);
        for text in [
            format!("{one}\n{two}"),
            format!("  {one}\r\n    {two}\r\n"),
            format!("{one} {two}"),
            format!("> {one}\n> {two}\n"),
            format!("{one}=\r\n{two}"),
            format!("Authorization: Bearer {one}\n{two}\nHost: api.example"),
            format!("\"{one}\n{two}\""),
        ] {
            assert_eq!(taken(&text).token.as_str(), TOKEN, "{text}");
        }
    }
    let three = format!("{}\n{}\n{}", &TOKEN[..30], &TOKEN[30..60], &TOKEN[60..]);
    assert_eq!(
        taken(&three).from,
        "text of several lines, put together of 3 pieces"
    );
    let many: Vec<&str> = (0..TOKEN.len()).map(|at| &TOKEN[at..=at]).skip(2).collect();
    assert_eq!(
        taken(&format!("ey{}", many.join("\n"))).token.as_str(),
        TOKEN
    );
}

#[test]
fn a_signature_of_each_algorithm_is_taken_to_its_end() {
    for alg in Algorithm::ALL {
        let token = SigningKey::generate(*alg)
            .unwrap()
            .sign(&json!({"sub": "ada"}))
            .unwrap();
        let at = token.len() - 9;
        let text = format!("{}\n{}\nThe end", &token[..at], &token[at..]);
        assert_eq!(taken(&text).token.as_str(), token, "{}", alg.name());
        assert_eq!(
            taken(&format!("{token}\nsincerely\n")).token.as_str(),
            token,
            "{}",
            alg.name()
        );
    }
}

#[test]
fn two_tokens_are_never_joined() {
    let (start, end) = OTHER.split_at(50);
    for (text, words) in [
        (format!("{TOKEN}\n{OTHER}"), "1 more token, of the 2"),
        (format!("{TOKEN} {OTHER}"), "1 more token, of the 2"),
        (format!("{TOKEN}\n{start}\n{end}"), "1 more token, of the 2"),
        (
            format!("{}\n{}\n{start}\n{end}", &TOKEN[..40], &TOKEN[40..]),
            "1 more token, of the 2",
        ),
        (
            format!("Bearer {TOKEN}\n{OTHER}\n{ENCRYPTED}"),
            "2 more tokens, of the 3",
        ),
        (
            json!({"id_token": OTHER, "access_token": TOKEN}).to_string(),
            "1 more token, of the 2",
        ),
        (
            json!({"token": TOKEN, "refresh_token": REFRESH}).to_string(),
            "the refresh token",
        ),
    ] {
        let found = taken(&text);
        assert_eq!(found.token.as_str(), TOKEN, "{text}");
        assert!(found.note().contains(words), "{}: {text}", found.note());
        let others = words.split(' ').next().and_then(|word| word.parse().ok());
        assert_eq!(found.others, others.unwrap_or(0), "{text}");
    }
    // A beginning is no token, and not that of the next one.
    let cut = format!("{}\n{OTHER}", &TOKEN[..30]);
    assert_eq!(taken(&cut).token.as_str(), OTHER);
    // The same one twice is one.
    assert!(taken(&format!("{TOKEN}\n{TOKEN}")).left_out.is_empty());
}

#[test]
fn of_two_members_of_one_name_none_is_taken_for_the_only_one() {
    let found = taken(&format!(
        r#"{{"access_token":"{OTHER}","access_token":"{TOKEN}"}}"#
    ));
    assert_eq!((found.token.as_str(), found.others), (OTHER, 1));
    let parts: Vec<&str> = TOKEN.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else {
        panic!("a token has three parts");
    };
    let one = json!({"protected": header, "signature": signature});
    let both =
        json!({"payload": payload, "protected": header, "signature": "AA", "signatures": [one]});
    assert!(matches!(read(&both.to_string()), Pasted::Other(other) if other.code == "jws_json"));
    let twice = format!(
        r#"{{"payload":"e30","payload":"{payload}","protected":"{header}","signature":"{signature}"}}"#
    );
    assert!(matches!(read(&twice), Pasted::Bare));
}

#[test]
fn of_several_tokens_each_can_be_picked_and_no_number_beyond_them() {
    let text = json!({"id_token": OTHER, "access_token": TOKEN, "again": TOKEN}).to_string();
    let names = |found: &Taken| -> Vec<String> {
        let names = found.choices.iter().map(|one| one.name.clone());
        names.collect()
    };
    let mut found = taken(&text);
    assert_eq!(names(&found), ["access_token", "id_token"]);
    assert_eq!((found.token.as_str(), found.number), (TOKEN, 1));
    for number in [0, 1, 3, usize::MAX] {
        found.pick(number);
        assert_eq!((found.token.as_str(), found.number), (TOKEN, 1), "{number}");
    }
    found.pick(2);
    assert_eq!((found.token.as_str(), found.number), (OTHER, 2));
    assert!(
        found.note().ends_with("This is number 2."),
        "{}",
        found.note()
    );
    let cookies = taken(&format!("Cookie: at={TOKEN}; id={OTHER}"));
    assert_eq!(names(&cookies), ["a cookie named at", "a cookie named id"]);
    let one = taken(&format!("{TOKEN}\n{TOKEN}"));
    assert!(one.choices.is_empty() && !one.note().contains("number"));
    assert!(!format!("{found:?}").contains(TOKEN));
}

#[test]
fn letters_that_nobody_sees_are_taken_out_and_said() {
    for text in [
        format!("\u{feff}{TOKEN}"),
        format!("{}\u{200b}{}", &TOKEN[..25], &TOKEN[25..]),
        format!("Bearer \u{2060}{TOKEN}"),
    ] {
        let found = taken(&text);
        assert_eq!(found.token.as_str(), TOKEN);
        assert!(
            found.note().contains("that nobody sees") || found.from.contains("not seen"),
            "{}",
            found.note()
        );
    }
}

#[test]
fn of_an_sd_jwt_the_issuers_token_is_taken() {
    for (tail, words) in [
        ("~", "its last `~`"),
        (
            "~WyJzYWx0IiwibmFtZSIsIkFkYSJd~",
            "1 disclosure of an SD-JWT",
        ),
        (
            "~WyJhIl0~WyJiIl0~@",
            "2 disclosures and the token that binds it to a key of an SD-JWT",
        ),
    ] {
        let text = format!("{TOKEN}{}", tail.replace('@', OTHER));
        for text in [
            text.clone(),
            format!("Bearer {text}"),
            format!("\"{text}\""),
            format!("vp: {text} ok"),
        ] {
            let found = taken(&text);
            assert_eq!(found.token.as_str(), TOKEN, "{text}");
            assert!(
                found.left_out.iter().any(|one| one == words),
                "{:?}: {text}",
                found.left_out
            );
        }
    }
}

#[test]
fn a_jws_in_json_is_read_where_it_has_a_compact_form() {
    let parts: Vec<&str> = TOKEN.split('.').collect();
    let [protected, payload, signature] = parts.as_slice() else {
        panic!("three parts")
    };
    let flattened = json!({"payload": payload, "protected": protected, "signature": signature});
    let general = json!({"payload": payload, "signatures": [{"protected": protected, "signature": signature}]});
    for text in [flattened, general] {
        let found = taken(&text.to_string());
        assert_eq!(found.token.as_str(), TOKEN);
        assert_eq!(found.from, "a JWS in its JSON form (RFC 7515 §7.2)");
        assert!(found.is_rewritten);
    }
    let one = json!({"protected": protected, "signature": signature});
    for text in [
        json!({"payload": payload, "protected": protected, "header": {"kid": "1"}, "signature": signature}),
        json!({"payload": payload, "header": {"alg": "HS256"}, "signature": signature}),
        json!({"payload": payload, "signatures": [one, one]}),
        json!({"payload": payload, "signatures": []}),
        json!({"payload": "a.b", "protected": protected, "signature": signature}),
    ] {
        assert_eq!(other(&text.to_string()).code, "jws_json", "{text}");
    }
}

#[test]
fn what_is_no_token_is_named() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let public = key
        .verifying_key()
        .to_public_jwk()
        .unwrap()
        .to_json()
        .to_string();
    let jwks = format!("{{\"keys\":[{public}]}}");
    let secret_word = "tf2Zb1kQ7r9wXy0uVvP4sLmNcE8aHdJg";
    let pem = key.verifying_key().to_pem().unwrap();
    for (text, code) in [
        (public.as_str(), "jwk"),
        (&jwks, "jwks"),
        (&pem, "pem"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
            "pem",
        ),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA ada@host", "ssh"),
        ("v4.public.eyJzdWIiOiJhZGEifQAAAAAAAAAAAAAA", "paseto"),
        ("Bearer v2.local.AAAAAAAAAAAA.AAAA", "paseto"),
        ("<saml:Assertion xmlns:saml=\"urn:oasis\">", "saml"),
        ("<?xml version=\"1.0\"?>\n<samlp:Response/>", "saml"),
        ("PHNhbWxwOlJlc3BvbnNlIHhtbG5zPSJ4Ij4=", "saml"),
        ("https://id.example", "address"),
        ("Authorization: Bearer ", "empty_header"),
        ("'authorization:DPoP'", "empty_header"),
        ("Authorization:", "empty_header"),
        ("Bearer ", "empty_header"),
        ("bearer", "empty_header"),
        (secret_word, "opaque"),
        ("7f6b0e8f1a5c4d7e9b2a3c4d5e6f70817f6b0e8f1a5c4d7e", "opaque"),
        ("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ+EstJQLr/T==", "opaque"),
        ("{\"sub\":\"ada\",\"exp\":1}", "json"),
        (
            "{\"protected\":\"e30\",\"ciphertext\":\"AA\",\"iv\":\"AA\",\"tag\":\"AA\"}",
            "jwe_json",
        ),
    ] {
        let found = other(text);
        assert_eq!((found.code, found.is_secret), (code, false), "{text}");
    }
}

#[test]
fn a_private_key_or_a_password_is_said_to_be_one() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let private = (*key.to_jwk().to_json()).clone();
    let jwks = format!("{{\"keys\":[{private}]}}");
    let pem = key.to_pem().unwrap();
    let account = json!({"type": "service_account", "private_key": *pem}).to_string();
    let beside = json!({"token": TOKEN, "key": serde_json::from_str::<serde_json::Value>(&private).unwrap()});
    for (text, code) in [
        (private.as_str(), "private_jwk"),
        ("{\"kty\":\"oct\",\"k\":\"AAAA\"}", "private_jwk"),
        (&jwks, "private_jwks"),
        (&beside.to_string(), "private_jwk"),
        (&pem, "private_pem"),
        (&account, "private_pem"),
        (&format!("{TOKEN}\n{}", *pem), "private_pem"),
        ("-----BEGIN RSA PRIVATE KEY-----\nAAAA", "private_pem"),
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA", "private_pem"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA", "private_ssh"),
        (REFRESH, "refresh_token"),
        (
            &format!("{{\"refresh_token\":\"{REFRESH}\"}}"),
            "refresh_token",
        ),
        ("Authorization: Basic YWRhOmh1bnRlcjI=", "basic"),
        ("basic YWRhOmh1bnRlcjI=", "basic"),
    ] {
        let found = other(text);
        assert_eq!((found.code, found.is_secret), (code, true), "{text}");
        assert!(!found.text.contains("AAAA"));
    }
}

/// Made to be read again and again: what is quadratic does not end here.
#[test]
fn long_texts_of_every_kind_are_read_once() {
    const SIZE: usize = 48 * 1024;
    let times = |unit: &str| unit.repeat(SIZE / unit.len());
    let header = "eyJhbGciOiJIUzI1NiJ9.";
    for unit in [
        "\"",
        "'",
        "`",
        "\"'",
        "<",
        ".",
        "=",
        "=\n",
        "=3D",
        ">",
        "> \n",
        "> >",
        " ",
        "\n",
        "\u{200b}",
        "ey",
        "ey ",
        "eyJ\n",
        "ey.",
        "%20ey",
        "~",
        "eyJ~",
        "[",
        "{",
        "[]",
        "[1,",
        "{\"a\":",
        "\\\"",
        "Bearer ",
        "authorization:",
        "-----BEGIN ",
        "-----BEGIN PUBLIC KEY",
        "e",
        "é",
        "a=",
        "a.b.c\n",
        "v1.",
        "eyJhbGciOiJIUzI1NiJ9.\n",
        "eyJhbGciOiJIUzI1NiJ9..\n",
        "eyJhbGciOiJIUzI1NiJ9..A~",
        "<saml",
        "{\"kty\":",
        "A\n",
    ] {
        let all = times(unit);
        let _ = read(&all);
        let _ = read(&format!("Bearer {all}"));
        let _ = read(&format!("{header}{all}"));
        let _ = read(&format!("{header}{header}\n{all}"));
        let _ = read(&format!("\"{}\"", all.replace(['"', '\\', '\n'], "")));
    }
    let _ = read(&format!("[\"\"{}]", ",\"ey\"".repeat(SIZE / 5)));
    // As long as a question may be.
    const MOST: usize = 2 * 1024 * 1024;
    let tokens = format!("{TOKEN}\n").repeat(MOST / TOKEN.len());
    assert_eq!(taken(&tokens).token.as_str(), TOKEN);
    let nested = format!("{}{TOKEN}{}", "'".repeat(MOST / 2), "'".repeat(MOST / 2));
    assert_eq!(taken(&nested).token.as_str(), TOKEN);
}

proptest::proptest! {
    #[test]
    fn no_text_is_a_panic_and_what_is_taken_stood_there(text in ".{0,200}") {
        if let Pasted::Taken(taken) = read(&text) {
            let kept: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
            let first: String = taken.token.chars().take(1).collect();
            proptest::prop_assert!(kept.contains(&first));
        }
    }
}
