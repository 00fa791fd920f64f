//! Secrets that are made of the words that everybody writes where a secret belongs, as those in tutorials are.

/// What stands in such secrets, in lower case.
const WORDS: &str = "\
    a abc access add admin also an and any api app application are as asdf at auth authentication authorization \
    backend bar base64 be bearer because best better bit bits bla by byte bytes can change changed changeit \
    character characters chars client code company config cookie data database default demo dev development do does \
    dont dummy encryption enough enter env environment example express fake for foo from generate generated good \
    guess hard has hash have hello here hidden hs256 hs384 hs512 i in insecure insert is it its jose json jwt just \
    keep key least length local localhost long longer master me min minimum more must my need needs never new no \
    node not now of on only or our own pass passphrase password phrase placeholder please private prod production \
    project public put random real really refresh replace safe salt sample sec secret secrets secure security server \
    service session set sha256 sha512 shared should show sign signature signing simple so some something spring \
    staging start still string strong such super test testing text than that the then thing this to todo token \
    tokens top totally tutorial two ultra unsafe use used user valid value very want web which will with word work \
    works world xxx you your yours 256 384 512 128 123 1234 12345 123456 1234567 12345678 123456789 1234567890 32 64 \
    2048";

/// How many characters have to be left that are of no such word. A word that is not listed here has about as many.
const UNGUESSED: usize = 12;

/// Whether a secret is made of such words, in whatever order and however they are set apart.
pub(super) fn are_all_of(secret: &[u8]) -> bool {
    // Random octets are no text, and words are found in any.
    let is_text = |octet: &u8| octet.is_ascii_graphic() || octet.is_ascii_whitespace();
    if !secret.iter().all(is_text) {
        return false;
    }
    let words: Vec<&str> = WORDS.split(' ').collect();
    // Of what is left of the secret from each place on, from its end: the least that no words can be made of.
    let mut least = vec![0usize];
    for start in (0..secret.len()).rev() {
        let rest = secret.get(start..).unwrap_or_default();
        let sets_apart = |octet: &u8| b" -_.,!\t\r\n".contains(octet);
        let own = usize::from(!rest.first().is_some_and(sets_apart));
        let behind = |octets: usize| least.get(least.len().wrapping_sub(octets)).copied();
        let after_words = words
            .iter()
            .filter(|word| begins_with(rest, word))
            .filter_map(|word| Some(behind(word.len())?.saturating_add(weight(word))));
        let after_one = behind(1).map(|behind| behind.saturating_add(own));
        least.push(after_words.chain(after_one).min().unwrap_or(own));
    }
    least.last().is_some_and(|unguessed| *unguessed < UNGUESSED)
}

/// The shortest words stand within others, and in what is random: they count as one character.
fn weight(word: &str) -> usize {
    usize::from(word.len() < 3)
}

fn begins_with(text: &[u8], word: &str) -> bool {
    let start = text.get(..word.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jwa::Algorithm;
    use crate::jwk::SigningKey;

    #[test]
    fn what_stands_in_tutorials_is_known() {
        for secret in [
            "a-string-secret-at-least-256-bits-long",
            "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
            "your-256-bit-secret-your-256-bit",
            "supersecretsupersecretsupersecretkey",
            "thisisaverylongsecretkeythatissecure",
            "this is my super secret key, please change it",
            "CHANGE_ME_CHANGE_ME_CHANGE_ME_IN_PRODUCTION",
            "my_jwt_secret_key_for_development_only_2024",
            "secretsecretsecretsecretsecretsecret",
            "replace-this-with-a-random-32-byte-string!",
            "----------------------------------------",
        ] {
            assert!(are_all_of(secret.as_bytes()), "{secret}");
        }
    }

    #[test]
    fn a_secret_that_nobody_guesses_is_none_of_them() {
        for secret in [
            "correct horse battery staple of my own",
            "tf2Zb1kQ7r9wXy0uVvP4sLmNcE8aHdJg",
            "my-secret-key-is-Zb1kQ7r9wXy0uVvP4sLm",
            r"R'IS'k}I*=W}^A@&c-}\3@n{/'pV[0;'",
            "envoy rival themes iranian attaining",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        ] {
            assert!(!are_all_of(secret.as_bytes()), "{secret}");
        }
        assert!(!are_all_of(
            &[b"secret-key-"[..].to_vec(), vec![0x80; 21]].concat()
        ));
        assert!(!are_all_of("un-mot-de-passe-très-secret-12345".as_bytes()));
        for _ in 0..2_000 {
            let key = SigningKey::generate(Algorithm::HS256).unwrap();
            let text: serde_json::Value = serde_json::from_str(&key.to_jwk().to_json()).unwrap();
            assert!(!are_all_of(text["k"].as_str().unwrap().as_bytes()));
        }
    }
}
