//! The headers under which a key of a set has signed: an issuer's header is constant, so it is read once.
//!
//! What is remembered is the text of a header, the header that it is, and the key that it points at; all three follow from
//! the text and the set alone. Only a token that passed its verification is remembered, and nothing is ever forgotten to
//! make room: nobody who cannot sign can put anything in or out.

use std::fmt;
use std::sync::OnceLock;

use crate::jws::Header;

/// The longest header that is remembered, in characters of its text.
const MAX_TEXT: usize = 1024;

/// How many places a header may have.
const PROBES: usize = 4;

/// How many places there are for each key, and how many at least.
const PLACES_PER_KEY: usize = 4;
const MIN_PLACES: usize = 16;

#[derive(Default)]
pub(super) struct Recall {
    places: Vec<OnceLock<Remembered>>,
}

struct Remembered {
    text: Box<[u8]>,
    header: Header,
    key: usize,
}

impl Recall {
    pub(super) fn for_keys(keys: usize) -> Self {
        let places = keys
            .saturating_mul(PLACES_PER_KEY)
            .max(MIN_PLACES)
            .checked_next_power_of_two();
        let places = (0..places.unwrap_or(MIN_PLACES)).map(|_| OnceLock::new());
        Self {
            places: places.collect(),
        }
    }

    /// The header that `text` is, and the place of its key in the set.
    pub(super) fn find(&self, text: &[u8]) -> Option<(&Header, usize)> {
        for place in self.probe(text) {
            let remembered = place.get()?;
            if *remembered.text == *text {
                return Some((&remembered.header, remembered.key));
            }
        }
        None
    }

    pub(super) fn remember(&self, text: &[u8], header: &Header, key: usize) {
        if text.len() > MAX_TEXT || self.find(text).is_some() {
            return;
        }
        let mut remembered = Remembered {
            text: text.into(),
            header: header.clone(),
            key,
        };
        for place in self.probe(text) {
            match place.set(remembered) {
                Ok(()) => return,
                Err(back) => remembered = back,
            }
        }
    }

    fn probe(&self, text: &[u8]) -> impl Iterator<Item = &OnceLock<Remembered>> {
        let start = hash(text) & self.places.len().wrapping_sub(1);
        self.places
            .iter()
            .cycle()
            .skip(start)
            .take(PROBES.min(self.places.len()))
    }
}

/// Spreads headers over the places. It needs no secret: only headers that a key has signed under are put in.
fn hash(text: &[u8]) -> usize {
    let (words, rest) = text.as_chunks::<8>();
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    let mut hash = 0u64;
    for word in words.iter().chain([&last]) {
        hash =
            (hash.rotate_left(5) ^ u64::from_le_bytes(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    usize::try_from(hash >> 32).unwrap_or_default()
}

impl fmt::Debug for Recall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.places.iter().filter(|place| place.get().is_some());
        f.debug_struct("Recall")
            .field("headers", &known.count())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base64url;

    fn header(kid: usize) -> (String, Header) {
        let text = base64url::encode(format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#));
        let header = Header::parse(&text).unwrap();
        (text, header)
    }

    #[test]
    fn what_is_remembered_is_found_by_its_whole_text_and_no_other() {
        let recall = Recall::for_keys(1);
        let (text, seven) = header(7);
        recall.remember(text.as_bytes(), &seven, 3);
        assert_eq!(recall.find(text.as_bytes()), Some((&seven, 3)));
        for other in [
            text.strip_prefix('e').unwrap(),
            text.get(..text.len() - 1).unwrap(),
            "",
            &text.to_lowercase(),
            &format!("{text}A"),
        ] {
            assert_eq!(recall.find(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn what_comes_later_puts_nothing_out_and_asks_for_no_more_memory() {
        let recall = Recall::for_keys(2);
        let headers: Vec<_> = (0..1000).map(header).collect();
        for (place, (text, header)) in headers.iter().enumerate() {
            recall.remember(text.as_bytes(), header, place);
            recall.remember(text.as_bytes(), header, place + 1);
            for (place, (text, header)) in headers.iter().enumerate().take(4) {
                assert!(
                    recall
                        .find(text.as_bytes())
                        .is_none_or(|found| found == (header, place))
                );
            }
        }
        assert_eq!(
            recall.find(headers[0].0.as_bytes()),
            Some((&headers[0].1, 0))
        );
        assert!(recall.places.len() <= MIN_PLACES);
        let known = headers
            .iter()
            .filter(|(text, _)| recall.find(text.as_bytes()).is_some());
        assert!((8..=MIN_PLACES).contains(&known.count()));
    }

    #[test]
    fn a_header_that_is_large_is_not_remembered() {
        let recall = Recall::for_keys(1);
        let (_, header) = header(1);
        recall.remember("A".repeat(MAX_TEXT + 1).as_bytes(), &header, 0);
        assert_eq!(recall.find("A".repeat(MAX_TEXT + 1).as_bytes()), None);
        assert_eq!(Recall::default().find(b"A"), None);
    }
}
