//! What lies around a copy: its key, what an earlier attempt left, what was set aside before, other versions.

use countersign::Timestamp;

use super::*;

#[tokio::test]
async fn a_copy_that_cannot_be_taken_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("copy.db"));
    fs::create_dir(&data).unwrap();
    let refused = offline::backup(&settings(&data), &file).await.unwrap_err();
    assert_eq!(refused.code(), "database_missing");
    assert_eq!(names(folder.path()), ["data"]);
    fs::write(data.join("countersign.db"), b"a diary ".repeat(1000)).unwrap();
    let refused = offline::backup(&settings(&data), &file).await.unwrap_err();
    assert_eq!(refused.exit_code(), 4, "{refused}");
    assert_eq!(names(folder.path()), ["data"]);
}

#[tokio::test]
async fn a_copy_names_no_key_where_none_lies_in_the_folder_or_another_opens_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    start_and_stop(&data).await;
    let flags = Flags {
        data: Some(data.clone()),
        ..Flags::default()
    };
    let key = (
        "COUNTERSIGN_KEY_ENCRYPTION_KEY".to_owned(),
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
    );
    let elsewhere = Settings::load(flags, [key]).unwrap();
    let first = offline::backup(&elsewhere, &folder.path().join("1.db")).await;
    assert_eq!(first.unwrap().key, None);
    fs::remove_file(data.join("key-encryption.key")).unwrap();
    let second = offline::backup(&settings(&data), &folder.path().join("2.db")).await;
    assert_eq!(second.unwrap().key, None);
}

/// SQLite would take the log that an attempt left for that of the copy.
#[tokio::test]
async fn what_a_restore_left_that_was_cut_short_is_not_taken_into_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("copy.db"));
    let running = server(&data).await.unwrap();
    add(&data, EMAIL).await;
    offline::backup(&settings(&data), &file).await.unwrap();
    add(&data, "later@example.com").await;
    let crashed = tempfile::tempdir().unwrap();
    crash(&data, crashed.path());
    running.run(async {}).await.unwrap();
    for suffix in ["", "-wal"] {
        fs::copy(
            crashed.path().join(format!("countersign.db{suffix}")),
            data.join(format!("countersign.db.restoring{suffix}")),
        )
        .unwrap();
    }
    offline::restore(&settings(&data), &file).await.unwrap();
    assert_eq!(emails(&data).await, [EMAIL]);
    let left = |name: &String| name.contains("restoring");
    assert!(!names(&data).iter().any(left), "{:?}", names(&data));
}

#[tokio::test]
async fn what_was_set_aside_before_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("copy.db"));
    start_and_stop(&data).await;
    offline::backup(&settings(&data), &file).await.unwrap();
    // The names of the next minute, one of which is the one that would be taken.
    let now = Timestamp::from(std::time::SystemTime::now()).unix_secs();
    let taken: Vec<_> = (now..now + 60)
        .map(|secs| {
            let time = Timestamp::from_unix_secs(secs).to_string();
            let time: String = time.chars().filter(char::is_ascii_digit).collect();
            data.join(format!("countersign.db.before-{time}"))
        })
        .collect();
    for name in &taken {
        fs::write(name, "mine").unwrap();
    }
    let restored = offline::restore(&settings(&data), &file).await.unwrap();
    let aside = restored.set_aside.unwrap();
    assert!(aside.display().to_string().ends_with("-2"), "{aside:?}");
    assert!(fs::metadata(aside).unwrap().len() > 4);
    for name in &taken {
        assert_eq!(fs::read(name).unwrap(), b"mine");
    }
}

#[tokio::test]
async fn rejects_a_copy_that_another_version_made() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("copy.db"));
    start_and_stop(&data).await;
    let before = names(&data);
    for change in [
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (29990101000000, 'of a time to come', TRUE, x'00', 0)",
        "UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)",
    ] {
        offline::backup(&settings(&data), &file).await.unwrap();
        let options = SqliteConnectOptions::new().filename(&file);
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        let changed = sqlx::query(change).execute(&mut connection).await.unwrap();
        assert_eq!(changed.rows_affected(), 1);
        connection.close().await.unwrap();
        let refused = offline::restore(&settings(&data), &file).await.unwrap_err();
        assert_eq!(refused.code(), "copy_unusable");
        let line = refused.to_string();
        assert!(line.contains("was made by another version"), "{line}");
        assert_eq!(names(&data), before);
        fs::remove_file(&file).unwrap();
    }
}
