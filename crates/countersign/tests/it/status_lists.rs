//! Token Status List (draft-ietf-oauth-status-list): the bits of a list, its published form, and the token around it.

use std::collections::BTreeMap;

use countersign::{
    Algorithm, EncodedStatusList, Error, MAX_JWS_BYTES, MAX_STATUS_LIST_BYTES, MAX_TOKEN_BYTES,
    Policy, SigningHeader, SigningKey, Status, StatusBits, StatusList, StatusListToken, Unverified,
    Verifier,
};
use miniz_oxide::deflate::compress_to_vec_zlib;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::*;

const URI: &str = "https://id.example/status-lists/1";

fn bits() -> impl Strategy<Value = StatusBits> {
    prop::sample::select(vec![
        StatusBits::One,
        StatusBits::Two,
        StatusBits::Four,
        StatusBits::Eight,
    ])
}

fn published(bits: u8, octets: &[u8]) -> EncodedStatusList {
    EncodedStatusList {
        bits,
        lst: b64(compress_to_vec_zlib(octets, 6)),
    }
}

fn decode(encoded: &EncodedStatusList) -> Result<StatusList, Error> {
    StatusList::decode(encoded, MAX_STATUS_LIST_BYTES)
}

#[test]
fn lists_of_the_draft_say_what_the_draft_says_at_every_index() {
    #[derive(serde::Deserialize)]
    struct Vector {
        section: String,
        bits: u8,
        entries: u64,
        lst: String,
        statuses: Vec<(u64, u8)>,
    }
    let vectors: Vec<Vector> =
        serde_json::from_str(include_str!("../data/status-lists.json")).unwrap();
    let mut ran = 0;
    for vector in vectors {
        let Vector {
            section,
            bits,
            entries,
            lst,
            statuses,
        } = vector;
        let statuses: BTreeMap<u64, u8> = statuses.into_iter().collect();
        let list = decode(&EncodedStatusList { bits, lst }).unwrap();
        assert_eq!((list.bits().number(), list.entries()), (bits, entries));
        for index in 0..entries {
            let expected = statuses.get(&index).copied().unwrap_or_default();
            assert_eq!(
                list.get(index).unwrap().value(),
                expected,
                "{section} {index}"
            );
        }
        assert!(statuses.keys().all(|index| *index < entries));
        ran += 1;
    }
    assert_eq!(ran, 5);
}

#[test]
fn rejects_an_index_beyond_the_list_and_never_calls_it_valid() {
    for (bits, entries) in [
        (StatusBits::One, 16),
        (StatusBits::Two, 8),
        (StatusBits::Four, 4),
        (StatusBits::Eight, 2),
    ] {
        let mut list = StatusList::from_bytes(bits, [0, 0]);
        assert_eq!(list.get(entries - 1), Ok(Status::VALID));
        for index in [entries, entries + 1, 1 << 32, 1 << 35, 1 << 61, u64::MAX] {
            let refused = Error::StatusIndexOutOfRange { entries };
            assert_eq!(list.get(index), Err(refused.clone()), "{index}");
            assert_eq!(list.set(index, Status::VALID), Err(refused), "{index}");
        }
    }
    let empty = StatusList::new(StatusBits::One, 0).unwrap();
    assert_eq!(empty.entries(), 0);
    assert!(empty.get(0).is_err());
}

#[test]
fn rejects_a_status_that_the_bits_do_not_hold() {
    for (bits, largest) in [
        (StatusBits::One, 1),
        (StatusBits::Two, 3),
        (StatusBits::Four, 15),
        (StatusBits::Eight, 255_u8),
    ] {
        let mut list = StatusList::new(bits, 8).unwrap();
        assert_eq!(list.set(5, Status::from(largest)), Ok(()));
        if let Some(larger) = largest.checked_add(1) {
            assert_eq!(code(list.set(5, Status::from(larger))), "status_unfit");
        }
        assert_eq!(list.get(5), Ok(Status::from(largest)));
    }
}

#[test]
fn a_million_tokens_cost_125_000_bytes() {
    let list = StatusList::new(StatusBits::One, 1_000_000).unwrap();
    assert_eq!(list.as_bytes().len(), 125_000);
    let encoded = list.encode();
    let held = allocation_counter::measure(|| {
        std::mem::forget(decode(&encoded).unwrap());
    });
    assert!(held.bytes_current <= 150_000, "{held:?}");
}

