//! The places that pages lead to, and for whom they are. What is not built is not shown.

use crate::inspector::Access;

/// For whom a place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum For {
    /// Whoever is not signed in.
    Guests,
    /// Whoever is signed in.
    Members,
    /// Whoever has the role `admin`.
    Administrators,
}

/// Who looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    Guest,
    Member,
    Administrator,
}

impl Reader {
    fn sees(self, for_whom: &[For]) -> bool {
        for_whom.iter().any(|one| match one {
            For::Guests => self == Self::Guest,
            For::Members => self != Self::Guest,
            For::Administrators => self == Self::Administrator,
        })
    }
}

/// A page that others lead to.
struct Place {
    name: &'static str,
    path: &'static str,
    for_whom: &'static [For],
    /// One that is still to come keeps its place here and is shown to nobody.
    is_built: bool,
}

const fn place(name: &'static str, path: &'static str, for_whom: &'static [For]) -> Place {
    Place {
        name,
        path,
        for_whom,
        is_built: true,
    }
}

const fn to_come(name: &'static str, path: &'static str, for_whom: &'static [For]) -> Place {
    Place {
        is_built: false,
        ..place(name, path, for_whom)
    }
}

/// Every place, in groups: tools, the running of the server, one's own.
const PLACES: [&[Place]; 3] = [
    &[
        place("Inspector", "/inspect", &[For::Guests, For::Members]),
        place("Life of a token", "/flow", &[For::Guests, For::Members]),
    ],
    &[
        place("Users", "/admin/users", &[For::Administrators]),
        place("Keys", "/admin/keys", &[For::Administrators]),
        place("Health", "/admin/health", &[For::Administrators]),
        to_come("Audit trail", "/admin/audit", &[For::Administrators]),
    ],
    &[
        place("Account", "/account", &[For::Members]),
        to_come("Second factor", "/account/second-factor", &[For::Members]),
        place("Log in", "/log-in", &[For::Guests]),
        place("Sign up", "/sign-up", &[For::Guests]),
    ],
];

/// A place as a page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    /// `aria-current`: this page, or one below it.
    pub(crate) current: Option<&'static str>,
}

/// Who may open what is not there for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Doors {
    pub(crate) inspector: Access,
    pub(crate) demo: Access,
}

impl Doors {
    fn admit(self, reader: Reader, place: &Place) -> bool {
        let is_signed_in = reader != Reader::Guest;
        match place.path {
            "/inspect" => self.inspector.admits(is_signed_in),
            "/flow" => self.demo.admits(is_signed_in),
            _ => true,
        }
    }
}

/// What a reader on the page `here` is shown, of what is there; no group is empty.
pub(crate) fn entries(reader: Reader, here: &str, doors: Doors) -> Vec<Vec<Entry>> {
    let groups = PLACES.iter().map(|group| {
        let shown = group
            .iter()
            .filter(|place| place.is_built && reader.sees(place.for_whom))
            .filter(|place| doors.admit(reader, place));
        shown.map(|place| entry(place, here)).collect::<Vec<_>>()
    });
    groups.filter(|group| !group.is_empty()).collect()
}

fn entry(place: &Place, here: &str) -> Entry {
    let path = here.split('?').next().unwrap_or_default();
    let current = match path.strip_prefix(place.path) {
        Some("") => Some("page"),
        Some(below) if below.starts_with('/') => Some("true"),
        _ => None,
    };
    Entry {
        name: place.name,
        path: place.path,
        current,
    }
}
