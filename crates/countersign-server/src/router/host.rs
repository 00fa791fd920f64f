//! By which names a listener of this machine alone may be asked: a page of another site that had its own name point at this
//! machine is refused (DNS rebinding).

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::extract::Request;
use http::Uri;
use http::header::HOST;

use crate::error::Error;

/// The names, as clients write them into `Host`.
#[derive(Clone, Debug)]
pub(crate) struct Hosts {
    /// With their ports.
    own: Vec<String>,
    /// That of the public URL, with whatever port a proxy writes behind it.
    public: Option<String>,
    /// Where it may be asked, for whoever asked elsewhere.
    url: String,
    advice: &'static str,
}

impl Hosts {
    /// The one address that was bound, over plain http.
    pub(super) fn only(address: SocketAddr) -> Self {
        Self {
            own: with_port(&address.to_string(), address.port(), false),
            public: None,
            url: format!("http://{address}/"),
            advice: "",
        }
    }

    /// Those of a server that only this machine reaches, among them the one of its public URL: a proxy in front of it may pass
    /// on either. `None` where others reach it, under names that nobody here knows.
    pub(crate) fn of_server(
        bound: SocketAddr,
        https: bool,
        public_url: Option<&str>,
    ) -> Option<Self> {
        if !bound.ip().is_loopback() {
            return None;
        }
        let port = bound.port();
        let addresses = [
            bound,
            (Ipv4Addr::LOCALHOST, port).into(),
            (Ipv6Addr::LOCALHOST, port).into(),
        ];
        let names = addresses.iter().map(SocketAddr::to_string);
        let names = names.chain([format!("localhost:{port}")]);
        let scheme = if https { "https" } else { "http" };
        let public: Option<Uri> = public_url.and_then(|url| url.parse().ok());
        Some(Self {
            own: names
                .flat_map(|name| with_port(&name, port, https))
                .collect(),
            public: public.and_then(|url| url.host().map(str::to_owned)),
            url: public_url.map_or_else(
                || format!("{scheme}://{bound}/"),
                |url| format!("{}/", url.trim_end_matches('/')),
            ),
            advice: ", or set `public_url` to where a proxy passes this server on",
        })
    }

    /// Refuses a request that does not name its host once, or names another.
    ///
    /// # Errors
    /// [`Error::ForeignHost`].
    pub(super) fn check(&self, request: &Request) -> Result<(), Error> {
        let mut hosts = request.headers().get_all(HOST).iter();
        let in_header = hosts.next().map(|host| host.as_bytes());
        // In an address that is whole (RFC 9112 §3.2.2), and over HTTP/2, stands the host that counts.
        let in_address = request.uri().authority();
        let in_address = in_address.map(|host| host.as_str().as_bytes());
        let named = [in_header, in_address];
        let is_named = named.iter().any(Option::is_some);
        let is_ours = named.iter().flatten().all(|host| self.contains(host));
        if is_named && is_ours && hosts.next().is_none() {
            return Ok(());
        }
        Err(Error::ForeignHost {
            url: self.url.clone(),
            advice: self.advice,
        })
    }

    fn contains(&self, host: &[u8]) -> bool {
        let is_own = |own: &String| host.eq_ignore_ascii_case(own.as_bytes());
        self.own.iter().any(is_own)
            || self
                .public
                .as_ref()
                .is_some_and(|public| is_at_some_port(host, public.as_bytes()))
    }
}

/// A name with its port, and without where clients leave it off (RFC 9110 §4.2).
fn with_port(name: &str, port: u16, https: bool) -> Vec<String> {
    let usual = if https { 443 } else { 80 };
    let bare = name.strip_suffix(&format!(":{port}"));
    let bare = bare.filter(|_| port == usual).map(str::to_owned);
    bare.into_iter().chain([name.to_owned()]).collect()
}

