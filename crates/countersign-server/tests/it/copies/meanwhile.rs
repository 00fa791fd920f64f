//! Who has the data folder while a copy is put back, and whose its files are afterwards.

use super::*;

#[tokio::test]
async fn a_copy_is_not_put_back_under_a_second_server_whose_first_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("copy.db"));
    let first = server(&data).await.unwrap();
    let second = server(&data).await.unwrap();
    offline::backup(&settings(&data), &file).await.unwrap();
    first.run(async {}).await.unwrap();
    let refused = offline::restore(&settings(&data), &file).await.unwrap_err();
    assert_eq!(refused.code(), "data_folder_in_use");
    second.run(async {}).await.unwrap();
    offline::restore(&settings(&data), &file).await.unwrap();
    start_and_stop(&data).await;
}

/// The copy comes through a pipe, and so the command works as long as the test wants.
#[cfg(unix)]
#[tokio::test]
async fn no_server_starts_while_a_copy_is_put_back() {
    use std::io::Write as _;

    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("copy.db"));
    let pipe = folder.path().join("pipe");
    start_and_stop(&data).await;
    offline::backup(&settings(&data), &file).await.unwrap();
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let restoring = std::thread::spawn({
        let (data, pipe) = (data.clone(), pipe.clone());
        move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(offline::restore(&settings(&data), &pipe))
        }
    });
    // Open when the command has opened it too.
    let mut writing = fs::File::options().write(true).open(&pipe).unwrap();
    let refused = server(&data).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.exit_code()),
        ("data_folder_changing", 4)
    );
    assert!(
        refused.to_string().contains("`countersign restore`"),
        "{refused}"
    );
    // Nor does a command write into what is about to be set aside.
    let refused = offline::revoke_sessions(&settings(&data)).await;
    assert_eq!(refused.unwrap_err().code(), "data_folder_changing");
    writing.write_all(&fs::read(&file).unwrap()).unwrap();
    drop(writing);
    restoring.join().unwrap().unwrap();
    start_and_stop(&data).await;
}

/// What cannot be opened cannot be asked whether it is locked.
#[tokio::test]
async fn a_lock_file_that_cannot_be_opened_is_no_lock_that_nobody_has() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("copy.db"));
    start_and_stop(&data).await;
    offline::backup(&settings(&data), &file).await.unwrap();
    for lock in ["countersign.lock", "key-encryption.lock"] {
        let lock = data.join(lock);
        let content = fs::read(&lock).unwrap();
        fs::remove_file(&lock).unwrap();
        fs::create_dir(&lock).unwrap();
        assert_eq!(code(&data).await, "file_unusable");
        let refused = offline::restore(&settings(&data), &file).await.unwrap_err();
        assert_eq!((refused.code(), refused.exit_code()), ("file_unusable", 4));
        fs::remove_dir(&lock).unwrap();
        fs::write(&lock, content).unwrap();
    }
    start_and_stop(&data).await;
}

/// Only root can give files away: for anybody else there is nothing to show.
#[cfg(unix)]
#[tokio::test]
async fn what_root_makes_in_a_folder_belongs_to_whom_the_folder_does() {
    use std::os::unix::fs::{MetadataExt as _, chown};

    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("copy.db"));
    start_and_stop(&data).await;
    offline::backup(&settings(&data), &file).await.unwrap();
    let (new, owner) = (folder.path().join("new"), Some(12_345));
    fs::create_dir(&new).unwrap();
    if chown(&new, owner, owner).is_err() {
        return;
    }
    for data in [&new, &data] {
        for name in names(data) {
            chown(data.join(&name), owner, owner).unwrap();
        }
        for lock in ["countersign.lock", "key-encryption.lock"] {
            let _ = fs::remove_file(data.join(lock));
        }
        // Over nothing, and over what was there.
        for _ in 0..2 {
            offline::restore(&settings(data), &file).await.unwrap();
        }
        for name in names(data) {
            let about = fs::metadata(data.join(&name)).unwrap();
            assert_eq!((about.uid(), about.gid()), (12_345, 12_345), "{name}");
        }
    }
}

/// Whoever owns the folder may have put links there, and root may run the command.
#[cfg(unix)]
#[tokio::test]
async fn a_link_in_the_folder_leads_nothing_elsewhere() {
    use std::os::unix::fs::symlink;

    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("copy.db"));
    start_and_stop(&data).await;
    offline::backup(&settings(&data), &file).await.unwrap();
    // To a file of somebody's.
    let victim = folder.path().join("victim");
    fs::write(&victim, "mine").unwrap();
    for lock in ["countersign.lock", "key-encryption.lock"] {
        let lock = data.join(lock);
        let content = fs::read(&lock).unwrap();
        fs::remove_file(&lock).unwrap();
        symlink(&victim, &lock).unwrap();
        let refused = offline::restore(&settings(&data), &file).await.unwrap_err();
        assert_eq!((refused.code(), refused.exit_code()), ("file_unusable", 4));
        assert_eq!(code(&data).await, "file_unusable");
        fs::remove_file(&lock).unwrap();
        fs::write(&lock, content).unwrap();
    }
    assert_eq!(fs::read(&victim).unwrap(), b"mine");
    // To where nothing is yet, under the name that a copy has until it is the database.
    let made = folder.path().join("made");
    for name in ["countersign.db.restoring", "countersign.db.restoring-wal"] {
        symlink(&made, data.join(name)).unwrap();
    }
    offline::restore(&settings(&data), &file).await.unwrap();
    assert!(!made.exists());
}
