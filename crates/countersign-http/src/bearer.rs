//! Request -> the text of its one token: from the `Authorization` header (RFC 6750 §2.1), a named cookie, or wherever
//! a function of the service finds it.
//!
//! Absent is not malformed, and two credentials are none: which of them would the next hop believe?

mod cookie;

use std::fmt;
use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};

pub use cookie::{CookieSource, cookie_value};

use crate::error::Error;
use crate::rejection::{Rejection, is_grpc};

/// What of a request says who sends it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct RequestHead<'r> {
    /// The method.
    pub method: &'r Method,
    /// The target.
    pub uri: &'r Uri,
    /// The version of HTTP.
    pub version: Version,
    /// The headers.
    pub headers: &'r HeaderMap,
}

impl fmt::Debug for RequestHead<'_> {
    /// Of the headers only the names, and of the target no query: a token may stand in any of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.keys().collect();
        f.debug_struct("RequestHead")
            .field("method", self.method)
            .field("path", &self.uri.path())
            .field("version", &self.version)
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}

impl<'r> RequestHead<'r> {
    pub(crate) fn of<B>(request: &'r Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            headers: request.headers(),
        }
    }

    pub(crate) const fn of_parts(parts: &'r Parts) -> Self {
        Self {
            method: &parts.method,
            uri: &parts.uri,
            version: parts.version,
            headers: &parts.headers,
        }
    }

    /// Whether it is one of gRPC, and so is the answer.
    pub(crate) fn is_grpc(self) -> bool {
        is_grpc(self.method, self.version, self.headers)
    }
}

/// A place of the service's own where a token may stand.
type OwnSource = Arc<dyn for<'r> Fn(RequestHead<'r>) -> Option<&'r str> + Send + Sync>;

/// The one credential of a request, as it was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Credential<'r> {
    octets: &'r [u8],
    from_header: bool,
}

impl<'r> Credential<'r> {
    /// One that was read as a token already.
    pub(crate) const fn read(text: &'r str) -> Self {
        Self {
            octets: text.as_bytes(),
            from_header: false,
        }
    }

    pub(crate) const fn octets(self) -> &'r [u8] {
        self.octets
    }

    /// Its text; empty, which is no token, where a header's is none ([`check`](Self::check) says so).
    pub(crate) fn text(self) -> &'r str {
        str::from_utf8(self.octets).unwrap_or_default()
    }

    /// That a header's is of the characters of one. Every token that is verified is: only who refuses one has to ask.
    ///
    /// # Errors
    /// [`BearerError::HeaderMalformed`].
    pub(crate) fn check(self) -> Result<(), BearerError> {
        if self.from_header && !is_b64token(self.octets) {
            return Err(BearerError::HeaderMalformed);
        }
        Ok(())
    }
}

/// Where tokens may stand beside the `Authorization` header.
#[derive(Clone, Default)]
pub(crate) struct Sources {
    pub(crate) cookie: Option<CookieSource>,
    pub(crate) own: Vec<OwnSource>,
}

impl Sources {
    pub(crate) fn checked(self) -> Result<Self, Error> {
        Ok(Self {
            cookie: self.cookie.map(CookieSource::checked).transpose()?,
            ..self
        })
    }

    /// The headers where a source of the service's own may have found `credential`: those that hold it.
    pub(crate) fn holding(
        &self,
        headers: &HeaderMap,
        credential: Credential<'_>,
    ) -> Vec<HeaderName> {
        if self.own.is_empty() {
            return Vec::new();
        }
        let credential = credential.text();
        let holds =
            |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).contains(credential);
        let headers = headers.iter().filter(|(_, value)| holds(value));
        headers.map(|(name, _)| name.clone()).collect()
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("cookie", &self.cookie)
            .field("own", &self.own.len())
            .finish()
    }
}

/// What is wrong with the way a credential was sent (`invalid_request`, RFC 6750 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BearerError {
    /// More than one `Authorization` header.
    HeaderRepeated,
    /// Not `scheme SP token`, or no token.
    HeaderMalformed,
    /// Two cookies of the one name.
    CookieRepeated,
    /// Tokens in two places, or `access_token` in the query beside one of them.
    TwoCredentials,
}

