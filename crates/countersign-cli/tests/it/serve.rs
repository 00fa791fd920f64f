//! `countersign serve`: what it prints, how it stops, how it refuses to start.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use crate::support::server::credentials;
use crate::support::{Bench, SECRET, Server};

const ANY_PORT: [&str; 2] = ["--listen", "127.0.0.1:0"];

#[tokio::test]
async fn a_person_signs_up_logs_in_and_reads_the_profile() {
    let bench = Bench::new();
    let server = Server::start(&bench);
    server.sign_up().await;
    let token = server.log_in().await;
    let (status, body) = server
        .get("/profile", token["token"].as_str().unwrap())
        .await;
    assert_eq!(
        (status, &body["message"]),
        (200, &"Welcome, ada@example.com".into())
    );
    assert_eq!(server.get("/profile", "a.b.c").await.0, 401);
}

#[tokio::test]
async fn our_command_verifies_the_access_token_with_the_published_keys() {
    let bench = Bench::new();
    let server = Server::start(&bench);
    server.sign_up().await;
    let token = server.log_in().await;
    let (_, keys) = server.get("/.well-known/jwks.json", "").await;
    bench.write("jwks.json", keys.to_string());
    let verify = |aud| {
        let args = [
            "verify",
            "--key",
            "jwks.json",
            "--typ",
            "at+jwt",
            "--iss",
            &server.url,
        ];
        bench.run(&[&args[..], &["--aud", aud, token["token"].as_str().unwrap()]].concat())
    };
    assert_eq!(verify(&server.url).json()["client_id"], "first-party");
    verify("orders-api").fails(1, &["audience_mismatch"]);
}

#[test]
fn the_banner_says_what_runs_where() {
    let bench = Bench::new();
    let mut server = Server::start(&bench);
    let url = server.url.clone();
    for line in [
        "development mode · SQLite ",
        "countersign.db (durability: full)\n",
        &format!("\n  issuer    {url}\n"),
        &format!(
            "\n  keys      {url}/.well-known/jwks.json        ES256, one signing, one standby\n"
        ),
        &format!("\n  console   {url}/\n"),
    ] {
        assert!(
            server.banner.contains(line),
            "no {line:?} in {}",
            server.banner
        );
    }
    assert!(
        server
            .banner
            .starts_with(concat!("countersign ", env!("CARGO_PKG_VERSION")))
    );
    let setup = server.line();
    let expected = format!("  first administrator, once, for an hour: {url}/setup  code ");
    assert!(setup.starts_with(&expected), "{setup}");
    assert!(
        !bench
            .read("server.log")
            .contains(setup.rsplit(' ').next().unwrap().trim())
    );
}

#[test]
fn the_banner_has_no_code_once_there_is_an_administrator() {
    let bench = Bench::new();
    Server::start(&bench).stop();
    let args = [
        "user",
        "add",
        "ada@example.com",
        "--role",
        "admin",
        "--password-stdin",
    ];
    bench
        .run_with(
            &[&args[..], &["--data", "data"]].concat(),
            &[],
            "lantern orbit quilt mosaic 42",
        )
        .ok();
    let mut server = Server::start(&bench);
    server.signal("TERM");
    assert_eq!(server.line(), "");
}

#[test]
fn a_public_url_is_the_issuer_and_the_bound_address_is_named_beside_it() {
    let bench = Bench::new();
    let flags = [&ANY_PORT[..], &["--public-url", "http://127.0.0.1:9"]].concat();
    let server = Server::start_with(&bench, &flags, &[]);
    for line in [
        "issuer    http://127.0.0.1:9",
        "listen    http://127.0.0.1:",
    ] {
        assert!(
            server.banner.contains(&format!("\n  {line}")),
            "{}",
            server.banner
        );
    }
}

#[test]
fn flags_win_over_the_environment_and_the_environment_over_the_file() {
    let bench = Bench::new();
    bench.write(
        "c.toml",
        "signing_alg = \"RS256\"\nlisten = \"127.0.0.1:0\"\n",
    );
    let flags = ["--config", "c.toml"];
    let env = [("COUNTERSIGN_SIGNING_ALG", "EdDSA")];
    let both = [&flags[..], &["--signing-alg", "ES256"]].concat();
    for (flags, env, alg) in [
        (&flags[..], &[][..], " RS256, one signing"),
        (&flags, &env, " EdDSA, one signing"),
        (&both, &env, " ES256, one signing"),
    ] {
        let server = Server::start_with(&bench, flags, env);
        assert!(server.banner.contains(alg), "no {alg} in {}", server.banner);
    }
}

#[test]
fn sigterm_and_sigint_end_the_server_with_0() {
    let bench = Bench::new();
    for signal in ["TERM", "INT"] {
        let mut server = Server::start(&bench);
        server.signal(signal);
        assert_eq!(
            server.wait().code(),
            Some(0),
            "{signal}: {}",
            bench.read("server.log")
        );
    }
}

