//! Passwords: their one normal form, which are refused, and how they are hashed and checked (argon2id, PHC strings).

use std::collections::BTreeSet;

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Params, Version};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::rules::secret;

mod memory;
mod pool;

use memory::Memory;

pub(crate) use pool::{Checking, Choosing, Pool};

/// How long a password is, in characters.
pub(crate) const MIN_CHARS: usize = 12;
pub(crate) const MAX_CHARS: usize = 256;
// How much of a password is judged: the time that guessing its structure takes grows with more than its square.
const JUDGED_CHARS: usize = 32;
const MIN_DISTINCT_CHARS: usize = 6;
// A word with no more than this around it is judged by itself: zxcvbn gives a good deal for every part of a password. More figures
// than a date has may well be drawn at random.
const AROUND_CHARS: usize = 12;
const AROUND_DISTINCT_CHARS: usize = 8;
const DATE_FIGURES: usize = 8;
// The fewest characters of a word that counts as said again.
const SAID_CHARS: usize = 4;
// Fewer than this are tried for any one word that is in a list, in any case.
const ONE_WORD: u64 = 1_000_000;
/// What everybody knows and zxcvbn's lists do not, by its letters alone.
const PHRASES: [&str; 15] = [
    "allyourbasearebelongtous",
    "correcthorsebatterystaple",
    "happybirthdaytoyou",
    "hellodarknessmyoldfriend",
    "inthebeginningwastheword",
    "livelongandprosper",
    "loremipsumdolorsitamet",
    "maytheforcebewithyou",
    "nevergonnagiveyouup",
    "onceuponatime",
    "thequickbrownfox",
    "thequickbrownfoxjumpsoverthelazydog",
    "tobeornottobe",
    "tobeornottobethatisthequestion",
    "winteriscoming",
];

// OWASP's minimum: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const HASH_BYTES: usize = 32;
const SALT_BYTES: usize = 16;

// What a stored hash may ask for at most: a row that was tampered with must not stop the server.
const MAX_MEMORY_KIB: u32 = 256 * 1024;
const MAX_PASSES: u32 = 16;
const MAX_LANES: u32 = 8;

/// A password in NFKC, done once, so that every keyboard means the same bytes.
#[derive(Clone)]
pub(crate) struct Password(Zeroizing<String>);

impl Password {
    /// Normalises what was typed. Anything longer than a password can be is cut, and then too long.
    pub(crate) fn new(typed: &str) -> Self {
        Self(Zeroizing::new(
            typed.nfkc().take(MAX_CHARS.saturating_add(1)).collect(),
        ))
    }

    /// Whether a password of this length can exist; nothing is hashed for one that cannot.
    pub(crate) fn has_possible_length(&self) -> bool {
        let chars = self.0.chars().count();
        (1..=MAX_CHARS).contains(&chars)
    }

    /// Whether both are the same.
    pub(crate) fn is(&self, other: &Self) -> bool {
        secret::same(self.0.as_bytes(), other.0.as_bytes())
    }

    /// Refuses a new password that is too short, too long or easily guessed; `about` is what is known of its owner.
    ///
    /// # Errors
    /// [`Error::WeakPassword`] with sentences for the person.
    pub(crate) fn judge(&self, about: &[&str]) -> Result<(), Error> {
        let chars = self.0.chars().count();
        if chars < MIN_CHARS {
            return weak(vec![format!("Use at least {MIN_CHARS} characters.")]);
        }
        if chars > MAX_CHARS {
            return weak(vec![format!("Use at most {MAX_CHARS} characters.")]);
        }
        let distinct: BTreeSet<char> = self.0.chars().collect();
        if distinct.len() < MIN_DISTINCT_CHARS {
            return weak(vec![format!(
                "Use at least {MIN_DISTINCT_CHARS} different characters."
            )]);
        }
        let head: Zeroizing<String> = Zeroizing::new(self.0.chars().take(JUDGED_CHARS).collect());
        if self.is_known_to_everybody() {
            return weak(vec!["Everybody knows this phrase.".to_owned()]);
        }
        let judged = zxcvbn::zxcvbn(&head, about);
        if judged.score() >= zxcvbn::Score::Three {
            return self.judge_word(about);
        }
        let mut reasons = Vec::new();
        if let Some(feedback) = judged.feedback() {
            reasons.extend(feedback.warning().map(|warning| warning.to_string()));
            reasons.extend(feedback.suggestions().iter().map(ToString::to_string));
        }
        if reasons.is_empty() {
            reasons.push("Add another word or two. Uncommon words are better.".to_owned());
        }
        weak(reasons)
    }

