//! The signing keys as an operator sees them: what they are and what they do now, and never what they sign with.

use super::{Held, Ring, SIGNS_FOR, Times};

/// What a key does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    /// New tokens are signed with it.
    Signs,
    /// It is published, and will sign.
    StandsBy,
    /// It signs no more; tokens that it has signed still count.
    Verifies,
    /// It is not published: no token of it counts.
    Over,
}

/// A signing key.
pub(crate) struct Listed {
    pub(crate) kid: String,
    pub(crate) alg: &'static str,
    pub(crate) duty: Duty,
    pub(crate) made_at: i64,
    pub(crate) sign_from: i64,
    pub(crate) sign_until: i64,
    pub(crate) verify_until: i64,
    /// The JWK of its public half.
    pub(crate) public: String,
}

impl Ring {
    /// The keys, the one that signs first. None where a shared secret signs, which has nothing to show.
    pub(crate) fn listed(&self, now: i64) -> Vec<Listed> {
        if self.shared_secret.is_some() {
            return Vec::new();
        }
        let signing = self.signing(now).and_then(|key| key.key_id());
        let mut listed: Vec<Listed> = self
            .held
            .iter()
            .map(|held| held.listed(signing, now))
            .collect();
        listed.sort_by_key(|key| (key.duty != Duty::Signs, std::cmp::Reverse(key.sign_from)));
        listed
    }
}

impl Held {
    fn listed(&self, signing: Option<&str>, now: i64) -> Listed {
        let (kid, times) = (self.key.key_id().unwrap_or_default(), self.times);
        let duty = if signing == Some(kid) {
            Duty::Signs
        } else if times.is_standby(now) {
            Duty::StandsBy
        } else if times.is_published(now) {
            Duty::Verifies
        } else {
            Duty::Over
        };
        // `None` for a shared secret, which is in no list.
        let public = self.key.verifying_key().to_public_jwk();
        Listed {
            kid: kid.to_owned(),
            alg: self.key.algorithm().name(),
            duty,
            made_at: times.made_at(),
            sign_from: times.sign_from.max(times.made_at()),
            sign_until: times.sign_until,
            verify_until: times.verify_until,
            public: public.map(|jwk| jwk.to_json()).unwrap_or_default(),
        }
    }
}

impl Times {
    /// A key that was needed at once counts from earlier than it was made.
    pub(super) fn made_at(&self) -> i64 {
        if self.publish_at == self.sign_from {
            self.publish_at
                .max(self.sign_until.saturating_sub(SIGNS_FOR))
        } else {
            self.publish_at
        }
    }
}