impl BearerError {
    /// Every one of them, for tests that go through all.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 4] = [
        Self::HeaderRepeated,
        Self::HeaderMalformed,
        Self::CookieRepeated,
        Self::TwoCredentials,
    ];

    /// The stable code for logs; on the wire it is `invalid_request`.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::HeaderRepeated => "header_repeated",
            Self::HeaderMalformed => "header_malformed",
            Self::CookieRepeated => "cookie_repeated",
            Self::TwoCredentials => "two_credentials",
        }
    }

    /// What to do about it, for the client's developer.
    pub(crate) fn detail(self) -> &'static str {
        match self {
            Self::HeaderRepeated => "send the Authorization header once",
            Self::HeaderMalformed => "send the Authorization header as: Bearer, a space, one token",
            Self::CookieRepeated => "two cookies have the same name; clear them and sign in again",
            Self::TwoCredentials => "send the token in one place only",
        }
    }
}

/// The text of the one token of a request, unverified; `None` when there is none.
///
/// For the rare handler that must see a token which [`Protect`](crate::Protect) would refuse, a logout say.
///
/// # Errors
/// 400 `invalid_request` for more than one credential or a malformed header; 403 `cross_site` for a cookie
/// on a request that changes something and that another site may have started.
pub fn unverified_bearer<'r>(
    parts: &'r Parts,
    cookie: Option<&CookieSource>,
) -> Result<Option<&'r str>, Rejection> {
    let found = one_credential(RequestHead::of_parts(parts), cookie, &[])?;
    found
        .map(|credential| Ok(credential.check().map(|()| credential.text())?))
        .transpose()
}

/// The one credential of a request, whose characters nobody has looked at yet ([`Credential::check`]); `None` when there is
/// none.
///
/// # Errors
/// As [`unverified_bearer`].
pub(crate) fn credential<'r>(
    head: RequestHead<'r>,
    sources: &Sources,
) -> Result<Option<Credential<'r>>, Rejection> {
    one_credential(head, sources.cookie.as_ref(), &sources.own)
}

fn one_credential<'r>(
    head: RequestHead<'r>,
    cookie: Option<&CookieSource>,
    own: &[OwnSource],
) -> Result<Option<Credential<'r>>, Rejection> {
    let from_header = from_authorization(head.headers)?.map(|octets| Credential {
        octets,
        from_header: true,
    });
    if cookie.is_none() && own.is_empty() && head.uri.query().is_none() {
        return Ok(from_header);
    }
    let one = only_credential(head, from_header, cookie, own);
    if let (Err(_), Some(from_header)) = (&one, from_header) {
        from_header.check()?;
    }
    one
}

/// The one of several places, where there are several.
#[inline(never)]
fn only_credential<'r>(
    head: RequestHead<'r>,
    from_header: Option<Credential<'r>>,
    cookie: Option<&CookieSource>,
    own: &[OwnSource],
) -> Result<Option<Credential<'r>>, Rejection> {
    let from_cookie = match cookie {
        Some(source) => source.value(head.headers)?,
        None => None,
    };
    let from_own = own
        .iter()
        .filter_map(|source| source(head).filter(|text| !text.is_empty()));
    let others = from_cookie.into_iter().chain(from_own);
    let mut credentials = from_header.into_iter().chain(others.map(Credential::read));
    let Some(credential) = credentials.next() else {
        return Ok(None);
    };
    if credentials.next().is_some() || (from_cookie.is_some() && has_bound_token(head.headers)) {
        return Err(BearerError::TwoCredentials.into());
    }
    // RFC 6750 §2: one method per request. A token in the query is never read, but beside another it is a second; where
    // the service reads the query by itself, it may be the one that was found.
    let is_read_here = from_header.is_some() || from_cookie.is_some();
    if is_read_here && in_query(head.uri) {
        return Err(BearerError::TwoCredentials.into());
    }
    if let Some(source) = cookie.filter(|_| from_cookie.is_some()) {
        source.origins().check(head.method, head.headers)?;
    }
    Ok(Some(credential))
}

/// RFC 9110 §11.4: `credentials = auth-scheme [ 1*SP ( token68 / … ) ]`, the scheme in any case.
fn from_authorization(headers: &HeaderMap) -> Result<Option<&[u8]>, BearerError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(BearerError::HeaderRepeated);
    }
    bearer_token(value)
}