    fn is_known_to_everybody(&self) -> bool {
        let letters = self.0.chars().filter(|c| c.is_alphabetic());
        let letters: Zeroizing<String> =
            Zeroizing::new(letters.flat_map(char::to_lowercase).collect());
        PHRASES.contains(&letters.as_str())
    }

    /// Refuses one common word with figures and marks around it, or said again, such as every list of guesses has.
    fn judge_word(&self, about: &[&str]) -> Result<(), Error> {
        let is_word = |text: &str| {
            let head: Zeroizing<String> = Zeroizing::new(text.chars().take(JUDGED_CHARS).collect());
            zxcvbn::zxcvbn(&head, about).guesses() < ONE_WORD
        };
        let word = self.0.trim_matches(|c: char| !c.is_alphabetic());
        let (before, after) = self.0.split_once(word).unwrap_or_default();
        let around = || before.chars().chain(after.chars());
        let distinct: BTreeSet<char> = around().collect();
        let is_dated = self.0.chars().filter(char::is_ascii_digit).count() <= DATE_FIGURES;
        let is_padded = !word.is_empty()
            && is_dated
            && around().count() <= AROUND_CHARS
            && distinct.len() <= AROUND_DISTINCT_CHARS;
        let once = || {
            let by_marks = self.once(|c| !c.is_alphanumeric());
            by_marks.or_else(|| self.once(|c| !c.is_alphabetic()).filter(|_| is_dated))
        };
        if (is_padded && is_word(word)) || once().is_some_and(|once| is_word(&once)) {
            return weak(vec![
                "One common word with figures or marks around it, or said again, is guessed early. Add another word or two."
                    .to_owned(),
            ]);
        }
        Ok(())
    }

    /// What its words say, apart by what `is_mark`, without what they say again; nothing where they do not.
    fn once(&self, is_mark: fn(char) -> bool) -> Option<Zeroizing<String>> {
        let words = self.0.split(is_mark);
        let words = words.filter(|word| word.chars().count() >= SAID_CHARS);
        let words: Vec<_> = words
            .map(|word| Zeroizing::new(word.to_lowercase()))
            .collect();
        let mut once = Zeroizing::new(String::new());
        let mut said: Vec<&str> = Vec::new();
        for word in &words {
            if !said.contains(&word.as_str()) {
                said.push(word);
                once.push_str(word);
            }
        }
        let in_words: usize = words.iter().map(|word| word.chars().count()).sum();
        let is_padded = self.0.chars().count().saturating_sub(in_words) <= AROUND_CHARS;
        (is_padded && said.len() < words.len()).then_some(once)
    }

    /// The PHC string to store.
    fn hash(&self, memory: &mut Memory) -> Result<String, Error> {
        let salt = secret::random::<SALT_BYTES>()?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params()?);
        let mut out = Zeroizing::new([0; HASH_BYTES]);
        if !memory.compute(
            &argon2,
            self.0.as_bytes(),
            salt.as_slice(),
            out.as_mut_slice(),
        ) {
            return Err(Error::Crypto);
        }
        phc(salt.as_slice(), out.as_slice())
    }

    /// Whether this is the password of a stored hash.
    fn verify(&self, stored: &str, memory: &mut Memory) -> bool {
        let Some(stored) = parse(stored) else {
            return false;
        };
        let (salt, expected) = (&stored.salt, stored.output.as_bytes());
        let mut out = Zeroizing::new(vec![0; expected.len()]);
        memory.compute(&stored.argon2, self.0.as_bytes(), salt, &mut out)
            && secret::same(&out, expected)
    }
}

