//! Which keys are too weak to be taken (RFC 7518 §3.2 and §3.3, RFC 8725 §3.5).

pub(super) mod key_text;
mod roca;
mod words;

use crate::error::{Error, WeakKey};
use crate::jwa::{Algorithm, RSA_MODULUS_BITS};
use crate::jwk::parts::{KeyParts, bits};

/// The most bytes that a shared secret may have: far more than any HMAC makes use of.
pub const MAX_SECRET_BYTES: usize = 64 * 1024;

/// Refuses parts that are too weak for `algorithm`.
///
/// # Errors
/// [`Error::KeyWeak`] with the reason; [`Error::KeyUnfit`] for what no key of its kind is.
pub(crate) fn check(algorithm: Algorithm, parts: &KeyParts) -> Result<(), Error> {
    match parts {
        KeyParts::Oct(secret) => check_secret(algorithm, secret),
        KeyParts::Rsa { n, e, .. } => check_rsa(n, e),
        KeyParts::Ed25519 { x, .. } => check_ed25519(x),
        KeyParts::Ec { .. } | KeyParts::Akp { .. } => Ok(()),
    }
}

fn check_secret(algorithm: Algorithm, secret: &[u8]) -> Result<(), Error> {
    check_secret_size(secret.len())?;
    let needed = algorithm.secret_min_bytes().unwrap_or(0);
    if let Some(kind) = key_text::kind(secret) {
        return Err(Error::KeyWeak(WeakKey::SecretIsKey { kind }));
    }
    if secret.len() < needed {
        return Err(Error::KeyWeak(WeakKey::SecretTooShort {
            found: secret.len(),
            needed,
            algorithm,
        }));
    }
    let start = secret.get(..LOOKED_AT).unwrap_or(secret);
    if is_pattern(start) || words::are_all_of(start) {
        return Err(Error::KeyWeak(WeakKey::SecretGuessable { algorithm }));
    }
    if is_short_in_hex(secret, needed) {
        return Err(Error::KeyWeak(WeakKey::SecretShortInHex {
            found: secret.len().div_euclid(2),
            needed,
            algorithm,
        }));
    }
    Ok(())
}

/// Refuses a secret that is too long to be one: every HMAC hashes a key that is longer than a block of its hash, of 128
/// bytes at most (RFC 2104 §2), so what is looked at of it is bounded, and nothing is lost.
fn check_secret_size(bytes: usize) -> Result<(), Error> {
    if bytes <= MAX_SECRET_BYTES {
        return Ok(());
    }
    Err(Error::key_unfit(format!(
        "the secret has more than {MAX_SECRET_BYTES} bytes: no algorithm makes use of so many"
    )))
}

/// How many octets of a secret, from its start, are looked at for a pattern: the work is bounded, however long it is.
/// A pattern shows in its first octets, so no secret that is one is taken; and what is none in so many octets is not
/// guessed, whatever comes after them. A secret that begins with so many octets of a pattern is refused, whatever comes
/// after them: no generator makes one.
const LOOKED_AT: usize = 1024;

/// The longest word whose repetition is looked for.
const LONGEST_UNIT: usize = 64;

/// A short unit repeated, a run of neighbours (`abcd…`, `9876…`), a row of the keyboard, or too few different octets.
fn is_pattern(secret: &[u8]) -> bool {
    let repeats = |unit: usize| {
        secret
            .iter()
            .zip(secret.iter().skip(unit))
            .all(|(a, b)| a == b)
    };
    if (1..=LONGEST_UNIT.min(secret.len().div_euclid(2))).any(repeats) {
        return true;
    }
    let steps = |step: u8| {
        let neighbours = secret.iter().zip(secret.iter().skip(1));
        neighbours
            .filter(|(a, b)| a.wrapping_add(step) == **b)
            .count()
    };
    let most = secret.len().saturating_mul(3).div_euclid(4);
    if steps(1) >= most || steps(0xff) >= most || steps(0) >= most || on_keyboard(secret) >= most {
        return true;
    }
    let mut seen = [false; 256];
    for octet in secret {
        if let Some(seen) = seen.get_mut(usize::from(*octet)) {
            *seen = true;
        }
    }
    seen.iter().filter(|seen| **seen).count() < 8
}

/// How many of its characters stand beside the one before them, in a row or a column of the keyboard.
fn on_keyboard(secret: &[u8]) -> usize {
    const LINES: &[u8] =
        b"qwertyuiop asdfghjkl zxcvbnm 1234567890 1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p";
    let beside = |a: u8, b: u8| {
        LINES
            .windows(2)
            .any(|pair| pair == [a, b] || pair == [b, a])
    };
    let neighbours = secret.iter().zip(secret.iter().skip(1));
    neighbours
        .filter(|(a, b)| beside(a.to_ascii_lowercase(), b.to_ascii_lowercase()))
        .count()
}

