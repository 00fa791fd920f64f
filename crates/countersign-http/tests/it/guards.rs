//! Roles, scopes and rules: 403 for those who are known and not enough.

use axum::Router;
use axum::routing::get as route;
use countersign_http::{Protect, VerifiedToken, require, require_role, require_scope};
use serde_json::{Value, json};

use crate::harness::{access_token, bearer, claims, get, good_token, protect, send};

fn routes() -> Router {
    let page = || async { "in" };
    let beta = require(|token| token.claim("beta") == Some(&Value::Bool(true)));
    Router::new()
        .route("/", route(page).route_layer(require_role("admin")))
        .route(
            "/scope",
            route(page).route_layer(require_scope("orders:write")),
        )
        .route("/beta", route(page).route_layer(beta))
        .route("/open", route(page))
}

fn app(auth: Protect) -> Router {
    routes().layer(auth)
}

fn token_with(name: &str, value: Value) -> String {
    access_token(&claims().claim(name, value).unwrap())
}

#[tokio::test]
async fn accepts_a_token_with_the_role() {
    let app = app(protect().build().unwrap());
    for roles in [
        json!(["admin"]),
        json!(["user", "admin"]),
        json!([1, null, "admin"]),
    ] {
        send(&app, bearer(&token_with("roles", roles)))
            .await
            .is_ok("in");
    }
}

#[tokio::test]
async fn rejects_a_token_without_the_role() {
    let app = app(protect().build().unwrap());
    let wrong = [
        json!([]),
        json!(["user"]),
        json!(["Admin"]),
        json!("admin"),
        json!({"admin": true}),
        json!([["admin"]]),
    ];
    let tokens = wrong.map(|roles| token_with("roles", roles));
    for token in tokens.into_iter().chain([good_token()]) {
        let answer = send(&app, bearer(&token)).await;
        answer.is_problem(403, "insufficient_role", "Insufficient role");
        answer.challenges(
            "Bearer realm=\"orders\", error=\"insufficient_scope\", error_description=\"this needs the role admin\"",
        );
        assert!(
            answer
                .body
                .contains("\"detail\":\"this needs the role admin\"")
        );
    }
}

#[tokio::test]
async fn a_guard_covers_its_own_route_only() {
    let app = app(protect().build().unwrap());
    send(&app, bearer(&good_token()).uri("/open"))
        .await
        .is_ok("in");
}

#[tokio::test]
async fn accepts_a_token_with_the_scope_and_names_it_to_one_without() {
    let app = app(protect().build().unwrap());
    let with = token_with("scope", json!("orders:read orders:write"));
    send(&app, bearer(&with).uri("/scope")).await.is_ok("in");
    for scope in [
        json!(""),
        json!("orders:write2"),
        json!("orders"),
        json!(["orders:write"]),
    ] {
        let answer = send(&app, bearer(&token_with("scope", scope)).uri("/scope")).await;
        answer.is_problem(403, "insufficient_scope", "Insufficient scope");
        assert!(
            answer
                .body
                .contains("\"detail\":\"this needs the scope orders:write\"")
        );
        answer.challenges(
            "Bearer realm=\"orders\", error=\"insufficient_scope\", scope=\"orders:write\"",
        );
    }
}

#[tokio::test]
async fn accepts_a_token_that_satisfies_a_rule_of_ones_own_and_rejects_another() {
    let app = app(protect().build().unwrap());
    send(&app, bearer(&token_with("beta", json!(true))).uri("/beta"))
        .await
        .is_ok("in");
    let answer = send(
        &app,
        bearer(&token_with("beta", json!("true"))).uri("/beta"),
    )
    .await;
    answer.is_problem(403, "forbidden", "Forbidden");
    answer.challenges("Bearer realm=\"orders\", error=\"insufficient_scope\"");
}

#[tokio::test]
async fn rejects_a_missing_and_a_bad_token_before_the_role_is_asked_for() {
    let app = app(protect().build().unwrap());
    send(&app, get())
        .await
        .is_problem(401, "no_credential", "No token provided");
    send(&app, bearer("x.y.z"))
        .await
        .is_problem(401, "invalid_token", "Invalid token");
}