/// RFC 9449 §7.1: a token of another scheme, which is none to look at here, and a credential all the same.
fn has_bound_token(headers: &HeaderMap) -> bool {
    let start = |value: &HeaderValue| value.as_bytes().first_chunk::<5>().copied();
    let mut starts = headers.get_all(AUTHORIZATION).iter().filter_map(start);
    starts.any(|start| start.eq_ignore_ascii_case(b"dpop "))
}

fn bearer_token(value: &HeaderValue) -> Result<Option<&[u8]>, BearerError> {
    let octets = value.as_bytes();
    match octets.split_first_chunk() {
        Some((b"Bearer ", token @ [first, ..])) if *first != b' ' => Ok(Some(token)),
        _ => token_in(octets),
    }
}

/// The same, however it is written.
#[inline(never)]
fn token_in(octets: &[u8]) -> Result<Option<&[u8]>, BearerError> {
    let space = octets.iter().position(|byte| *byte == b' ');
    let (scheme, rest) = octets.split_at(space.unwrap_or(octets.len()));
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        let named = !scheme.is_empty() && scheme.iter().copied().all(is_token_byte);
        return if named && octets.is_ascii() {
            Ok(None)
        } else {
            Err(BearerError::HeaderMalformed)
        };
    }
    let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
    match rest.get(spaces..) {
        Some(token) if !token.is_empty() => Ok(Some(token)),
        _ => Err(BearerError::HeaderMalformed),
    }
}

/// RFC 6750 §2.1: `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
fn is_b64token(octets: &[u8]) -> bool {
    let padding = octets.iter().rev().take_while(|byte| **byte == b'=');
    let length = octets.len().saturating_sub(padding.count());
    let body = octets.get(..length).unwrap_or_default();
    let (blocks, rest) = body.as_chunks();
    // The last block overlaps the one before it; a text shorter than a block is its rest.
    match body.last_chunk() {
        Some(last) => blocks.iter().all(is_b64_block) && is_b64_block(last),
        None => !body.is_empty() && rest.iter().copied().all(is_b64_byte),
    }
}

/// No byte ends the loop early, so that the compiler looks at all of them at once.
fn is_b64_block(block: &[u8; 32]) -> bool {
    let bad = |byte: &u8| u8::from(!is_b64_byte(*byte));
    block.iter().fold(0, |found, byte| found | bad(byte)) == 0
}

const fn is_b64_byte(byte: u8) -> bool {
    // `-`, `.`, `/` and the digits stand in a row.
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    letter | (byte.wrapping_sub(b'-') < 13) | (byte == b'_') | (byte == b'~') | (byte == b'+')
}

/// RFC 9110 §5.6.2: a character of a `token`, which auth-schemes and cookie names are.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// RFC 6750 §2.3: the form that puts tokens into logs and histories.
fn in_query(uri: &Uri) -> bool {
    let Some(query) = uri.query() else {
        return false;
    };
    query
        .split('&')
        .map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name))
        .any(|name| is_spelled(name, "access_token"))
}