/// A hash that no password has, with the present parameters: what an unknown user's log-in is checked against.
pub(crate) fn dummy() -> Result<String, Error> {
    let (salt, hash) = (
        secret::random::<SALT_BYTES>()?,
        secret::random::<HASH_BYTES>()?,
    );
    phc(salt.as_slice(), hash.as_slice())
}

fn phc(salt: &[u8], hash: &[u8]) -> Result<String, Error> {
    let failed = |_| Error::Crypto;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: params()?.try_into().map_err(|_| Error::Crypto)?,
        salt: Some(Salt::new(salt).map_err(failed)?),
        hash: Some(Output::new(hash).map_err(failed)?),
    };
    Ok(hash.to_string())
}

/// Whether a stored hash is one that a password can have.
fn is_readable(stored: &str) -> bool {
    let is_readable = parse(stored).is_some();
    if !is_readable {
        tracing::error!("a stored password hash cannot be read; its account cannot log in");
    }
    is_readable
}

/// Whether a hash was made with other parameters than are used now, so that the next log-in replaces it.
pub(crate) fn is_outdated(stored: &str) -> bool {
    parse(stored).is_none_or(|stored| {
        let params = stored.argon2.params();
        stored.algorithm != Algorithm::Argon2id
            || (params.m_cost(), params.t_cost(), params.p_cost()) != (MEMORY_KIB, PASSES, LANES)
    })
}

/// A stored hash with all that it takes to check a password: what lacks a part is none, and nobody is told so by less work.
struct Stored {
    algorithm: Algorithm,
    argon2: Argon2<'static>,
    salt: Salt,
    output: Output,
}

fn parse(stored: &str) -> Option<Stored> {
    let hash = PasswordHash::new(stored).ok()?;
    let params = Params::try_from(&hash).ok()?;
    let bounded = params.m_cost() <= MAX_MEMORY_KIB
        && params.t_cost() <= MAX_PASSES
        && params.p_cost() <= MAX_LANES;
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    let version = hash
        .version
        .map_or(Some(Version::V0x13), |version| version.try_into().ok())?;
    let (salt, output) = (hash.salt?, hash.hash?);
    bounded.then(|| Stored {
        algorithm,
        argon2: Argon2::new(algorithm, version, params),
        salt,
        output,
    })
}

fn params() -> Result<Params, Error> {
    Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_BYTES)).map_err(|_| Error::Crypto)
}

fn weak(reasons: Vec<String>) -> Result<(), Error> {
    Err(Error::WeakPassword { reasons })
}

#[cfg(test)]
mod tests {
    use argon2::CustomizedPasswordHasher as _;

    use super::*;

    fn cheap(password: &str, memory: u32, passes: u32) -> String {
        let params = Params::new(memory, passes, 1, Some(32)).unwrap();
        let hash: PasswordHash = Argon2::default()
            .hash_password_with_params(Password::new(password).0.as_bytes(), &[5; 16], params)
            .unwrap();
        hash.to_string()
    }

    #[test]
    fn accepts_the_password_that_was_hashed_and_rejects_any_other() {
        let stored = Password::new("correct horse battery")
            .hash(&mut Memory::default())
            .unwrap();
        assert!(
            stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{stored}"
        );
        assert!(Password::new("correct horse battery").verify(&stored, &mut Memory::default()));
        assert!(!Password::new("correct horse batterz").verify(&stored, &mut Memory::default()));
        assert!(!is_outdated(&stored));
    }