#[tokio::test]
async fn a_guard_under_an_optional_layer_answers_401_to_nobody() {
    let app = app(protect().build().unwrap().optional());
    let answer = send(&app, get()).await;
    answer
        .is_problem(401, "no_credential", "No token provided")
        .challenges("Bearer realm=\"orders\"");
    send(&app, bearer(&token_with("roles", json!(["admin"]))))
        .await
        .is_ok("in");
}

#[tokio::test]
async fn a_guard_without_a_layer_is_500_and_never_open() {
    let token = token_with("roles", json!(["admin"]));
    for path in ["/", "/scope", "/beta"] {
        let answer = send(&routes(), bearer(&token).uri(path)).await;
        answer.is_problem(500, "not_protected", "Internal server error");
    }
}

#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Role {
    Admin,
    StockClerk,
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
enum Scope {
    #[serde(rename = "orders:read")]
    OrdersRead,
    #[serde(rename = "orders:write")]
    OrdersWrite,
}

#[tokio::test]
async fn accepts_and_rejects_by_roles_and_scopes_of_the_services_own_types() {
    async fn shown(token: VerifiedToken) -> String {
        format!("{:?} {:?}", token.roles::<Role>(), token.scopes::<Scope>())
    }
    let app = Router::new()
        .route(
            "/",
            route(shown).route_layer(require_role(Role::StockClerk)),
        )
        .route(
            "/write",
            route(shown).route_layer(require_scope(Scope::OrdersWrite)),
        )
        .layer(protect().build().unwrap());
    let token = |roles: Value, scope: &str| {
        let claims = claims().claim("roles", roles).unwrap();
        access_token(&claims.claim("scope", json!(scope)).unwrap())
    };
    // Names that the service does not know are nobody's.
    let clerk = token(
        json!(["stock-clerk", "auditor", 7, {"Admin": null}, "Admin"]),
        "orders:read  x orders:write",
    );
    send(&app, bearer(&clerk))
        .await
        .is_ok("[StockClerk] [OrdersRead, OrdersWrite]");
    send(&app, bearer(&clerk).uri("/write"))
        .await
        .is_ok("[StockClerk] [OrdersRead, OrdersWrite]");
    for roles in [json!(["StockClerk"]), json!(["admin"]), json!([])] {
        let other = token(roles, "orders:read");
        send(&app, bearer(&other))
            .await
            .is_problem(403, "insufficient_role", "Insufficient role");
        let answer = send(&app, bearer(&other).uri("/write")).await;
        answer.is_problem(403, "insufficient_scope", "Insufficient scope");
    }
}

#[tokio::test]
async fn a_guard_that_asks_for_no_name_lets_nobody_in() {
    let everything = access_token(
        &claims()
            .claim("roles", json!(["", "7", "null", 7, null]))
            .unwrap(),
    );
    let guards = [
        require_role(7),
        require_role(None::<&str>),
        require_role(""),
        require_role(["admin"]),
        require_scope(json!({})),
    ];
    for guard in guards {
        let routes = Router::new().route("/", route(async || "in").route_layer(guard));
        let app = routes.layer(protect().build().unwrap());
        assert_eq!(send(&app, bearer(&everything)).await.status, 403);
    }
}

/// Members of such names mean something to the parser beneath, in a program where some crate has it so.
#[tokio::test]
async fn no_other_member_hides_a_claim_from_a_rule() {
    let not_blocked = require(|token| token.claim("blocked") != Some(&Value::Bool(true)));
    let page = route(async || "in").route_layer(not_blocked);
    let auth = protect().check(|token| async move {
        let blocked = token.claim("blocked") == Some(&Value::Bool(true));
        if blocked {
            Err(countersign_http::Rejection::forbidden())
        } else {
            Ok(())
        }
    });
    let guarded = Router::new()
        .route("/", page)
        .layer(protect().build().unwrap());
    let checked = Router::new()
        .route("/", route(async || "in"))
        .layer(auth.build().unwrap());
    for first in ["RawValue", "Number", "x"] {
        let name = format!("$serde_json::private::{first}");
        let payload = json!({name: "{}", "blocked": true, "client_id": "web"});
        let claims = claims().with(&payload).unwrap();
        for app in [&guarded, &checked] {
            let status = send(app, bearer(&access_token(&claims))).await.status;
            assert!([401, 403].contains(&status), "{first} {status}");
        }
    }
    send(&guarded, bearer(&good_token())).await.is_ok("in");
    send(&checked, bearer(&good_token())).await.is_ok("in");
}
