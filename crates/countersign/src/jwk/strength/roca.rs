//! The fingerprint of RSA moduli whose primes a faulty generator made (ROCA, CVE-2017-15361).
//!
//! Such a prime is `k * M + (65537^a mod M)` for a product M of small primes, so the modulus is a power of 65537 modulo
//! every one of them. A random modulus has all these residues by chance once in about 2^27.

/// Small primes modulo which the powers of 65537 are few: the others tell nothing.
const PRIMES: [u32; 17] = [
    11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157,
];

/// Whether a big-endian modulus bears the fingerprint.
pub(super) fn fingerprint(modulus: &[u8]) -> bool {
    PRIMES
        .into_iter()
        .all(|prime| is_power(residue(modulus, prime), prime))
}

/// Whether `value` is a power of 65537 modulo `prime`.
fn is_power(value: u32, prime: u32) -> bool {
    let step = |power: u32| {
        power
            .wrapping_mul(65_537u32.checked_rem(prime).unwrap_or(0))
            .checked_rem(prime)
            .unwrap_or(0)
    };
    // The powers come back to 1 after at most prime - 1 steps.
    std::iter::successors(Some(1), |power| Some(step(*power)))
        .take(prime as usize)
        .any(|power| power == value)
}

fn residue(number: &[u8], prime: u32) -> u32 {
    number.iter().fold(0, |rest: u32, octet| {
        rest.wrapping_mul(256)
            .wrapping_add(u32::from(*octet))
            .checked_rem(prime)
            .unwrap_or(0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number of 2048 bits that is 65537^c modulo every small prime up to 167, as the faulty generator's moduli are.
    const VULNERABLE: &str = concat!(
        "d4d8a2011f86b4af84f68ac301109dc33e50f59ba066604872a0a4b2f3049014d480d80c6c7daa1664d1140e850d3d89",
        "8d1bd830a35c9311139df5906afc444dcb207aad8da0c843475e895350cabda4d0258caf8f01745f93c0adb8df0dc1e6",
        "dfe7e310d15fb12f919403f3559caff0f30711660b57cf004038f57ad972d348f3f1cb82630a1bc90a64a7fd5366fdfc",
        "7e68ad02dff0008d316f1f27e30ccc2bbf661935799ae1f111574b543d5a2a1cae0117c037e7be0f1494cc9d0846f3c1",
        "35ef2d7f3f5c1bccbe0506cf7e04f505bc315a1a52a3d547c8e1e843578a117dab994ce2ecd4cf245652dcddb1573e2b",
        "aeaa12700ed419924985882b9056cca1"
    );

    fn octets(digits: &str) -> Vec<u8> {
        let pairs = digits.as_bytes().chunks(2);
        pairs
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    #[test]
    fn recognises_a_modulus_of_the_faulty_generator() {
        assert!(fingerprint(&octets(VULNERABLE)));
    }

    #[test]
    fn rejects_neither_its_neighbours_nor_other_numbers() {
        let vulnerable = octets(VULNERABLE);
        for change in 1..=200u8 {
            let mut modulus = vulnerable.clone();
            let last = modulus.len() - 1;
            modulus[last] = modulus[last].wrapping_add(change);
            assert!(!fingerprint(&modulus), "{change}");
        }
    }
}
