//! The blocks of a PEM document, between `-----BEGIN …-----` and `-----END …-----` (RFC 7468 §2).

use zeroize::Zeroizing;

use crate::error::Error;

/// One block.
#[derive(Debug)]
pub(super) struct Block<'t> {
    pub(super) label: &'t str,
    /// From the first dash to the last.
    text: &'t str,
}

impl Block<'_> {
    /// What the armour is around.
    pub(super) fn decode(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let decoded = pem_rfc7468::decode_vec(self.text.as_bytes());
        decoded
            .map(|(_, octets)| Zeroizing::new(octets))
            .map_err(|_| spoilt(self.text))
    }
}

/// The blocks of a document, without those that say what the key after them says again: `openssl ecparam -genkey` writes
/// the curve in a block of its own.
pub(super) fn split(text: &str) -> Result<Vec<Block<'_>>, Error> {
    const BEGIN: &str = "-----BEGIN ";
    let mut blocks = Vec::new();
    if text.contains("BEGIN OPENSSH PRIVATE KEY") {
        return Err(Error::key_format(
            "this is a private key of OpenSSH; `ssh-keygen -p -m PKCS8 -f COPY` makes PKCS #8 of a copy of one of RSA or ECDSA, and for Ed25519 \
             most of its versions do not: make a new key",
        ));
    }
    let mut rest = text;
    while let Some(start) = rest.find(BEGIN) {
        let (block, after) = cut(rest.get(start..).unwrap_or_default()).ok_or_else(broken)?;
        blocks.push(block);
        rest = after;
    }
    if blocks.is_empty() {
        return Err(broken());
    }
    if blocks.len() > 1 {
        blocks.retain(|block| block.label != "EC PARAMETERS");
    }
    Ok(blocks)
}

/// The block at the start of a text, and what comes after it.
fn cut(text: &str) -> Option<(Block<'_>, &str)> {
    let (label, _) = text.strip_prefix("-----BEGIN ")?.split_once("-----")?;
    let end = format!("-----END {label}-----");
    let length = text.find(&end)?.checked_add(end.len())?;
    let (text, after) = text.split_at_checked(length)?;
    Some((Block { label, text }, after))
}

/// How many blocks there are of what is known here, in words.
pub(super) fn count(blocks: &[Block<'_>]) -> String {
    const KNOWN: [&str; 8] = [
        "PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
        "PUBLIC KEY",
        "RSA PRIVATE KEY",
        "RSA PUBLIC KEY",
        "EC PRIVATE KEY",
        "CERTIFICATE",
        "",
    ];
    let known = |label: &str| {
        KNOWN
            .into_iter()
            .find(|known| *known == label)
            .unwrap_or("")
    };
    let mut words = Vec::new();
    for label in KNOWN {
        let count = blocks
            .iter()
            .filter(|block| known(block.label) == label)
            .count();
        let name = if label.is_empty() {
            "of another kind"
        } else {
            label
        };
        if count > 0 {
            words.push(format!("{count} {name}"));
        }
    }
    format!("{} blocks ({})", blocks.len(), words.join(", "))
}

/// Why a block that is closed cannot be read: mostly by what a file or a form it went through has done to its lines.
fn spoilt(text: &str) -> Error {
    let is_indented = |line: &str| line.starts_with([' ', '\t']);
    Error::key_format(if text.contains("\\n") {
        "this PEM document has `\\n` written in it where its lines end; put line breaks there"
    } else if !text.contains('\n') {
        "this PEM document stands on one line; its first and its last line have to stand alone"
    } else if text.lines().any(is_indented) {
        "the lines of this PEM document are indented; take away the spaces before them"
    } else {
        return broken();
    })
}

fn broken() -> Error {
    Error::key_format(
        "this is no PEM document (`-----BEGIN …-----`, base64, `-----END …-----`) with one key in it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----";

    fn labels(text: &str) -> Option<Vec<&str>> {
        let blocks = split(text).ok()?;
        Some(blocks.iter().map(|block| block.label).collect())
    }

    #[test]
    fn text_around_the_armour_is_passed_over() {
        let text = format!("Bag Attributes\n  friendlyName: a\n{KEY}\nsubject=x\n{KEY}\r\n");
        assert_eq!(labels(&text), Some(vec!["PUBLIC KEY", "PUBLIC KEY"]));
        assert_eq!(*split(KEY).unwrap()[0].decode().unwrap(), [0, 0, 0]);
    }

    #[test]
    fn rejects_a_block_that_is_not_closed_and_text_without_one() {
        for text in [
            "",
            "-----BEGIN",
            "-----BEGIN PUBLIC KEY",
            "-----BEGIN PUBLIC KEY-----\nAAAA",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PRIVATE KEY-----",
            "-----END PUBLIC KEY-----",
            &format!("{KEY}\n-----BEGIN PUBLIC KEY-----\nAAAA"),
        ] {
            assert_eq!(labels(text), None, "{text}");
        }
    }

    #[test]
    fn a_key_of_openssh_is_called_by_its_name() {
        let text = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----";
        let error = split(text).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("ssh-keygen -p -m PKCS8"), "{error}");
    }

    #[test]
    fn a_block_whose_lines_were_spoilt_says_how() {
        let whole = KEY.replace("AAAA", "AAAA\nAAAA");
        for (text, words) in [
            (
                whole.replace('\n', "\\n"),
                "written in it where its lines end",
            ),
            (whole.replace('\n', " "), "stands on one line"),
            (whole.replace('\n', "\n  "), "are indented"),
            (whole.replace("AAAA", "A*AA"), "this is no PEM document"),
        ] {
            let error = split(&text).unwrap()[0].decode().unwrap_err();
            assert!(error.to_string().contains(words), "{text} {error}");
        }
    }

    #[test]
    fn parameters_before_a_key_are_left_out_and_alone_they_are_not() {
        let parameters = KEY.replace("PUBLIC KEY", "EC PARAMETERS");
        let both = format!("{parameters}\n{KEY}");
        assert_eq!(labels(&both), Some(vec!["PUBLIC KEY"]));
        assert_eq!(labels(&parameters), Some(vec!["EC PARAMETERS"]));
    }

    #[test]
    fn what_there_is_is_counted_without_a_word_of_the_document() {
        let text = format!("{KEY}{KEY}{}", KEY.replace("PUBLIC KEY", "\u{1b}[2J"));
        let blocks = split(&text).unwrap();
        assert_eq!(count(&blocks), "3 blocks (2 PUBLIC KEY, 1 of another kind)");
    }
}
