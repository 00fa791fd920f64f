//! Keys from a URL, and from the issuer that names it.

use std::net::TcpListener;

use crate::support::{Bench, Run, Server};

async fn bench() -> (Bench, Server, String) {
    let bench = Bench::new();
    let flags = ["--listen", "127.0.0.1:0", "--audience", "orders-api"];
    let server = Server::start_with(&bench, &flags, &[]);
    server.sign_up().await;
    let token = server.log_in().await["token"].as_str().unwrap().to_owned();
    (bench, server, token)
}

fn verify(bench: &Bench, args: &[&str], token: &str) -> Run {
    bench.run(&[&["verify"], args, &[token]].concat())
}

#[tokio::test]
async fn accepts_a_token_by_the_issuers_url_and_by_that_of_its_keys() {
    let (bench, server, token) = bench().await;
    let jwks = format!("{}/.well-known/jwks.json", server.url);
    let iss = server.url.as_str();
    for args in [
        ["--issuer", iss, "--aud", "orders-api"].as_slice(),
        &["--key", &jwks, "--iss", iss, "--aud", "orders-api"],
        &["--issuer", iss, "--aud", "orders-api", "--alg", "ES256"],
    ] {
        assert_eq!(verify(&bench, args, &token).json()["iss"], iss, "{args:?}");
    }
    let listed = bench.run(&["jwks", "list", &jwks]);
    assert_eq!(listed.ok().lines().count(), 2, "one signing, one standby");
}

#[tokio::test]
async fn rejects_a_token_of_another_issuer_or_for_another_service() {
    let (bench, server, token) = bench().await;
    let jwks = format!("{}/.well-known/jwks.json", server.url);
    for (args, code) in [
        (
            ["--issuer", server.url.as_str(), "--aud", "billing-api"].as_slice(),
            "audience_mismatch",
        ),
        (
            &[
                "--key",
                &jwks,
                "--iss",
                "https://id.example",
                "--aud",
                "orders-api",
            ],
            "issuer_mismatch",
        ),
    ] {
        verify(&bench, args, &token).fails(1, &[code]);
    }
    // Its own name with a slash behind it is another issuer's.
    let issuer = format!("{}/", server.url);
    let run = verify(
        &bench,
        &["--issuer", &issuer, "--aud", "orders-api"],
        &token,
    );
    run.fails(3, &["names another issuer"]);
}

#[tokio::test]
async fn keys_that_cannot_be_had_end_in_3_and_say_why() {
    let (bench, server, token) = bench().await;
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/keys", listener.local_addr().unwrap())
    };
    let (missing, page) = (
        format!("{}/nothing", server.url),
        format!("{}/livez", server.url),
    );
    for (url, code) in [
        (closed.as_str(), "fetch_connect"),
        (&missing, "fetch_status"),
        ("http://id.example/keys", "fetch_scheme_refused"),
        ("https://ada@id.example/keys", "fetch_url_invalid"),
    ] {
        let args = ["--json", "--key", url, "--any-iss", "--any-aud"];
        let run = verify(&bench, &args, &token);
        assert_eq!((run.code, &run.json()["code"]), (3, &code.into()), "{url}");
        verify(&bench, &args[1..], &token).fails(3, &[url]);
    }
    let args = ["--key", &page, "--any-iss", "--any-aud"];
    assert_eq!(verify(&bench, &args, &token).code, 3);
}

#[tokio::test]
async fn a_key_to_sign_with_is_not_fetched_and_a_choice_is_made_once() {
    let bench = Bench::new();
    let url = "https://id.example/keys";
    bench
        .run(&["sign", "--key", url, "--sub", "ada"])
        .fails(2, &["not fetched"]);
    for more in [["--key", url], ["--iss", "https://id.example"]] {
        let args = ["--issuer", "https://id.example", "--any-aud"];
        verify(&bench, &[&args[..], &more].concat(), "x.y.z").misused("cannot be used with");
    }
    verify(&bench, &["--any-iss", "--any-aud"], "x.y.z").misused("--key");
}
