//! The text of a refresh token: `v.sid.n.t1.t2`.
//!
//! `t1` = HMAC-SHA-256(K_v, `v|sid|n`) and `t2` = HMAC-SHA-256(row.secret, `v|sid|n`), 16 bytes each. The first is
//! checked before any read, so that garbage never reaches the database; the second after it. Neither K_v nor the
//! database alone mints a token, and a successor is a function of the row and its `n`: nothing of a token is stored.
//!
//! What that does not promise: a token whose first four parts are genuine and whose fifth is not (a bit of it flipped, or
//! another session's in its place) costs one read before it is refused, since the key of the fifth is in the row. Only
//! whoever has held a token of that session can send one. It writes nothing, and ends nothing.

use aws_lc_rs::hmac;

use crate::rules::secret::{self, Secret};
use crate::store::sessions::SessionRow;

const TAG_BYTES: usize = 16;
const SID_CHARS: usize = 22;
const MAX_CHARS: usize = 128;
const MAX_N_DIGITS: usize = 18;

/// Every K_v that a living session may name, by number.
pub(crate) struct RefreshKeys {
    newest: i64,
    keys: Vec<(i64, hmac::Key)>,
}

/// A token whose first tag holds. Its second tag is not checked yet.
pub(crate) struct Presented<'t> {
    pub(crate) v: i64,
    pub(crate) sid: &'t str,
    pub(crate) n: i64,
    t2: [u8; TAG_BYTES],
}

impl RefreshKeys {
    /// The keys with their numbers; the highest number is the one for new sessions. `None` without a key.
    pub(crate) fn new(keys: impl IntoIterator<Item = (i64, hmac::Key)>) -> Option<Self> {
        let keys: Vec<_> = keys.into_iter().collect();
        let newest = keys.iter().map(|(v, _)| *v).max()?;
        Some(Self { newest, keys })
    }

    /// The number of the key that new sessions use.
    pub(crate) fn newest(&self) -> i64 {
        self.newest
    }

    /// The token of the generation at which the row stands. `None` when the row's key or secret is gone.
    pub(crate) fn mint(&self, row: &SessionRow) -> Option<Secret> {
        let key = self.key(row.v)?;
        let message = message(&row.v.to_string(), &row.id, &row.counter.n.to_string());
        let t1 = secret::encode(&tag(key, &message));
        let t2 = secret::encode(&tag(&row_key(row)?, &message));
        Some(Secret::new(format!(
            "v{}.{}.{}.{t1}.{t2}",
            row.v, row.id, row.counter.n
        )))
    }

    /// Takes a token apart and checks its first tag, without any read.
    pub(crate) fn read<'t>(&self, token: &'t str) -> Option<Presented<'t>> {
        if token.len() > MAX_CHARS {
            return None;
        }
        let mut parts = token.split('.');
        let (v, sid, n, t1, t2) = (
            parts.next()?,
            parts.next()?,
            parts.next()?,
            parts.next()?,
            parts.next()?,
        );
        if parts.next().is_some() || sid.len() != SID_CHARS {
            return None;
        }
        let v_text = v.strip_prefix('v')?;
        let (v, n_text) = (number(v_text)?, n);
        let n = number(n_text)?;
        let expected = tag(self.key(v)?, &message(v_text, sid, n_text));
        if !secret::same(&secret::decode_exactly::<TAG_BYTES>(t1)?, &expected) {
            return None;
        }
        let t2 = secret::decode_exactly(t2)?;
        Some(Presented { v, sid, n, t2 })
    }

    fn key(&self, v: i64) -> Option<&hmac::Key> {
        self.keys
            .iter()
            .find(|(number, _)| *number == v)
            .map(|(_, key)| key)
    }
}

impl Presented<'_> {
    /// Whether this token belongs to this row: its second tag holds.
    pub(crate) fn is_of(&self, row: &SessionRow) -> bool {
        let Some(key) = row_key(row) else {
            return false;
        };
        let message = message(&self.v.to_string(), self.sid, &self.n.to_string());
        let expected = tag(&key, &message);
        self.v == row.v && secret::same(&self.t2, &expected)
    }
}

/// Whether a text has the form of a refresh token, of this server or another of its kind.
pub(crate) fn has_its_form(text: &str) -> bool {
    let is_short = text.len() <= MAX_CHARS;
    let parts: Vec<&str> = text.split('.').take(6).collect();
    let [v, sid, n, t1, t2] = parts.as_slice() else {
        return false;
    };
    let is_tag = |text: &str| secret::decode_exactly::<TAG_BYTES>(text).is_some();
    let has_numbers = v.strip_prefix('v').and_then(number).is_some() && number(n).is_some();
    is_short && has_numbers && sid.len() == SID_CHARS && is_tag(t1) && is_tag(t2)
}