    #[test]
    fn nobody_has_the_dummy_and_it_costs_the_same() {
        let dummy = dummy().unwrap();
        assert!(dummy.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(!is_outdated(&dummy));
        assert!(!Password::new("").verify(&dummy, &mut Memory::default()));
    }

    #[test]
    fn a_hash_of_older_parameters_holds_and_is_outdated() {
        let stored = cheap("correct horse battery", 8192, 1);
        assert!(Password::new("correct horse battery").verify(&stored, &mut Memory::default()));
        assert!(is_outdated(&stored));
    }

    #[test]
    fn rejects_a_stored_hash_that_asks_for_too_much() {
        let tail = "AQEBAQEBAQEBAQEBAQEBAQ$AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
        for params in [
            "m=4194304,t=2,p=1",
            "m=19456,t=1000000,p=1",
            "m=19456,t=2,p=255",
        ] {
            assert!(
                parse(&format!("$argon2id$v=19${params}${tail}")).is_none(),
                "{params}"
            );
        }
        assert!(parse(&format!("$argon2id$v=19$m=19456,t=2,p=1${tail}")).is_some());
    }

    #[test]
    fn every_spelling_of_a_password_is_the_same_password() {
        let stored = cheap("pa\u{df}wort mit \u{e9} und \u{fb01}", 8192, 1);
        assert!(
            Password::new("pa\u{df}wort mit e\u{301} und fi")
                .verify(&stored, &mut Memory::default())
        );
        assert!(!Password::new("pasword mit e und fi").verify(&stored, &mut Memory::default()));
    }

    #[test]
    fn rejects_new_passwords_that_are_short_long_or_guessed() {
        let long = "aZ3$".repeat(65);
        for weak in [
            "",
            "Tr0ub4dor&3",
            "aaaaaaaaaaaa",
            "passwordpassword",
            "adaadaadaada",
            "correct horse battery staple",
            "Correct-Horse-Battery-Staple-1!",
            "To be, or not to be",
            "Summer2026!!",
            "letmein12345!",
            "2026!Dragon!!",
            "P@ssw0rd2026!",
            "password-2026-11-28",
            "!!!!dragon2026!!!!",
            "Summer_2026_#1_!",
            "password password",
            "Qwerty-qwerty",
            "123456 123456",
            "dragon2026dragon",
            "Password1 Password2",
            "the quick brown fox",
            &long,
        ] {
            let refused = Password::new(weak).judge(&["ada@example.com", "ada"]);
            assert!(
                matches!(&refused, Err(Error::WeakPassword { reasons }) if !reasons.is_empty()),
                "{weak}"
            );
        }
        let longest = "k7$Qw9!zLm2#".chars().cycle().take(256).collect::<String>();
        for strong in [
            "lantern orbit quilt 42",
            "Summerhouse tonic 2026!!",
            "letmein to orbit 12345!",
            "correct horse battery stapler",
            "orbit lantern orbit quilt",
            "dragon 8261993744107761",
            "dragon4417264126414271",
            "dragon441726412641",
            "a7b2a9c4a1b6a3",
            "пароль лошадь скрепка",
            &longest,
        ] {
            assert!(
                Password::new(strong).judge(&["ada@example.com"]).is_ok(),
                "{strong}"
            );
        }
    }

    #[test]
    fn a_long_password_is_judged_by_its_beginning_and_by_how_many_characters_it_is_of() {
        let dear = "4@8({[<369&!1|70$5+%2".repeat(12);
        let head: String = dear.chars().take(JUDGED_CHARS).collect();
        assert_eq!(
            Password::new(&dear).judge(&[]).is_ok(),
            Password::new(&head).judge(&[]).is_ok()
        );
        // Weak up to there, whatever follows.
        let hidden = format!("{}correct horse battery staple", "password".repeat(4));
        assert!(Password::new(&hidden).judge(&[]).is_err());
        for few in ["abcde".repeat(40), "zq9vzq9vz9qvvq9zz9vq".to_owned()] {
            assert!(Password::new(&few).judge(&[]).is_err(), "{few}");
        }
    }

    #[test]
    fn what_is_known_of_a_person_does_not_make_a_password() {
        let password = Password::new("grimbaldstonweir");
        assert!(password.judge(&[]).is_ok());
        assert!(password.judge(&["grimbaldstonweir"]).is_err());
    }

    #[test]
    fn nul_and_length_are_counted_in_characters() {
        assert!(
            Password::new("nul \0 in the middle of it")
                .judge(&[])
                .is_ok()
        );
        assert!(Password::new(&"\u{e9}".repeat(256)).has_possible_length());
        assert!(!Password::new(&"\u{e9}".repeat(257)).has_possible_length());
        assert!(!Password::new("").has_possible_length());
    }
}
