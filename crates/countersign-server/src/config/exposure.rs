//! What others may reach, and what they would send there in the clear.

use std::net::{IpAddr, SocketAddr};

use super::TlsFiles;
use super::given::Given;
use crate::error::Error;
use crate::rules::proxies::Proxies;

/// Refuses a listener that others can reach, and to which they would send passwords in the clear.
///
/// # Errors
/// [`Error::SettingInvalid`] with all that is missing.
pub(super) fn refuse_what_must_not_go_live(
    given: &Given,
    listen: SocketAddr,
    public_url: Option<&str>,
    tls: &Option<TlsFiles>,
    proxies: &Proxies,
) -> Result<(), Error> {
    let is_https = |url: &str| url.starts_with("https://");
    if let (Some(url), Some(place), Some(_)) = (public_url, given.one("public_url"), tls)
        && !is_https(url)
    {
        return Err(
            place.invalid("a server with a certificate is reached under https://…; write that")
        );
    }
    // By default the server listens on loopback: without a place there is nothing to refuse. A good URL is not to blame.
    let bad_url = given
        .one("public_url")
        .filter(|_| !public_url.is_some_and(is_https));
    let place = bad_url.or_else(|| given.one("listen"));
    let Some(place) = place.filter(|_| !listen.ip().is_loopback()) else {
        return Ok(());
    };
    // All that is missing at once.
    let url = (!public_url.is_some_and(is_https))
        .then(|| format!("{} to https://…", place.spelled("public_url")));
    let encryption = (tls.is_none() && proxies.is_empty()).then(|| {
        format!(
            "{} and {}, or, where a proxy speaks TLS before this server, {} to its address",
            place.spelled("tls_cert"),
            place.spelled("tls_key"),
            place.spelled("trusted_proxy")
        )
    });
    let why = match (&url, &encryption) {
        (None, None) => return Ok(()),
        (Some(_), None) => "and this server does not know its own address, which is in every token",
        _ => "and without TLS passwords and tokens travel in the clear",
    };
    let missing: Vec<String> = url.into_iter().chain(encryption).collect();
    Err(place.invalid(format!(
        "others can reach {listen}, {why}; set {}; or listen on 127.0.0.1",
        missing.join(", and ")
    )))
}

/// Whether a public URL is plain http and names another machine than this.
pub(super) fn is_plain_elsewhere(url: &str) -> bool {
    url.strip_prefix("http://").is_some_and(|rest| {
        let host = rest.split('/').next().unwrap_or_default();
        !is_this_machine(host)
    })
}

/// Whether a host, with or without a port, is a loopback address or a name of one.
fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => host.split(':').next(),
    };
    let name = name.unwrap_or_default().to_ascii_lowercase();
    let address = name.parse::<IpAddr>();
    address.is_ok_and(|address| address.is_loopback())
        || name == "localhost"
        || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_names_of_this_machine() {
        for (url, is_elsewhere) in [
            ("http://127.0.0.1:8080", false),
            ("http://127.8.0.1", false),
            ("http://[::1]:8080/path", false),
            ("http://localhost", false),
            ("http://app.LOCALHOST:3000", false),
            ("http://id.example", true),
            ("http://10.0.0.5:8080", true),
            ("http://[2001:db8::1]", true),
            ("http://localhost.example", true),
            ("https://id.example", false),
        ] {
            assert_eq!(is_plain_elsewhere(url), is_elsewhere, "{url}");
        }
    }
}
