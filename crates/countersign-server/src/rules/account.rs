//! How an account comes to be: by sign-up, as the first administrator, or by the operator's command.

use uuid::Uuid;

pub(crate) mod change;
pub(crate) mod new_password;
pub(crate) mod proof;

use crate::error::Error;
use crate::rules::email::{self, Email};
use crate::rules::password::{Choosing, Password};
use crate::rules::roles::ADMIN;
use crate::rules::setup::Redeemable;
use crate::store::users::UserRow;
use crate::store::{Store, Write};

const MAX_NAME_CHARS: usize = 100;

/// What somebody says of themselves: checked, and with a password that may be used.
pub(crate) struct Applicant {
    email: Email,
    /// Under which the same address may have an account already.
    spellings: Vec<String>,
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
            spellings: email::spellings(email),
            name: name.map(str::to_owned),
            password: Password::new(password),
        })
    }

    /// Somebody who never comes: an account of the server's own.
    pub(crate) fn nobody(email: Email, name: &str, password: &str) -> Self {
        Self {
            spellings: vec![email.as_str().to_owned()],
            email,
            name: Some(name.to_owned()),
            password: Password::new(password),
        }
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
    // `example.com` and, of `acme-tools.example`, `acme-tools`.
    let of_domain = email.split('@').chain(email.split(['@', '.']));
    let of_name = name.unwrap_or_default().split_whitespace();
    let words = std::iter::once(email).chain(of_domain).chain(of_email);
    words.chain(of_name).map(str::to_owned).collect()
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
    let spellings = applicant.spellings.clone();
    let user = applicant.into_row(choosing, now).await?.with_roles(roles);
    let mut write = store.begin().await?;
    insert(&mut write, &user, &spellings).await?;
    if !roles.is_empty() {
        write.settle_administrator().await?;
    }
    write.commit().await?;
    Ok(user)
}

/// Adds an account whose address has none, however it is spelled.
async fn insert(write: &mut Write, user: &UserRow, spellings: &[String]) -> Result<(), Error> {
    if write.user_by_one_of(spellings).await?.is_some() {
        return Err(Error::EmailTaken);
    }
    write.insert_user(user).await
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
    let spellings = applicant.spellings.clone();
    let user = applicant
        .into_row(choosing, now)
        .await?
        .with_roles(&[ADMIN.to_owned()]);
    let mut write = store.begin().await?;
    insert(&mut write, &user, &spellings).await?;
    if !write.claim_setup(&user.id, code.code_hash(), now).await? {
        write.rollback().await?;
        return Err(Error::AdministratorExists);
    }
    write.commit().await?;
    Ok(user)
}