#[test]
fn rejects_what_is_no_whole_zlib_stream_in_base64url() {
    let good = compress_to_vec_zlib(&[0b1011_1001, 0b1010_0011], 9);
    let changed = |at: usize, octet: u8| {
        let mut octets = good.clone();
        let place = at % octets.len();
        octets[place] ^= octet;
        octets
    };
    let last = good.len() - 1;
    let cases = [
        (good.clone(), "ok"),
        (vec![], "nothing"),
        (good[..last].to_vec(), "cut short"),
        (good[..2].to_vec(), "the header alone"),
        ([&good[..], &[0]].concat(), "a byte more"),
        ([&good[..], &good].concat(), "two streams"),
        (changed(last, 1), "another checksum"),
        (changed(0, 8), "another method"),
        (changed(1, 32), "a dictionary"),
        (changed(1, 1), "a header that does not add up"),
        (
            miniz_oxide::deflate::compress_to_vec(&[1, 2], 9),
            "no ZLIB header",
        ),
        (vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff], "gzip"),
        (vec![0x78, 0x9c, 0x06], "a block of no kind"),
    ];
    for (octets, what) in cases {
        let outcome = decode(&EncodedStatusList {
            bits: 1,
            lst: b64(octets),
        });
        let expected = if what == "ok" {
            "ok"
        } else {
            "status_list_malformed"
        };
        assert_eq!(code(outcome), expected, "{what}");
    }
    for lst in ["eNrbuRgAAhcBXQ=", "eNrbuRgAAhcBXR", "eNrb uRgAAhcBXQ", "+/"] {
        let encoded = EncodedStatusList {
            bits: 1,
            lst: lst.to_owned(),
        };
        assert_eq!(code(decode(&encoded)), "status_list_malformed", "{lst}");
    }
    for bits in [0, 3, 5, 16, 255] {
        let outcome = decode(&published(bits, &[0]));
        assert_eq!(code(outcome), "status_list_malformed", "{bits}");
    }
}

#[test]
fn a_list_is_inflated_up_to_its_limit_and_no_byte_further() {
    for limit in [0, 1, 100, 4096, 4097, 10_000] {
        for (bytes, expected) in [(limit, "ok"), (limit + 1, "status_list_too_large")] {
            let encoded = published(1, &vec![0x5a; bytes]);
            let outcome = StatusList::decode(&encoded, limit);
            assert_eq!(code(outcome), expected, "{bytes} of {limit}");
        }
    }
    // Twenty megabytes that arrive as twenty kilobytes.
    let bomb = published(1, &vec![0; 20_000_000]);
    let used = allocation_counter::measure(|| {
        assert_eq!(code(decode(&bomb)), "status_list_too_large");
    });
    assert!(used.bytes_max < 4_000_000, "{used:?}");
    let too_many = StatusList::new(StatusBits::Eight, MAX_STATUS_LIST_BYTES + 1);
    assert_eq!(code(too_many), "status_list_too_large");
}

proptest! {
    #[test]
    fn what_is_published_reads_as_itself(bits in bits(), octets in prop::collection::vec(any::<u8>(), 0..5000)) {
        let list = StatusList::from_bytes(bits, octets);
        prop_assert_eq!(decode(&list.encode()), Ok(list));
    }

    #[test]
    fn every_index_has_the_status_that_was_set_there_last(
        bits in bits(), changes in prop::collection::vec((0_u64..300, any::<u8>()), 0..300),
    ) {
        let mut list = StatusList::new(bits, 300).unwrap();
        let mut expected = BTreeMap::new();
        for (index, value) in changes {
            let value = value & u8::try_from((1_u16 << bits.number()) - 1).unwrap();
            list.set(index, Status::from(value)).unwrap();
            expected.insert(index, value);
        }
        let read = decode(&list.encode()).unwrap();
        for index in 0..read.entries() {
            prop_assert_eq!(read.get(index).unwrap().value(), expected.get(&index).copied().unwrap_or_default());
        }
    }

    #[test]
    fn no_text_makes_a_list_of_more_than_its_limit(text: String, octets: Vec<u8>, bits: u8, limit in 0_usize..2000) {
        for lst in [text, b64(octets)] {
            if let Ok(list) = StatusList::decode(&EncodedStatusList { bits, lst }, limit) {
                prop_assert!(list.as_bytes().len() <= limit);
            }
        }
    }
}

// ---- the token ----

fn token() -> StatusListToken {
    StatusListToken {
        iss: Some(ISS.into()),
        sub: URI.into(),
        iat: NOW.unix_secs(),
        exp: Some(NOW.unix_secs() + 300),
        ttl: Some(5),
        status_list: StatusList::new(StatusBits::One, 100).unwrap().encode(),
    }
}

