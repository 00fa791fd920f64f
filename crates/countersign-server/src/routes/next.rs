//! Where a form leads afterwards: to a page of this server, and never to another origin.

use std::str::FromStr as _;

use http::uri::PathAndQuery;

const MAX_BYTES: usize = 2_048;

/// The path and query of a page here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Next(String);

impl Next {
    /// The front page.
    pub(crate) fn front() -> Self {
        Self("/".to_owned())
    }

    /// A path of this server as a request may name it; `None` for everything that some browser could read as an address
    /// elsewhere (`//`, `/\`, line breaks, which browsers drop), and for the addresses of forms, which are not to be
    /// opened.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_plain = text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !br#"\#<>""#.contains(&byte));
        if !text.starts_with('/') || text.len() > MAX_BYTES || !is_plain {
            return None;
        }
        let path = text.split('?').next().unwrap_or_default();
        let is_page = !path.contains("//") && !path.contains("/.") && !path.starts_with("/ui/");
        if !is_page || PathAndQuery::from_str(text).is_err() {
            return None;
        }
        Some(Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// As the value of a parameter of a query.
    pub(crate) fn escaped(&self) -> String {
        escape(&self.0)
    }
}

/// A text as the value of a parameter of a query: everything but unreserved characters and `/` escaped (RFC 3986 §2.3).
pub(crate) fn escape(value: &str) -> String {
    let mut text = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_paths_of_this_server() {
        for path in [
            "/",
            "/account",
            "/admin/users?email=a%40b.example&after=0199-x",
            "/inspect?next=//evil.example",
        ] {
            assert_eq!(Next::parse(path).unwrap().as_str(), path);
        }
    }

    #[test]
    fn rejects_what_could_lead_to_another_origin() {
        let long = format!("/{}", "a".repeat(MAX_BYTES));
        for text in [
            "",
            "account",
            "https://evil.example",
            "https:evil.example",
            "javascript:alert(1)",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/a\\b",
            "/\t/evil.example",
            "/\n/evil.example",
            "\t//evil.example",
            " /account",
            "/account\r\nlocation: https://evil.example",
            "/.//evil.example",
            "/..//evil.example",
            "/x/../..//evil.example",
            "/a//evil.example",
            "/./account",
            "/\u{2f}/evil.example",
            "/\u{ff0f}evil.example",
            "/ä",
            "/\0",
            "/#//evil.example",
            "/<script>",
            "/\"onclick=",
            "/ui/log-out",
            "?next=/",
            "@evil.example",
            ":80",
            &long,
        ] {
            assert_eq!(Next::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn escapes_what_a_query_would_read_otherwise() {
        let next = Next::parse("/admin/users?email=a%40b&x=1+2").unwrap();
        assert_eq!(next.escaped(), "/admin/users%3Femail%3Da%2540b%26x%3D1%2B2");
    }
}
