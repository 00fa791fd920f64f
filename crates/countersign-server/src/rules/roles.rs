//! Role names, and the one that runs the server.

use crate::error::Error;

/// The role that may use `/admin/v1`.
pub(crate) const ADMIN: &str = "admin";

const MAX_ROLES: usize = 32;
const MAX_CHARS: usize = 64;
/// With them, a token still fits into a cookie.
const MAX_CHARS_TOGETHER: usize = 1_500;

/// Takes a list of roles as a person gives it: checked, each once, in the order given.
pub(crate) fn parse(names: &[String]) -> Result<Vec<String>, Error> {
    let mut roles: Vec<String> = Vec::new();
    for name in names {
        if !is_role(name) {
            return Err(Error::Argument(format!(
                "{} is no name of a role; a role is 1 to {MAX_CHARS} characters of a-z, 0-9, `_`, `-`, `.` and `:`",
                shown(name)
            )));
        }
        if !roles.contains(name) {
            roles.push(name.clone());
        }
    }
    if roles.iter().map(String::len).sum::<usize>() > MAX_CHARS_TOGETHER {
        return Err(Error::Argument(format!(
            "the roles of an account have at most {MAX_CHARS_TOGETHER} characters together, because every token names them; use shorter names"
        )));
    }
    if roles.len() > MAX_ROLES {
        return Err(Error::Argument(format!(
            "an account has at most {MAX_ROLES} roles; take some away"
        )));
    }
    Ok(roles)
}

/// A name that may be anything, for whoever gave it: on one line, and not at any length.
fn shown(name: &str) -> String {
    let mut letters = name.chars();
    let start: String = letters.by_ref().take(MAX_CHARS).collect();
    let end = if letters.next().is_some() { "…" } else { "" };
    format!("{start:?}{end}")
}

fn is_role(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_CHARS
        && name.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.:".contains(&byte)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn accepts_a_list_and_keeps_each_role_once() {
        assert_eq!(
            parse(&names(&["editor", "admin", "editor", "orders:read"])).unwrap(),
            names(&["editor", "admin", "orders:read"])
        );
    }

    #[test]
    fn rejects_names_that_are_no_roles() {
        for name in ["", "Admin", "a b", "\"admin\"", "%", "a,b", &"x".repeat(65)] {
            assert!(parse(&names(&[name])).is_err(), "{name}");
        }
    }

    #[test]
    fn the_name_that_is_no_role_is_said_and_no_other_on_one_line() {
        let long = format!("\"{}\"…", "x".repeat(64));
        for (name, said) in [
            ("Admin", "\"Admin\""),
            ("", "\"\""),
            ("a\n\u{1b}[2J\u{202e}b", r#""a\n\u{1b}[2J\u{202e}b""#),
            (&"x".repeat(65), &long),
        ] {
            let problem = parse(&names(&["editor", name, "B"])).unwrap_err();
            let text = problem.to_string();
            let start = format!("{said} is no name of a role; ");
            assert!(text.starts_with(&start), "{text}");
        }
    }
}
