//! URIs in one form, so that two spellings of one request are equal (RFC 9449 §4.3, RFC 3986 §6.2.2 and §6.2.3).

/// Without query and fragment; scheme and host in lower case; the default port left out; an empty path as `/`; escapes in
/// upper case, and none where the letter needs none. Dot segments stay: who writes them is refused.
pub(crate) fn normal_form(uri: &str) -> String {
    let uri = uri.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = uri.split_once("://") else {
        return uri.to_owned();
    };
    let scheme = scheme.to_ascii_lowercase();
    let at = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(at).unwrap_or((rest, ""));
    let authority = authority.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => ":",
    };
    let authority = authority
        .strip_suffix(default_port)
        .or_else(|| authority.strip_suffix(':'))
        .unwrap_or(&authority);
    let path = if path.is_empty() { "/" } else { path };
    format!("{scheme}://{authority}{}", escapes(path))
}

/// RFC 3986 §6.2.2.1 and §6.2.2.2.
fn escapes(path: &str) -> String {
    let mut parts = path.split('%');
    let mut normal = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (hex, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        match u8::from_str_radix(hex, 16) {
            Ok(octet) if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) => {
                normal.push(char::from(octet));
            }
            _ => {
                normal.push('%');
                normal.push_str(&hex.to_ascii_uppercase());
            }
        }
        normal.push_str(rest);
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_request_have_one_form() {
        for uri in [
            "https://api.example/a%20b/~c",
            "HTTPS://API.example:443/a%20b/%7Ec",
            "https://api.example:/a%20b/%7ec?q=1#f",
        ] {
            assert_eq!(normal_form(uri), "https://api.example/a%20b/~c", "{uri}");
        }
        assert_eq!(normal_form("http://[::1]:80"), "http://[::1]/");
    }

    #[test]
    fn other_requests_have_other_forms() {
        let form = normal_form("https://api.example/a");
        for uri in [
            "http://api.example/a",
            "https://api.example:8443/a",
            "https://api.example:80/a",
            "https://api.example/A",
            "https://api.example/a/",
            "https://api.example/b/../a",
            "https://api.example/a%2F",
            "https://u@api.example/a",
            "https://api.example.evil/a",
            "api.example/a",
            "",
        ] {
            assert_ne!(normal_form(uri), form, "{uri}");
        }
    }

    #[test]
    fn odd_escapes_do_not_panic() {
        for uri in [
            "https://a/%",
            "https://a/%4",
            "https://a/%é",
            "https://a/%%41",
            "%",
            "://",
            "a:///",
        ] {
            let once = normal_form(uri);
            assert_eq!(normal_form(&once), once, "{uri}");
        }
    }
}
