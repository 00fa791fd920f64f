//! PEM as people have it: out of a `.env` file, a YAML document, a JSON string or the page of an issuer. The library's reader
//! is strict (RFC 7468 §3); what is undone before it is said.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN ";
/// RFC 7468 §2: every line but the last is full.
const FULL_LINE: usize = 64;
/// What DER of a key or a certificate begins with: a SEQUENCE (RFC 5280 §4.1).
const SEQUENCE: u8 = 0x30;

/// A document as the strict reader takes it.
pub(super) struct Undone {
    pub(super) pem: Zeroizing<String>,
    /// What was undone, each in a few words.
    pub(super) what: Vec<&'static str>,
}

/// `None` where nothing has to be undone, and where nothing can be.
pub(super) fn undo(text: &str) -> Option<Undone> {
    let mut what = Vec::new();
    let mut pem = Zeroizing::new(String::new());
    let mut rest = text;
    while let Some(block) = Block::cut(rest) {
        block.write(&mut pem)?;
        block.name_what_is_wrong(&mut what);
        rest = block.after;
    }
    if !what.is_empty() && is_quoted(text) {
        what.push("quotes");
    }
    (!what.is_empty()).then_some(Undone { pem, what })
}

/// The octets of a document that lost the lines around it.
pub(super) fn bare(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text = text.trim().trim_matches(['"', '\'']);
    let letters: Zeroizing<String> = Zeroizing::new(text.split_whitespace().collect());
    let octets = Zeroizing::new(STANDARD.decode(letters.as_bytes()).ok()?);
    (octets.first() == Some(&SEQUENCE)).then_some(octets)
}

fn is_quoted(text: &str) -> bool {
    let text = text.trim();
    ['"', '\'']
        .iter()
        .any(|quote| text.starts_with(*quote) && text.ends_with(*quote))
}

/// What stands between `-----BEGIN …-----` and its end.
struct Block<'t> {
    label: &'t str,
    body: &'t str,
    after: &'t str,
}

impl<'t> Block<'t> {
    fn cut(text: &'t str) -> Option<Self> {
        let (_, rest) = text.split_once(BEGIN)?;
        let (label, rest) = rest.split_once("-----")?;
        let (body, after) = rest.split_once(&format!("-----END {label}-----"))?;
        Some(Self { label, body, after })
    }

    /// Letter by letter what it was, in lines as they are to be. `None` where more stands there than base64.
    fn write(&self, pem: &mut String) -> Option<()> {
        let flat = Zeroizing::new(self.body.replace("\\r", " ").replace("\\n", " "));
        let letters: Zeroizing<Vec<char>> = Zeroizing::new(
            flat.chars()
                .filter(|letter| !letter.is_whitespace())
                .collect(),
        );
        let is_base64 =
            |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/' | '=');
        if !letters.iter().all(is_base64) {
            return None;
        }
        pem.push_str(&format!("{BEGIN}{}-----\n", self.label));
        for line in letters.chunks(FULL_LINE) {
            pem.extend(line);
            pem.push('\n');
        }
        pem.push_str(&format!("-----END {}-----\n", self.label));
        Some(())
    }

    fn name_what_is_wrong(&self, what: &mut Vec<&'static str>) {
        let is_escaped = self.body.contains("\\n");
        let is_one_line = !self.body.contains('\n') && !is_escaped;
        let is_indented = |line: &str| line.starts_with([' ', '\t']);
        let is_long = |line: &str| line.trim().len() > FULL_LINE;
        for (is_so, words) in [
            (is_escaped, "`\\n` for line breaks"),
            (is_one_line, "all on one line"),
            (
                !is_one_line && self.body.lines().any(is_indented),
                "spaces before its lines",
            ),
            (
                !is_one_line && !is_escaped && self.body.lines().any(is_long),
                "lines that are too long",
            ),
        ] {
            if is_so && !what.contains(&words) {
                what.push(words);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = include_str!("../../../../../countersign/tests/data/keys/rsa-spki.pem");

    fn body() -> String {
        PEM.lines().filter(|line| !line.contains('-')).collect()
    }

    #[test]
    fn what_was_done_to_a_pem_is_undone_and_named() {
        let escaped = PEM.trim().replace('\n', "\\n");
        for (text, words) in [
            (escaped.clone(), vec!["`\\n` for line breaks"]),
            (
                format!("KEY=\"{}\\n\"", PEM.trim().replace('\n', "\\r\\n")),
                vec!["`\\n` for line breaks"],
            ),
            (
                format!("\"{escaped}\""),
                vec!["`\\n` for line breaks", "quotes"],
            ),
            (PEM.trim().replace('\n', " "), vec!["all on one line"]),
            (
                format!("key: |\n  {}", PEM.trim().replace('\n', "\n  ")),
                vec!["spaces before its lines"],
            ),
            (
                format!(
                    "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
                    body()
                ),
                vec!["lines that are too long"],
            ),
        ] {
            let undone = undo(&text).unwrap();
            assert_eq!((undone.pem.as_str(), undone.what), (PEM, words), "{text}");
        }
    }

    #[test]
    fn a_pem_as_it_should_be_and_one_that_nobody_can_mend_are_left_alone() {
        for text in [
            PEM,
            &PEM.replace('\n', "\r\n"),
            &format!("Bag Attributes\n    friendlyName: a\n{PEM}"),
            "-----BEGIN PUBLIC KEY-----\\nAAAA",
            "-----BEGIN RSA PRIVATE KEY----- Proc-Type: 4,ENCRYPTED AAAA -----END RSA PRIVATE KEY-----",
            "",
        ] {
            assert!(undo(text).is_none(), "{text}");
        }
    }

    #[test]
    fn base64_without_its_lines_is_read_where_it_can_be_a_key() {
        let octets = bare(&body()).unwrap();
        assert_eq!(octets, bare(&format!(" \"{}\"\n", body())).unwrap());
        for text in ["", "AAAA", "no base64", "MA"] {
            assert!(bare(text).is_none(), "{text}");
        }
    }
}
