//! Valid tokens, signed by Countersign: many shapes of claims and headers that a peer must take as they are.

use std::time::Duration;

use countersign::{ClaimsSet, SigningHeader, Timestamp};
use serde_json::{Value, json};

use crate::keys::Key;
use crate::random::Random;
use crate::row::{AUD, COUNT, ISS, NOW, Row};

const TEXTS: [&str; 8] =
    ["", "ada", "Ada Łukasz", "日本", "a\"b\\c/d", "\u{1f600}\u{0}\n", "</script>", "e\u{301}"];
const TYPES: [&str; 4] = ["JWT", "jwt", "application/jwt", "APPLICATION/JWT"];

pub fn tokens(keys: &[Key]) -> Vec<Row<'_>> {
    let mut random = Random::new(1);
    (0..COUNT).map(|at| token(&keys[at % keys.len()], &mut random)).collect()
}

fn token<'k>(key: &'k Key, random: &mut Random) -> Row<'k> {
    let short_lived = random.once_in(10);
    let exp = if short_lived {
        NOW + 1 + random.below(600) as i64
    } else {
        4_102_444_800 + random.below(9_999) as i64
    };
    let mut claims = ClaimsSet::empty().issuer(ISS).expires_at(Timestamp::from_unix_secs(exp));
    let others = random.below(4);
    for at in 0..=others {
        claims = claims.audience(if at == others { AUD.to_owned() } else { format!("https://{at}.example") });
    }
    if random.once_in(2) {
        claims = claims.subject(*random.one_of(&TEXTS));
    }
    if random.once_in(2) {
        claims = claims.jwt_id(random.next().to_string());
    }
    let past = || Timestamp::from_unix_secs(1_500_000_000);
    if random.once_in(2) {
        claims = claims.issued_at(past().saturating_add(Duration::from_secs(random.below(99_999) as u64)));
    }
    if random.once_in(3) {
        claims = claims.not_before(past());
    }
    for at in 0..random.below(5) {
        let name = format!(
            "{}{at}",
            random.one_of(&["own", "https://claims.example/", "ключ", "__proto__", "a.b "])
        );
        claims = claims.claim(name, value(random, 3)).expect("a name of one's own");
    }
    let header = header(random);
    let token = key.key.sign_with(&header, &claims).expect("a signature");
    Row { category: "valid", key, token, clock: short_lived }
}

fn header(random: &mut Random) -> SigningHeader {
    let mut header = SigningHeader::new();
    header =
        if random.once_in(4) { header.without_typ() } else { header.typ(TYPES[random.below(TYPES.len())]) };
    for (name, value) in
        [("cty", json!("text")), ("own", value(random, 2)), ("x5t", json!("AA")), ("trace", json!(7))]
    {
        if random.once_in(5) {
            header = header.param(name, value).expect("a name of one's own");
        }
    }
    header
}

/// Any JSON value that every language reads alike: integers below 2^53, fractions that are sums of powers of two.
fn value(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 5 } else { 7 }) {
        0 => json!(random.one_of::<&str>(&TEXTS)),
        1 => json!(random.next() >> 11),
        2 => json!(-(random.below(1_000) as i64) as f64 / 8.0 - 0.5),
        3 => json!(random.once_in(2)),
        4 => Value::Null,
        5 => (0..random.below(4)).map(|_| value(random, depth - 1)).collect(),
        _ => {
            let members = (0..random.below(4)).map(|at| (format!("m{at}"), value(random, depth - 1)));
            Value::Object(members.collect())
        }
    }
}
