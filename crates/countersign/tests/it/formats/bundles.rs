//! PEM documents with several blocks: chains of certificates, and what is too much of a good thing.

use countersign::{Algorithm, ImportedKey, SigningKey, VerifyingKey};

use crate::support::code;

const CHAIN: &str = include_str!("../../data/keys/p256-x509-chain.pem");
const KEY: &str = include_str!("../../data/keys/p256-pkcs8.pem");
const SELF_SIGNED: &str = include_str!("../../data/keys/p384-x509.pem");
const SEC1: &str = include_str!("../../data/keys/p256-sec1.pem");

fn said(pem: &str) -> String {
    match ImportedKey::read(pem.as_bytes()) {
        Ok(imported) => imported.to_string(),
        Err(error) => {
            assert_eq!(error.code(), "key_format", "{error}");
            error.to_string()
        }
    }
}

/// The certificates of the chain, from the leaf to the root.
fn certificates() -> Vec<String> {
    let blocks = CHAIN.split_inclusive("-----END CERTIFICATE-----\n");
    let blocks: Vec<String> = blocks.map(str::to_owned).collect();
    assert_eq!(blocks.len(), 3);
    blocks
}

#[test]
fn of_a_chain_of_certificates_the_first_is_the_key() {
    assert_eq!(said(CHAIN), "an EC public key on P-256 (X.509 chain, PEM)");
    let key = VerifyingKey::from_pem(Algorithm::ES256, CHAIN).unwrap();
    let private = SigningKey::from_pem(Algorithm::ES256, KEY).unwrap();
    assert_eq!(key.thumbprint(), private.thumbprint());
    let [leaf, ca, _] = certificates().try_into().unwrap();
    assert_eq!(said(&leaf), "an EC public key on P-256 (X.509, PEM)");
    assert_eq!(said(&format!("{leaf}{ca}")), said(CHAIN));
    assert_eq!(
        code(SigningKey::from_pem(Algorithm::ES256, CHAIN)),
        "key_unfit"
    );
}

#[test]
fn rejects_certificates_that_are_no_chain_from_the_first_on() {
    let [leaf, ca, root] = certificates().try_into().unwrap();
    for bundle in [
        format!("{root}{ca}{leaf}"),
        format!("{leaf}{root}"),
        format!("{leaf}{SELF_SIGNED}"),
        format!("{SELF_SIGNED}{root}"),
    ] {
        let said = said(&bundle);
        assert!(said.contains("not one chain"), "{said}");
        assert!(said.contains(&format!("{} certificates", bundle.matches("BEGIN").count())));
    }
    let spoiled = CHAIN.replacen("MII", "AII", 1);
    assert!(said(&spoiled).contains("malformed"), "{}", said(&spoiled));
}

#[test]
fn rejects_several_blocks_and_names_what_they_are() {
    for (bundle, blocks) in [
        (
            format!("{KEY}{CHAIN}"),
            "4 blocks (1 PRIVATE KEY, 3 CERTIFICATE)",
        ),
        (format!("{KEY}{KEY}"), "2 blocks (2 PRIVATE KEY)"),
        (
            format!("{SEC1}{KEY}"),
            "2 blocks (1 PRIVATE KEY, 1 EC PRIVATE KEY)",
        ),
    ] {
        let said = said(&bundle);
        assert!(said.contains(blocks), "{said}");
        assert!(said.contains("the one key alone"), "{said}");
    }
}

#[test]
fn text_around_the_armour_is_passed_over() {
    let dressed = format!("Bag Attributes\n    friendlyName: ada\n{KEY}subject=CN = ada\n");
    assert_eq!(said(&dressed), said(KEY));
}

#[test]
fn text_in_utf_16_is_named_with_the_way_out_and_so_is_a_public_key_of_openssh() {
    for mark in ["\u{feff}", ""] {
        for order in [u16::to_le_bytes, u16::to_be_bytes] {
            let units = mark.encode_utf16().chain(KEY.encode_utf16());
            let octets: Vec<u8> = units.flat_map(order).collect();
            let error = ImportedKey::read(&octets).unwrap_err().to_string();
            assert!(error.contains("Set-Content -Encoding ascii"), "{error}");
        }
    }
    let ssh = said("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB me@host");
    assert!(ssh.contains("ssh-keygen -e -m PKCS8"), "{ssh}");
}

#[test]
fn a_private_key_of_openssh_is_named_with_the_way_out() {
    let pem = KEY.replace("PRIVATE KEY", "OPENSSH PRIVATE KEY");
    assert!(
        said(&pem).contains("ssh-keygen -p -m PKCS8"),
        "{}",
        said(&pem)
    );
}
