//! Tokens in a text, and where each ends: also one that a terminal or a mail has broken over lines.

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{alphabet, engine::DecodePaddingMode};
use serde::Deserialize;
use zeroize::Zeroizing;

/// So many letters of a part are decoded to see whether a header begins there.
const GLANCE: usize = 240;
/// A longer header is none that names how long a signature is.
const LONGEST_HEADER: usize = 16_384;

/// A token of a text.
pub(super) struct Found {
    pub(super) token: Zeroizing<String>,
    /// Where in the text it begins.
    pub(super) start: usize,
    /// Of how many pieces it was put together.
    pub(super) pieces: usize,
    /// What an SD-JWT has behind it, in words.
    pub(super) tail: Option<String>,
    /// Whether the text has no letter that a token could not have.
    pub(super) is_alone: bool,
}

/// Whether a token may have this letter: base64url and the dot.
pub(super) fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// The whole tokens of a text, in their order.
pub(super) fn tokens(text: &str) -> Vec<Found> {
    let bytes = text.as_bytes();
    let is_alone = bytes
        .iter()
        .all(|byte| is_letter(*byte) || byte.is_ascii_whitespace());
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = next_start(bytes, at) {
        let (one, end) = Growing::from(text, start).grow(text, is_alone);
        at = end;
        found.extend(one);
    }
    found
}

/// Where a header may begin, behind what is no part of a token.
fn next_start(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let rest = bytes.get(at..)?;
        let start = rest
            .iter()
            .position(|byte| *byte == b'e')?
            .checked_add(at)?;
        let before = bytes.get(..start).unwrap_or_default();
        let is_free = match before {
            [.., b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => true,
            [.., last] => !is_letter(*last),
            [] => true,
        };
        if is_free && matches!(bytes.get(start.checked_add(1)?), Some(b'y' | b'w')) {
            return Some(start);
        }
        at = start.checked_add(1)?;
    }
}

/// A token, of which more may follow.
struct Growing {
    token: Zeroizing<String>,
    start: usize,
    end: usize,
    pieces: usize,
    dots: usize,
    /// The letters of its last part: counted on, so that many short lines cost no more than one long one.
    last: usize,
    /// How long that is when it is whole, for so many dots, once the header is read.
    lengths: Option<(usize, Vec<usize>)>,
}

impl Growing {
    fn from(text: &str, start: usize) -> Self {
        let piece = run(text, start);
        Self {
            token: Zeroizing::new(piece.to_owned()),
            start,
            end: start.saturating_add(piece.len()),
            pieces: 1,
            dots: dots(piece),
            last: last(piece),
            lengths: None,
        }
    }

    /// Takes what belongs to it, and says where it ends; nothing where it is no whole token.
    fn grow(mut self, text: &str, is_alone: bool) -> (Option<Found>, usize) {
        while !self.is_complete() {
            let Some((piece, end)) = next_piece(text, self.end, is_alone) else {
                break;
            };
            if begins_another(piece, self.dots) {
                break;
            }
            self.token.push_str(piece);
            self.last = match dots(piece) {
                0 => self.last.saturating_add(piece.len()),
                _ => last(piece),
            };
            self.dots = self.dots.saturating_add(dots(piece));
            self.pieces = self.pieces.saturating_add(1);
            self.end = end;
        }
        // The end of a sentence.
        if self.dots == 3 && self.token.ends_with('.') {
            self.token.pop();
            self.dots = 2;
        }
        let mut end = self.end;
        if !self.is_whole() {
            return (None, end);
        }
        let tail = match text.get(end..) {
            Some(rest) if rest.starts_with('~') => {
                let length = tail_length(rest);
                end = end.saturating_add(length);
                let Some(tail) = tail(rest.get(1..length).unwrap_or_default()) else {
                    return (None, end);
                };
                Some(tail)
            }
            _ => None,
        };
        let found = Found {
            token: self.token,
            start: self.start,
            pieces: self.pieces,
            tail,
            is_alone,
        };
        (Some(found), end)
    }

    fn is_whole(&self) -> bool {
        let header = self.token.split('.').next().unwrap_or_default();
        match self.dots {
            2 => is_object(header),
            4 => is_object(header) && names_enc(&self.token),
            _ => false,
        }
    }

    /// Whether its last part is as long as its algorithm makes it.
    fn is_complete(&mut self) -> bool {
        if !matches!(self.dots, 2 | 4) {
            return self.dots > 4;
        }
        let known = self.lengths.take().filter(|(dots, _)| *dots == self.dots);
        let (dots, lengths) = known.unwrap_or_else(|| (self.dots, lengths(&self.token, self.dots)));
        let is_complete = lengths.contains(&self.last);
        self.lengths = Some((dots, lengths));
        is_complete
    }
}

fn dots(piece: &str) -> usize {
    piece.bytes().filter(|byte| *byte == b'.').count()
}

/// How many letters stand behind the last dot.
fn last(piece: &str) -> usize {
    piece.rsplit('.').next().unwrap_or_default().len()
}

/// The letters of a token that begin here.
fn run(text: &str, start: usize) -> &str {
    let rest = text.get(start..).unwrap_or_default();
    let end = rest.bytes().position(|byte| !is_letter(byte));
    end.map_or(rest, |end| rest.get(..end).unwrap_or_default())
}