fn is_at_some_port(host: &[u8], name: &[u8]) -> bool {
    let Some((start, rest)) = host.split_at_checked(name.len()) else {
        return false;
    };
    let is_port = |rest: &[u8]| match rest {
        [] => true,
        [b':', port @ ..] => port.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    start.eq_ignore_ascii_case(name) && is_port(rest)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn is_answered(hosts: &Hosts, named: &[&str], target: &str) -> bool {
        let request = Request::get(target);
        let request = named
            .iter()
            .fold(request, |request, host| request.header(HOST, *host));
        hosts.check(&request.body(Body::empty()).unwrap()).is_ok()
    }

    fn server(bound: &str, https: bool, public_url: Option<&str>) -> Hosts {
        Hosts::of_server(bound.parse().unwrap(), https, public_url).unwrap()
    }

    #[test]
    fn accepts_the_names_of_this_machine_with_the_port_of_the_listener() {
        let hosts = server("127.0.0.2:8080", false, None);
        for host in [
            "127.0.0.1:8080",
            "127.0.0.2:8080",
            "[::1]:8080",
            "localhost:8080",
            "LocalHost:8080",
        ] {
            assert!(is_answered(&hosts, &[host], "/login"), "{host}");
            let whole = format!("http://{host}/login");
            assert!(is_answered(&hosts, &[], &whole), "{host}");
        }
    }

    #[test]
    fn rejects_every_other_name_and_what_names_none_or_two() {
        for public_url in [None, Some("https://id.example")] {
            let hosts = server("127.0.0.1:8080", false, public_url);
            for host in [
                "evil.example:8080",
                "evil.example",
                "127.0.0.1",
                "localhost",
                "localhost:8081",
                "localhost:8080.evil.example",
                "127.0.0.1:8080@evil.example",
                "id.example.evil.example",
                "id.example:x",
                "",
            ] {
                assert!(!is_answered(&hosts, &[host], "/login"), "{host}");
            }
            assert!(!is_answered(&hosts, &[], "/login"));
            let two = ["localhost:8080", "localhost:8080"];
            assert!(!is_answered(&hosts, &two, "/login"));
            let evil = "http://evil.example:8080/login";
            assert!(!is_answered(&hosts, &["localhost:8080"], evil));
        }
    }

    #[test]
    fn accepts_the_host_of_the_public_url_behind_a_proxy() {
        let hosts = server("127.0.0.1:8080", false, Some("https://id.example/auth"));
        for host in [
            "id.example",
            "id.example:443",
            "ID.example",
            "localhost:8080",
        ] {
            assert!(is_answered(&hosts, &[host], "/"), "{host}");
        }
    }

    #[test]
    fn accepts_a_name_without_the_port_that_clients_leave_off() {
        let plain = server("127.0.0.1:80", false, None);
        let tls = server("[::1]:443", true, None);
        let lone = Hosts::only("127.0.0.1:80".parse().unwrap());
        for host in ["127.0.0.1", "127.0.0.1:80"] {
            assert!(is_answered(&plain, &[host], "/"), "{host}");
            assert!(is_answered(&lone, &[host], "/"), "{host}");
        }
        assert!(!is_answered(&tls, &["127.0.0.1:80"], "/"));
        assert!(is_answered(&tls, &["[::1]"], "/"));
        assert!(is_answered(&tls, &["localhost"], "/"));
        assert!(!is_answered(&lone, &["localhost"], "/"));
        let swapped = server("127.0.0.1:443", false, None);
        assert!(!is_answered(&swapped, &["127.0.0.1"], "/"));
    }

    #[test]
    fn a_listener_for_others_is_asked_by_names_that_nobody_here_knows() {
        for bound in ["0.0.0.0:8080", "10.0.0.9:443", "[2001:db8::1]:443"] {
            let bound = bound.parse().unwrap();
            assert!(Hosts::of_server(bound, true, Some("https://id.example")).is_none());
        }
    }
}
