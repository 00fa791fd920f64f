//! `/admin/keys`: the signing keys as they are, for administrators.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::app::App;
use crate::routes::member::Administrator;
use crate::routes::page::page;
use crate::routes::shell::Shell;
use crate::routes::when::When;
use crate::rules::keys::{Duty, Listed};

#[derive(Template)]
#[template(path = "keys.html")]
struct Keys {
    shell: Shell,
    state: String,
    keys: Vec<Key>,
}

struct Key {
    kid: String,
    alg: &'static str,
    duty: &'static str,
    /// The class of its badge.
    kind: &'static str,
    made: When,
    signs_from: When,
    signs_until: When,
    counts_until: When,
    is_standby: bool,
    public: String,
}

pub(crate) async fn get(State(app): State<App>, _: Administrator, shell: Shell) -> Response {
    let (ring, now) = (app.ring(), app.now());
    let keys = Keys {
        shell,
        state: ring.describe(now),
        keys: ring
            .listed(now)
            .into_iter()
            .map(|key| Key::of(key, now))
            .collect(),
    };
    page(StatusCode::OK, &keys)
}

impl Key {
    fn of(key: Listed, now: i64) -> Self {
        let (duty, kind) = match key.duty {
            Duty::Signs => ("signs", "good"),
            Duty::StandsBy => ("stands by", "accent"),
            Duty::Verifies => ("verifies only", "care"),
            Duty::Over => ("is over", ""),
        };
        Self {
            kid: key.kid,
            alg: key.alg,
            duty,
            kind,
            made: When::of(key.made_at, now),
            signs_from: When::of(key.sign_from, now),
            signs_until: When::of(key.sign_until, now),
            counts_until: When::of(key.verify_until, now),
            is_standby: key.duty == Duty::StandsBy,
            public: key.public,
        }
    }
}
