//! The server on a real socket.

use std::net::SocketAddr;
use std::path::Path;

use countersign_server::{Error, Flags, Settings, start, start_inspector};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

fn settings(data: &Path, listen: &str) -> Settings {
    let flags = Flags {
        data: Some(data.to_owned()),
        listen: Some(listen.to_owned()),
        ..Flags::default()
    };
    Settings::load(flags, []).unwrap()
}

#[tokio::test]
async fn a_server_says_what_it_is_answers_and_ends_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = start(settings(&data, "127.0.0.1:0")).await.unwrap();
    let facts = server.facts().clone();
    assert!(facts.development && facts.setup.is_some() && facts.warnings.len() == 1);
    assert_eq!(facts.issuer, format!("http://{}", facts.address));
    assert_eq!(
        facts.jwks_uri,
        format!("{}/.well-known/jwks.json", facts.issuer)
    );
    assert_eq!(
        (facts.keys.as_str(), facts.durability),
        ("ES256, one signing, one standby", "full")
    );
    assert_eq!(facts.database, data.join("countersign.db"));
    let code = facts.setup.as_ref().unwrap().code.to_string();
    assert!(!format!("{facts:?}").contains(&code));
    let (end, ended) = oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async { ended.await.unwrap_or_default() }));
    let answer = reqwest::get(format!("{}/readyz", facts.issuer))
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    end.send(()).unwrap();
    running.await.unwrap().unwrap();
    assert!(
        reqwest::get(format!("{}/livez", facts.issuer))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn rejects_a_port_in_use_and_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = start(settings(&data, &taken.local_addr().unwrap().to_string()))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Listen { .. }));
    assert_eq!(
        (error.code(), error.exit_code()),
        ("address_unavailable", 5)
    );
    assert!(!data.exists());
}

#[tokio::test]
async fn rejects_a_data_path_that_is_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    for data in [file.clone(), file.join("below")] {
        let error = start(settings(&data, "127.0.0.1:0")).await.unwrap_err();
        assert_eq!(error.exit_code(), 4, "{error}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn rejects_a_database_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("countersign.db"),
        "this is a diary, and no database at all".repeat(100),
    )
    .unwrap();
    let error = start(settings(folder.path(), "127.0.0.1:0"))
        .await
        .unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("database_unusable", 4));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// Every listener that we have, and a page that each answers.