fn row_key(row: &SessionRow) -> Option<hmac::Key> {
    secret::decode(&row.secret).map(|bytes| hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

/// What both tags are over, of the numbers in their one spelling.
fn message(v: &str, sid: &str, n: &str) -> String {
    ["v", v, "|", sid, "|", n].concat()
}

fn tag(key: &hmac::Key, message: &str) -> [u8; TAG_BYTES] {
    let whole = hmac::sign(key, message.as_bytes());
    let mut tag = [0; TAG_BYTES];
    for (to, from) in tag.iter_mut().zip(whole.as_ref()) {
        *to = *from;
    }
    tag
}

/// A positive decimal number in its one spelling.
fn number(text: &str) -> Option<i64> {
    let canonical = !text.is_empty()
        && text.len() <= MAX_N_DIGITS
        && !text.starts_with('0')
        && text.bytes().all(|byte| byte.is_ascii_digit());
    if canonical { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rules::rotation::fresh;

    fn keys() -> RefreshKeys {
        RefreshKeys::new([(1, hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]))]).unwrap()
    }

    fn row(n: i64) -> SessionRow {
        let mut row = SessionRow {
            id: "AZnE1jTCdRq3bm1Ux0aEzw".to_owned(),
            user_id: "u".to_owned(),
            client_id: "first-party".to_owned(),
            v: 1,
            secret: secret::encode(&[9; 16]),
            created_at: 0,
            counter: fresh(0, 10, 10),
            user_agent: None,
            address: None,
            status_idx: None,
            begun_by: None,
        };
        row.counter.n = n;
        row
    }

    #[test]
    fn accepts_the_token_that_it_minted() {
        let (keys, row) = (keys(), row(7));
        let token = keys.mint(&row).unwrap();
        let presented = keys.read(token.expose()).unwrap();
        assert_eq!(
            (presented.v, presented.sid, presented.n),
            (1, row.id.as_str(), 7)
        );
        assert!(presented.is_of(&row));
    }

    #[test]
    fn a_token_is_a_function_of_its_row() {
        assert_eq!(
            keys().mint(&row(7)).unwrap().expose(),
            keys().mint(&row(7)).unwrap().expose()
        );
        assert_ne!(
            keys().mint(&row(7)).unwrap().expose(),
            keys().mint(&row(8)).unwrap().expose()
        );
    }

    #[test]
    fn rejects_a_token_of_another_row_although_its_first_tag_holds() {
        let keys = keys();
        let mut other = row(7);
        other.secret = secret::encode(&[8; 16]);
        let token = keys.mint(&other).unwrap();
        assert!(!keys.read(token.expose()).unwrap().is_of(&row(7)));
    }

    #[test]
    fn rejects_every_changed_character() {
        let keys = keys();
        let row = row(7);
        let token = keys.mint(&row).unwrap();
        for at in 0..token.expose().len() {
            for with in ['A', '9', '.', '-', '\u{e9}'] {
                let changed: String = token
                    .expose()
                    .chars()
                    .enumerate()
                    .map(|(i, c)| if i == at { with } else { c })
                    .collect();
                let accepted = keys
                    .read(&changed)
                    .is_some_and(|presented| presented.is_of(&row));
                assert_eq!(accepted, changed == token.expose(), "{at} {with}");
            }
        }
    }

    #[test]
    fn rejects_other_spellings_of_numbers_and_other_versions() {
        let keys = keys();
        let token = keys.mint(&row(7)).unwrap();
        for (from, to) in [
            (".7.", ".07."),
            (".7.", ".+7."),
            (".7.", ".-7."),
            ("v1.", "v2."),
            ("v1.", "1."),
            ("v1.", "v01."),
        ] {
            assert!(
                keys.read(&token.expose().replacen(from, to, 1)).is_none(),
                "{to}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_generation_reads_as_it_was_minted(n in 1_i64..1_000_000_000_000_000_000) {
            let (keys, row) = (keys(), row(n));
            let token = keys.mint(&row).unwrap();
            prop_assert_eq!(keys.read(token.expose()).map(|presented| presented.n), Some(n));
        }

        #[test]
        fn no_text_is_taken_for_a_token(text in "(v1\\.)?.{0,140}") {
            prop_assert!(keys().read(&text).is_none());
        }
    }
}
