//! What the system or the database says, as what somebody has to do: one clause, said once.

use std::io::{self, ErrorKind};
use std::path::Path;

/// Why a file that was named cannot be read.
pub(super) fn of_file(path: &Path, source: &io::Error, advice: &str) -> String {
    let path = path.display();
    match source.kind() {
        ErrorKind::NotFound => format!("{path} does not exist; {advice}"),
        ErrorKind::PermissionDenied => {
            format!("{path} is not readable for this user; give this user access, or {advice}")
        }
        ErrorKind::IsADirectory => format!("{path} is a folder; {advice}"),
        ErrorKind::InvalidData => format!("{path} is not text; {advice}"),
        _ => format!("{path} cannot be read ({source}); {advice}"),
    }
}

/// The same of a file with a secret. People give the secret itself by mistake: what names no file is not shown.
pub(super) fn of_secret_file(path: &Path, source: &io::Error, advice: &str) -> String {
    let shown = match path.symlink_metadata() {
        Ok(_) => path,
        Err(_) => Path::new("of that name (not shown: it may be a secret)"),
    };
    of_file(shown, source, advice)
}

/// Why a file or folder that the server keeps cannot be used.
pub(super) fn of_own_file(path: &Path, source: &io::Error) -> String {
    // A file that is not there yet is refused by its folder.
    if let Some(folder) = path.parent().filter(|_| !path.exists())
        && source.kind() == ErrorKind::PermissionDenied
    {
        return of_data_folder(folder, source);
    }
    let path = path.display();
    match source.kind() {
        ErrorKind::NotFound => format!("{path} does not exist; put it back, or name another"),
        ErrorKind::PermissionDenied => {
            format!("{path} is not open to this user; give this user read and write access")
        }
        ErrorKind::StorageFull => format!("{path} cannot grow, the disk is full; make room"),
        ErrorKind::ReadOnlyFilesystem => {
            format!("{path} is on a disk that takes no writes; name another")
        }
        _ => format!("{path} cannot be used ({source}); put it right, or name another"),
    }
}

/// Why a path cannot be the data folder.
pub(super) fn of_data_folder(path: &Path, source: &io::Error) -> String {
    if let Some(file) = path.ancestors().find(|part| part.is_file()) {
        return format!(
            "{} is a file, where the data folder should be; choose another with `--data`",
            file.display()
        );
    }
    let path = path.display();
    match source.kind() {
        ErrorKind::NotFound => format!(
            "the data folder {path} does not exist; make it first, or name another with `--data`"
        ),
        ErrorKind::PermissionDenied => format!(
            "the data folder {path} is not open to this user; give this user write access, or choose another with `--data`"
        ),
        ErrorKind::ReadOnlyFilesystem => format!(
            "the data folder {path} is on a disk that takes no writes; choose another with `--data`"
        ),
        ErrorKind::StorageFull => format!("the disk of the data folder {path} is full; make room"),
        _ => format!(
            "the data folder {path} cannot be used ({source}); choose another with `--data`"
        ),
    }
}

/// Why an address cannot be listened on.
pub(super) fn of_address(source: &io::Error) -> String {
    match source.kind() {
        ErrorKind::AddrInUse => {
            "the port is in use; stop what uses it, or choose another with `--listen`".to_owned()
        }
        ErrorKind::PermissionDenied => {
            "this user may not use this port; choose one from 1024 on with `--listen`".to_owned()
        }
        ErrorKind::AddrNotAvailable => {
            "this machine has no such address; choose one that it has with `--listen`".to_owned()
        }
        _ => format!("{source}; choose another address with `--listen`"),
    }
}

/// Why a database file cannot be used.
pub(super) fn of_database_file(path: &Path, source: &sqlx::Error) -> String {
    let path = path.display();
    if code(source) == Some(NO_ROOM_FOR_SHARED_MEMORY) {
        return format!("the disk of the database {path} is full; make room");
    }
    match primary_code(source) {
        // https://www.sqlite.org/rescode.html
        Some(CORRUPT) => format!("the database {path} {DAMAGED}"),
        Some(NOT_A_DATABASE) => not_ours(&path),
        Some(CANNOT_OPEN | READ_ONLY | PERMISSION) => format!(
            "the database {path} cannot be opened; give this user write access to it and to its folder, or choose another folder with `--data`"
        ),
        Some(FULL) => format!("the disk of the database {path} is full; make room"),
        Some(BUSY | LOCKED) => {
            format!("the database {path} is held by another program; stop it and try again")
        }
        Some(INPUT_OUTPUT) => format!(
            "the database {path} cannot be read or written; look whether its disk is full or broken"
        ),
        _ if is_newer(source) => format!(
            "the database {path} was made by another version of countersign; start that version, or choose another folder with `--data`"
        ),
        _ if is_of_a_migration(source) => not_ours(&path),
        _ => format!(
            "the database {path} cannot be used: {}",
            of_database(source)
        ),
    }
}

/// What the database says, without what the driver says around it.
pub(super) fn of_database(source: &sqlx::Error) -> String {
    match source {
        sqlx::Error::Database(inner) => inner.message().to_owned(),
        sqlx::Error::PoolTimedOut => "no connection became free in time".to_owned(),
        other => other.to_string(),
    }
}

