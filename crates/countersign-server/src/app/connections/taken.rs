//! Who holds which places, and whose connection ends for another's when all are taken.
//!
//! Places are shared out evenly as far as they are asked for: who comes new takes one of the network that holds most of those
//! that have a connection without a request, where that holds at least two more than who comes. There the connection ends
//! that was silent for longest; none is ended while it has a request, so that there may be nothing to take. What ends is
//! counted until it has ended, so that there are never more than a few connections above the places.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::oneshot;

use super::sites::Sites;
use crate::app::requests::Requests;
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

/// How many connections may be ending at once. What the server has files for beside its places is more than that.
const ENDING: usize = 32;

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

/// What a connection does.
#[derive(Debug)]
pub(super) struct Doing {
    requests: Requests,
    /// Whether something was written that the client does not take yet: over TLS, the end of an answer lies there.
    is_writing: AtomicBool,
    /// The turn at which bytes went over it for the last time. It says nothing of requests: HTTP/2 has pings, too.
    last: AtomicU64,
}

impl Doing {
    fn nothing(turn: u64) -> Self {
        Self {
            requests: Requests::none(),
            is_writing: AtomicBool::new(false),
            last: AtomicU64::new(turn),
        }
    }

    pub(super) const fn requests(&self) -> &Requests {
        &self.requests
    }

    pub(super) fn moved(&self, turn: u64) {
        self.last.store(turn, Ordering::Relaxed);
    }

    pub(super) fn writes(&self, is_writing: bool) {
        self.is_writing.store(is_writing, Ordering::Relaxed);
    }

    /// Whether a request is in flight: from when its head was read until its answer was written.
    pub(super) fn is_busy(&self) -> bool {
        self.is_writing.load(Ordering::Relaxed) || self.requests.is_any()
    }

    fn last(&self) -> u64 {
        self.last.load(Ordering::Relaxed)
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
    inside: usize,
    /// How many each network has.
    networks: HashMap<String, usize>,
    sites: Sites,
    /// Connections that have lost their place and have not ended yet.
    ending: BTreeSet<u64>,
    next: u64,
}

impl Taken {
    /// A place for `holder`; `None` when there is none.
    pub(super) fn give(&mut self, holder: Holder, turn: u64, limits: &Limits) -> Option<Given> {
        if let Holder::Network { network, site } = &holder {
            let of_network = self.networks.get(network).copied().unwrap_or_default();
            if of_network >= limits.of_one_network || self.sites.count(site) >= limits.of_one_site {
                return None;
            }
        }
        let from = if self.held.len() < limits.in_all {
            None
        } else {
            Some(self.make_room(&holder)?)
        };
        let number = self.next;
        self.next = number.wrapping_add(1);
        let doing = Arc::new(Doing::nothing(turn));
        let (end, lost) = oneshot::channel();
        self.count(&holder, number);
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
        self.ending.remove(&number);
        if let Some(held) = self.held.remove(&number) {
            self.count_no_more(&held.holder, number);
        }
    }

    /// Ends a connection of the site that holds most of those that have one to end, and tells which that was.
    fn make_room(&mut self, newcomer: &Holder) -> Option<String> {
        if self.ending.len() >= ENDING {
            return None;
        }
        let of_newcomer = match newcomer {
            Holder::Inside => self.inside,
            Holder::Network { site, .. } => self.sites.count(site),
        };
        let least = of_newcomer.saturating_add(2);
        let (site, number) = self.to_end(least)?;
        let held = self.held.remove(&number)?;
        self.count_no_more(&held.holder, number);
        self.ending.insert(number);
        held.doing.requests().end();
        // It may have ended by itself just now.
        let _ = held.end.send(());
        Some(site)
    }

    /// The connection to end, and its site, which has at least so many.
    fn to_end(&self, least: usize) -> Option<(String, u64)> {
        let holders = self.sites.by_count();
        let mut holders = holders.take_while(|(_, numbers)| numbers.len() >= least);
        holders.find_map(|(site, numbers)| Some((site.to_owned(), self.longest_silent(numbers)?)))
    }

