//! Mutated tokens, by category. Most carry a signature that holds, so that it is the rule in question that decides.

mod claims;
mod headers;
mod texts;

use serde_json::json;

use crate::keys::{Key, base64url};
use crate::random::Random;
use crate::row::{AUD, COUNT, ISS, Row};

/// What a category is made from.
pub struct Draft<'k, 'r> {
    pub key: &'k Key,
    /// The same algorithm's key of somebody else.
    pub other: &'k Key,
    pub random: &'r mut Random,
    /// How often this category was asked before.
    pub turn: usize,
}

enum Category {
    /// Texts of a header: `$ALG` is the key's algorithm.
    Headers(&'static [&'static str]),
    /// Texts of the claims: `$ALL` is `iss`, `aud` and `exp`, and each of them is there by its name.
    Claims(&'static [&'static str]),
    /// The same, with an outcome that hangs on the second.
    Clock(&'static [&'static str]),
    Token(fn(&mut Draft<'_, '_>) -> String),
}

pub fn tokens(keys: &[Key]) -> Vec<Row<'static>> {
    // Keys live as long as the program: there are two for each algorithm.
    let keys: &'static [Key] = Box::leak(keys.iter().map(|key| Key::from_json(&key.to_json())).collect());
    let others: &'static [Key] = Box::leak(keys.iter().map(|key| Key::generate(key.alg)).collect());
    let categories: Vec<(&'static str, Category)> =
        headers::categories().chain(claims::categories()).chain(texts::categories()).collect();
    let mut random = Random::new(2);
    (0..COUNT)
        .map(|at| {
            let (name, category) = &categories[at % categories.len()];
            let turn = at / categories.len();
            // Every category meets every algorithm in some order.
            let place = (turn + at) % keys.len();
            let (key, other) = (&keys[place], &others[place]);
            let mut draft = Draft { key, other, random: &mut random, turn };
            let token = draft.token(category);
            Row { category: name, key, token, clock: matches!(category, Category::Clock(_)) }
        })
        .collect()
}

impl Draft<'_, '_> {
    fn token(&mut self, category: &Category) -> String {
        match category {
            Category::Headers(texts) => {
                let header = texts[self.turn % texts.len()].replace("$ALG", self.key.alg.name());
                self.sign(header, self.claims())
            }
            Category::Claims(texts) | Category::Clock(texts) => {
                self.sign(self.header(), fill(texts[self.turn % texts.len()]))
            }
            Category::Token(make) => make(self),
        }
    }

    pub fn header(&self) -> String {
        format!(r#"{{"alg":"{}"}}"#, self.key.alg)
    }

    pub fn claims(&self) -> String {
        fill("{$ALL,\"sub\":\"ada\"}")
    }

    /// A token of exactly these octets, with a signature that holds.
    pub fn sign(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        self.key.token_of(&base64url(header), &base64url(payload))
    }

    /// A valid token in its three parts.
    pub fn parts(&self) -> [String; 3] {
        let token = self.sign(self.header(), self.claims());
        let mut parts = token.split('.').map(str::to_owned);
        std::array::from_fn(|_| parts.next().unwrap_or_default())
    }

    /// One of the variants, each in its turn.
    pub fn variant<'a, T>(&self, list: &'a [T]) -> &'a T {
        &list[self.turn % list.len()]
    }
}

fn fill(text: &str) -> String {
    let (iss, aud, exp) = (json!(ISS), json!(AUD), 4_102_444_800_i64);
    text.replace("$ALL", "$ISS,$AUD,$EXP")
        .replace("$ISS", &format!("\"iss\":{iss}"))
        .replace("$AUD", &format!("\"aud\":{aud}"))
        .replace("$EXP", &format!("\"exp\":{exp}"))
        .replace("$NOW", &crate::row::NOW.to_string())
}
