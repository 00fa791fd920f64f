//! How an account comes to be: by sign-up, as the first administrator, or by the operator's command.

use uuid::Uuid;

pub(crate) mod change;
pub(crate) mod new_password;
pub(crate) mod proof;

use crate::error::Error;
use crate::rules::email::Email;
use crate::rules::password::{Choosing, Password};
use crate::rules::roles::ADMIN;
use crate::rules::setup::Redeemable;
use crate::store::Store;
use crate::store::users::UserRow;

const MAX_NAME_CHARS: usize = 100;

/// What somebody says of themselves: checked, and with a password that may be used.
pub(crate) struct Applicant {
    email: Email,
    name: Option<String>,
    password: Password,
}

impl Applicant {
    /// Checks the address and the name; the password is judged where it is hashed.
    ///
    /// # Errors
    /// [`Error::InvalidEmail`]; [`Error::BodyShape`] for a name that is too long or holds control characters.
    pub(crate) fn new(email: &str, name: Option<&str>, password: &str) -> Result<Self, Error> {
        let name = name.map(str::trim).filter(|name| !name.is_empty());
        if name.is_some_and(|name| {
            name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control)
        }) {
            let reason =
                format!("`name` is at most {MAX_NAME_CHARS} characters without control characters");
            return Err(Error::BodyShape { reason });
        }
        Ok(Self {
            email: Email::parse(email)?,
            name: name.map(str::to_owned),
            password: Password::new(password),
        })
    }

    async fn into_row(self, choosing: &Choosing, now: i64) -> Result<UserRow, Error> {
        let about = words_about(self.email.as_str(), self.name.as_deref());
        let hash = choosing.hash(self.password, about).await?;
        Ok(UserRow::new(
            Uuid::now_v7().to_string(),
            self.email.as_str().to_owned(),
            self.name,
            hash,
            now,
        ))
    }
}

/// What is known of somebody, and therefore no good password of theirs.
fn words_about(email: &str, name: Option<&str>) -> Vec<String> {
    let of_email = email.split(['@', '.', '+', '-', '_']);
    let of_name = name.unwrap_or_default().split_whitespace();
    let words = std::iter::once(email).chain(of_email).chain(of_name);
    words.map(str::to_owned).collect()
}

/// Makes an account with these roles.
///
/// # Errors
/// [`Error::WeakPassword`], [`Error::EmailTaken`], [`Error::Busy`].
pub(crate) async fn register(
    store: &Store,
    choosing: &Choosing,
    applicant: Applicant,
    roles: &[String],
    now: i64,
) -> Result<UserRow, Error> {
    let user = applicant.into_row(choosing, now).await?.with_roles(roles);
    let mut write = store.begin().await?;
    write.insert_user(&user).await?;
    if !roles.is_empty() {
        write.settle_administrator().await?;
    }
    write.commit().await?;
    Ok(user)
}

/// Makes the first administrator and spends the code, both or neither.
///
/// # Errors
/// As [`register`]; [`Error::AdministratorExists`] when somebody was faster.
pub(crate) async fn register_first_administrator(
    store: &Store,
    choosing: &Choosing,
    applicant: Applicant,
    code: &Redeemable,
    now: i64,
) -> Result<UserRow, Error> {
    let user = applicant
        .into_row(choosing, now)
        .await?
        .with_roles(&[ADMIN.to_owned()]);
    let mut write = store.begin().await?;
    write.insert_user(&user).await?;
    if !write.claim_setup(&user.id, code.code_hash(), now).await? {
        write.rollback().await?;
        return Err(Error::AdministratorExists);
    }
    write.commit().await?;
    Ok(user)
}
