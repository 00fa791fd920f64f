//! Which connections each site has, and which site has most: found without going over all of them, for it is asked for every
//! newcomer who finds all places taken.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

#[derive(Debug, Default)]
pub(super) struct Sites {
    numbers: HashMap<Arc<str>, BTreeSet<u64>>,
    /// The same by how many there are, the most last.
    by_count: BTreeSet<(usize, Arc<str>)>,
}

impl Sites {
    pub(super) fn count(&self, site: &str) -> usize {
        self.numbers.get(site).map_or(0, BTreeSet::len)
    }

    pub(super) fn add(&mut self, site: &str, number: u64) {
        let (site, mut numbers) = self.take(site);
        numbers.insert(number);
        self.put(site, numbers);
    }

    pub(super) fn remove(&mut self, site: &str, number: u64) {
        let (site, mut numbers) = self.take(site);
        numbers.remove(&number);
        self.put(site, numbers);
    }

    /// The sites and their connections, first the site that has most.
    pub(super) fn by_count(&self) -> impl Iterator<Item = (&str, &BTreeSet<u64>)> {
        let sites = self.by_count.iter().rev();
        sites.filter_map(|(_, site)| Some((&**site, self.numbers.get(site)?)))
    }

    fn take(&mut self, site: &str) -> (Arc<str>, BTreeSet<u64>) {
        match self.numbers.remove_entry(site) {
            Some((site, numbers)) => {
                let counted = (numbers.len(), site);
                self.by_count.remove(&counted);
                (counted.1, numbers)
            }
            None => (site.into(), BTreeSet::new()),
        }
    }

    fn put(&mut self, site: Arc<str>, numbers: BTreeSet<u64>) {
        if !numbers.is_empty() {
            self.by_count.insert((numbers.len(), Arc::clone(&site)));
            self.numbers.insert(site, numbers);
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.numbers.is_empty() && self.by_count.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_site_that_has_most_is_known_whoever_comes_and_goes() {
        let mut sites = Sites::default();
        assert!(sites.by_count().next().is_none());
        let most = |sites: &Sites| sites.by_count().next().map(|(site, _)| site.to_owned());
        for (site, number) in [("a", 0), ("b", 1), ("b", 2), ("c", 3)] {
            sites.add(site, number);
        }
        assert_eq!(most(&sites).as_deref(), Some("b"));
        assert_eq!(sites.by_count().next().unwrap().1, &BTreeSet::from([1, 2]));
        let all: Vec<_> = sites.by_count().map(|(site, _)| site).collect();
        assert_eq!(all, ["b", "c", "a"]);
        sites.add("a", 4);
        sites.add("a", 5);
        assert_eq!(most(&sites).as_deref(), Some("a"));
        sites.remove("a", 0);
        sites.remove("a", 4);
        assert_eq!((most(&sites).as_deref(), sites.count("a")), (Some("b"), 1));
        for (site, number) in [("a", 5), ("b", 1), ("b", 2), ("c", 3), ("d", 9)] {
            sites.remove(site, number);
        }
        assert!(sites.is_empty());
    }
}
