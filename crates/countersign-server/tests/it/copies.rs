//! Copies of the database, their way back, and what a start says of a database that is lost, mixed or broken.

use std::fs;
use std::path::Path;

use countersign_server::offline::{self, NewUser};
use countersign_server::{Error, Flags, Server, Settings, start};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};

use crate::app::{EMAIL, PASSWORD, TestApp};

mod around;
mod meanwhile;

fn settings(data: &Path) -> Settings {
    let flags = Flags {
        data: Some(data.to_owned()),
        listen: Some("127.0.0.1:0".to_owned()),
        ..Flags::default()
    };
    Settings::load(flags, []).unwrap()
}

async fn server(data: &Path) -> Result<Server, Error> {
    start(settings(data)).await
}

async fn code(data: &Path) -> &'static str {
    server(data).await.unwrap_err().code()
}

/// A server that starts and ends as it should.
async fn start_and_stop(data: &Path) {
    server(data).await.unwrap().run(async {}).await.unwrap();
}

async fn add(data: &Path, email: &str) {
    let user = NewUser::new(email, PASSWORD.to_owned().into());
    offline::add_user(&settings(data), user).await.unwrap();
}

async fn emails(data: &Path) -> Vec<String> {
    let users = offline::list_users(&settings(data)).await.unwrap();
    users.into_iter().map(|user| user.email).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// What a crash at this moment leaves of a folder in which a server runs.
fn crash(data: &Path, to: &Path) {
    for name in names(data).iter().filter(|name| !name.ends_with("-shm")) {
        fs::copy(data.join(name), to.join(name)).unwrap();
    }
    assert!(fs::metadata(to.join("countersign.db-wal")).unwrap().len() > 0);
}

#[tokio::test]
async fn a_copy_that_was_taken_while_the_server_runs_holds_what_was_written_last() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("copy.db"));
    let running = server(&data).await.unwrap();
    add(&data, EMAIL).await;
    let made = offline::backup(&settings(&data), &file).await.unwrap();
    assert_eq!(made.bytes, fs::metadata(&file).unwrap().len());
    assert_eq!(made.key, Some(data.join("key-encryption.key")));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!(names(folder.path()), ["copy.db", "data"]);
    let again = offline::backup(&settings(&data), &file).await.unwrap_err();
    assert_eq!((again.code(), again.exit_code()), ("file_exists", 4));

    add(&data, "later@example.com").await;
    let refused = offline::restore(&settings(&data), &file).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.exit_code()),
        ("data_folder_in_use", 4)
    );
    running.run(async {}).await.unwrap();
    let restored = offline::restore(&settings(&data), &file).await.unwrap();
    assert!(restored.key_fits);
    assert_eq!(emails(&data).await, [EMAIL]);
    // What was there is whole, under its new name.
    let aside = restored.set_aside.unwrap();
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::copy(aside, other.join("countersign.db")).unwrap();
    assert_eq!(emails(&other).await, [EMAIL, "later@example.com"]);
    start_and_stop(&data).await;
}

/// SQLite makes files beside the database, also to read it. A folder in the place of one stands for a data folder that takes
/// no writes, which not every user who runs tests is refused.
#[tokio::test]
async fn a_copy_that_cannot_be_made_names_what_takes_no_writes() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    start_and_stop(&data).await;
    let backup = async |file: &str| {
        let file = folder.path().join(file);
        let error = offline::backup(&settings(&data), &file).await.unwrap_err();
        assert_eq!(error.exit_code(), 4);
        (error.code(), error.to_string())
    };
    let missing = folder.path().join("no").display().to_string();
    let (code, text) = backup("no/copy.db").await;
    assert_eq!(code, "file_unusable");
    assert!(
        text.starts_with(&format!("{missing} does not exist")),
        "{text}"
    );
    fs::create_dir(data.join("countersign.db-wal")).unwrap();
    let (code, text) = backup("copy.db").await;
    assert_eq!(code, "database_unusable");
    assert!(
        text.contains("give this user write access to it and to its folder"),
        "{text}"
    );
    assert!(!folder.path().join("copy.db").exists());
}

