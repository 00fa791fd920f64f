//! The first administrator: made once, by whoever has the one-time code that was printed where the server runs.

use std::fmt;

use aws_lc_rs::digest;

use crate::error::Error;
use crate::rules::secret::{self, Secret};
use crate::rules::throttle::Attempt;
use crate::store::Store;

const LIVES_SECS: i64 = 60 * 60;
const CHARS: usize = 16;
const GROUP: usize = 4;
// Crockford's base 32: no letter that is taken for a digit.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A one-time code: 80 random bits. `Display` shows it; `Debug` does not.
#[derive(Clone)]
pub struct SetupCode(Secret);

impl SetupCode {
    fn generate() -> Result<Self, Error> {
        let bytes = secret::random::<CHARS>()?;
        let mut text = String::new();
        for (i, byte) in bytes.iter().enumerate() {
            if i > 0 && i.is_multiple_of(GROUP) {
                text.push('-');
            }
            // 256 is a multiple of 32, so every character is equally likely.
            text.extend(ALPHABET.get(usize::from(byte & 31)).map(|c| char::from(*c)));
        }
        Ok(Self(Secret::new(text)))
    }

    /// A code as a person types it: in any case, with or without the hyphens.
    pub(crate) fn typed(text: &str) -> Self {
        let kept = text
            .chars()
            .filter(|c| c.is_ascii_alphanumeric())
            .take(CHARS.saturating_add(1));
        let read = kept.map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        });
        Self(Secret::new(read.collect()))
    }

    fn hash(&self) -> String {
        let bare = Secret::new(self.0.expose().replace('-', ""));
        secret::encode(digest::digest(&digest::SHA256, bare.expose().as_bytes()).as_ref())
    }
}

impl fmt::Display for SetupCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.expose())
    }
}

impl fmt::Debug for SetupCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetupCode(…)")
    }
}

/// Makes a new code, which replaces the one before. `None` when there is an administrator.
pub(crate) async fn offer(store: &Store, now: i64) -> Result<Option<SetupCode>, Error> {
    let code = SetupCode::generate()?;
    let offered = store
        .offer_setup(&code.hash(), now.saturating_add(LIVES_SECS))
        .await?;
    Ok(offered.then_some(code))
}

/// Whether there is a code that counts, which a new one would replace.
pub(crate) async fn is_offered(store: &Store, now: i64) -> Result<bool, Error> {
    let row = store.setup().await?;
    Ok(row.administrator_id.is_none() && row.code_hash.is_some() && row.expires_at > now)
}

/// The proof that a code is the present one, to be spent with the administrator's account.
pub(crate) struct Redeemable(String);

impl Redeemable {
    pub(crate) fn code_hash(&self) -> &str {
        &self.0
    }
}

/// Checks a code without spending it. A wrong one is charged to `attempt`; after too many the right one must wait too.
///
/// # Errors
/// [`Error::AdministratorExists`] when there is one; [`Error::InvalidSetupCode`] for a wrong code or one that is over;
/// [`Error::TooManyRequests`] after too many of them.
pub(crate) async fn check(
    store: &Store,
    attempt: &Attempt,
    code: &SetupCode,
    now: i64,
) -> Result<Redeemable, Error> {
    let row = store.setup().await?;
    if row.administrator_id.is_some() {
        return Err(Error::AdministratorExists);
    }
    attempt.look(store, now).await?;
    let expected = row.code_hash.unwrap_or_default();
    let given = code.hash();
    if secret::same(given.as_bytes(), expected.as_bytes()) && now < row.expires_at {
        Ok(Redeemable(given))
    } else {
        attempt.charge(store, now).await?;
        Err(Error::InvalidSetupCode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_four_groups_of_four_and_never_the_same() {
        let (a, b) = (
            SetupCode::generate().unwrap().to_string(),
            SetupCode::generate().unwrap().to_string(),
        );
        assert_ne!(a, b);
        assert_eq!(a.split('-').map(str::len).collect::<Vec<_>>(), [4, 4, 4, 4]);
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = SetupCode(Secret::new("7QXM-01AB-CDEF-GHJK".to_owned()));
        for typed in [
            "7QXM-01AB-CDEF-GHJK",
            "7qxm01abcdefghjk",
            " 7QXM OlAB CDEF GHJK ",
            "7QXM-0IAB-CDEF-GHJK",
        ] {
            assert_eq!(SetupCode::typed(typed).hash(), code.hash(), "{typed}");
        }
        for other in [
            "",
            "7QXM-01AB-CDEF-GHJ",
            "7QXM-01AB-CDEF-GHJKM",
            "8QXM-01AB-CDEF-GHJK",
        ] {
            assert_ne!(SetupCode::typed(other).hash(), code.hash(), "{other}");
        }
    }

    #[test]
    fn a_code_is_not_in_its_debug_text() {
        assert_eq!(
            format!("{:?}", SetupCode::generate().unwrap()),
            "SetupCode(…)"
        );
    }
}
