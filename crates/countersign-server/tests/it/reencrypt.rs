//! Another key-encryption key.

use std::fs;
use std::path::{Path, PathBuf};

use countersign_server::offline::{self, Reencrypted};
use serde_json::{Value, json};

use crate::app::{TestApp, Tokens};

const OTHER: &str = "3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE";

fn key_in(folder: &Path) -> PathBuf {
    folder.join("key-encryption.key")
}

/// A file that its owner alone can read.
fn private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

fn is_anywhere_in(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        bytes.windows(text.len()).any(|at| at == text.as_bytes())
    })
}

/// After the server was closed.
async fn reencrypted(app: &TestApp) -> Reencrypted {
    let done = offline::reencrypt_keys(&app.settings(), None).await;
    done.unwrap()
}

#[tokio::test]
async fn keys_under_another_key_encryption_key_sign_and_verify_what_they_did() {
    let (mut app, tokens) = TestApp::with_session().await;
    let sealed = app
        .look_up("SELECT group_concat(sealed, ' ') FROM keys")
        .await;
    let old = fs::read_to_string(key_in(app.data())).unwrap();
    app.server.close().await;
    assert!(
        sealed
            .split(' ')
            .all(|text| is_anywhere_in(app.data(), text))
    );

    let done = reencrypted(&app).await;
    assert_eq!((done.keys.len(), done.is_swept), (3, true));
    assert_eq!(done.key, key_in(app.data()));
    assert_eq!(fs::read_to_string(done.set_aside.unwrap()).unwrap(), old);
    for text in sealed.split(' ') {
        assert!(!is_anywhere_in(app.data(), text));
    }

    app.reopen_with(&[]).await.unwrap();
    assert_eq!(app.get_as("/profile", &tokens.access).await.status, 200);
    let after = Tokens::of(&app.refresh(&tokens.refresh).await);
    assert_eq!(app.get_as("/profile", &after.access).await.status, 200);
    let about = app
        .look_up("SELECT about FROM audit WHERE event = 'keys_reencrypted'")
        .await;
    let about: Value = serde_json::from_str(&about).unwrap();
    assert_eq!(about, json!({"keys": done.keys}));

    private(&key_in(app.data()), &old);
    let error = app.reopen_with(&[]).await.unwrap_err();
    assert_eq!(error.code(), "key_encryption_key_wrong");
}

#[tokio::test]
async fn keys_that_were_deleted_are_swept_out_of_the_database_with_the_others() {
    let (mut app, _) = TestApp::with_session().await;
    let sealed = app
        .look_up("SELECT group_concat(sealed, ' ') FROM keys")
        .await;
    let is_somewhere = |folder: &Path| {
        let mut sealed = sealed.split(' ');
        // SQLite writes over the first bytes of what it frees.
        sealed.any(|text| is_anywhere_in(folder, text.split_at(text.len() / 2).1))
    };
    app.server.close().await;
    offline::withdraw_keys(&app.settings()).await.unwrap();
    assert!(is_somewhere(app.data()));
    let done = reencrypted(&app).await;
    assert_eq!((done.keys.len(), done.is_swept), (1, true));
    assert!(!is_somewhere(app.data()));
    app.reopen_with(&[]).await.unwrap();
}

#[tokio::test]
async fn a_key_that_is_kept_elsewhere_is_named_and_the_one_in_the_folder_put_aside() {
    let (mut app, tokens) = TestApp::with_session().await;
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("other.key");
    private(&file, OTHER);
    app.server.close().await;
    let done = offline::reencrypt_keys(&app.settings(), Some(&file))
        .await
        .unwrap();
    assert!(done.set_aside.is_some_and(|aside| aside.exists()));
    assert!(!key_in(app.data()).exists());
    let error = app.reopen_with(&[]).await.unwrap_err();
    assert_eq!(error.code(), "key_encryption_key_unusable");
    let setting = [("KEY_ENCRYPTION_KEY_FILE", file.to_str().unwrap())];
    app.reopen_with(&setting).await.unwrap();
    assert_eq!(app.get_as("/profile", &tokens.access).await.status, 200);
    app.server.close().await;

    for (to, said) in [
        (None, "kept outside of the data folder"),
        (Some(file.as_path()), "already"),
    ] {
        let error = offline::reencrypt_keys(&app.settings(), to).await;
        let error = error.unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains(said), "{error}");
    }
    app.reopen_with(&[]).await.unwrap();
    assert_eq!(app.get_as("/profile", &tokens.access).await.status, 200);
}

