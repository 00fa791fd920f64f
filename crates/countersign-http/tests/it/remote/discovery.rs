//! Where the keys of an issuer are.

use serde_json::json;

use super::*;
use crate::fault_server::RFC_8414;

#[tokio::test]
async fn accepts_a_token_whose_keys_are_found_by_openid_discovery() {
    let key = key();
    let server = FaultServer::issuer(&set(&[&key])).await;
    let service = Service::of(&server);
    assert_eq!(
        server.connections(),
        0,
        "nothing is fetched before a token needs it"
    );
    service.passes(&key).await;
    service.passes(&key).await;
    assert_eq!((server.asked(OIDC), server.asked(KEYS)), (1, 1));
    assert_eq!(server.connections(), 2);
    let heads = server.heads().join("\n");
    assert!(heads.contains("accept-encoding: identity"), "{heads}");
    assert!(
        !heads.contains("cookie") && !heads.contains("referer"),
        "{heads}"
    );
}

#[tokio::test]
async fn accepts_a_token_whose_keys_are_found_by_rfc_8414() {
    let key = key();
    for first in [
        Fault::Status(404),
        Fault::with("text/html", "<html>app</html>".to_owned()),
    ] {
        let server = FaultServer::issuer(&set(&[&key])).await;
        server.answers(OIDC, first);
        server.answers(RFC_8414, Fault::json(&server.metadata(KEYS)));
        Service::of(&server).passes(&key).await;
        assert_eq!((server.asked(OIDC), server.asked(RFC_8414)), (1, 1));
    }
}

#[tokio::test]
async fn accepts_an_issuer_with_a_path_in_both_forms() {
    let key = key();
    for place in [
        "/tenants/1/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/tenants/1",
    ] {
        let server = FaultServer::start().await;
        let issuer = format!("{}/tenants/1", server.url);
        server.answers(KEYS, Fault::json(&set(&[&key])));
        let metadata = json!({"issuer": issuer, "jwks_uri": format!("{}{KEYS}", server.url)});
        server.answers(place, Fault::json(&metadata));
        let app = app(Protect::issuer(&issuer)
            .audience(AUDIENCE)
            .clock(|| NOW)
            .build()
            .unwrap());
        let token = signed(&key, "at+jwt", &claims_of(&issuer, AUDIENCE));
        send(&app, bearer(&token)).await.is_ok("in");
    }
}

#[tokio::test]
async fn accepts_the_url_of_a_key_set_without_discovery() {
    let key = key();
    let server = FaultServer::start().await;
    server.answers(KEYS, Fault::json(&set(&[&key])));
    let url = format!("{}{KEYS}", server.url);
    let app = app(Protect::jwks("urn:example:issuer", &url)
        .audience(AUDIENCE)
        .clock(|| NOW)
        .build()
        .unwrap());
    let token = signed(&key, "at+jwt", &claims_of("urn:example:issuer", AUDIENCE));
    send(&app, bearer(&token)).await.is_ok("in");
    assert_eq!(server.connections(), 1);
    let another = signed(&key, "at+jwt", &claims_of(&server.url, AUDIENCE));
    assert_eq!(send(&app, bearer(&another)).await.status, 401);
}

#[tokio::test]
async fn no_proxy_of_the_machine_is_asked() {
    let proxy = FaultServer::start().await;
    let url = proxy.url.clone();
    // The settings of a machine belong to a process: this is another one.
    let child = tokio::task::spawn_blocking(move || {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args([
            "--exact",
            "remote::discovery::accepts_the_url_of_a_key_set_without_discovery",
        ]);
        for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
            child.env(name, &url);
        }
        for name in ["no_proxy", "NO_PROXY"] {
            child.env_remove(name);
        }
        child.output().unwrap()
    });
    let output = child.await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
    assert_eq!(proxy.connections(), 0);
}

