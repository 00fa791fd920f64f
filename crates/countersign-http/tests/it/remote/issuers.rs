//! Several issuers, each with its own keys, audience and algorithms.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_http::{Error, Issuer, ProtectBuilder, StatusLists};

use super::*;

const PARTNER_AUDIENCE: &str = "https://orders.example";

struct Two {
    ours: FaultServer,
    theirs: FaultServer,
    keys: [SigningKey; 2],
    auth: Protect,
    app: Router,
}

/// Two issuers whose keys have the same name.
async fn two() -> Two {
    let keys = [key().with_key_id("1"), key().with_key_id("1")];
    let ours = FaultServer::issuer(&set(&[&keys[0]])).await;
    let theirs = FaultServer::issuer(&set(&[&keys[1]])).await;
    let auth = Protect::issuer(&ours.url)
        .audience(AUDIENCE)
        .and(
            Issuer::discover(&theirs.url)
                .audience(PARTNER_AUDIENCE)
                .algorithm(Algorithm::ES256)
                .plain_jwt(),
        )
        .clock(|| NOW)
        .build()
        .unwrap();
    Two {
        ours,
        theirs,
        keys,
        app: app(auth.clone()),
        auth,
    }
}

fn minted(key: &SigningKey, typ: &str, issuer: &str, audience: &str) -> String {
    signed(key, typ, &claims_of(issuer, audience))
}

#[tokio::test]
async fn accepts_each_issuer_under_its_own_terms_and_asks_only_the_one_that_is_named() {
    let two = two().await;
    let token = minted(&two.keys[0], "at+jwt", &two.ours.url, AUDIENCE);
    send(&two.app, bearer(&token)).await.is_ok("in");
    assert_eq!(two.theirs.connections(), 0);
    let token = minted(&two.keys[1], "JWT", &two.theirs.url, PARTNER_AUDIENCE);
    send(&two.app, bearer(&token)).await.is_ok("in");
}

#[tokio::test]
async fn rejects_a_key_audience_or_kind_of_the_other_issuer() {
    let two = two().await;
    let [our_key, their_key] = &two.keys;
    let (ours, theirs) = (two.ours.url.as_str(), two.theirs.url.as_str());
    for (key, typ, issuer, audience) in [
        (their_key, "at+jwt", ours, AUDIENCE),
        (our_key, "JWT", theirs, PARTNER_AUDIENCE),
        (our_key, "at+jwt", ours, PARTNER_AUDIENCE),
        (their_key, "JWT", theirs, AUDIENCE),
        (our_key, "JWT", ours, AUDIENCE),
        (their_key, "at+jwt", theirs, PARTNER_AUDIENCE),
    ] {
        let answer = send(&two.app, bearer(&minted(key, typ, issuer, audience))).await;
        answer.is_problem(401, "invalid_token", "Invalid token");
    }
}

#[tokio::test]
async fn an_issuer_that_nobody_named_is_refused_and_never_asked() {
    let two = two().await;
    let stranger = FaultServer::issuer(&set(&[&two.keys[0]])).await;
    for issuer in [stranger.url.as_str(), "https://169.254.169.254", ""] {
        let token = minted(&two.keys[0], "at+jwt", issuer, AUDIENCE);
        assert_eq!(send(&two.app, bearer(&token)).await.status, 401);
    }
    let connections = [&stranger, &two.ours, &two.theirs].map(FaultServer::connections);
    assert_eq!(connections, [0, 0, 0]);
}

#[tokio::test]
async fn rejects_an_algorithm_that_its_issuer_does_not_sign_with() {
    let (es256, eddsa) = (key(), SigningKey::generate(Algorithm::EdDSA).unwrap());
    let server = FaultServer::issuer(&set(&[&es256, &eddsa])).await;
    let auth = Protect::issuer(&server.url)
        .audience(AUDIENCE)
        .clock(|| NOW);
    let app = app(auth.algorithm(Algorithm::ES256).build().unwrap());
    for (key, expected) in [(&es256, 200), (&eddsa, 401)] {
        let token = minted(key, "at+jwt", &server.url, AUDIENCE);
        assert_eq!(send(&app, bearer(&token)).await.status, expected);
    }
}