fn claims_of(changes: &Value) -> Value {
    let mut claims = serde_json::to_value(token()).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

fn read(policy: &Policy, typ: &str, claims: &Value) -> Result<StatusListToken, Error> {
    let text = hmac_key()
        .sign_with(&SigningHeader::new().typ(typ), claims)
        .unwrap();
    let verifier = Verifier::new(hmac_key().verifying_key(), policy.clone());
    let verified = verifier.verify::<StatusListToken>(&text, NOW);
    verified.map(countersign::Verified::into_claims)
}

#[test]
fn a_status_list_token_needs_the_claims_of_the_draft() {
    let policy = Policy::status_list(ISS, URI);
    for (changes, expected) in [
        (json!({}), "ok"),
        (json!({"iss": null}), "ok"),
        (json!({"iss": "https://other.example"}), "issuer_mismatch"),
        (json!({"iss": ""}), "issuer_mismatch"),
        (json!({"iss": 1}), "claim_type"),
        (json!({"sub": null}), "claim_missing"),
        (
            json!({"sub": "https://id.example/status-lists/2"}),
            "subject_mismatch",
        ),
        (
            json!({"sub": "https://id.example/status-lists/1/"}),
            "subject_mismatch",
        ),
        (json!({"aud": AUD}), "audience_unexpected"),
        (json!({"iat": null}), "claim_missing"),
        (json!({"iat": NOW.unix_secs() + 31}), "issued_in_future"),
        (json!({"exp": null}), "claim_missing"),
        (json!({"exp": NOW.unix_secs()}), "token_expired"),
        (json!({"nbf": NOW.unix_secs() + 1}), "token_not_yet_valid"),
        (json!({"ttl": null}), "ok"),
        (json!({"ttl": 0.5}), "ok"),
        (json!({"ttl": 1e300}), "ok"),
        (json!({"ttl": 0}), "claims_shape"),
        (json!({"ttl": -5}), "claims_shape"),
        (json!({"ttl": "5"}), "claims_shape"),
        (json!({"status_list": null}), "claim_missing"),
        (json!({"status_list": "eNrbuRgAAhcBXQ"}), "claims_shape"),
        (json!({"status_list": {"bits": 1}}), "claims_shape"),
        (
            json!({"status_list": {"lst": "eNrbuRgAAhcBXQ"}}),
            "claims_shape",
        ),
        (
            json!({"status_list": {"bits": "1", "lst": ""}}),
            "claims_shape",
        ),
        (
            json!({"status_list": {"bits": 1, "lst": "", "aggregation_uri": "https://id.example"}}),
            "ok",
        ),
        (json!({"cnf": {"jkt": "AA"}}), "proof_required"),
        (json!({"anything": "else"}), "ok"),
    ] {
        let outcome = read(&policy, "statuslist+jwt", &claims_of(&changes));
        assert_eq!(code(outcome), expected, "{changes}");
    }
    for (typ, expected) in [
        ("application/statuslist+jwt", "ok"),
        ("STATUSLIST+JWT", "ok"),
        ("statuslist+cwt", "type_mismatch"),
        ("JWT", "type_mismatch"),
        ("at+jwt", "type_mismatch"),
    ] {
        let outcome = read(&policy, typ, &claims_of(&json!({})));
        assert_eq!(code(outcome), expected, "{typ}");
    }
}

#[test]
fn a_fraction_of_ttl_is_rounded_up() {
    let policy = Policy::status_list(ISS, URI);
    for (written, secs) in [
        (json!(5), 5),
        (json!(0.1), 1),
        (json!(43_200.0), 43_200),
        (json!(1e300), u64::MAX),
    ] {
        let outcome = read(
            &policy,
            "statuslist+jwt",
            &claims_of(&json!({"ttl": written})),
        );
        assert_eq!(outcome.unwrap().ttl, Some(secs), "{written}");
    }
}

#[test]
fn the_exp_of_a_status_list_is_waived_in_words_only() {
    let policy = Policy::builder()
        .issuer(ISS)
        .no_audience()
        .subject(URI)
        .status_list()
        .without_expiry()
        .build()
        .unwrap();
    for (changes, expected) in [
        (json!({"exp": null}), "ok"),
        (json!({"exp": NOW.unix_secs()}), "token_expired"),
    ] {
        let outcome = read(&policy, "statuslist+jwt", &claims_of(&changes));
        assert_eq!(code(outcome), expected, "{changes}");
    }
}

#[test]
fn a_list_of_a_million_tokens_is_signed_and_read_and_nothing_larger_than_the_limit() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    // Bytes that no compressor makes smaller: the worst that a list of this size can be.
    let mut state = 1_u64;
    let mut noise = |bytes: usize| -> Vec<u8> {
        (0..bytes)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                state.to_be_bytes()[0]
            })
            .collect()
    };
    let list = StatusList::from_bytes(StatusBits::One, noise(125_000));
    let claims = StatusListToken {
        status_list: list.encode(),
        ..token()
    };
    let text = claims.sign(&key).unwrap();
    assert!(text.len() > MAX_TOKEN_BYTES && text.len() < MAX_JWS_BYTES);
    assert_eq!(
        Unverified::parse(&text).unwrap_err().code(),
        "malformed_too_large"
    );
    let policy = Policy::status_list(ISS, URI);
    let verifier = Verifier::new(key.verifying_key(), policy);
    let read = verifier.verify::<StatusListToken>(&text, NOW).unwrap();
    assert_eq!(read.claims(), &claims);
    assert_eq!(decode(&read.status_list), Ok(list));

    let too_large = StatusListToken {
        status_list: StatusList::from_bytes(StatusBits::One, noise(700_000)).encode(),
        ..token()
    };
    assert_eq!(code(too_large.sign(&key)), "jws_unwritable");
    let text = ".".repeat(MAX_JWS_BYTES + 1);
    assert_eq!(
        code(verifier.verify::<StatusListToken>(&text, NOW)),
        "malformed_too_large"
    );
}

#[test]
fn nothing_prints_a_whole_list() {
    let list = StatusList::new(StatusBits::One, 1_000_000).unwrap();
    let printed = format!("{list:?} {:?}", list.encode());
    assert!(printed.len() < 200, "{printed}");
}
