//! The names of all settings, and the nearest to a name that is none.

/// Every setting, as it is spelled in the file.
pub(super) const ALL: [&str; 20] = [
    "access_ttl",
    "audience",
    "cors_origin",
    "data",
    "inspector",
    "invalid_token_status",
    "key_encryption_key",
    "key_encryption_key_file",
    "listen",
    "metrics_listen",
    "public_url",
    "session_idle_ttl",
    "session_ttl",
    "signing_alg",
    "signing_secret",
    "signing_secret_file",
    "tls_cert",
    "tls_key",
    "token_cache",
    "trusted_proxy",
];

/// Those that can be given several times: a list in the file, separated by commas in the environment.
pub(super) const LISTS: [&str; 3] = ["audience", "cors_origin", "trusted_proxy"];

/// Names of the environment that are the command's own, or its tests'.
pub(super) const OF_THE_COMMAND: [&str; 3] = ["config", "log", "vectors"];

// One mistake in three characters is a slip; more is another word.
const CHARS_PER_SLIP: usize = 3;
const MAX_DISTANCE: usize = 4;

/// The setting of this very name.
pub(super) fn find(name: &str) -> Option<&'static str> {
    ALL.into_iter().find(|known| *known == name)
}

/// The setting whose name is closest, where one is close.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase().replace('-', "_");
    let with_distance = ALL.into_iter().map(|known| (distance(&name, known), known));
    with_distance
        .min()
        .filter(|(distance, known)| {
            let slips = known.len().min(name.len()).div_euclid(CHARS_PER_SLIP);
            *distance <= slips.min(MAX_DISTANCE)
        })
        .map(|(_, known)| known)
}

/// How many characters to insert, remove or replace (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i.saturating_add(1);
        let mut next = vec![left];
        for (to, above) in b.bytes().zip(row.iter().skip(1)) {
            let replaced = diagonal.saturating_add(usize::from(from != to));
            left = replaced
                .min(left.saturating_add(1))
                .min(above.saturating_add(1));
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        for (a, b, expected) in [
            ("", "", 0),
            ("a", "", 1),
            ("", "abc", 3),
            ("listen", "lisen", 1),
            ("kitten", "sitting", 3),
            ("data", "atad", 2),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn finds_the_name_that_was_meant_or_none() {
        for (written, meant) in [
            ("lisen", Some("listen")),
            ("public-url", Some("public_url")),
            ("ACCESS_TTL", Some("access_ttl")),
            ("signing_algorithm", None),
            ("acess_ttl", Some("access_ttl")),
            ("completely_different", None),
            ("lsten", Some("listen")),
            ("dta", Some("data")),
            ("zzzz", None),
            ("foo", None),
            ("", None),
        ] {
            assert_eq!(nearest(written), meant, "{written}");
        }
    }
}