#[tokio::test]
async fn one_issuer_that_is_down_takes_no_other_with_it() {
    let two = two().await;
    two.theirs.answers(OIDC, Fault::Hangup);
    let theirs = minted(&two.keys[1], "JWT", &two.theirs.url, PARTNER_AUDIENCE);
    assert_eq!(send(&two.app, bearer(&theirs)).await.status, 503);
    let ours = minted(&two.keys[0], "at+jwt", &two.ours.url, AUDIENCE);
    send(&two.app, bearer(&ours)).await.is_ok("in");
    let health = two.auth.health();
    let ready: Vec<_> = health.issuers.iter().map(IssuerHealth::is_ready).collect();
    assert_eq!(ready, [true, false]);
    assert_eq!((health.is_ready(), health.is_any_ready()), (false, true));
}

#[test]
fn rejects_no_issuer_and_one_that_is_named_twice() {
    let nobody = Protect::trusting([]).realm("orders").build().unwrap_err();
    assert_eq!(nobody.code(), "policy");
    let twice = Protect::issuer("https://id.example")
        .audience(AUDIENCE)
        .and(Issuer::jwks("https://id.example", "https://id.example/keys").audience(AUDIENCE))
        .build();
    assert_eq!(twice.unwrap_err().code(), "policy");
    let open = Protect::issuer("https://id.example")
        .audience(AUDIENCE)
        .and(Issuer::discover("https://partner.example"));
    assert_eq!(open.build().unwrap_err().code(), "audience_missing");
}

/// A setting after `.and(…)` would let a partner's tokens for us in, or leave a partner without what all were meant to have.
#[test]
fn rejects_a_setting_of_issuers_that_stands_after_another_issuer() {
    let ours = || Protect::issuer("https://id.example").audience(AUDIENCE);
    let theirs = || Issuer::discover("https://partner.example").audience(PARTNER_AUDIENCE);
    type Late = fn(ProtectBuilder) -> ProtectBuilder;
    let late: [(&str, Late); 7] = [
        ("audience", |all| all.audience("mine")),
        ("algorithm", |all| all.algorithm(Algorithm::ES256)),
        ("plain_jwt", ProtectBuilder::plain_jwt),
        ("leeway", |all| all.leeway(Duration::from_secs(5))),
        ("status_lists", |all| all.status_lists(StatusLists::new())),
        ("require_status", ProtectBuilder::require_status),
        ("without_status", ProtectBuilder::without_status),
    ];
    for (setting, late) in late {
        let refused = late(ours().and(theirs())).build().unwrap_err();
        assert_eq!(refused, Error::SettingLate { setting });
        assert!(late(ours()).and(theirs()).build().is_ok(), "{setting}");
    }
    // What is said of the service as a whole may stand anywhere.
    let whole = ours().and(theirs()).realm("orders").cache(10);
    assert!(whole.build().is_ok());
}

#[tokio::test]
async fn no_url_and_no_key_of_a_header_is_followed() {
    let (key, stranger) = (key(), key());
    let trap = FaultServer::issuer(&set(&[&stranger])).await;
    let server = FaultServer::issuer(&set(&[&key])).await;
    let service = Service::of(&server);
    service.passes(&key).await;
    let keys = format!("{}{KEYS}", trap.url);
    let own = service.token(&stranger);
    let parts: Vec<_> = own.split('.').collect();
    for (name, value) in [
        ("jku", json!(keys)),
        ("x5u", json!(keys)),
        ("jwk", public(&stranger)),
        ("x5c", json!(["AAAA"])),
    ] {
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": key.key_id(), name: value});
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        let token = [&header, parts[1], parts[2]].join(".");
        assert_eq!(service.answer(&token).await.status, 401, "{name}");
    }
    assert_eq!(trap.connections(), 0);
    assert_eq!(server.asked(KEYS), 1);
}

#[tokio::test]
async fn a_kid_is_never_part_of_what_is_asked() {
    let (key, stranger) = (key(), key());
    let server = FaultServer::issuer(&set(&[&key])).await;
    let service = Service::of(&server);
    for kid in [
        "../../../../dev/null",
        "/dev/tcp/127.0.0.1/80",
        "file:///etc/passwd",
        "http://127.0.0.1/",
        "x' UNION SELECT 'secret'--",
        "*)(uid=*",
        "| whoami",
        "${jndi:ldap://127.0.0.1/a}",
        "%0d%0ahost: evil",
        "\u{0}",
        "",
    ] {
        let forged = signed(
            &stranger.clone().with_key_id(kid),
            "at+jwt",
            &service.claims(),
        );
        assert_eq!(service.answer(&forged).await.status, 401, "{kid}");
        service.time.passes(61);
    }
    let paths: std::collections::BTreeSet<_> = server
        .heads()
        .iter()
        .map(|head| head.split(' ').nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(paths, [OIDC, KEYS].map(str::to_owned).into());
}