/// Digits of a number that has fewer octets than are needed: `openssl rand -hex 16` has 16, not 32.
fn is_short_in_hex(secret: &[u8], needed: usize) -> bool {
    secret.len().div_euclid(2) < needed && secret.iter().all(u8::is_ascii_hexdigit)
}

/// RFC 8032 §5.1.3: y is below p = 2^255 - 19 (one text for each point), and the point is of large order: a signature
/// by one of the eight points of small order holds over anything.
fn check_ed25519(x: &[u8]) -> Result<(), Error> {
    const P_MINUS_1: &str = "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
    const SMALL_ORDER: [&str; 5] = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        P_MINUS_1,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ];
    let mut y = x.to_vec();
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    let digits: String = y.iter().map(|octet| format!("{octet:02x}")).collect();
    if SMALL_ORDER.contains(&digits.as_str()) {
        return Err(Error::KeyWeak(WeakKey::SmallOrder));
    }
    y.reverse();
    let p = [&[0x7f][..], &[0xff; 30], &[0xed]].concat();
    if y >= p {
        return Err(Error::key_unfit(
            "the Ed25519 public key is not the one encoding of its point",
        ));
    }
    Ok(())
}

fn check_rsa(n: &[u8], e: &[u8]) -> Result<(), Error> {
    let found = bits(n);
    if !RSA_MODULUS_BITS.contains(&found) {
        return Err(Error::KeyWeak(WeakKey::RsaModulus { found }));
    }
    let odd = e.last().is_some_and(|byte| byte & 1 == 1);
    if !odd || !(2..=33).contains(&bits(e)) {
        return Err(Error::KeyWeak(WeakKey::RsaExponent));
    }
    if n.last().is_some_and(|octet| octet & 1 == 0) {
        return Err(Error::key_unfit(
            "the RSA modulus is even: it is no product of two large primes",
        ));
    }
    if roca::fingerprint(n) {
        return Err(Error::KeyWeak(WeakKey::Roca));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SigningKey;
    use crate::jwk::parts::RsaScheme;
    use zeroize::Zeroizing;

    fn secret(octets: &[u8]) -> Result<(), Error> {
        check(
            Algorithm::HS256,
            &KeyParts::Oct(Zeroizing::new(octets.to_vec())),
        )
    }

    #[test]
    fn accepts_a_random_secret_as_long_as_the_hash() {
        assert_eq!(secret(b"k7Qx0vYw2mNfT4uZ9aLpR8cHsJ3eBgDi"), Ok(()));
    }

    #[test]
    fn rejects_a_secret_shorter_than_the_hash() {
        for length in 0..32usize {
            assert_eq!(
                secret(&b"k7Qx0vYw2mNfT4uZ9aLpR8cHsJ3eBgDi"[..length]),
                Err(Error::KeyWeak(WeakKey::SecretTooShort {
                    found: length,
                    needed: 32,
                    algorithm: Algorithm::HS256
                }))
            );
        }
    }

    #[test]
    fn rejects_a_secret_that_is_a_pattern() {
        for pattern in [
            &[0u8; 32][..],
            &[b'a'; 64],
            b"secretsecretsecretsecretsecretsecret",
            b"abcdefghijklmnopqrstuvwxyzabcdefghij",
            b"01234567890123456789012345678901",
            b"zyxwvutsrqponmlkjihgfedcba98765432",
            b"qwertyuiopasdfghjklzxcvbnm123456",
            b"1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9",
            b"POIUYTREWQlkjhgfdsaMNBVCXZ0987654",
            b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
            b"abababbabaabbabaababababbabababab",
        ] {
            assert_eq!(
                secret(pattern),
                Err(Error::KeyWeak(WeakKey::SecretGuessable {
                    algorithm: Algorithm::HS256
                })),
                "{pattern:?}"
            );
        }
    }

    #[test]
    fn accepts_a_secret_of_the_most_bytes_and_rejects_one_more() {
        // No pattern, and no text of a key.
        let octets = |bytes: usize| -> Vec<u8> {
            let mut state = 7u32;
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            };
            (0..bytes).map(|_| next()).collect()
        };
        assert_eq!(secret(&octets(MAX_SECRET_BYTES)), Ok(()));
        for more in [1, 2_000_000] {
            let error = secret(&octets(MAX_SECRET_BYTES + more)).unwrap_err();
            assert!(
                matches!(&error, Error::KeyUnfit { what } if what.contains("65536 bytes")),
                "{error}"
            );
        }
        // Looked at for a pattern is its start, which decides alone.
        let unguessable = [octets(LOOKED_AT), vec![b'a'; 60_000]].concat();
        assert_eq!(secret(&unguessable), Ok(()));
        let guessable = WeakKey::SecretGuessable {
            algorithm: Algorithm::HS256,
        };
        for pattern in [
            vec![b'a'; MAX_SECRET_BYTES],
            b"qwertyuiop".repeat(6_000),
            [vec![b'a'; LOOKED_AT], octets(60_000)].concat(),
        ] {
            assert_eq!(secret(&pattern), Err(Error::KeyWeak(guessable.clone())));
        }
    }

    #[test]
    fn rejects_a_secret_that_is_the_text_of_a_key() {
        for (text, kind) in [
            (
                "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n",
                "PEM document",
            ),
            (
                "  \n-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----",
                "PEM document",
            ),
            (
                "\u{feff}-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----",
                "PEM document",
            ),
            (
                r#" {"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1B","y":"x_FEzRu9"}"#,
                "JWK",
            ),
            (
                r#"{"keys":[{"kty":"RSA","n":"ofgWCuLj","e":"AQAB"}]}"#,
                "JWK",
            ),
            (
                r#"[{"kty":"RSA","n":"ofgWCuLjybRlzo0t","e":"AQAB"}]"#,
                "JWK",
            ),
            (
                r#"{"k\u0074y":"EC","crv":"P-256","x":"f83OJ3D2xF1B"}"#,
                "JWK",
            ),
            (
                r#"[{"\u006bty":"RSA","n":"ofgWCuLjybRlzo0t","e":"AQAB"}]"#,
                "JWK",
            ),
            ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB", "SSH public key"),
        ] {
            assert_eq!(
                secret(text.as_bytes()),
                Err(Error::KeyWeak(WeakKey::SecretIsKey { kind })),
                "{text}"
            );
        }
        let sec1 = [
            &[0x30, 0x25, 2, 1, 1, 4, 0x20][..],
            b"k7Qx0vYw2mNfT4uZ9aLpR8cHsJ3eBgDi",
        ]
        .concat();
        // PKCS#7 (RFC 2315 §7), of a length that one octet does not hold; and an SPKI of an indefinite length, in it or in all.
        let pkcs7 = [&[0x30, 0x81, 0x8d, 6, 9][..], &[0x2a; 139]].concat();
        let ber = [&[0x30, 0x82, 1, 0x22, 0x30, 0x80][..], &[0x2a; 288]].concat();
        let indefinite = [&[0x30, 0x80, 0x30, 0x0d][..], &[0x2a; 288], &[0, 0, b'\n']].concat();
        let p224 = [&[0x30, 0x21, 2, 1, 1, 4, 0x1c][..], &[0x2a; 28]].concat();
        let mut documents = vec![sec1, pkcs7, ber, indefinite, p224];
        for algorithm in [
            Algorithm::RS256,
            Algorithm::ES256,
            Algorithm::ES512,
            Algorithm::EdDSA,
        ] {
            let key = SigningKey::generate(algorithm).unwrap();
            documents.push(key.to_der().unwrap().to_vec());
            documents.push(key.verifying_key().to_der().unwrap());
        }
        for der in documents {
            let kind = "DER document";
            let refused = Err(Error::KeyWeak(WeakKey::SecretIsKey { kind }));
            assert_eq!(secret(&der), refused, "{der:x?}");
        }
    }

    /// One in 65,536 random secrets begins with the tag and the length of a document that would end where it does.
    #[test]
    fn accepts_a_random_secret_that_begins_like_a_key() {
        let random: Vec<u8> = (0..120_u8)
            .map(|number| number.wrapping_mul(151) ^ 0x5a)
            .collect();
        for (first, length) in [
            (0x5a, 30_u8),
            (0x02, 30),
            (0x30, 30),
            (0x5a, 62),
            (0x02, 62),
            (0x30, 62),
        ] {
            let octets = [&[0x30, length, first][..], &random].concat();
            let taken = octets.get(..usize::from(length) + 2).unwrap();
            assert_eq!(secret(taken), Ok(()), "{taken:x?}");
        }
        let text = b"ssh-DkqgZnujWYBvyoe80tBR3bNUYZ3Bc58yeWgX7lw";
        assert_eq!(secret(text), Ok(()));
    }

    #[test]
    fn rejects_rsa_moduli_and_exponents_out_of_bounds() {
        let modulus = |bits: usize| [&[0x80][..], &vec![1; bits / 8 - 1]].concat();
        let rsa = |bits, e: &[u8]| {
            check(
                Algorithm::RS256,
                &KeyParts::Rsa {
                    n: modulus(bits),
                    e: e.to_vec(),
                    private: None,
                    scheme: RsaScheme::Any,
                },
            )
        };
        assert_eq!(rsa(2048, &[1, 0, 1]), Ok(()));
        assert_eq!(rsa(8192, &[3]), Ok(()));
        for bits in [1024, 2040, 8200] {
            assert_eq!(
                rsa(bits, &[1, 0, 1]),
                Err(Error::KeyWeak(WeakKey::RsaModulus { found: bits }))
            );
        }
        for e in [
            &[][..],
            &[0],
            &[1],
            &[2],
            &[1, 0, 0],
            &[2, 0, 0, 0, 1],
            &[1, 0, 0, 0, 0, 1],
        ] {
            assert_eq!(
                rsa(2048, e),
                Err(Error::KeyWeak(WeakKey::RsaExponent)),
                "{e:?}"
            );
        }
    }
}