#[tokio::test]
async fn a_copy_is_restored_over_what_a_crash_left_and_that_is_kept_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("copy.db"));
    let crashed = tempfile::tempdir().unwrap();
    let _running = server(&data).await.unwrap();
    add(&data, EMAIL).await;
    offline::backup(&settings(&data), &file).await.unwrap();
    add(&data, "later@example.com").await;
    crash(&data, crashed.path());
    let restored = offline::restore(&settings(crashed.path()), &file)
        .await
        .unwrap();
    assert_eq!(emails(crashed.path()).await, [EMAIL]);
    // A command that dies now leaves a log that belongs to this file.
    let (database, again) = (
        SqliteConnectOptions::new().filename(crashed.path().join("countersign.db")),
        tempfile::tempdir().unwrap(),
    );
    let mut connection = SqliteConnection::connect_with(&database).await.unwrap();
    for sql in [
        "PRAGMA journal_mode = WAL",
        "UPDATE probe SET written_at = 1",
    ] {
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
    crash(crashed.path(), again.path());
    connection.close().await.unwrap();
    start_and_stop(again.path()).await;
    // From what was set aside with its log nothing is missing, and it can be put back as it lies there.
    let aside = restored.set_aside.unwrap();
    offline::restore(&settings(crashed.path()), &aside)
        .await
        .unwrap();
    assert_eq!(emails(crashed.path()).await, [EMAIL, "later@example.com"]);
    start_and_stop(crashed.path()).await;
}

#[tokio::test]
async fn rejects_a_file_that_is_no_whole_database_of_this_program_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("copy.db"));
    start_and_stop(&data).await;
    add(&data, EMAIL).await;
    let before = names(&data);
    offline::backup(&settings(&data), &file).await.unwrap();
    let whole = fs::read(&file).unwrap();
    let mut damaged = whole.clone();
    damaged[4096 * 2..4096 * 6].fill(0xa5);
    let foreign = folder.path().join("foreign.db");
    let options = SqliteConnectOptions::new()
        .filename(&foreign)
        .create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("CREATE TABLE shopping (what TEXT)")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    for (content, says) in [
        (damaged, "damaged"),
        (whole[..whole.len() / 2].to_vec(), "damaged"),
        (b"a diary ".repeat(1000), "is no database"),
        (Vec::new(), "holds no Countersign database"),
        (fs::read(&foreign).unwrap(), "holds no Countersign database"),
    ] {
        fs::write(&file, content).unwrap();
        let error = offline::restore(&settings(&data), &file).await.unwrap_err();
        assert_eq!((error.code(), error.exit_code()), ("copy_unusable", 4));
        let line = error.to_string();
        assert!(line.contains(says), "{says}: {line}");
        assert!(line.starts_with(&file.display().to_string()), "{line}");
        assert_eq!(names(&data), before);
        assert_eq!(emails(&data).await, [EMAIL]);
    }
}

#[tokio::test]
async fn a_copy_of_which_another_key_opens_the_keys_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let (data, other) = (folder.path().join("data"), folder.path().join("other"));
    let file = folder.path().join("copy.db");
    start_and_stop(&data).await;
    start_and_stop(&other).await;
    offline::backup(&settings(&data), &file).await.unwrap();
    let restored = offline::restore(&settings(&other), &file).await.unwrap();
    assert!(!restored.key_fits);
}