#[tokio::test]
async fn a_change_that_was_cut_short_is_ended_by_whoever_opens_the_folder_next() {
    let (mut app, tokens) = TestApp::with_session().await;
    let key = key_in(app.data());
    app.server.close().await;
    let done = reencrypted(&app).await;
    let new = fs::read_to_string(&key).unwrap();
    // As if it had ended when the database was written.
    fs::rename(&key, app.data().join("key-encryption.key.new")).unwrap();
    fs::rename(done.set_aside.unwrap(), &key).unwrap();
    app.reopen_with(&[]).await.unwrap();
    assert_eq!(fs::read_to_string(&key).unwrap(), new);
    assert_eq!(app.get_as("/profile", &tokens.access).await.status, 200);
    app.server.close().await;

    // As if it had ended before: the key that was to come is of no use, and the next one takes its place.
    private(&app.data().join("key-encryption.key.new"), OTHER);
    let done = reencrypted(&app).await;
    assert_eq!(fs::read_to_string(done.set_aside.unwrap()).unwrap(), new);
    app.reopen_with(&[]).await.unwrap();
    assert_eq!(app.get_as("/profile", &tokens.access).await.status, 200);
}

#[tokio::test]
async fn a_key_that_does_not_open_the_database_changes_nothing() {
    let (mut app, tokens) = TestApp::with_session().await;
    let key = key_in(app.data());
    let right = fs::read_to_string(&key).unwrap();
    app.server.close().await;
    fs::write(&key, OTHER).unwrap();
    let error = offline::reencrypt_keys(&app.settings(), None).await;
    assert_eq!(error.unwrap_err().code(), "key_encryption_key_wrong");
    assert_eq!(fs::read_to_string(&key).unwrap(), OTHER);
    assert!(!app.data().join("key-encryption.key.new").exists());
    fs::write(&key, right).unwrap();
    app.reopen_with(&[]).await.unwrap();
    assert_eq!(app.get_as("/profile", &tokens.access).await.status, 200);
}

/// A key that is made with another key-encryption key than the rest would be opened by none.
#[tokio::test]
async fn a_start_with_the_wrong_key_makes_no_key() {
    let (mut app, tokens) = TestApp::with_session().await;
    let key = key_in(app.data());
    let right = fs::read_to_string(&key).unwrap();
    app.server.close().await;
    // Then one is missing, and the next start makes it.
    offline::withdraw_keys(&app.settings()).await.unwrap();
    private(&key, OTHER);
    let error = app.reopen_with(&[]).await.unwrap_err();
    assert_eq!(error.code(), "key_encryption_key_wrong");
    private(&key, &right);
    app.reopen_with(&[]).await.unwrap();
    assert_eq!(app.refresh(&tokens.refresh).await.status, 200);
}

#[tokio::test]
async fn keys_that_somebody_has_opened_are_not_encrypted_anew() {
    let (app, _) = TestApp::with_session().await;
    let error = offline::reencrypt_keys(&app.settings(), None).await;
    assert_eq!(error.unwrap_err().code(), "data_folder_in_use");
    app.server.close().await;
    assert!(offline::reencrypt_keys(&app.settings(), None).await.is_ok());
}

#[tokio::test]
async fn nobody_opens_keys_while_they_are_encrypted_anew() {
    let (mut app, tokens) = TestApp::with_session().await;
    app.server.close().await;
    // What the command holds as long as it works.
    let held = fs::File::create(app.data().join("key-encryption.lock")).unwrap();
    held.try_lock().unwrap();
    let error = app.reopen_with(&[]).await.unwrap_err();
    assert_eq!(
        (error.code(), error.exit_code()),
        ("data_folder_changing", 4)
    );
    drop(held);
    app.reopen_with(&[]).await.unwrap();
    assert_eq!(app.get_as("/profile", &tokens.access).await.status, 200);
}

#[tokio::test]
async fn a_new_key_under_a_name_of_the_folders_own_is_refused_and_stays() {
    let (app, _) = TestApp::with_session().await;
    app.server.close().await;
    let file = app.data().join("key-encryption.key.new");
    private(&file, OTHER);
    // Opened by nobody, it is put aside before anything else, so that it does not take the place of the key.
    let error = offline::reencrypt_keys(&app.settings(), Some(&file)).await;
    assert!(error.is_err());
    let own = key_in(app.data());
    let error = offline::reencrypt_keys(&app.settings(), Some(&own)).await;
    let error = error.unwrap_err();
    assert!(error.to_string().contains("of its own"), "{error}");
    let texts = fs::read_dir(app.data()).unwrap().filter_map(|entry| {
        let path = entry.unwrap().path();
        fs::read_to_string(path).ok()
    });
    assert!(texts.into_iter().any(|text| text == OTHER));
}

#[tokio::test]
async fn what_somebody_still_reads_is_not_swept_and_is_said_to_be_there() {
    use sqlx::Connection as _;
    let (app, _) = TestApp::with_session().await;
    app.server.close().await;
    let options =
        sqlx::sqlite::SqliteConnectOptions::new().filename(app.data().join("countersign.db"));
    let mut reader = sqlx::SqliteConnection::connect_with(&options)
        .await
        .unwrap();
    sqlx::query("BEGIN").execute(&mut reader).await.unwrap();
    let read = sqlx::query("SELECT count(*) FROM keys");
    read.fetch_one(&mut reader).await.unwrap();
    let done = reencrypted(&app).await;
    assert_eq!((done.keys.len(), done.is_swept), (3, false));
    reader.close().await.unwrap();
}
