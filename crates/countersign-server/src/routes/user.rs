//! A user as the API shows them to themselves.

use serde::Serialize;

use crate::store::users::UserRow;

#[derive(Serialize)]
pub(crate) struct UserView {
    sub: String,
    email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    roles: Vec<String>,
}

impl From<UserRow> for UserView {
    fn from(row: UserRow) -> Self {
        let roles = row.roles();
        Self {
            sub: row.id,
            email: row.email,
            name: row.name,
            roles,
        }
    }
}

/// A sentence and the user that it is about.
#[derive(Serialize)]
pub(crate) struct AboutUser {
    pub(crate) message: String,
    pub(crate) user: UserView,
}