#[tokio::test]
async fn a_server_whose_database_is_gone_or_empty_does_not_begin_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    start_and_stop(data).await;
    let database = data.join("countersign.db");
    let whole = fs::read(&database).unwrap();
    // What is copied of a database whose content is still in the write-ahead log: its first page.
    for left in [None, Some(&whole[..4096]), Some(&whole[..0])] {
        match left {
            None => fs::remove_file(&database).unwrap(),
            Some(bytes) => fs::write(&database, bytes).unwrap(),
        }
        assert_eq!(code(data).await, "database_lost");
        if left.is_some() {
            let error = offline::list_users(&settings(data)).await.unwrap_err();
            assert_eq!((error.code(), error.exit_code()), ("database_lost", 4));
        }
    }
    // The key alone says so too, and so does the mark, where the key is kept elsewhere.
    let (lock, key) = (
        data.join("countersign.lock"),
        data.join("key-encryption.key"),
    );
    let mark = fs::read(&lock).unwrap();
    fs::remove_file(&lock).unwrap();
    assert_eq!(code(data).await, "database_lost");
    fs::remove_file(key).unwrap();
    fs::write(&lock, mark).unwrap();
    assert_eq!(code(data).await, "database_lost");
    fs::write(&lock, "").unwrap();
    start_and_stop(data).await;
}

#[tokio::test]
async fn a_database_is_not_opened_with_the_write_ahead_log_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("copy.db"));
    start_and_stop(&data).await;
    let before = fs::read(data.join("countersign.db")).unwrap();
    let running = server(&data).await.unwrap();
    add(&data, EMAIL).await;
    offline::backup(&settings(&data), &file).await.unwrap();
    let (crashed, mixed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    crash(&data, crashed.path());
    crash(&data, mixed.path());
    drop(running);
    for copy in [before, fs::read(&file).unwrap()] {
        fs::write(mixed.path().join("countersign.db"), copy).unwrap();
        assert_eq!(code(mixed.path()).await, "database_mixed");
        let error = offline::list_users(&settings(mixed.path()))
            .await
            .unwrap_err();
        assert_eq!((error.code(), error.exit_code()), ("database_mixed", 4));
    }
    // Its own log belongs to it, also after a second crash.
    for _ in 0..2 {
        let again = tempfile::tempdir().unwrap();
        let running = server(crashed.path()).await.unwrap();
        assert_eq!(emails(crashed.path()).await, [EMAIL]);
        let held = offline::setup_link(&settings(crashed.path())).await;
        assert!(held.is_ok());
        crash(crashed.path(), again.path());
        drop(running);
        start_and_stop(again.path()).await;
    }
}

#[tokio::test]
async fn a_damaged_database_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    start_and_stop(folder.path()).await;
    let database = folder.path().join("countersign.db");
    let mut bytes = fs::read(&database).unwrap();
    let end = bytes.len();
    bytes[end - 4096 * 3..].fill(0xa5);
    fs::write(&database, bytes).unwrap();
    let error = server(folder.path()).await.unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("is damaged; put a copy in its place with `countersign restore`"),
        "{error}"
    );
    assert_eq!(error.exit_code(), 4);
}

#[tokio::test]
async fn a_server_whose_database_turns_out_damaged_is_no_longer_ready() {
    let app = TestApp::new().await;
    let administrator = app.administrator().await;
    assert_eq!(app.get("/readyz").await.status, 200);
    // The trail's index is now looked for where a table stands.
    let options = SqliteConnectOptions::new().filename(app.data().join("countersign.db"));
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    for sql in [
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'users') \
         WHERE tbl_name = 'audit' AND type = 'index'",
        "PRAGMA schema_version = 1000",
    ] {
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    // Nobody has asked for it yet, and the probe does not.
    assert_eq!(app.get("/readyz").await.status, 200);
    app.get_as("/admin/v1/audit", &administrator.access)
        .await
        .is_problem(500, "internal_error", "Internal server error");
    let answer = app.get("/readyz").await;
    answer.is_problem(503, "not_ready", "Not ready");
    assert!(
        answer.json()["detail"]
            .as_str()
            .unwrap()
            .contains("damaged")
    );
}