/// The letters of the next line, where they are all that stands on it; or the next word, in a text of nothing else.
fn next_piece(text: &str, end: usize, is_alone: bool) -> Option<(&str, usize)> {
    let rest = text.get(end..)?;
    let skipped = rest.bytes().position(|byte| !byte.is_ascii_whitespace())?;
    let between = rest.get(..skipped)?;
    let is_next_line = between.bytes().filter(|byte| *byte == b'\n').count() == 1;
    let at = end.checked_add(skipped)?;
    let piece = run(text, at);
    let end = at.checked_add(piece.len())?;
    let closes = match text.get(end..).and_then(|rest| rest.chars().next()) {
        None | Some('\n' | '\r' | '"' | '\'' | '`' | '~' | '>' | '<' | ')' | ';' | ',') => true,
        Some(_) => false,
    };
    ((is_alone && skipped > 0 || is_next_line && closes) && !piece.is_empty())
        .then_some((piece, end))
}

/// Whether this is the beginning of a token, and not the rest of the one before it, which has so many dots.
fn begins_another(piece: &str, dots_before: usize) -> bool {
    if !piece.starts_with("ey") && !piece.starts_with("ew") {
        return false;
    }
    let header = piece.split('.').next().unwrap_or_default();
    let json = glance(header);
    let names_alg = json
        .windows(b"\"alg\"".len())
        .any(|window| window == b"\"alg\"");
    let is_whole = matches!(dots(piece), 2 | 4);
    json.starts_with(b"{") && (names_alg || is_whole || dots_before >= 2)
}

/// What the beginning of a part says.
fn glance(part: &str) -> Vec<u8> {
    let mut end = part.len().min(GLANCE);
    if end % 4 == 1 {
        end = end.saturating_sub(1);
    }
    let octets = decode(part.get(..end).unwrap_or_default()).unwrap_or_default();
    octets.trim_ascii_start().to_vec()
}

fn is_object(header: &str) -> bool {
    glance(header).starts_with(b"{")
}

/// Reads base64url as it is pasted; whether it is spelled right is for the engine to say.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&alphabet::URL_SAFE, config)
        .decode(text)
        .ok()
}

#[derive(Deserialize)]
struct Names {
    #[serde(default)]
    alg: Option<String>,
    #[serde(default)]
    enc: Option<String>,
    /// Of any type: what stands there wrongly hides nothing else.
    #[serde(default)]
    cty: serde_json::Value,
}

fn names(token: &str) -> Option<Names> {
    let header = token.split('.').next()?;
    let json = decode(header.get(..header.len().min(LONGEST_HEADER))?)?;
    serde_json::from_slice(&json).ok()
}

/// Whether the header names how its content is encrypted, which that of every encrypted token does (RFC 7516 §4.1.2).
pub(crate) fn names_enc(token: &str) -> bool {
    names(token).is_some_and(|names| names.enc.is_some())
}

/// Whether the payload is another token, and the header says so (RFC 7519 §5.2, in capitals or not).
pub(crate) fn is_nested(token: &str) -> bool {
    let says_so = names(token).is_some_and(|names| {
        let cty = names.cty.as_str().unwrap_or_default();
        cty.eq_ignore_ascii_case("JWT") || cty.eq_ignore_ascii_case("application/jwt")
    });
    let payload = token.split('.').nth(1).and_then(decode);
    let inner = payload.and_then(|octets| String::from_utf8(octets).ok());
    says_so
        && inner.is_some_and(|inner| {
            let (header, rest) = inner.split_once('.').unwrap_or_default();
            is_object(header) && [1, 3].contains(&rest.matches('.').count())
        })
}

/// How long the last part of a whole token may be, in letters. Empty where that is not known.
fn lengths(token: &str, dots: usize) -> Vec<usize> {
    let alg = names(token).and_then(|names| names.alg).unwrap_or_default();
    let bytes: &[usize] = match alg.as_str() {
        _ if dots == 4 => &[16, 24, 32],
        "HS256" => &[32],
        "HS384" => &[48],
        "ES256" | "ES256K" | "EdDSA" | "Ed25519" | "HS512" => &[64],
        "ES384" => &[96],
        "Ed448" => &[114],
        "ES512" => &[132],
        "ML-DSA-44" => &[2_420],
        "ML-DSA-65" => &[3_309],
        "ML-DSA-87" => &[4_627],
        // By the sizes that such keys have.
        alg if alg.starts_with("RS") || alg.starts_with("PS") => &[256, 384, 512, 1024],
        _ => &[],
    };
    let letters = bytes
        .iter()
        .map(|bytes| bytes.saturating_mul(4).div_ceil(3));
    letters.collect()
}

/// How long what follows an issuer's token is, which is looked at once.
fn tail_length(rest: &str) -> usize {
    rest.bytes()
        .position(|byte| !is_letter(byte) && byte != b'~')
        .unwrap_or(rest.len())
}

/// What follows the issuer's token in an SD-JWT (RFC 9901 §4); nothing where it is none.
fn tail(rest: &str) -> Option<String> {
    let pieces: Vec<&str> = rest.split('~').collect();
    let (last, disclosures) = pieces.split_last()?;
    let binding = match dots(last) {
        0 if last.is_empty() => None,
        2 if is_object(last.split('.').next()?) => Some("the token that binds it to a key"),
        _ => return None,
    };
    if disclosures
        .iter()
        .any(|one| one.is_empty() || one.contains('.'))
    {
        return None;
    }
    let disclosures = match disclosures.len() {
        0 => None,
        1 => Some("1 disclosure".to_owned()),
        count => Some(format!("{count} disclosures")),
    };
    let words: Vec<String> = disclosures
        .into_iter()
        .chain(binding.map(str::to_owned))
        .collect();
    let words = if words.is_empty() {
        "its last `~`".to_owned()
    } else {
        format!("{} of an SD-JWT", words.join(" and "))
    };
    Some(words)
}
