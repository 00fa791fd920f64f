//! What only code can make: texts of a token, sizes, signatures.

use aws_lc_rs::hmac;
use countersign::Algorithm;

use super::{Category, Draft, fill};
use crate::keys::{ALGORITHMS, base64url, hmac_of};

pub fn categories() -> impl Iterator<Item = (&'static str, Category)> {
    TOKENS.into_iter().map(|(name, make)| (name, Category::Token(make)))
}

type Make = fn(&mut Draft<'_, '_>) -> String;

const TOKENS: [(&str, Make); 36] = [
    ("text: an octet of the signature", |draft| {
        let [header, payload, _] = draft.parts();
        let mut signature = draft.key.signature(format!("{header}.{payload}").as_bytes());
        let at = draft.random.below(signature.len());
        signature[at] ^= 1 << draft.random.below(8);
        format!("{header}.{payload}.{}", base64url(signature))
    }),
    ("text: a character of the payload", |draft| {
        let [header, payload, signature] = draft.parts();
        format!("{header}.{}.{signature}", flipped(draft, &payload))
    }),
    ("text: a character of the header", |draft| {
        let [header, payload, signature] = draft.parts();
        format!("{}.{payload}.{signature}", flipped(draft, &header))
    }),
    ("text: padding", |draft| {
        let (header, payload) =
            (padded(draft.header(), draft.turn % 3 == 0), padded(fill("{$ALL }"), draft.turn % 3 == 1));
        let token = draft.key.token_of(&header, &payload);
        if draft.turn % 3 == 2 {
            let missing = (4 - token.rsplit('.').next().map_or(0, str::len) % 4) % 4;
            return format!("{token}{}", if missing == 0 { "====" } else { &"==="[..missing] });
        }
        token
    }),
    ("text: unused bits that are not zero", |draft| {
        // Of a length that leaves unused bits.
        let mut payload = fill("{$ALL}");
        while payload.len().is_multiple_of(3) {
            payload.push(' ');
        }
        draft.key.token_of(&base64url(draft.header()), &with_unused_bits(&base64url(payload)))
    }),
    ("text: the other base64 alphabet", |draft| {
        let payload = base64url(fill("{$ALL,\"a\":\"\u{ff}\u{3ff}???>>>~~~\"}"));
        assert!(payload.contains(['-', '_']), "{payload}");
        draft.key.token_of(&base64url(draft.header()), &payload.replace('-', "+").replace('_', "/"))
    }),
    ("text: white space inside a part", |draft| {
        let mut payload = base64url(draft.claims());
        payload.insert(draft.random.below(payload.len()), *draft.variant(&[' ', '\n', '\t', '\r']));
        draft.key.token_of(&base64url(draft.header()), &payload)
    }),
    ("text: something around it", |draft| {
        let token = draft.parts().join(".");
        let forms = [
            format!(" {token}"),
            format!("{token} "),
            format!("{token}\n"),
            format!("\u{feff}{token}"),
            format!("Bearer {token}"),
            format!("\"{token}\""),
            format!("{token}\0"),
            format!("{token},{token}"),
        ];
        draft.variant(&forms).clone()
    }),
    ("text: not three parts", |draft| {
        let [header, payload, signature] = draft.parts();
        let forms = [
            String::new(),
            header.clone(),
            format!("{header}.{payload}"),
            format!("{header}.{payload}.{signature}."),
            format!(".{header}.{payload}.{signature}"),
            format!("{header}..{payload}.{signature}"),
            format!("{header}.{payload}.{signature}.{signature}.{signature}"),
            ".".repeat(5_000),
        ];
        draft.variant(&forms).clone()
    }),
    ("text: an empty part", |draft| {
        let [header, payload, signature] = draft.parts();
        let forms = [
            "..".to_owned(),
            format!(".{payload}.{signature}"),
            draft.key.token_of(&header, ""),
            draft.key.token_of("", &payload),
        ];
        draft.variant(&forms).clone()
    }),
    ("text: JSON serialisation", |draft| {
        let [header, payload, signature] = draft.parts();
        let signed = format!(r#""protected":"{header}","signature":"{signature}""#);
        let forms = [
            format!(r#"{{"payload":"{payload}",{signed}}}"#),
            format!(r#"{{"payload":"{payload}","signatures":[{{{signed}}}]}}"#),
            // One that splits into three parts at its dots.
            format!(r#"{{"a":".{payload}.","payload":"{payload}",{signed}}}"#),
        ];
        draft.variant(&forms).clone()
    }),
    ("text: UTF-16 or UTF-32", |draft| {
        let claims = draft.claims();
        let payload: Vec<u8> = match draft.turn % 4 {
            0 => claims.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            1 => claims.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            2 => claims.chars().flat_map(|letter| u32::from(letter).to_le_bytes()).collect(),
            _ => [0xff, 0xfe].into_iter().chain(claims.encode_utf16().flat_map(u16::to_le_bytes)).collect(),
        };
        draft.sign(draft.header(), payload)
    }),
    ("text: octets that are not UTF-8", |draft| {
        let hostile: [&[u8]; 4] = [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80"];
        let octets = draft.variant(&hostile);
        let claims = fill("{$ALL,\"a\":\"");
        draft.sign(draft.header(), [claims.as_bytes(), octets, b"\"}"].concat())
    }),
    ("size: a header beyond 4 KiB", |draft| {
        let header = format!(
            r#"{{"alg":"{}","x":"{}"}}"#,
            draft.key.alg,
            "x".repeat(4_100 + draft.random.below(3_000))
        );
        draft.sign(header, draft.claims())
    }),
    ("size: a token beyond 16 KiB", |draft| {
        let size = 13_000 + draft.random.below(20_000);
        draft.sign(draft.header(), fill(&format!("{{$ALL,\"x\":\"{}\"}}", "x".repeat(size))))
    }),
    ("size: a kid beyond 256 bytes", |draft| {
        draft.sign(format!(r#"{{"alg":"{}","kid":"{}"}}"#, draft.key.alg, "k".repeat(257)), draft.claims())
    }),
    ("size: header nested deeper than 32 levels", |draft| {
        let nested = nested(*draft.variant(&[33, 60, 120, 400]));
        draft.sign(format!(r#"{{"alg":"{}","x":{nested}}}"#, draft.key.alg), draft.claims())
    }),
    ("size: claims nested deeper than 32 levels", |draft| {
        let nested = nested(*draft.variant(&[33, 60, 120, 400, 4_000]));
        draft.sign(draft.header(), fill(&format!("{{$ALL,\"x\":{nested}}}")))
    }),
    ("size: claims nested to 32 levels", |draft| {
        draft.sign(draft.header(), fill(&format!("{{$ALL,\"x\":{}}}", nested(31))))
    }),
    ("size: more values than the limit", |draft| {
        draft.sign(draft.header(), fill(&format!("{{$ALL,\"x\":[{}0]}}", "{\"a\":0},".repeat(1_000))))
    }),
    ("alg: none", |draft| {
        let spelling = draft.variant(&["none", "None", "NONE", "nOnE", "none ", "NoNe"]);
        format!("{}.{}.", base64url(format!(r#"{{"alg":"{spelling}"}}"#)), base64url(draft.claims()))
    }),
    ("alg: none, with a signature that holds", |draft| {
        let spelling = draft.variant(&["none", "None", "NONE", "nOnE"]);
        draft.sign(format!(r#"{{"alg":"{spelling}"}}"#), draft.claims())
    }),
    ("alg: of another key", |draft| {
        let own = draft.key.alg;
        let others: Vec<Algorithm> = ALGORITHMS.into_iter().filter(|alg| *alg != own).collect();
        let alg = *draft.random.one_of(&others);
        draft.sign(format!(r#"{{"alg":"{alg}"}}"#), draft.claims())
    }),
    ("alg: unknown, or in another spelling", |draft| {
        let alg = draft.key.alg.name();
        let forms = [
            alg.to_lowercase(),
            format!("{alg} "),
            format!("{alg}\u{0}"),
            "HS999".to_owned(),
            "ES256K".to_owned(),
            "A256GCM".to_owned(),
        ];
        let form = draft.variant(&forms).replace('\u{0}', "\\u0000");
        let form = if form == alg { "XS256".to_owned() } else { form };
        draft.sign(format!(r#"{{"alg":"{form}"}}"#), draft.claims())
    }),
    ("alg: HMAC with the public key as the secret", |draft| {
        let public = match draft.key.key.verifying_key() {
            key if draft.turn % 2 == 0 => key.to_pem().unwrap_or_default().into_bytes(),
            key => key.to_public_jwk().map(|jwk| jwk.to_json()).unwrap_or_default().into_bytes(),
        };
        let alg = draft.variant(&[Algorithm::HS256, Algorithm::HS384, Algorithm::HS512]);
        let input = format!("{}.{}", base64url(format!(r#"{{"alg":"{alg}"}}"#)), base64url(draft.claims()));
        let mac = hmac::sign(&hmac::Key::new(hmac_of(*alg), &public), input.as_bytes());
        format!("{input}.{}", base64url(mac))
    }),
    ("key: embedded by the sender", |draft| {
        let header = format!(r#"{{"alg":"{}","jwk":{}}}"#, draft.key.alg, draft.other.verifying_jwk());
        draft.other.token_of(&base64url(header), &base64url(draft.claims()))
    }),
    ("key: embedded and never used", |draft| {
        let jwk = draft.other.verifying_jwk();
        draft.sign(format!(r#"{{"alg":"{}","jwk":{jwk}}}"#, draft.key.alg), draft.claims())
    }),
    ("key: of somebody else", |draft| {
        draft.other.token_of(&base64url(draft.header()), &base64url(draft.claims()))
    }),
    ("b64: false", |draft| {
        let crit = draft.variant(&["", r#","crit":["b64"]"#]);
        let header = base64url(format!(r#"{{"alg":"{}","b64":false{crit}}}"#, draft.key.alg));
        let claims = if draft.turn % 4 < 2 { base64url(draft.claims()) } else { "{}".to_owned() };
        draft.key.token_of(&header, &claims)
    }),
    ("signature: truncated or extended", |draft| {
        let [header, payload, _] = draft.parts();
        let signature = draft.key.signature(format!("{header}.{payload}").as_bytes());
        let forms = [
            signature[..signature.len() - 1].to_vec(),
            signature[..signature.len() / 2].to_vec(),
            signature[..1].to_vec(),
            [signature.as_slice(), &[0]].concat(),
            [&[0], signature.as_slice()].concat(),
            [signature.as_slice(), signature.as_slice()].concat(),
        ];
        format!("{header}.{payload}.{}", base64url(draft.variant(&forms)))
    }),
    ("signature: empty, zeros or ones", |draft| {
        let [header, payload, _] = draft.parts();
        let size = draft.key.signature(b"").len();
        let forms = [vec![], vec![0; size], vec![255; size], [vec![0; size - 1], vec![1]].concat()];
        format!("{header}.{payload}.{}", base64url(draft.variant(&forms)))
    }),
    ("signature: DER", |draft| {
        let [header, payload, _] = draft.parts();
        let input = format!("{header}.{payload}");
        let der = draft.key.der_signature(input.as_bytes());
        // Where there is no such form: the octets of an empty sequence.
        format!("{input}.{}", base64url(der.unwrap_or_else(|| vec![0x30, 0])))
    }),
    ("signature: with s in the upper half", |draft| {
        let [header, payload, _] = draft.parts();
        let input = format!("{header}.{payload}");
        let mut signature = draft.key.signature(input.as_bytes());
        if draft.key.alg == Algorithm::ES256 {
            let s = difference(&P256_ORDER, &signature[32..]);
            signature[32..].copy_from_slice(&s);
        }
        format!("{input}.{}", base64url(signature))
    }),
    ("signature: of another token", |draft| {
        let [header, payload, _] = draft.parts();
        let signature = draft.key.signature(format!("{header}.{}", base64url("{}")).as_bytes());
        format!("{header}.{payload}.{}", base64url(signature))
    }),
    ("signature: over the decoded octets", |draft| {
        let [header, payload, _] = draft.parts();
        let signature = draft.key.signature(format!("{}.{}", draft.header(), draft.claims()).as_bytes());
        format!("{header}.{payload}.{}", base64url(signature))
    }),
    ("signature: by another hash", |draft| {
        let [header, payload, _] = draft.parts();
        let hash = if draft.key.alg == Algorithm::HS384 { Algorithm::HS512 } else { Algorithm::HS384 };
        let secret = crate::keys::secret(&draft.key.key);
        let mac =
            hmac::sign(&hmac::Key::new(hmac_of(hash), &secret), format!("{header}.{payload}").as_bytes());
        format!("{header}.{payload}.{}", base64url(mac))
    }),
];

/// The order of P-256 (SEC 2 §2.4.2).
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// Big-endian `from - less`.
fn difference(from: &[u8], less: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut octets: Vec<u8> = from
        .iter()
        .zip(less)
        .rev()
        .map(|(from, less)| {
            let rest = 256 + i32::from(*from) - i32::from(*less) - borrow;
            borrow = i32::from(rest < 256);
            rest as u8
        })
        .collect();
    octets.reverse();
    octets
}

/// Another character of the same alphabet at any place but the last, where it could be another spelling.
fn flipped(draft: &mut Draft<'_, '_>, text: &str) -> String {
    let at = draft.random.below(text.len() - 1);
    let by = if text.as_bytes()[at] == b'A' { 'B' } else { 'A' };
    format!("{}{by}{}", &text[..at], &text[at + 1..])
}

/// With padding where `wanted`, and of a length that has some.
fn padded(mut json: String, wanted: bool) -> String {
    if !wanted {
        return base64url(json);
    }
    while json.len().is_multiple_of(3) {
        json.push(' ');
    }
    let padding = 3 - json.len() % 3;
    base64url(json) + &"=="[..padding]
}

/// The same octets in another spelling: the last character carries bits that no octet needs.
fn with_unused_bits(text: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = text.split_at(text.len() - 1);
    let at = ALPHABET.find(last).unwrap_or(0) + 1;
    format!("{rest}{}", &ALPHABET[at..=at])
}

fn nested(levels: usize) -> String {
    format!("{}1{}", "[".repeat(levels), "]".repeat(levels))
}
