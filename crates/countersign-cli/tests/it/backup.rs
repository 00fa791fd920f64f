//! `countersign backup` and `countersign restore`.

use crate::support::{Bench, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_says_what_belongs_to_it_and_its_way_back_what_that_means() {
    let bench = Bench::new();
    let server = Server::start(&bench);
    server.sign_up().await;
    let backup = || bench.run(&["backup", "copy.db", "--data", "data"]);
    let made = backup();
    assert!(made.ok().starts_with("copy.db: ") && made.ok().ends_with(" bytes, whole\n"));
    for part in [
        "e-mail addresses and password hashes",
        "data/key-encryption.key is not in it",
    ] {
        assert!(made.stderr.contains(part), "{part}: {made:?}");
    }
    backup().fails(4, &["copy.db exists and is not overwritten"]);
    let restore = || bench.run(&["restore", "copy.db", "--data", "data"]);
    restore().fails(4, &["a server runs on the data folder data; stop it first"]);
    server.stop();

    let back = restore();
    assert_eq!(back.ok(), "restored copy.db\n");
    for part in [
        "the database that was there is data/countersign.db.before-2",
        "countersign sessions revoke --all",
    ] {
        assert!(back.stderr.contains(part), "{part}: {back:?}");
    }
    assert!(!back.stderr.contains("warning"), "{back:?}");
    // Another server's key opens nothing in it.
    Server::start(&bench).stop();
    std::fs::remove_file(bench.path("data/key-encryption.key")).unwrap();
    let back = restore();
    assert_eq!(back.ok(), "restored copy.db\n");
    assert!(
        back.stderr.contains("warning: the key-encryption key"),
        "{back:?}"
    );
}

#[test]
fn a_folder_without_a_database_has_nothing_to_copy() {
    let bench = Bench::new();
    bench
        .run(&["backup", "copy.db", "--data", "data"])
        .fails(4, &["there is no database at data/countersign.db"]);
    bench
        .run(&["restore", "copy.db", "--data", "."])
        .fails(4, &["copy.db does not exist"]);
    assert!(bench.names().is_empty(), "{:?}", bench.names());
    bench.write("copy.db", "");
    bench
        .run(&["restore", "copy.db", "--data", "data"])
        .fails(4, &["the data folder data does not exist; make it first"]);
    assert_eq!(bench.names(), ["copy.db"]);
}

/// Without them, the next program that closes the database takes the write-ahead log away under the server.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_server_keeps_its_locks_on_the_database() {
    use std::os::unix::fs::MetadataExt as _;

    let bench = Bench::new();
    let server = Server::start(&bench);
    server.sign_up().await;
    let inode = bench.path("data/countersign.db").metadata().unwrap().ino();
    let locks = std::fs::read_to_string("/proc/locks").unwrap();
    let (pid, file) = (format!(" {} ", server.pid()), format!(":{inode} "));
    let held =
        |line: &&str| line.contains(" POSIX ") && line.contains(&pid) && line.contains(&file);
    assert!(locks.lines().any(|line| held(&line)), "{locks}");
    server.stop();
}