/// `100 Continue` tells that the request is being answered; the signal comes before its body does.
#[tokio::test]
async fn what_is_in_flight_is_finished_before_the_end() {
    let bench = Bench::new();
    let mut server = Server::start(&bench);
    server.sign_up().await;
    let body = credentials().to_string();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write!(
        stream,
        "POST /login HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         expect: 100-continue\r\nconnection: close\r\n\r\n",
        server.address(),
        body.len()
    )
    .unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    server.signal("TERM");
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(server.wait().code(), Some(0));
}

/// A request of which the rest never comes holds the end up for some seconds.
#[test]
fn a_second_signal_ends_the_server_at_once() {
    let bench = Bench::new();
    for (signal, status) in [("TERM", 143), ("INT", 130)] {
        let mut server = Server::start(&bench);
        let mut stream = TcpStream::connect(server.address()).unwrap();
        write!(
            stream,
            "POST /login HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\
             expect: 100-continue\r\n\r\n",
            server.address(),
        )
        .unwrap();
        stream.read_exact(&mut [0; 25]).unwrap();
        server.signal(signal);
        let log = || bench.read("server.log");
        while !log().contains(&format!(
            "stopping: finishing what is in flight signal=\"SIG{signal}"
        )) {
            std::thread::yield_now();
        }
        server.signal(signal);
        assert_eq!(server.wait().code(), Some(status), "{}", log());
    }
}

#[test]
fn rejects_a_port_in_use() {
    let bench = Bench::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    bench
        .run(&["serve", "--data", "data", "--listen", &address])
        .fails(5, &[&address]);
    assert!(bench.names().is_empty(), "{:?}", bench.names());
}

#[test]
fn rejects_a_data_folder_that_cannot_be_one() {
    let bench = Bench::new();
    bench.write("file", "mine");
    for data in ["file", "file/data"] {
        bench
            .run(&[&["serve", "--data", data], &ANY_PORT[..]].concat())
            .fails(4, &["file"]);
    }
    assert_eq!(bench.names(), ["file"]);
    assert_eq!(bench.read("file"), "mine");
}

#[test]
fn rejects_a_database_that_is_none() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("data")).unwrap();
    bench.write(
        "data/countersign.db",
        "this is no database, but it is somebody's file\n".repeat(99),
    );
    let before = bench.read("data/countersign.db");
    bench
        .run(&[&["serve", "--data", "data"], &ANY_PORT[..]].concat())
        .fails(4, &["countersign.db"]);
    assert_eq!(bench.read("data/countersign.db"), before);
}

#[test]
fn rejects_a_weak_secret_before_it_creates_anything() {
    let bench = Bench::new();
    let serve = |more: &[&str], env: &[(&str, &str)]| {
        let args = ["serve", "--data", "data", "--signing-alg", "HS256"];
        let run = bench.run_with(&[&args[..], &ANY_PORT, more].concat(), env, "");
        assert!(bench.names().is_empty(), "{:?}", bench.names());
        run
    };
    for secret in ["changeme", &"x".repeat(40)] {
        let run = serve(&["--signing-secret", secret], &[]);
        run.fails(3, &["secret"]);
        assert!(!run.stderr.contains(secret), "{run:?}");
        serve(&[], &[("COUNTERSIGN_SIGNING_SECRET", secret)]).fails(3, &["secret"]);
    }
    serve(&[], &[]).fails(2, &["--signing-secret-file"]);
}

#[tokio::test]
async fn a_strong_secret_signs_and_stands_in_no_log() {
    let bench = Bench::new();
    let flags = [&ANY_PORT[..], &["--signing-alg", "HS256"]].concat();
    let env = [
        ("COUNTERSIGN_SIGNING_SECRET", SECRET),
        ("RUST_LOG", "trace"),
    ];
    let server = Server::start_with(&bench, &flags, &env);
    server.sign_up().await;
    let login = server.log_in().await;
    let token = login["token"].as_str().unwrap();
    let verify = [
        "verify",
        "--alg",
        "HS256",
        "--key",
        "env:KEY",
        "--any-iss",
        "--any-aud",
    ];
    bench
        .run_with(&[&verify[..], &[token]].concat(), &[("KEY", SECRET)], "")
        .ok();
    let log = bench.read("server.log");
    assert!(!log.is_empty());
    let refresh = login["refresh_token"].as_str().unwrap();
    for secret in [SECRET, crate::support::server::PASSWORD, token, refresh] {
        assert!(!log.contains(secret), "{secret} stands in the log");
    }
}

