//! The name of a request: a UUID of version 4, as far as anybody can tell.
//!
//! It is no secret, so it need not cost a call of the system each: it is a keyed hash of a number that counts up, and says
//! nothing about how many there were. The key is random and of this process.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::{Builder, Uuid};

static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A name that no other request has.
pub(super) fn next() -> Uuid {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let half = |which: u8| u128::from(KEY.hash_one((number, which)));
    Builder::from_random_bytes((half(0) << 64 | half(1)).to_be_bytes()).into_uuid()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use uuid::Version;

    use super::*;

    #[test]
    fn no_two_requests_have_one_name_and_none_tells_which_came_first() {
        let names: Vec<Uuid> = (0..1_000).map(|_| next()).collect();
        let different: BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), 1_000);
        let rising = names.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!((400..600).contains(&rising), "{rising} of 999");
        assert_eq!(names[0].get_version(), Some(Version::Random));
    }
}
