//! What a start says when it cannot be, in one line that says what to do, and what it warns of.

use std::error::Error as _;
use std::path::Path;

use countersign_server::{Flags, Server, Settings, offline, start};
use tokio::net::TcpListener;

fn settings(data: &Path, listen: &str) -> Settings {
    let flags = Flags {
        data: Some(data.to_owned()),
        listen: Some(listen.to_owned()),
        ..Flags::default()
    };
    Settings::load(flags, []).unwrap()
}

async fn server(data: &Path, listen: &str) -> Server {
    start(settings(data, listen)).await.unwrap()
}

async fn failure(data: &Path, listen: &str) -> String {
    let error = start(settings(data, listen)).await.unwrap_err();
    let line = error.to_string();
    assert!(!line.contains('\n'), "{line}");
    // Said once: what the system says of itself is not repeated.
    if let Some(source) = error.source() {
        assert!(line.matches(&source.to_string()).count() <= 1, "{line}");
    }
    line
}

#[tokio::test]
async fn a_file_where_the_folder_should_be_is_called_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("afile");
    std::fs::write(&file, "").unwrap();
    for data in [file.clone(), file.join("below")] {
        assert_eq!(
            failure(&data, "127.0.0.1:0").await,
            format!(
                "{} is a file, where the data folder should be; choose another with `--data`",
                file.display()
            )
        );
    }
    let error = offline::list_users(&settings(&file, "127.0.0.1:0"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("is a file"), "{error}");
}

#[tokio::test]
async fn a_database_that_is_none_is_told_so_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("countersign.db");
    std::fs::write(&database, "a diary ".repeat(1000)).unwrap();
    assert_eq!(
        failure(folder.path(), "127.0.0.1:0").await,
        format!(
            "{} is not a Countersign database; choose another folder with `--data`",
            database.display()
        )
    );
}

#[tokio::test]
async fn a_database_that_is_a_folder_cannot_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("countersign.db")).unwrap();
    let line = failure(folder.path(), "127.0.0.1:0").await;
    assert!(
        line.ends_with("choose another folder with `--data`"),
        "{line}"
    );
}

#[tokio::test]
async fn an_address_is_told_what_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert_eq!(
        failure(folder.path(), &address).await,
        format!(
            "cannot listen on {address}: the port is in use; stop what uses it, or choose another with `--listen`"
        )
    );
    // An address of documentation, which no machine has (RFC 5737).
    let flags = Flags {
        data: Some(folder.path().to_owned()),
        listen: Some("192.0.2.1:8080".to_owned()),
        public_url: Some("https://id.example".to_owned()),
        trusted_proxy: vec!["192.0.2.2".to_owned()],
        ..Flags::default()
    };
    let error = start(Settings::load(flags, []).unwrap()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot listen on 192.0.2.1:8080: this machine has no such address; choose one that it has with `--listen`"
    );
}

#[tokio::test]
async fn a_second_server_on_the_same_folder_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let first = server(folder.path(), "127.0.0.1:0").await;
    assert!(!warns(&first, "another server"));
    let second = server(folder.path(), "127.0.0.1:0").await;
    assert!(warns(&second, "another server runs on the data folder"));
    drop((first, second));
    assert!(!warns(
        &server(folder.path(), "127.0.0.1:0").await,
        "another server"
    ));
}

#[tokio::test]
async fn a_second_server_says_that_the_code_of_the_first_is_void() {
    let folder = tempfile::tempdir().unwrap();
    let void = "the code for the first administrator that the other server printed is void";
    // What no other server has printed is no news.
    drop(server(folder.path(), "127.0.0.1:0").await);
    let first = server(folder.path(), "127.0.0.1:0").await;
    assert!(!warns(&first, void));
    let second = server(folder.path(), "127.0.0.1:0").await;
    assert!(warns(&second, void));
}

#[tokio::test]
async fn a_setup_link_is_of_the_server_that_ran_last_or_of_the_public_url() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), "127.0.0.1:0").await;
    let here = settings(folder.path(), "127.0.0.1:8080");
    let link = offline::setup_link(&here).await.unwrap();
    assert_eq!(link.url, format!("{}/setup", server.facts().issuer));
    assert!(!link.is_assumed);
    let flags = Flags {
        data: Some(folder.path().to_owned()),
        public_url: Some("http://127.0.0.1:9".to_owned()),
        ..Flags::default()
    };
    let named = Settings::load(flags, []).unwrap();
    let link = offline::setup_link(&named).await.unwrap();
    assert_eq!(link.url, "http://127.0.0.1:9/setup");
    assert!(!link.is_assumed);
}

#[tokio::test]
async fn an_issuer_that_is_another_than_before_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let first = server(folder.path(), "127.0.0.1:0").await;
    assert!(!warns(&first, "issuer"));
    let before = first.facts().issuer.clone();
    let second = server(folder.path(), "127.0.0.1:0").await;
    assert!(warns(
        &second,
        &format!("the issuer was {before} and is {}", second.facts().issuer)
    ));
    let same = second.facts().address.to_string();
    drop((first, second));
    assert!(!warns(&server(folder.path(), &same).await, "issuer"));
}

#[tokio::test]
async fn what_is_set_and_means_harm_or_nothing_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let begin = async |change: fn(&mut Flags)| {
        let mut flags = Flags {
            data: Some(folder.path().to_owned()),
            listen: Some("127.0.0.1:0".to_owned()),
            ..Flags::default()
        };
        change(&mut flags);
        start(Settings::load(flags, []).unwrap()).await.unwrap()
    };
    let plain = begin(|flags| flags.public_url = Some("http://id.example".to_owned())).await;
    assert!(warns(&plain, "http://id.example is not this machine"));
    let idle = begin(|flags| {
        flags.session_ttl = Some("1h".to_owned());
        flags.session_idle_ttl = Some("2h".to_owned());
    });
    let idle = idle.await;
    assert!(warns(&idle, "`session_idle_ttl` is longer than"));
    assert!(!warns(&idle, "not this machine") && !warns(&plain, "session_idle_ttl"));
}

#[tokio::test]
async fn a_proxy_is_spoken_of_only_where_there_may_be_one() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    for (own_tls, is_told) in [(true, false), (false, true)] {
        let flags = Flags {
            data: Some(folder.path().join("data")),
            listen: Some("127.0.0.1:0".to_owned()),
            public_url: Some("https://id.example".to_owned()),
            tls_cert: own_tls.then(|| cert.clone()),
            tls_key: own_tls.then(|| key.clone()),
            ..Flags::default()
        };
        let server = start(Settings::load(flags, []).unwrap()).await.unwrap();
        assert_eq!(warns(&server, "--trusted-proxy"), is_told, "{own_tls}");
    }
}

fn warns(server: &Server, text: &str) -> bool {
    server
        .facts()
        .warnings
        .iter()
        .any(|warning| warning.contains(text))
}
