//! Who a client is, where proxies stand before the server: only they are believed, and only about what they saw.
//!
//! Each proxy adds the address that it was called from at the end of a list. The list is read from its end, for as long as
//! the address that wrote an entry is one of ours; the first that is not is the client. Whatever stands further left
//! may have been made up by the client.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

/// A network: an address and how many of its first bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    fn contains(self, address: IpAddr) -> bool {
        let whole: u8 = match (self.address, address) {
            (IpAddr::V4(_), IpAddr::V4(_)) => 32,
            (IpAddr::V6(_), IpAddr::V6(_)) => 128,
            _ => return false,
        };
        let differs = number(self.address) ^ number(address);
        let rest = u32::from(whole.saturating_sub(self.bits));
        differs.checked_shr(rest).unwrap_or(0) == 0
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

impl FromStr for Network {
    type Err = ();

    /// An address alone, or with a number of bits behind which it has none.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, bits) = text
            .split_once('/')
            .map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| ())?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => whole,
            Some(bits) => {
                let read: u8 = bits.parse().map_err(|_| ())?;
                if read > whole || read.to_string() != bits {
                    return Err(());
                }
                read
            }
        };
        let rest = u32::from(whole.saturating_sub(bits));
        let beyond = number(address)
            & 1_u128
                .checked_shl(rest)
                .map_or(u128::MAX, |bit| bit.wrapping_sub(1));
        if beyond != 0 {
            return Err(());
        }
        // An IPv4 network as IPv6 spells it (RFC 4291 §2.5.5.2) has its bits after the first 96.
        let canonical = address.to_canonical();
        if address.is_ipv6() && canonical.is_ipv4() {
            let bits = bits.checked_sub(96).ok_or(())?;
            return Ok(Self {
                address: canonical,
                bits,
            });
        }
        Ok(Self { address, bits })
    }
}

/// The proxies that are believed; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proxies(Arc<[Network]>);

impl Proxies {
    pub(crate) fn new(networks: impl IntoIterator<Item = Network>) -> Self {
        Self(networks.into_iter().collect())
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this is the address of one of them.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(address))
    }

    /// The client of a connection from `peer` that came with this list, its last entry last.
    pub(crate) fn client<'l>(
        &self,
        peer: IpAddr,
        list: impl DoubleEndedIterator<Item = &'l str>,
    ) -> IpAddr {
        let mut client = peer;
        for entry in list.rev() {
            if !self.contains(client) {
                break;
            }
            // What is no address was not written by a proxy of ours: the last one that was seen stands for the client.
            let Some(before) = address(entry) else { break };
            client = before;
        }
        client
    }
}

/// An address as proxies write it: alone, in brackets, with or without a port.
fn address(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    if let Ok(address) = entry.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    if let Ok(with_port) = entry.parse::<std::net::SocketAddr>() {
        return Some(with_port.ip().to_canonical());
    }
    let bare = entry.strip_prefix('[')?.strip_suffix(']')?;
    bare.parse()
        .ok()
        .map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies() -> Proxies {
        Proxies::new(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"].map(|text| text.parse().unwrap()))
    }

    fn client(peer: &str, list: &[&str]) -> String {
        let list = list.iter().copied();
        proxies().client(peer.parse().unwrap(), list).to_string()
    }

    #[test]
    fn the_client_is_the_rightmost_address_that_is_none_of_ours() {
        for (peer, list, expected) in [
            ("10.0.0.1", &["203.0.113.9"] as &[&str], "203.0.113.9"),
            ("10.0.0.1", &["1.2.3.4", "203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9", "10.9.9.9"], "203.0.113.9"),
            (
                "10.0.0.1",
                &["1.2.3.4", "203.0.113.9", "192.0.2.7", "10.9.9.9"],
                "203.0.113.9",
            ),
            ("2001:db8::1", &["203.0.113.9:4711"], "203.0.113.9"),
            ("::ffff:10.0.0.1", &["[2001:db9::1]:443"], "2001:db9::1"),
            ("10.0.0.1", &["[2001:db9::1]"], "2001:db9::1"),
            ("10.0.0.1", &[" ::ffff:203.0.113.9 "], "203.0.113.9"),
            // All of them ours: the one that is furthest away.
            ("10.0.0.1", &["10.0.0.3", "10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", &[], "10.0.0.1"),
        ] {
            assert_eq!(client(peer, list), expected, "{peer} {list:?}");
        }
    }

    #[test]
    fn a_network_of_ipv4_can_be_written_as_ipv6_spells_it() {
        for (mapped, plain) in [
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:192.0.2.7/128", "192.0.2.7/32"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
        ] {
            assert_eq!(mapped.parse::<Network>(), plain.parse(), "{mapped}");
        }
        assert!("::ffff:10.0.0.0/95".parse::<Network>().is_err());
    }

    #[test]
    fn nobody_else_is_believed() {
        for peer in [
            "203.0.113.9",
            "192.0.2.8",
            "11.0.0.1",
            "2001:db9::1",
            "127.0.0.1",
        ] {
            assert_eq!(client(peer, &["10.0.0.1", "1.2.3.4"]), peer);
        }
        let none = Proxies::default();
        let peer = "10.0.0.1".parse().unwrap();
        assert_eq!(none.client(peer, ["1.2.3.4"].into_iter()), peer);
    }

    #[test]
    fn what_is_no_address_ends_the_list() {
        for entry in [
            "unknown",
            "",
            "1.2.3.4.5",
            "evil\r\nx: y",
            "_hidden",
            "1.2.3.4, 5.6.7.8",
        ] {
            assert_eq!(
                client("10.0.0.1", &["203.0.113.9", entry]),
                "10.0.0.1",
                "{entry}"
            );
            assert_eq!(
                client("10.0.0.1", &["203.0.113.9", entry, "10.0.0.2"]),
                "10.0.0.2"
            );
        }
    }

    #[test]
    fn a_network_is_written_without_bits_beyond_it() {
        for (text, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("0.0.0.0/0", "203.0.113.9", "::1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("192.0.2.6/31", "192.0.2.7", "192.0.2.8"),
            ("::/0", "2001:db8::1", "10.0.0.1"),
            ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"),
        ] {
            let network: Network = text.parse().unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{text}");
            assert!(!network.contains(outside.parse().unwrap()), "{text}");
        }
        for text in [
            "10.0.0.1/8",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "x",
            "",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