#[tokio::test]
async fn rejects_the_metadata_of_another_issuer() {
    let key = key();
    let server = FaultServer::issuer(&set(&[&key])).await;
    for issuer in [format!("{}/", server.url), "https://id.example".to_owned()] {
        let metadata = json!({"issuer": issuer, "jwks_uri": format!("{}{KEYS}", server.url)});
        server.answers(OIDC, Fault::json(&metadata));
        server.answers(RFC_8414, Fault::json(&server.metadata(KEYS)));
        let service = Service::of(&server);
        assert_eq!(service.status(&key).await, 503);
        assert_eq!(
            service.health().last_error,
            Some("metadata_issuer_mismatch")
        );
    }
    assert_eq!((server.asked(KEYS), server.asked(RFC_8414)), (0, 0));
}

#[tokio::test]
async fn a_url_that_was_learned_leads_to_no_private_address_of_another_host() {
    let key = key();
    let inside = FaultServer::issuer(&set(&[&key])).await;
    let port = inside.url.rsplit(':').next().unwrap();
    for (url, code) in [
        // The same machine under another name, and what only a service can reach.
        (
            format!("http://localhost:{port}{KEYS}"),
            "fetch_scheme_refused",
        ),
        (
            format!("https://localhost:{port}{KEYS}"),
            "fetch_address_refused",
        ),
        (
            format!("https://[::1]:{port}{KEYS}"),
            "fetch_address_refused",
        ),
        (
            format!("https://127.0.0.2:{port}{KEYS}"),
            "fetch_address_refused",
        ),
        (
            "https://169.254.169.254/latest/meta-data".to_owned(),
            "fetch_address_refused",
        ),
        (
            "http://169.254.169.254/latest/meta-data".to_owned(),
            "fetch_scheme_refused",
        ),
        ("file:///etc/passwd".to_owned(), "fetch_scheme_refused"),
    ] {
        let server = FaultServer::issuer(&set(&[&key])).await;
        server.answers(
            OIDC,
            Fault::json(&json!({"issuer": server.url, "jwks_uri": url})),
        );
        let service = Service::of(&server);
        assert_eq!(service.status(&key).await, 503, "{url}");
        assert_eq!(service.health().last_error, Some(code), "{url}");
    }
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn keys_can_be_loaded_before_the_first_token_and_say_why_not() {
    let key = key();
    let server = FaultServer::issuer(&set(&[&key])).await;
    let keys = RemoteKeys::discover(&server.url).unwrap();
    assert_eq!(keys.load().await.unwrap().keys().count(), 1);
    assert_eq!(server.asked(KEYS), 1);
    let nothing = RemoteKeys::at(&format!("{}/nothing", server.url)).unwrap();
    assert_eq!(nothing.load().await.unwrap_err().code(), "fetch_status");
}

#[test]
fn rejects_issuers_and_urls_that_may_not_be_asked() {
    for (issuer, code) in [
        ("http://id.example", "fetch_scheme_refused"),
        ("ftp://id.example", "fetch_scheme_refused"),
        ("id.example", "fetch_url_invalid"),
        ("https://ada@id.example", "fetch_url_invalid"),
        ("https://id.example/?tenant=1", "fetch_url_invalid"),
        ("", "issuer_missing"),
    ] {
        let built = Protect::issuer(issuer).audience(AUDIENCE).build();
        assert_eq!(built.unwrap_err().code(), code, "{issuer}");
    }
    let built = Protect::jwks("https://id.example", "http://id.example/keys").audience(AUDIENCE);
    assert_eq!(built.build().unwrap_err().code(), "fetch_scheme_refused");
}

#[test]
fn rejects_a_timeout_and_a_limit_of_stale_keys_beyond_their_bounds() {
    let secs = Duration::from_secs;
    let keys = RemoteKeys::builder;
    for (keys, refused) in [
        (keys().timeout(secs(60)), None),
        (
            keys().timeout(secs(61)),
            Some("`timeout` is longer than 60 s, the most that it may be"),
        ),
        (keys().stale_limit(secs(86_400)), None),
        (
            keys().stale_limit(secs(86_401)),
            Some("`stale_limit` is longer than 86400 s, the most that it may be"),
        ),
    ] {
        let named = "https://id.example";
        for built in [keys.clone().discover(named), keys.at(named)] {
            let error = built.err().map(|error| error.to_string());
            assert_eq!(error.as_deref(), refused);
        }
    }
}
