//! A session as pages show it to its owner and to administrators.

use crate::routes::when::When;
use crate::store::sessions::SessionRow;

/// Where somebody is logged in.
pub(super) struct Session {
    pub(super) id: String,
    pub(super) device: String,
    pub(super) address: Option<String>,
    pub(super) began: When,
    pub(super) used: When,
    pub(super) ends: When,
    pub(super) is_this: bool,
}

impl Session {
    pub(super) fn of(row: SessionRow, this: &str, now: i64) -> Self {
        Self {
            is_this: row.id == this,
            device: row
                .user_agent
                .unwrap_or_else(|| "A program that does not say what it is".to_owned()),
            address: row.address,
            began: When::of(row.created_at, now),
            used: When::of(row.counter.rotated_at, now),
            ends: When::of(row.counter.expires_at, now),
            id: row.id,
        }
    }
}