struct Listeners {
    all: [(SocketAddr, &'static str); 3],
    ends: [oneshot::Sender<()>; 2],
    running: JoinSet<Result<(), Error>>,
    _folder: TempDir,
}

impl Listeners {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let flags = Flags {
            data: Some(folder.path().to_owned()),
            listen: Some("127.0.0.1:0".to_owned()),
            metrics_listen: Some("127.0.0.1:0".to_owned()),
            ..Flags::default()
        };
        let server = start(Settings::load(flags, []).unwrap()).await.unwrap();
        let alone = start_inspector("127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
        let lone = alone.url();
        let lone = lone.strip_prefix("http://").unwrap();
        let all = [
            (server.facts().address, "/assets/style.css"),
            (server.facts().metrics.unwrap(), "/metrics"),
            (
                lone.strip_suffix("/inspect").unwrap().parse().unwrap(),
                "/inspect",
            ),
        ];
        let (end, ended) = oneshot::channel::<()>();
        let (end_lone, lone_ended) = oneshot::channel::<()>();
        let mut running = JoinSet::new();
        running.spawn(server.run(async { ended.await.unwrap_or_default() }));
        running.spawn(alone.run(async { lone_ended.await.unwrap_or_default() }));
        Self {
            all,
            ends: [end, end_lone],
            running,
            _folder: folder,
        }
    }

    /// Does something with each of them, with all at the same time.
    async fn each<F: Future<Output = ()> + Send + 'static>(
        &self,
        what: impl Fn(SocketAddr, &'static str) -> F,
    ) {
        let all = self
            .all
            .map(|(address, path)| tokio::spawn(what(address, path)));
        for one in all {
            one.await.unwrap();
        }
    }

    async fn close(self) {
        for end in self.ends {
            end.send(()).unwrap();
        }
        for ended in self.running.join_all().await {
            ended.unwrap();
        }
    }
}

#[tokio::test]
async fn a_head_that_does_not_come_is_not_waited_for() {
    let listeners = Listeners::open().await;
    listeners
        .each(async |address, path| {
            for head in [String::new(), format!("GET {path} HTTP/1.1\r\nHost: a\r\n")] {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.write_all(head.as_bytes()).await.unwrap();
                // Ends only when the server closes the connection.
                let mut answer = Vec::new();
                stream.read_to_end(&mut answer).await.unwrap();
                assert!(!answer.starts_with(b"HTTP/1.1 200"), "{path} {answer:?}");
            }
        })
        .await;
    listeners.close().await;
}

#[tokio::test]
async fn rejects_a_head_over_32_kib_and_takes_one_below() {
    let listeners = Listeners::open().await;
    listeners
        .each(async |address, path| {
            for (bytes, status) in [(30 * 1024, "HTTP/1.1 200"), (40 * 1024, "HTTP/1.1 431")] {
                let mut stream = TcpStream::connect(address).await.unwrap();
                let head = format!(
                    "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nX: {}",
                    "x".repeat(bytes)
                );
                stream.write_all(head.as_bytes()).await.unwrap();
                if status.ends_with("200") {
                    stream.write_all(b"\r\n\r\n").await.unwrap();
                }
                let mut answer = [0; 12];
                stream.read_exact(&mut answer).await.unwrap();
                assert_eq!(String::from_utf8_lossy(&answer), status, "{path}");
            }
        })
        .await;
    listeners.close().await;
}

#[tokio::test]
async fn a_connection_that_says_nothing_more_after_an_answer_is_closed() {
    let listeners = Listeners::open().await;
    listeners
        .each(async |address, path| {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap();
            assert!(answer.starts_with(b"HTTP/1.1 200"), "{path} {answer:?}");
        })
        .await;
    listeners.close().await;
}

#[tokio::test]
async fn a_connection_whose_answers_are_never_read_is_closed() {
    let listeners = Listeners::open().await;
    listeners
        .each(async |address, path| {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_recv_buffer_size(2048).unwrap();
            let mut stream = socket.connect(address).await.unwrap();
            let requests = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").repeat(50);
            // Neither side goes on when both have enough; only that the server closes the connection ends this.
            while stream.write_all(requests.as_bytes()).await.is_ok() {}
        })
        .await;
    listeners.close().await;
}

/// Each program that reads them holds one connection; who holds many finds an end, and the world's places are others.
#[tokio::test]
async fn the_figures_have_a_few_places_of_their_own() {
    let listeners = Listeners::open().await;
    let [_, (figures, path), _] = listeners.all;
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    let ask = async || {
        let mut stream = TcpStream::connect(figures).await.unwrap();
        let mut answer = [0; 12];
        // What is closed at once may be cut off.
        let _ = stream.write_all(request.as_bytes()).await;
        let is_answered = stream.read_exact(&mut answer).await.is_ok();
        assert!(!is_answered || answer == *b"HTTP/1.1 200");
        (is_answered, stream)
    };
    let mut held = Vec::new();
    for _ in 0..16 {
        let (is_answered, stream) = ask().await;
        assert!(is_answered, "{}", held.len());
        held.push(stream);
    }
    assert!(!ask().await.0);
    let (server, page) = listeners.all[0];
    let others = reqwest::get(format!("http://{server}{page}")).await;
    assert_eq!(others.unwrap().status(), 200);
    listeners.close().await;
}

#[tokio::test]
async fn a_proxy_that_is_named_is_no_reason_for_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let flags = Flags {
        data: Some(folder.path().join("data")),
        listen: Some("127.0.0.1:0".to_owned()),
        public_url: Some("https://id.example".to_owned()),
        trusted_proxy: vec!["127.0.0.1".to_owned()],
        ..Flags::default()
    };
    let server = start(Settings::load(flags, []).unwrap()).await.unwrap();
    assert!(server.facts().warnings.is_empty());
}

#[tokio::test]
async fn behind_a_proxy_it_says_that_networks_are_not_limited() {
    let folder = tempfile::tempdir().unwrap();
    let flags = Flags {
        data: Some(folder.path().join("data")),
        listen: Some("127.0.0.1:0".to_owned()),
        public_url: Some("https://id.example".to_owned()),
        ..Flags::default()
    };
    let server = start(Settings::load(flags, []).unwrap()).await.unwrap();
    let warnings = &server.facts().warnings;
    assert!(
        warnings.len() == 1 && warnings[0].contains("not limited by network"),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn the_figures_have_a_listener_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let flags = Flags {
        data: Some(folder.path().join("data")),
        listen: Some("127.0.0.1:0".to_owned()),
        metrics_listen: Some("127.0.0.1:0".to_owned()),
        ..Flags::default()
    };
    let server = start(Settings::load(flags, []).unwrap()).await.unwrap();
    let facts = server.facts().clone();
    let metrics = facts.metrics.unwrap();
    let (end, ended) = oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async { ended.await.unwrap_or_default() }));
    let text = |address| async move {
        let answer = reqwest::get(format!("http://{address}/metrics")).await;
        let answer = answer.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, figures) = text(metrics).await;
    assert!(status == 200 && figures.contains("countersign_refresh_total"));
    assert_eq!(text(facts.address).await.0, 404);
    let elsewhere = reqwest::get(format!("http://{metrics}/profile")).await;
    assert_eq!(elsewhere.unwrap().status(), 404);
    end.send(()).unwrap();
    running.await.unwrap().unwrap();
    assert!(
        reqwest::get(format!("http://{metrics}/metrics"))
            .await
            .is_err()
    );
}

