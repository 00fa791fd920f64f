//! The network that a client speaks from: what is limited and what a person is shown, never the whole address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The network of an address: /24 for IPv4, /64 for IPv6, which is what one customer commonly has.
pub(crate) fn prefix(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{}/24", Ipv4Addr::new(a, b, c, 0))
        }
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// The site of an address: /48 for IPv6, out of which somebody may have all the networks; for IPv4 the same as [`prefix`].
pub(crate) fn site(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(_) => prefix(address),
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

/// Whether an address is of this machine or of a private network: on the internet, a proxy's and not a client's.
pub(crate) fn is_internal(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_known_by_its_network() {
        for (address, network, its_site) in [
            ("192.0.2.77", "192.0.2.0/24", "192.0.2.0/24"),
            ("::ffff:192.0.2.77", "192.0.2.0/24", "192.0.2.0/24"),
            (
                "2001:db8:1:2:3:4:5:6",
                "2001:db8:1:2::/64",
                "2001:db8:1::/48",
            ),
            ("::1", "::/64", "::/48"),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(
                (prefix(address), site(address)),
                (network.into(), its_site.into())
            );
        }
    }

    #[test]
    fn internal_addresses_are_told_from_those_of_the_internet() {
        let is_internal = |text: &str| is_internal(text.parse().unwrap());
        for address in [
            "127.0.0.1",
            "127.9.9.9",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.0.1",
            "::1",
            "::ffff:10.1.2.3",
            "fd00::1",
            "fe80::1",
        ] {
            assert!(is_internal(address), "{address}");
        }
        for address in ["192.0.2.1", "172.32.0.1", "8.8.8.8", "2001:db8::1"] {
            assert!(!is_internal(address), "{address}");
        }
    }
}