/// What to do about a database that SQLite finds damaged.
pub(super) const DAMAGED: &str = "is damaged; put a copy in its place with `countersign restore`";

/// Whether the file itself is broken.
pub(super) fn is_damage(source: &sqlx::Error) -> bool {
    matches!(primary_code(source), Some(CORRUPT | NOT_A_DATABASE))
}

const PERMISSION: u32 = 3;
const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const READ_ONLY: u32 = 8;
const INPUT_OUTPUT: u32 = 10;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANNOT_OPEN: u32 = 14;
const NOT_A_DATABASE: u32 = 26;
/// The file beside the database by which its readers and its writer agree cannot be made as large as it has to be.
const NO_ROOM_FOR_SHARED_MEMORY: u32 = INPUT_OUTPUT | 19 << 8;

fn not_ours(path: &std::path::Display<'_>) -> String {
    format!("{path} is not a Countersign database; choose another folder with `--data`")
}

/// SQLite's primary result code: the low byte of an extended one.
fn primary_code(source: &sqlx::Error) -> Option<u32> {
    code(source).map(|code| code & 0xff)
}

/// SQLite's result code, extended where it is.
fn code(source: &sqlx::Error) -> Option<u32> {
    let database = match source {
        sqlx::Error::Database(inner) => inner,
        sqlx::Error::Migrate(inner) => match &**inner {
            sqlx::migrate::MigrateError::Execute(sqlx::Error::Database(inner))
            | sqlx::migrate::MigrateError::ExecuteMigration(sqlx::Error::Database(inner), _) => {
                inner
            }
            _ => return None,
        },
        _ => return None,
    };
    database.code()?.parse().ok()
}

fn is_newer(source: &sqlx::Error) -> bool {
    use sqlx::migrate::MigrateError;
    let sqlx::Error::Migrate(inner) = source else {
        return false;
    };
    matches!(
        &**inner,
        MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_)
    )
}

fn is_of_a_migration(source: &sqlx::Error) -> bool {
    matches!(source, sqlx::Error::Migrate(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What SQLite says by a code alone.
    #[derive(Debug, thiserror::Error)]
    #[error("disk I/O error")]
    struct Said(u32);

    impl sqlx::error::DatabaseError for Said {
        fn message(&self) -> &'static str {
            "disk I/O error"
        }

        fn kind(&self) -> sqlx::error::ErrorKind {
            sqlx::error::ErrorKind::Other
        }

        fn code(&self) -> Option<std::borrow::Cow<'_, str>> {
            Some(self.0.to_string().into())
        }

        fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
            self
        }
    }

    /// A first start on a disk with a few KiB left ends while the tables are made.
    #[test]
    fn a_disk_that_is_full_or_broken_is_no_database_of_somebody_else() {
        let file = Path::new("data/countersign.db");
        for (code, words) in [
            (FULL, "is full; make room"),
            (4874, "is full; make room"),
            (266, "look whether its disk is full or broken"),
        ] {
            let plain = sqlx::Error::Database(Box::new(Said(code)));
            let text = of_database_file(file, &plain);
            assert!(text.contains(words), "{text}");
            let migrating = sqlx::migrate::MigrateError::Execute(plain);
            assert_eq!(of_database_file(file, &migrating.into()), text);
        }
    }

    #[test]
    fn an_address_is_told_what_to_do_about_its_own_trouble() {
        for (kind, advice) in [
            (ErrorKind::AddrInUse, "stop what uses it"),
            (ErrorKind::PermissionDenied, "from 1024 on"),
            (ErrorKind::AddrNotAvailable, "no such address"),
        ] {
            let text = of_address(&io::Error::from(kind));
            assert!(text.contains(advice) && text.contains("--listen"), "{text}");
            assert_eq!(text.contains("stop"), kind == ErrorKind::AddrInUse);
        }
    }

    #[test]
    fn a_secret_in_place_of_the_name_of_its_file_is_not_shown() {
        let missing = io::Error::from(ErrorKind::NotFound);
        let text = of_secret_file(Path::new("hunter2-hunter2"), &missing, "name another");
        assert!(text.contains("does not exist; name another"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }

    #[test]
    fn a_file_that_cannot_be_made_is_the_trouble_of_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let denied = io::Error::from(ErrorKind::PermissionDenied);
        let file = folder.path().join("key");
        let of_folder = format!("the data folder {} is not open", folder.path().display());
        assert!(of_own_file(&file, &denied).starts_with(&of_folder));
        std::fs::write(&file, "").unwrap();
        let of_file = format!("{} is not open", file.display());
        assert!(of_own_file(&file, &denied).starts_with(&of_file));
    }

    #[test]
    fn a_folder_that_is_not_open_to_this_user_is_told_so() {
        let denied = io::Error::from(ErrorKind::PermissionDenied);
        let text = of_data_folder(Path::new("/nowhere/at/all"), &denied);
        assert!(text.contains("give this user write access"), "{text}");
    }
}
