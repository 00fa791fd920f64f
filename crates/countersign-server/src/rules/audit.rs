//! What happened to accounts, sessions and keys, in the order in which it happened.
//!
//! Each entry carries a hash over the one before it and over itself, so that none is changed, left out or put in
//! between without every later one saying so. An entry is part of the transaction that it tells of: both or neither.

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::rules::secret;
use crate::store::Write;
use crate::store::audit::AuditRow;

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A refresh token was used again long after its use, or taken turns with: its session was ended.
    SessionReused,
    /// A refresh token was ahead of its session: the database had gone back in time.
    SessionAhead,
    /// An administrator ended one session of an account.
    SessionEnded,
    /// Every session was ended: of an account by an administrator, of everybody by the operator.
    SessionsEnded,
    /// Somebody chose a new password.
    PasswordChanged,
    /// An administrator changed the roles of an account, or the operator did: then `by` is nobody.
    RolesChanged,
    /// An administrator disabled an account.
    UserDisabled,
    /// An administrator enabled an account again.
    UserEnabled,
    /// An administrator deleted an account.
    UserDeleted,
    /// The operator had the next keys sign before their time.
    KeysRetired,
    /// The operator withdrew every signing key.
    KeysWithdrawn,
    /// The operator had every key sealed with another key-encryption key.
    KeysReencrypted,
}

impl Event {
    fn name(self) -> &'static str {
        match self {
            Self::SessionReused => "session_reused",
            Self::SessionAhead => "session_ahead",
            Self::SessionEnded => "session_ended",
            Self::SessionsEnded => "sessions_ended",
            Self::PasswordChanged => "password_changed",
            Self::RolesChanged => "roles_changed",
            Self::UserDisabled => "user_disabled",
            Self::UserEnabled => "user_enabled",
            Self::UserDeleted => "user_deleted",
            Self::KeysRetired => "keys_retired",
            Self::KeysWithdrawn => "keys_withdrawn",
            Self::KeysReencrypted => "keys_reencrypted",
        }
    }
}

/// Whom it happened to, and who did it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct About {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<String>,
    /// The user who did it, where somebody did it to another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    /// The roles that an account has from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) roles: Option<Vec<String>>,
    /// How many sessions were ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ended: Option<u64>,
    /// The keys that sign no more, or were sealed anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) keys: Option<Vec<String>>,
}

/// Adds an entry to what is being written.
///
/// # Errors
/// Errors of the database.
pub(crate) async fn record(
    write: &mut Write,
    event: Event,
    about: &About,
    now: i64,
) -> Result<(), Error> {
    let last = write.last_audit().await?;
    let entry = entry_after(last.as_ref(), event, about, now);
    write.insert_audit(&entry).await
}

/// Whether an entry is the one that was written after `before`; the first one has none before it.
pub(crate) fn follows(entry: &AuditRow, before: Option<&AuditRow>) -> bool {
    let seq = before.map_or(0, |row| row.seq).saturating_add(1);
    entry.seq == seq && entry.hash == hash(entry, before)
}

fn entry_after(last: Option<&AuditRow>, event: Event, about: &About, now: i64) -> AuditRow {
    let mut entry = AuditRow {
        seq: last.map_or(0, |row| row.seq).saturating_add(1),
        at: now,
        event: event.name().to_owned(),
        about: serde_json::to_string(about).unwrap_or_default(),
        hash: String::new(),
    };
    entry.hash = hash(&entry, last);
    entry
}

// JSON has no line break outside its strings and escapes those inside, so no two entries have the same lines.
fn hash(entry: &AuditRow, before: Option<&AuditRow>) -> String {
    let before = before.map_or("", |row| row.hash.as_str());
    let AuditRow {
        seq,
        at,
        event,
        about,
        ..
    } = entry;
    let text = format!("{before}\n{seq}\n{at}\n{event}\n{about}");
    secret::encode(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trail() -> Vec<AuditRow> {
        let mut rows: Vec<AuditRow> = Vec::new();
        for user in ["ada", "bob", "c\nd"] {
            let about = About {
                user: Some(user.to_owned()),
                ..About::default()
            };
            let entry = entry_after(rows.last(), Event::SessionReused, &about, 1_000);
            rows.push(entry);
        }
        rows
    }

    fn is_intact(rows: &[AuditRow]) -> bool {
        let befores = std::iter::once(None).chain(rows.iter().map(Some));
        rows.iter()
            .zip(befores)
            .all(|(row, before)| follows(row, before))
    }

    #[test]
    fn accepts_a_trail_as_it_was_written() {
        let rows = trail();
        assert!(is_intact(&rows));
        assert_eq!(rows[0].about, r#"{"user":"ada"}"#);
        assert_eq!(rows[2].about, r#"{"user":"c\nd"}"#);
    }

    #[test]
    fn rejects_a_trail_in_which_something_was_changed_left_out_or_moved() {
        for at in 0..3 {
            let changes: [fn(&mut AuditRow); 5] = [
                |row| row.at += 1,
                |row| row.event.push('x'),
                |row| row.about.push(' '),
                |row| row.hash.push('A'),
                |row| row.seq += 1,
            ];
            for change in changes {
                let mut rows = trail();
                change(&mut rows[at]);
                assert!(!is_intact(&rows), "{at}");
            }
        }
        let mut without = trail();
        without.remove(1);
        assert!(!is_intact(&without));
        // Nor does one hide who writes the hashes after it anew.
        for at in 1..without.len() {
            let before = without[at - 1].clone();
            without[at].hash = hash(&without[at], Some(&before));
        }
        assert!(!is_intact(&without));
        let mut moved = trail();
        moved.swap(0, 1);
        assert!(!is_intact(&moved));
    }
}
