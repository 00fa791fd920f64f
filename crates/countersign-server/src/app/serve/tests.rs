//! The end of a server, with less time for it than servers have.

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::config::{Flags, TlsFiles};
use crate::rules::keys;
use crate::store::Store;

const SOON: Ending = Ending {
    requests: Duration::from_millis(50),
    all: Duration::from_millis(200),
};

async fn server() -> (TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let flags = Flags {
        data: Some(folder.path().to_owned()),
        listen: Some("127.0.0.1:0".to_owned()),
        ..Flags::default()
    };
    let mut server = start(Settings::load(flags, []).unwrap()).await.unwrap();
    server.ending = SOON;
    (folder, server)
}

fn run(server: Server) -> (oneshot::Sender<()>, JoinHandle<Result<(), Error>>) {
    let (end, ended) = oneshot::channel();
    let running = server.run(async { ended.await.unwrap_or_default() });
    (end, tokio::spawn(running))
}

/// Sends this much of a request whose body has `length` bytes.
async fn post(address: SocketAddr, path: &str, length: usize, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// All that comes until the server closes the connection.
async fn answered(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    // A connection may be cut off as well as closed.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

#[test]
fn the_end_is_over_before_who_supervises_a_server_kills_it() {
    let usual = Ending::USUAL;
    assert!(usual.requests < usual.all && usual.all < Duration::from_secs(5));
}

/// Keys that were withdrawn are replaced by the housekeeping.
#[tokio::test]
async fn a_certificate_whose_reading_hangs_does_not_hold_the_housekeeping_up() {
    let (folder, mut server) = server().await;
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = TlsFiles {
        cert: folder.path().join("cert.pem"),
        key: folder.path().join("key.pem"),
        cert_place: "flag --tls-cert".to_owned(),
        key_place: "flag --tls-key".to_owned(),
    };
    std::fs::write(&files.cert, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    let tls = Tls::open(&files).unwrap();
    server.tls = Some(tls.clone());
    server.housekeeping = Duration::from_millis(20);
    let app = server.app.clone();
    let all = app.store.keys().await.unwrap().len();
    let (hanging, free) = std::sync::mpsc::channel::<()>();
    let (hung, hangs) = oneshot::channel();
    let reading = std::thread::spawn(move || {
        let held = tls.hang();
        hung.send(()).unwrap();
        let _ = free.recv();
        drop(held);
    });
    hangs.await.unwrap();
    let (end, running) = run(server);
    // Some beats, of which each would read the files.
    for _ in 0..3 {
        keys::withdraw(&app.store, app.now()).await.unwrap();
        let made = async {
            while app.store.keys().await.unwrap().len() < all {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(20), made).await.unwrap();
    }
    end.send(()).unwrap();
    running.await.unwrap().unwrap();
    drop(hanging);
    reading.join().unwrap();
}

/// A server that was only warned of another is the one that others are warned of, once that has ended.
#[tokio::test]
async fn the_mark_of_a_server_that_has_ended_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let flags = Flags {
        data: Some(folder.path().to_owned()),
        ..Flags::default()
    };
    let settings = Settings::load(flags, []).unwrap();
    let [first, mut second] = [Lock::of(&settings).unwrap(), Lock::of(&settings).unwrap()];
    second.try_again();
    assert!(second.is_of_another());
    drop(first);
    assert!(second.is_of_another());
    second.try_again();
    assert!(!second.is_of_another() && Lock::of(&settings).unwrap().is_of_another());
}

/// A body is waited for longer, and whoever does not send it is told so: here nobody is told anything.
#[tokio::test]
async fn a_request_that_is_sent_half_does_not_hold_the_end_up() {
    let (_folder, server) = server().await;
    let address = server.facts().address;
    let (end, running) = run(server);
    let half = post(address, "/login", 99, "{").await;
    // Another request tells that the first has been taken up.
    let other = post(address, "/logout", 0, "").await;
    other.readable().await.unwrap();
    end.send(()).unwrap();
    running.await.unwrap().unwrap();
    assert_eq!(answered(half).await, "");
}

/// The other process never lets the database go, and who waits for it does so for longer than the end takes.
#[tokio::test]
async fn a_database_that_another_process_locks_does_not_hold_the_end_up() {
    let (_folder, server) = server().await;
    let (address, store) = (server.facts().address, server.app.store.clone());
    let other = Store::open(&server.facts().database, false).await.unwrap();
    let held = other.begin().await.unwrap();
    let (end, running) = run(server);
    let account = r#"{"email": "ada@example.com", "password": "lantern orbit quilt mosaic 42"}"#;
    let waiting = post(address, "/signup", account.len(), account).await;
    while !store.is_writing() {
        tokio::task::yield_now().await;
    }
    end.send(()).unwrap();
    running.await.unwrap().unwrap();
    assert!(store.is_writing(), "its end was waited for");
    assert_eq!(answered(waiting).await, "");
    held.rollback().await.unwrap();
}
