//! Who holds which places, and whose connection ends for another's when all are taken.
//!
//! Places are shared out evenly as far as they are asked for: who comes new takes one of the network that holds most, where
//! that holds at least two more than who comes. There the connection ends that has nothing asked and was silent for longest.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::oneshot;

use crate::rules::address;

/// How many places there are, in all and for whom.
#[derive(Debug)]
pub(super) struct Limits {
    pub(super) in_all: usize,
    /// A /24, or a /64 of IPv6.
    pub(super) of_one_network: usize,
    /// A /48 of IPv6, which is what a site commonly has, and some providers give to each customer.
    pub(super) of_one_site: usize,
}

/// Whose a place is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// A proxy, or somebody inside, who may be many: not limited by network, and no place is taken away.
    Inside,
    Network {
        network: String,
        /// The same for IPv4.
        site: String,
    },
}

impl Holder {
    pub(super) fn of(peer: IpAddr, is_inside: bool) -> Self {
        if is_inside {
            return Self::Inside;
        }
        Self::Network {
            network: address::prefix(peer),
            site: address::site(peer),
        }
    }
}

/// What a connection does, as far as its bytes tell.
#[derive(Debug, Default)]
pub(super) struct Doing {
    /// Something was asked that is not answered yet.
    is_asked: AtomicBool,
    /// The turn at which bytes went over it for the last time.
    last: AtomicU64,
}

impl Doing {
    pub(super) fn moved(&self, is_asked: bool, turn: u64) {
        self.is_asked.store(is_asked, Ordering::Relaxed);
        self.last.store(turn, Ordering::Relaxed);
    }

    /// The lowest ends first.
    fn rank(&self) -> (bool, u64) {
        let last = self.last.load(Ordering::Relaxed);
        (self.is_asked.load(Ordering::Relaxed), last)
    }
}

/// One place that is taken.
#[derive(Debug)]
struct Held {
    holder: Holder,
    doing: Arc<Doing>,
    /// Tells the connection that it has lost its place.
    end: oneshot::Sender<()>,
}

/// A place for a new connection.
pub(super) struct Given {
    pub(super) number: u64,
    pub(super) doing: Arc<Doing>,
    pub(super) lost: oneshot::Receiver<()>,
    /// The site that it was taken from, where all were taken.
    pub(super) from: Option<String>,
}

/// Every place that is taken.
#[derive(Debug, Default)]
pub(super) struct Taken {
    held: BTreeMap<u64, Held>,
    /// How many each network has, and each site that is more than one network.
    counts: HashMap<String, usize>,
    next: u64,
}

impl Taken {
    /// A place for `holder`; `None` when there is none.
    pub(super) fn give(&mut self, holder: Holder, turn: u64, limits: &Limits) -> Option<Given> {
        if let Holder::Network { network, site } = &holder
            && (self.count(network) >= limits.of_one_network
                || self.count(site) >= limits.of_one_site)
        {
            return None;
        }
        let from = if self.held.len() < limits.in_all {
            None
        } else {
            Some(self.make_room(&holder)?)
        };
        let number = self.next;
        self.next = number.wrapping_add(1);
        let doing = Arc::new(Doing::default());
        doing.moved(false, turn);
        let (end, lost) = oneshot::channel();
        self.add(&holder);
        let held = Held {
            holder,
            doing: Arc::clone(&doing),
            end,
        };
        self.held.insert(number, held);
        Some(Given {
            number,
            doing,
            lost,
            from,
        })
    }

    /// Takes a place back, unless it is another's already.
    pub(super) fn give_back(&mut self, number: u64) {
        if let Some(held) = self.held.remove(&number) {
            self.subtract(&held.holder);
        }
    }

    /// Ends a connection of the site that holds most, and tells which that was.
    fn make_room(&mut self, newcomer: &Holder) -> Option<String> {
        let mut sites: HashMap<&str, usize> = HashMap::new();
        let mut of_newcomer: usize = 0;
        for held in self.held.values() {
            if let Holder::Network { site, .. } = &held.holder {
                let count = sites.entry(site).or_default();
                *count = count.saturating_add(1);
            }
            let is_same = match (&held.holder, newcomer) {
                (Holder::Network { site, .. }, Holder::Network { site: own, .. }) => site == own,
                (held, newcomer) => held == newcomer,
            };
            of_newcomer = of_newcomer.saturating_add(usize::from(is_same));
        }
        let (site, most) = sites.into_iter().max_by_key(|(_, count)| *count)?;
        if most <= of_newcomer.saturating_add(1) {
            return None;
        }
        let site = site.to_owned();
        let of_site = self.held.iter().filter(
            |(_, held)| matches!(&held.holder, Holder::Network { site: of, .. } if *of == site),
        );
        let (number, _) = of_site.min_by_key(|(_, held)| held.doing.rank())?;
        let number = *number;
        let held = self.held.remove(&number)?;
        self.subtract(&held.holder);
        // It may have ended by itself just now.
        let _ = held.end.send(());
        Some(site)
    }

    fn count(&self, network: &str) -> usize {
        self.counts.get(network).copied().unwrap_or_default()
    }

    fn add(&mut self, holder: &Holder) {
        for network in counted(holder) {
            let count = self.counts.entry(network.to_owned()).or_default();
            *count = count.saturating_add(1);
        }
    }