/// The head of the answer to a POST that names its host so, as a page of that host would send it.
async fn posted(address: std::net::SocketAddr, path: &str, host: &str) -> String {
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nSec-Fetch-Site: same-origin\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// A page of another site can have its own name point at this machine, and would then be of the server's origin.
#[tokio::test]
async fn rejects_a_name_of_another_site_that_points_at_this_machine() {
    for public_url in [None, Some("https://id.example".to_owned())] {
        let folder = tempfile::tempdir().unwrap();
        let flags = Flags {
            data: Some(folder.path().join("data")),
            listen: Some("127.0.0.1:0".to_owned()),
            public_url: public_url.clone(),
            ..Flags::default()
        };
        let server = start(Settings::load(flags, []).unwrap()).await.unwrap();
        let facts = server.facts().clone();
        let (end, ended) = oneshot::channel::<()>();
        let running = tokio::spawn(server.run(async { ended.await.unwrap_or_default() }));
        let (address, port) = (facts.address, facts.address.port());
        for path in [
            "/login",
            "/signup",
            "/setup",
            "/refresh",
            "/inspect/explain",
            "/flow/session",
            "/ui/log-in",
        ] {
            for host in ["evil.example", "localhost.evil.example"] {
                let answer = posted(address, path, &format!("{host}:{port}")).await;
                assert!(answer.starts_with("HTTP/1.1 421 "), "{path} {answer}");
                let place = format!("open {}/, or", facts.issuer);
                assert!(answer.contains(&place), "{answer}");
            }
            let behind_proxy = public_url.as_ref().map(|_| "id.example".to_owned());
            let own = ["localhost", "127.0.0.1", "[::1]"].map(|host| format!("{host}:{port}"));
            for host in own.into_iter().chain(behind_proxy) {
                let answer = posted(address, path, &host).await;
                assert!(!answer.starts_with("HTTP/1.1 421 "), "{path} {answer}");
            }
        }
        // Whoever watches over the server names it as they like.
        for path in ["/livez", "/readyz"] {
            let url = format!("http://{address}{path}");
            let request = reqwest::Client::new().get(url).header("host", "probe");
            assert_eq!(request.send().await.unwrap().status(), 200, "{path}");
        }
        end.send(()).unwrap();
        running.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_lone_inspector_refuses_what_another_site_may_have_started() {
    let inspector = start_inspector("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let url = inspector.url();
    let place = url.strip_suffix("/inspect").unwrap().to_owned();
    let (end, ended) = oneshot::channel::<()>();
    let running = tokio::spawn(inspector.run(async { ended.await.unwrap_or_default() }));
    for path in ["/ui/theme", "/ui/inspect", "/inspect/explain", "/nothing"] {
        for (site, is_refused) in [
            ("cross-site", true),
            ("same-site", true),
            ("same-origin", false),
        ] {
            let request = reqwest::Client::new().post(format!("{place}{path}"));
            let answer = request.header("sec-fetch-site", site).send().await.unwrap();
            assert_eq!(answer.status() == 403, is_refused, "{path} {site}");
            assert!(!is_refused || !answer.headers().contains_key("set-cookie"));
        }
    }
    end.send(()).unwrap();
    running.await.unwrap().unwrap();
}