    /// The one of these connections that was silent for longest of those without a request.
    fn longest_silent(&self, numbers: &BTreeSet<u64>) -> Option<u64> {
        let doing = numbers
            .iter()
            .filter_map(|number| Some((*number, &self.held.get(number)?.doing)));
        let idle = doing.filter(|(_, doing)| !doing.is_busy());
        idle.min_by_key(|(_, doing)| doing.last())
            .map(|(number, _)| number)
    }

    fn count(&mut self, holder: &Holder, number: u64) {
        match holder {
            Holder::Inside => self.inside = self.inside.saturating_add(1),
            Holder::Network { network, site } => {
                let count = self.networks.entry(network.clone()).or_default();
                *count = count.saturating_add(1);
                self.sites.add(site, number);
            }
        }
    }

    fn count_no_more(&mut self, holder: &Holder, number: u64) {
        match holder {
            Holder::Inside => self.inside = self.inside.saturating_sub(1),
            Holder::Network { network, site } => {
                if let Some(count) = self.networks.get_mut(network) {
                    *count = count.saturating_sub(1);
                    if *count == 0 {
                        self.networks.remove(network);
                    }
                }
                self.sites.remove(site, number);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
            && self.inside == 0
            && self.networks.is_empty()
            && self.sites.is_empty()
            && self.ending.is_empty()
    }
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
        let _asked = held[0].doing.requests().begin().unwrap();
        held[1].doing.moved(7);
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
    fn one_network_whose_connections_all_have_a_request_keeps_nobody_from_those_of_the_next() {
        let (mut taken, mut held) = full(["192.0.2.1", "198.51.100.1"]);
        let _asked: Vec<_> = held[..3]
            .iter()
            .map(|given| given.doing.requests().begin().unwrap())
            .collect();
        taken.give_back(held[5].number);
        give(&mut taken, "198.51.101.1", 8).unwrap();
        let newcomer = give(&mut taken, "203.0.113.1", 8).unwrap();
        assert_eq!(newcomer.from.as_deref(), Some("198.51.100.0/24"));
        assert_eq!(lost(&mut held), [3]);
        // One each is left there: nobody takes that.
        assert!(give(&mut taken, "203.0.114.1", 8).is_none());
    }

    #[test]
    fn what_ends_is_counted_until_it_has_ended() {
        let mut taken = Taken::default();
        let limits = Limits {
            in_all: 100,
            of_one_network: 100,
            of_one_site: 100,
        };
        let give = |taken: &mut Taken, peer: String| {
            taken.give(Holder::of(peer.parse().unwrap(), false), 0, &limits)
        };
        let held: Vec<_> = (0..100)
            .map(|_| give(&mut taken, "192.0.2.1".to_owned()).unwrap())
            .collect();
        let newcomers: Vec<_> = (0..40)
            .filter_map(|i| give(&mut taken, format!("198.51.{i}.1")))
            .collect();
        assert_eq!((newcomers.len(), taken.ending.len()), (ENDING, ENDING));
        taken.give_back(held[0].number);
        assert!(give(&mut taken, "203.0.113.1".to_owned()).is_some());
        for given in held.iter().chain(&newcomers) {
            taken.give_back(given.number);
        }
        assert_eq!((taken.ending.len(), taken.held.len()), (0, 1));
    }

    #[test]
    fn no_connection_ends_for_another_while_it_has_a_request() {
        let (mut taken, mut held) = full(["192.0.2.1", "198.51.100.1"]);
        let mut asked: Vec<_> = held
            .iter()
            .map(|given| given.doing.requests().begin().unwrap())
            .collect();
        // Bytes that go back and forth say nothing of it.
        held[0].doing.moved(0);
        assert!(give(&mut taken, "203.0.113.1", 8).is_none());
        asked.clear();
        for given in &held {
            given.doing.writes(true);
        }
        assert!(give(&mut taken, "203.0.113.1", 8).is_none());
        assert!(lost(&mut held).is_empty());
        for given in &held {
            given.doing.writes(false);
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