    fn subtract(&mut self, holder: &Holder) {
        for network in counted(holder) {
            let Some(count) = self.counts.get_mut(network) else {
                continue;
            };
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.counts.remove(network);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty() && self.counts.is_empty()
    }
}

/// Where a place of `holder` is counted: once where network and site are the same.
fn counted(holder: &Holder) -> impl Iterator<Item = &str> {
    let (network, site) = match holder {
        Holder::Inside => (None, None),
        Holder::Network { network, site } => {
            (Some(network), Some(site).filter(|site| *site != network))
        }
    };
    network.into_iter().chain(site).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        in_all: 6,
        of_one_network: 3,
        of_one_site: 4,
    };

    fn give(taken: &mut Taken, peer: &str, turn: u64) -> Option<Given> {
        let peer = peer.parse().unwrap();
        taken.give(Holder::of(peer, address::is_internal(peer)), turn, &LIMITS)
    }

    /// All six places, three of each of two networks, the first the longest silent.
    fn full(networks: [&str; 2]) -> (Taken, Vec<Given>) {
        let mut taken = Taken::default();
        let given = (0..6)
            .map(|turn| {
                let network = networks[usize::from(turn >= 3)];
                give(&mut taken, network, turn).unwrap()
            })
            .collect();
        (taken, given)
    }

    fn lost(given: &mut [Given]) -> Vec<usize> {
        let mut lost = Vec::new();
        for (at, given) in given.iter_mut().enumerate() {
            if given.lost.try_recv().is_ok() {
                lost.push(at);
            }
        }
        lost
    }

    #[test]
    fn one_site_of_ipv6_cannot_take_every_place_by_its_networks() {
        let mut taken = Taken::default();
        let held: Vec<_> = (0..4)
            .map(|i| give(&mut taken, &format!("2001:db8:7:{i}::1"), 0).unwrap())
            .collect();
        assert!(give(&mut taken, "2001:db8:7:9::1", 0).is_none());
        assert!(give(&mut taken, "2001:db8:8:9::1", 0).is_some());
        taken.give_back(held[0].number);
        assert!(give(&mut taken, "2001:db8:7:9::1", 0).is_some());
    }

    #[test]
    fn who_holds_none_takes_the_place_that_was_silent_for_longest_of_those_who_hold_most() {
        let (mut taken, mut held) = full(["192.0.2.1", "198.51.100.1"]);
        // The first is asked for something, the second has spoken just now.
        held[0].doing.moved(true, 0);
        held[1].doing.moved(false, 7);
        for turn in [3, 4, 5] {
            held[turn].doing.moved(true, 9);
        }
        taken.give_back(held[5].number);
        give(&mut taken, "198.51.101.1", 8).unwrap();
        let newcomer = give(&mut taken, "203.0.113.1", 8).unwrap();
        assert_eq!(newcomer.from.as_deref(), Some("192.0.2.0/24"));
        assert_eq!(lost(&mut held), [2]);
        assert_eq!(taken.held.len(), LIMITS.in_all);
        // Given back late, it takes nobody's place from them.
        taken.give_back(held[2].number);
        assert_eq!(taken.held.len(), LIMITS.in_all);
    }

    #[test]
    fn a_connection_that_is_asked_for_something_ends_only_where_no_other_is_left() {
        let (mut taken, mut held) = full(["192.0.2.1", "198.51.100.1"]);
        for given in &held {
            given.doing.moved(true, 7);
        }
        assert!(give(&mut taken, "203.0.113.1", 8).is_some());
        assert_eq!(lost(&mut held).len(), 1);
    }

    #[test]
    fn places_are_shared_and_nobody_takes_one_of_who_holds_no_more() {
        let (mut taken, mut held) = full(["192.0.2.1", "198.51.100.1"]);
        let newcomers: Vec<_> = (0..9)
            .filter_map(|turn| give(&mut taken, "203.0.113.1", turn))
            .collect();
        assert_eq!((newcomers.len(), lost(&mut held).len()), (2, 2));
        // Two each by now; whoever holds none takes one, and the next finds no two anywhere.
        let others: Vec<_> = (1..9)
            .filter_map(|i| give(&mut taken, &format!("203.0.{i}.1"), 9))
            .collect();
        assert_eq!(others.len(), 3);
    }

    #[test]
    fn a_site_of_ipv6_is_one_holder_whatever_its_networks() {
        let mut taken = Taken::default();
        let _site: Vec<_> = (0..4)
            .map(|i| give(&mut taken, &format!("2001:db8:7:{i}::1"), 0).unwrap())
            .collect();
        let _others = ["192.0.2.1", "198.51.100.1"].map(|peer| give(&mut taken, peer, 0).unwrap());
        let newcomer = give(&mut taken, "203.0.113.1", 1).unwrap();
        assert_eq!(newcomer.from.as_deref(), Some("2001:db8:7::/48"));
    }

    #[test]
    fn a_proxy_loses_no_place_and_takes_its_share() {
        let mut taken = Taken::default();
        let mut proxy: Vec<_> = (0..4)
            .map(|turn| give(&mut taken, "10.0.0.1", turn).unwrap())
            .collect();
        let mut held: Vec<_> = (0..2)
            .map(|turn| give(&mut taken, "192.0.2.1", turn).unwrap())
            .collect();
        assert!(give(&mut taken, "10.0.0.1", 9).is_none(), "it has more");
        assert!(give(&mut taken, "203.0.113.1", 9).is_some());
        assert!(give(&mut taken, "203.0.114.1", 9).is_none());
        assert_eq!((lost(&mut proxy), lost(&mut held)), (vec![], vec![0]));
    }

    #[test]
    fn nothing_is_kept_of_who_has_gone() {
        let (mut taken, held) = full(["2001:db8:7:1::1", "198.51.100.1"]);
        assert!(!taken.is_empty());
        for given in held {
            taken.give_back(given.number);
        }
        assert!(taken.is_empty());
    }
}