#[tokio::test]
async fn a_secret_that_was_made_by_our_command_signs_and_verifies() {
    let bench = Bench::new();
    bench.key("HS256", "k");
    let jwk = bench.read("k.jwk");
    let alg = [&ANY_PORT[..], &["--signing-alg", "HS256"]].concat();
    let from_file = [&alg[..], &["--signing-secret-file", "k.jwk"]].concat();
    let from_flag = [&alg[..], &["--signing-secret", jwk.trim_end()]].concat();
    let env = [("COUNTERSIGN_SIGNING_SECRET", jwk.as_str())];
    for (flags, env) in [(from_file, &[][..]), (from_flag, &[]), (alg, &env)] {
        let server = Server::start_with(&bench, &flags, env);
        server.post("/signup", &credentials()).await;
        let login = server.log_in().await;
        let token = login["token"].as_str().unwrap();
        assert_eq!(server.get("/profile", token).await.0, 200);
        let args = ["verify", "--key", "k.jwk", "--iss", &server.url];
        bench
            .run(&[&args[..], &["--aud", &server.url, token]].concat())
            .ok();
    }
}

#[test]
fn rejects_the_jwk_of_another_key_as_the_secret() {
    let bench = Bench::new();
    for alg in ["HS512", "ES256"] {
        bench.key(alg, alg);
        let file = format!("{alg}.jwk");
        let args = ["serve", "--data", "data", "--signing-alg", "HS256"];
        bench
            .run(&[&args[..], &["--signing-secret-file", &file]].concat())
            .fails(3, &["--signing-secret", "HS256"]);
    }
    assert!(!bench.path("data").exists());
}

#[test]
fn the_help_and_the_manual_name_every_setting_in_its_three_spellings() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("man")).unwrap();
    bench.run(&["man", "--out", "man"]).ok();
    let help = bench.run(&["serve", "--help"]);
    let manual = bench.read("man/countersign-serve.1").replace('\\', "");
    let flags: Vec<&str> = help
        .ok()
        .lines()
        .filter_map(|line| line.strip_prefix("      --")?.split(' ').next())
        .collect();
    assert_eq!(flags.len(), 20, "{flags:?}");
    for text in [help.ok(), &manual] {
        for flag in &flags {
            let name = flag.to_uppercase().replace('-', "_");
            assert!(
                text.contains(&format!("COUNTERSIGN_{name}]")),
                "{flag}: {text}"
            );
        }
        for name in [
            "COUNTERSIGN_KEY_ENCRYPTION_KEY ",
            "COUNTERSIGN_LOG",
            "underscores",
            "access_ttl",
        ] {
            assert!(text.contains(name), "no {name} in {text}");
        }
    }
}

#[test]
fn an_error_is_said_once() {
    let bench = Bench::new();
    let run = bench.run(&["serve", "--config", "missing.toml"]);
    run.fails(4, &["missing.toml"]);
    assert!(!run.stderr.contains("os error"), "{run:?}");
    let data = ["serve", "--data", "file/data"];
    bench.write("file", "");
    let run = bench.run(&[&data[..], &ANY_PORT].concat());
    run.fails(4, &["file"]);
    assert!(!run.stderr.contains("os error"), "{run:?}");
}

#[test]
fn rejects_an_unknown_configuration_key_with_the_nearest_one() {
    let bench = Bench::new();
    bench.write("c.toml", "acess_ttl = \"5m\"\n");
    let serve = [&["serve", "--data", "data"], &ANY_PORT[..]].concat();
    bench
        .run(&[&serve[..], &["--config", "c.toml"]].concat())
        .fails(2, &["acess_ttl", "access_ttl"]);
    bench
        .run_with(&serve, &[("COUNTERSIGN_ACESS_TTL", "5m")], "")
        .fails(2, &["COUNTERSIGN_ACESS_TTL", "COUNTERSIGN_ACCESS_TTL"]);
    bench
        .run(&[&serve[..], &["--acess-ttl", "5m"]].concat())
        .misused("--access-ttl");
    assert_eq!(bench.names(), ["c.toml"]);
}

#[test]
fn rejects_settings_that_cannot_be() {
    let bench = Bench::new();
    let serve = [&["serve", "--data", "data"], &ANY_PORT[..]].concat();
    for (flag, value) in [
        ("--access-ttl", "25h"),
        ("--access-ttl", "0s"),
        ("--access-ttl", "soon"),
        ("--signing-alg", "none"),
        ("--invalid-token-status", "200"),
        ("--public-url", "not a url"),
    ] {
        let name = flag.trim_start_matches('-');
        bench
            .run(&[&serve[..], &[flag, value]].concat())
            .fails(2, &[name]);
    }
    bench
        .run(&["serve", "--data", "data", "--listen", "nowhere"])
        .fails(2, &["listen"]);
    bench
        .run(&[&serve[..], &["--config", "missing.toml"]].concat())
        .fails(4, &["missing.toml"]);
    bench
        .run_with(&serve, &[("RUST_LOG", "a=b=c")], "")
        .fails(2, &["RUST_LOG"]);
    assert!(bench.names().is_empty(), "{:?}", bench.names());
}
