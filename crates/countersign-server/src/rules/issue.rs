//! Who may sign and for how long: the only place that makes access tokens (RFC 9068).

use countersign::{AccessToken, StatusReference};
use uuid::Uuid;

use crate::error::Error;
use crate::rules::demo;
use crate::rules::keys::Ring;
use crate::rules::secret::{self, Secret};
use crate::rules::status;
use crate::store::sessions::SessionRow;
use crate::store::users::UserRow;

// A browser drops a cookie of more than 4096 bytes without a word, so no token comes near it.
const MAX_TOKEN_BYTES: usize = 3_800;
// One twentieth: tokens that were issued together are not all refreshed together.
const JITTER_SHARE: i64 = 20;

/// What every token of this server says.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) issuer: String,
    pub(crate) audiences: Vec<String>,
    /// Seconds that a token lives at most.
    pub(crate) access_ttl: i64,
}

/// What is different between the tokens of one session and of another.
struct Grant {
    audiences: Vec<String>,
    ttl: i64,
    roles: Vec<String>,
}

impl Grant {
    fn of(terms: &Terms, user: &UserRow, session: &SessionRow) -> Self {
        if demo::is_of(session) {
            return Self {
                audiences: vec![demo::audience(&terms.issuer)],
                ttl: demo::access_ttl(terms.access_ttl),
                roles: Vec::new(),
            };
        }
        Self {
            audiences: terms.audiences.clone(),
            ttl: terms.access_ttl,
            roles: user.roles(),
        }
    }
}

/// A signed token and the seconds that it lives.
pub(crate) struct Issued {
    pub(crate) token: Secret,
    pub(crate) expires_in: i64,
}

/// Signs an access token for a user's session. It never outlives the session.
///
/// # Errors
/// [`Error::InvalidRefreshToken`] for a session without a place in the status lists, which has ended; [`Error::NotReady`]
/// without a key that signs now; [`Error::Key`] when signing fails.
pub(crate) fn access_token(
    terms: &Terms,
    ring: &Ring,
    user: &UserRow,
    session: &SessionRow,
    now: i64,
) -> Result<Issued, Error> {
    let place = session.status_idx.ok_or(Error::InvalidRefreshToken)?;
    let (list, within) = status::position(place);
    let key = ring
        .signing(now)
        .ok_or(Error::NotReady("no key signs now"))?;
    let grant = Grant::of(terms, user, session);
    let exp = expiry(
        grant.ttl,
        session
            .counter
            .expires_at
            .min(session.counter.idle_expires_at),
        now,
        *secret::random::<2>()?,
    );
    let token = AccessToken {
        iss: terms.issuer.clone(),
        sub: user.id.clone(),
        aud: grant.audiences,
        exp,
        iat: now,
        jti: Uuid::new_v4().to_string(),
        client_id: session.client_id.clone(),
        sid: Some(session.id.clone()),
        scope: String::new(),
        roles: grant.roles,
        auth_time: Some(session.created_at),
        status: Some(StatusReference::new(
            status::uri(&terms.issuer, list),
            within,
        )),
    };
    let token = Secret::new(token.sign(key)?);
    if token.expose().len() > MAX_TOKEN_BYTES {
        return Err(Error::NotReady(
            "an access token would be too long for a cookie; give this account fewer roles",
        ));
    }
    Ok(Issued {
        token,
        expires_in: exp.saturating_sub(now),
    })
}

fn expiry(ttl: i64, session_ends: i64, now: i64, random: [u8; 2]) -> i64 {
    let share = ttl.div_euclid(JITTER_SHARE).saturating_add(1);
    let jitter = i64::from(u16::from_be_bytes(random))
        .checked_rem(share)
        .unwrap_or(0);
    now.saturating_add(ttl)
        .saturating_sub(jitter)
        .min(session_ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_lives_its_time_less_at_most_a_twentieth() {
        let lives: Vec<i64> = (0..=u16::MAX)
            .map(|n| expiry(600, i64::MAX, 1_000, n.to_be_bytes()) - 1_000)
            .collect();
        assert_eq!(
            (lives.iter().min(), lives.iter().max()),
            (Some(&570), Some(&600))
        );
    }

    #[test]
    fn a_short_life_is_exact() {
        for n in [0, 1, 999, u16::MAX] {
            assert_eq!(expiry(2, i64::MAX, 1_000, n.to_be_bytes()), 1_002);
        }
    }

    #[test]
    fn a_token_never_outlives_its_session() {
        assert_eq!(expiry(600, 1_100, 1_000, [0, 0]), 1_100);
    }
}