/// Whether a name of a query is `name`, also with characters of it written as `%5F` (RFC 3986 §2.1): whoever reads the
/// query decodes it first.
fn is_spelled(text: &str, name: &str) -> bool {
    let mut rest = text.bytes();
    let mut letters = std::iter::from_fn(|| match rest.next()? {
        b'%' => {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            u8::try_from(digit()?.wrapping_shl(4) | digit()?).ok()
        }
        byte => Some(byte),
    });
    name.bytes().all(|byte| letters.next() == Some(byte)) && rest.next().is_none()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(value: &str) -> Result<Option<String>, BearerError> {
        read_value(&HeaderValue::from_str(value).unwrap()).map(|token| token.map(str::to_owned))
    }

    fn read_value(value: &HeaderValue) -> Result<Option<&str>, BearerError> {
        let Some(octets) = bearer_token(value)? else {
            return Ok(None);
        };
        let from_header = true;
        let credential = Credential {
            octets,
            from_header,
        };
        credential.check().map(|()| Some(credential.text()))
    }

    #[test]
    fn accepts_the_scheme_in_any_case_and_more_than_one_space() {
        for value in [
            "Bearer a.b.c",
            "bearer a.b.c",
            "BEARER a.b.c",
            "bEaReR   a.b.c",
        ] {
            assert_eq!(read(value), Ok(Some("a.b.c".to_owned())), "{value}");
        }
    }

    #[test]
    fn another_scheme_is_no_credential() {
        for value in [
            "Basic YWRhOmFkYQ==",
            "DPoP a.b.c",
            "Bearers a.b.c",
            "eyJhbGciOiJFUzI1NiJ9.e30.c2ln",
            "Digest a=\"b\"",
        ] {
            assert_eq!(read(value), Ok(None), "{value}");
        }
    }

    #[test]
    fn rejects_a_bearer_header_without_exactly_one_token() {
        for value in [
            "Bearer",
            "Bearer ",
            "Bearer    ",
            "Bearer =",
            "Bearer a.b.c d",
            "Bearer a.b.c ",
            "Bearer a.b.c, Bearer d.e.f",
            "Bearer\ta.b.c",
            "Bearer \ta.b.c",
            "Bearer: a.b.c",
            "Bearer,a.b.c",
            "Bearer \"a.b.c\"",
            "Bearer a=b",
            " Bearer a.b.c",
            "",
        ] {
            assert_eq!(read(value), Err(BearerError::HeaderMalformed), "{value:?}");
        }
    }

    #[test]
    fn rejects_bytes_that_are_not_ascii() {
        for octets in [&b"Bearer a.\xffb.c"[..], "Bearer a.ä.c".as_bytes()] {
            let value = HeaderValue::from_bytes(octets).unwrap();
            assert_eq!(read_value(&value), Err(BearerError::HeaderMalformed));
        }
    }

    #[test]
    fn a_malformed_header_is_told_as_such_whatever_stands_beside_it() {
        let second = Sources {
            cookie: None,
            own: vec![Arc::new(|_| Some("a.b.c"))],
        };
        for (value, cause) in [
            ("Bearer a.b,c", "header_malformed"),
            ("Bearer a.b.c", "two_credentials"),
        ] {
            let request = Request::get("/").header("authorization", value);
            let request = request.body(()).unwrap();
            let refused = credential(RequestHead::of(&request), &second).unwrap_err();
            assert_eq!(refused.cause(), cause);
        }
    }

    #[test]
    fn a_token_is_of_these_characters_and_no_others() {
        let those = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        for byte in 0..=u8::MAX {
            assert_eq!(is_b64_byte(byte), those(byte), "{byte}");
        }
    }

    #[test]
    fn no_place_in_a_token_is_left_unlooked_at() {
        for length in 1..=130 {
            assert!(is_b64token("a".repeat(length).as_bytes()), "{length}");
            for at in 0..length {
                let mut token = "a".repeat(length).into_bytes();
                *token.get_mut(at).unwrap() = b' ';
                assert!(!is_b64token(&token), "{at} of {length}");
            }
        }
    }

    #[test]
    fn a_query_parameter_is_known_by_its_whole_name() {
        for (uri, expected) in [
            ("/?access_token=a", true),
            ("/?x=1&access_token", true),
            ("/?access%5Ftoken=a", true),
            ("/?access%5ftoken", true),
            ("/?%61ccess_toke%6E=a", true),
            ("/?access%5Ftokens=a", false),
            ("/?access%5Ftoke=a", false),
            ("/?access_token%", false),
            ("/?access_token%00=a", false),
            ("/?access%+5token=a", false),
            ("/?my_access_token=a", false),
            ("/?x=access_token", false),
            ("/access_token", false),
        ] {
            assert_eq!(in_query(&uri.parse().unwrap()), expected, "{uri}");
        }
    }

    #[test]
    fn a_request_that_is_printed_shows_no_token() {
        let request = Request::get("/orders?access_token=canary")
            .header("authorization", "Bearer canary")
            .header("cookie", "at=canary");
        let request = request.body(()).unwrap();
        let printed = format!("{:?}", RequestHead::of(&request));
        assert!(!printed.contains("canary"), "{printed}");
        assert!(printed.contains("/orders") && printed.contains("cookie"));
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_was_written(token in "[A-Za-z0-9._~+/-]{1,100}={0,2}") {
            prop_assert_eq!(read(&format!("Bearer {token}")), Ok(Some(token)));
        }

        #[test]
        fn no_header_value_yields_more_than_a_b64token(value in "([Bb]earer)?[ -~\t]{0,40}") {
            if let Ok(Some(token)) = read(&value) {
                prop_assert!(is_b64token(token.as_bytes()) && value.ends_with(&token));
            }
        }
    }
}
