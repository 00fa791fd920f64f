//! Which addresses may be asked, decided after a name is resolved and before anything is sent.
//!
//! A name is resolved once for each connection, and the addresses that were checked are those that are connected to: a
//! name that points elsewhere a moment later gains nothing.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::FetchError;

type Answer = Pin<Box<dyn Future<Output = Result<Vec<SocketAddr>, FetchError>> + Send>>;
type Lookup = Arc<dyn Fn(String) -> Answer + Send + Sync>;

/// Resolves names, and refuses addresses that their names have no business with.
pub(super) struct CheckedNames {
    configured: Arc<[String]>,
    lookup: Lookup,
}

impl CheckedNames {
    /// By the resolver of the system. The `configured` hosts may stand anywhere; a name learned from a document may not.
    pub(super) fn of_system(configured: Arc<[String]>) -> Self {
        let lookup: Lookup = Arc::new(|name| {
            Box::pin(async move {
                tokio::net::lookup_host((name, 0))
                    .await
                    .map(Iterator::collect)
                    .map_err(|_| FetchError::NameUnresolved)
            })
        });
        Self { configured, lookup }
    }
}

impl Resolve for CheckedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_ascii_lowercase();
        let configured = self.configured.contains(&name);
        let answer = (self.lookup)(name.clone());
        Box::pin(async move {
            let addresses = checked(&name, configured, answer.await?)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// All of them or none: one wrong address among right ones is a trap, not a mistake.
fn checked(
    name: &str,
    configured: bool,
    addresses: Vec<SocketAddr>,
) -> Result<Vec<SocketAddr>, FetchError> {
    if addresses.is_empty() {
        return Err(FetchError::NameUnresolved);
    }
    let right = |address: &SocketAddr| {
        let address = address.ip();
        if is_local_name(name) && !address.to_canonical().is_loopback() {
            // RFC 6761 §6.3: plain http is spoken to this name, so it must not leave the machine.
            return false;
        }
        configured || is_public(address)
    };
    if addresses.iter().all(right) {
        Ok(addresses)
    } else {
        Err(FetchError::AddressRefused)
    }
}

/// `localhost` and what stands below it (RFC 6761 §6.3).
pub(super) fn is_local_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    host == "localhost" || host.ends_with(".localhost")
}

/// An address of the public Internet: nothing private, local, reserved or for documentation (the special-purpose
/// registries of RFC 6890), also not within an IPv6 address that stands for one of IPv4.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || address.is_private()
        || (a == 100 && (64..128).contains(&b)) // RFC 6598, of carriers
        || address.is_loopback()
        || address.is_link_local()
        || (a == 192 && b == 0 && c == 0) // RFC 6890
        || (a == 192 && b == 88 && c == 99) // RFC 7526, once 6to4 relays
        || address.is_documentation()
        || (a == 198 && (b == 18 || b == 19)) // RFC 2544, benchmarks
        || a >= 224) // multicast, reserved, broadcast
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([w, x], [y, z]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(w, x, y, z))
    };
    match (a, b) {
        // RFC 4291 §2.5.5.2: an IPv4 address, mapped.
        (0, 0) if [c, d, e] == [0, 0, 0] && f == 0xffff => embedded(g, h),
        // RFC 6052: an IPv4 address behind a translator.
        (0x64, 0xff9b) if [c, d, e, f] == [0, 0, 0, 0] => embedded(g, h),
        // RFC 3056: 6to4.
        (0x2002, high) => embedded(high, c),
        // RFC 2928, 3849, 9637: protocols (Teredo among them) and documentation.
        (0x2001, low) if low < 0x200 || low == 0xdb8 => false,
        (0x3fff, low) if low < 0x1000 => false,
        // RFC 4291 §2.4: what is global begins with 001.
        _ => (0x2000..0x4000).contains(&a),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn private_local_and_reserved_addresses_are_not_public() {
        for address in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn addresses_of_the_internet_are_public() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "3fff:1000::1",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    fn addresses(all: &[&str]) -> Vec<SocketAddr> {
        all.iter()
            .map(|ip| SocketAddr::new(ip.parse().unwrap(), 0))
            .collect()
    }

    #[test]
    fn one_private_address_among_public_ones_is_refused() {
        let mixed = addresses(&["8.8.8.8", "10.0.0.1"]);
        assert_eq!(
            checked("keys.example", false, mixed.clone()),
            Err(FetchError::AddressRefused)
        );
        assert_eq!(checked("id.internal", true, mixed.clone()), Ok(mixed));
        assert_eq!(
            checked("keys.example", false, Vec::new()),
            Err(FetchError::NameUnresolved)
        );
    }

    #[test]
    fn localhost_is_this_machine_or_nothing() {
        for name in ["localhost", "id.localhost", "localhost."] {
            let elsewhere = addresses(&["8.8.8.8"]);
            assert_eq!(
                checked(name, true, elsewhere),
                Err(FetchError::AddressRefused)
            );
            let here = addresses(&["127.0.0.1", "::1"]);
            assert_eq!(checked(name, true, here.clone()), Ok(here));
        }
    }

    /// A name server that says something else at the second question.
    #[tokio::test]
    async fn a_name_that_points_inside_a_moment_later_is_resolved_once_and_checked_each_time() {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let names = CheckedNames {
            configured: Arc::from(["id.example".to_owned()]),
            lookup: Arc::new(move |_| {
                let first = counter.fetch_add(1, Ordering::SeqCst) == 0;
                let address = if first { "8.8.8.8" } else { "127.0.0.1" };
                Box::pin(async move { Ok(addresses(&[address])) })
            }),
        };
        let name = || "keys.example".parse().unwrap();
        let checked: Vec<_> = names.resolve(name()).await.ok().unwrap().collect();
        assert_eq!(
            (checked, asked.load(Ordering::SeqCst)),
            (addresses(&["8.8.8.8"]), 1)
        );
        let refused = names.resolve(name()).await.err().unwrap();
        assert_eq!(refused.downcast_ref(), Some(&FetchError::AddressRefused));
    }
}
