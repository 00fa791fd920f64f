//! What the TLS library says about the other side, in words that say what to do.
//!
//! It names most of what it finds by the names of its own types, so each kind is told by what its text begins with. What is
//! none of them is told in general: no text of its own comes through but the system's.

use crate::shown::shown;

/// What the library's word about a certificate begins with.
const CERTIFICATE: &str = "invalid peer certificate: ";

/// Kinds of certificate problems: what stands in the library's text, and what it means. The first one that is found counts.
const CERTIFICATES: [(&str, &str); 13] = [
    (
        "CaUsedAsEndEntity",
        "the server shows the certificate of an authority (CA:TRUE), which is none for a server: issue one by it, or make the \
         self-signed one with `-addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:HOST`",
    ),
    (
        "UnknownIssuer",
        "nobody who is believed here issued the server's certificate; an authority of your own is believed where its \
         certificate is named: `root_certificate(…)` in a program, SSL_CERT_FILE=FILE for the command",
    ),
    ("BadSignature", NAMESAKE),
    ("AlgorithmForPublicKey", NAMESAKE),
    (
        "UnsupportedSignatureAlgorithm",
        "the server's certificate is signed by an algorithm or a key that is not taken; issue one that is signed by ECDSA, \
         Ed25519 or RSA with SHA-256 or longer",
    ),
    ("expired", EXPIRED),
    ("Expired", EXPIRED),
    ("not valid yet", EARLY),
    ("NotValidYet", EARLY),
    ("NotValidForName", NAME),
    ("Revoked", "the server's certificate was revoked"),
    ("key usage", USE),
    ("EkuError", USE),
];

const NAMESAKE: &str = "the server's certificate is not signed by the authority that is believed here, but by one of the same name; that one is \
     named by `root_certificate(…)` in a program, by SSL_CERT_FILE=FILE for the command";

const EXPIRED: &str = "the server's certificate has expired; renew it there, or set the clock here";

const EARLY: &str = "the server's certificate is not valid yet; set the clock here, or there";

const USE: &str = "the server's certificate is for another use than a server's";

const NAME: &str = "the server's certificate is for another name than that of the URL";

/// What stands before the names of a certificate.
const VALID_FOR: &str = "certificate not valid for name ";

/// The same of the connection: what the library's text begins with.
const CONNECTIONS: [(&str, &str); 8] = [
    ("received fatal alert", REFUSED),
    ("peer is incompatible", REFUSED),
    ("peer doesn't support", REFUSED),
    ("received corrupt message", NO_TLS),
    ("peer misbehaved", NO_TLS),
    ("received unexpected", NO_TLS),
    ("peer sent", NO_TLS),
    ("cannot decrypt", NO_TLS),
];

const REFUSED: &str = "the server refuses every version or kind of TLS that is spoken here (1.2 and 1.3), or the name in the URL";

const NO_TLS: &str =
    "what answers there speaks no TLS that can be read; is the port that of plain http?";

/// What the library says of a certificate of the other side, or nothing where it speaks of something else.
pub(super) fn of_certificate(text: &str) -> Option<String> {
    let problem = text.strip_prefix(CERTIFICATE)?;
    if let Some(about) = problem.strip_prefix(VALID_FOR) {
        return Some(of_names(about));
    }
    let known = CERTIFICATES.iter().find(|(kind, _)| problem.contains(kind));
    let words = known.map_or(
        "the server's certificate cannot be used; have it made anew",
        |(_, words)| words,
    );
    Some(words.to_owned())
}

/// What the library or the system says of a connection.
pub(super) fn of_connection(text: &str) -> String {
    let known = CONNECTIONS.iter().find(|(kind, _)| text.starts_with(kind));
    known.map_or_else(|| shown(text), |(_, words)| (*words).to_owned())
}

/// The names that a certificate has: each stands in parentheses, behind the name of its kind.
fn of_names(about: &str) -> String {
    let names: Vec<&str> = about
        .split_once("only valid for ")
        .map_or("", |(_, names)| names)
        .split([' ', ','])
        .filter_map(|name| name.split_once('(')?.1.strip_suffix(')'))
        .map(|name| name.trim_matches('"'))
        .collect();
    if names.is_empty() {
        return format!(
            "{NAME}; it has none: make it with `-addext subjectAltName=DNS:HOST`, or `IP:ADDRESS`"
        );
    }
    format!("{NAME}; it has {}", shown(&names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_a_certificate_are_told_escaped_and_cut_short() {
        let text = |names: &str| {
            let names = format!(
                "{CERTIFICATE}{VALID_FOR}\"id.example\"; certificate is only valid for {names}"
            );
            of_certificate(&names).unwrap()
        };
        let one = text("DnsName(\"sso.example\")");
        assert!(one.ends_with("; it has sso.example"), "{one}");
        let several = text("DnsName(\"a.example\"), IpAddress(10.0.0.1) or DnsName(\"b\u{202e}\")");
        assert!(
            several.ends_with("; it has a.example, 10.0.0.1, b\\u{202e}"),
            "{several}"
        );
        assert!(text(&"DnsName(\"a.example\"), ".repeat(99)).len() < 300);
        let none = text("");
        assert!(none.contains("subjectAltName=DNS:HOST"), "{none}");
    }

    #[test]
    fn what_has_no_words_of_its_own_is_told_in_general() {
        let other = of_certificate("invalid peer certificate: Other(OtherError(Unheard([1, 2])))");
        assert!(!other.unwrap().contains("Other"));
        assert_eq!(
            of_certificate("received fatal alert: HandshakeFailure"),
            None
        );
        for text in [
            "received fatal alert: HandshakeFailure",
            "received corrupt message of type InvalidContentType",
        ] {
            let words = of_connection(text);
            assert!(
                words.contains("TLS") && !words.contains("Invalid"),
                "{words}"
            );
        }
        let system = "Connection refused (os error 111)";
        assert_eq!(of_connection(system), system);
    }
}
