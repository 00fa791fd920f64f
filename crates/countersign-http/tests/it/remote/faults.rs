//! Answers that no issuer should give. Through all of them, valid tokens of known keys pass within the stale limit, and
//! nothing invalid passes.

use super::*;

/// Every way to answer wrongly, and the code that says so.
fn faults(good: &str) -> Vec<(Fault, &'static str)> {
    let json = |body: String| Fault::with("application/json", body);
    let many = json!({"keys": vec![json!({"kty": "x"}); 10_000]}).to_string();
    let more = json!({"keys": vec![json!({"kty": "x"}); 101]}).to_string();
    assert!(many.len() > 100_000 && more.len() < 10_000);
    vec![
        (Fault::Status(404), "fetch_status"),
        (Fault::Status(429), "fetch_status"),
        (Fault::Status(500), "fetch_status"),
        (Fault::Status(204), "fetch_status"),
        (Fault::Hangup, "fetch_broken"),
        (Fault::Never, "fetch_timeout"),
        (Fault::Drip(good.to_owned()), "fetch_timeout"),
        (Fault::Truncated(good.to_owned()), "fetch_broken"),
        (Fault::Huge { announced: true }, "fetch_too_large"),
        (Fault::Huge { announced: false }, "fetch_too_large"),
        (
            json(good.to_owned()).and("content-encoding", "gzip"),
            "fetch_content_encoding",
        ),
        (
            Fault::with("text/html", "<html>log in</html>".to_owned()),
            "fetch_content_type",
        ),
        (
            Fault::with("text/plain", "<html>log in</html>".to_owned()),
            "malformed_json",
        ),
        (json(many), "malformed_too_many_values"),
        (json(more), "key_format"),
        (json(String::new()), "malformed_json"),
        (json("[]".to_owned()), "malformed_not_object"),
        (json("{}".to_owned()), "key_format"),
        (json("{\"keys\":{}}".to_owned()), "key_format"),
        (
            json(good.replacen('{', "{\"keys\":[],\"keys\":[],", 1)),
            "malformed_duplicate_member",
        ),
    ]
}

#[tokio::test]
async fn a_fault_on_a_cold_cache_is_503_with_its_code_and_nothing_passes() {
    let (key, stranger) = (key(), key());
    let good = set(&[&key]).to_string();
    let mut seen = 0;
    for (fault, code) in faults(&good) {
        let server = FaultServer::issuer(&json!({})).await;
        server.answers(KEYS, fault.clone());
        let service = Service::facing(&fault, &server);
        for key in [&key, &stranger] {
            let answer = service.answer(&service.token(key)).await;
            answer.is_problem(503, "unavailable", "Service unavailable");
            assert_eq!(answer.headers["retry-after"], "1", "{code}");
        }
        assert_eq!(service.health().last_error, Some(code), "{code}");
        assert_eq!(server.asked(KEYS), 1, "{code}");
        seen += 1;
    }
    assert_eq!(seen, 20);
}

#[tokio::test]
async fn stale_if_error_known_keys_pass_until_the_limit_and_nothing_else_ever_does() {
    let (key, stranger) = (key(), key());
    let good = set(&[&key]).to_string();
    for (fault, code) in faults(&good) {
        let server = FaultServer::issuer(&set(&[&key])).await;
        let service = Service::facing(&fault, &server);
        service.warms_up(&key).await;
        server.answers(KEYS, fault);
        let impostor = stranger.clone().with_key_id(key.key_id().unwrap());
        // The end of a life of 10 minutes, and the last second of the hour beyond it.
        for passes in [600, 3599] {
            service.time.passes(passes);
            service.passes(&key).await;
            assert_eq!(service.status(&stranger).await, 503, "{code}");
            assert_eq!(service.status(&impostor).await, 401, "{code}");
            let expired = service.claims().expires_at(service.time.now());
            let expired = service.answer(&signed(&key, "at+jwt", &expired)).await;
            expired.is_problem(401, "token_expired", "jwt expired");
        }
        until(|| service.health().last_error == Some(code)).await;
        assert!(service.auth.health().is_ready());
        service.time.passes(1);
        assert_eq!(service.status(&key).await, 503, "{code}");
        assert!(!service.auth.health().is_ready());
        server.answers(KEYS, Fault::with("application/json", good.clone()));
        service.time.passes(31);
        service.warms_up(&key).await;
    }
}

#[tokio::test]
async fn stale_if_error_holds_for_faults_of_the_metadata_too() {
    let key = key();
    for (fault, code) in faults("{\"issuer\":\"…\"}") {
        let server = FaultServer::issuer(&set(&[&key])).await;
        let service = Service::facing(&fault, &server);
        service.warms_up(&key).await;
        server.answers(OIDC, fault);
        service.time.passes(600);
        service.passes(&key).await;
        // A key set that is none is metadata that names no issuer, or none at all.
        let codes = [code, "metadata_issuer_mismatch", "claims_shape"];
        let last = service.health().last_error;
        assert!(
            last.is_some_and(|last| codes.contains(&last)),
            "{last:?} {code}"
        );
    }
}

#[tokio::test]
async fn the_limit_of_stale_keys_is_the_services_to_choose() {
    let key = key();
    let server = FaultServer::issuer(&set(&[&key])).await;
    let keys = RemoteKeys::builder().stale_limit(Duration::ZERO);
    let service = Service::with(&server, &keys.discover(&server.url).unwrap());
    service.passes(&key).await;
    server.answers(KEYS, Fault::Status(500));
    service.time.passes(599);
    service.passes(&key).await;
    service.time.passes(1);
    assert_eq!(service.status(&key).await, 503);
}

#[tokio::test]
async fn redirect_is_refused_wherever_it_leads() {
    let (key, stranger) = (key(), key());
    let trap = FaultServer::issuer(&set(&[&stranger])).await;
    let own = |server: &FaultServer| format!("{}/real", server.url);
    for to in [
        format!("{}{KEYS}", trap.url),
        "http://169.254.169.254/".to_owned(),
        "file:///etc/passwd".to_owned(),
        String::new(),
    ] {
        for path in [OIDC, KEYS] {
            let server = FaultServer::issuer(&set(&[&key])).await;
            server.answers("/real", Fault::json(&set(&[&key])));
            let to = if to.is_empty() {
                own(&server)
            } else {
                to.clone()
            };
            server.answers(path, Fault::Redirect(to));
            let service = Service::of(&server);
            assert_eq!(service.status(&stranger).await, 503);
            assert_eq!(service.status(&key).await, 503);
            assert_eq!(service.health().last_error, Some("fetch_redirect"));
            assert_eq!(server.asked("/real"), 0);
        }
    }
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn a_hundred_megabytes_are_not_read() {
    for announced in [true, false] {
        let server = FaultServer::issuer(&json!({})).await;
        server.answers(KEYS, Fault::Huge { announced });
        let service = Service::of(&server);
        assert_eq!(service.status(&key()).await, 503);
        assert_eq!(service.health().last_error, Some("fetch_too_large"));
        // What fits into the buffers of two sockets; the rest could not be written.
        let sent = server.bytes_sent();
        assert!(sent < 16_000_000, "{sent}");
    }
}

#[tokio::test]
async fn accepts_a_set_of_exactly_the_limit_and_rejects_one_byte_more() {
    let key = key();
    let limit = 256 * 1024;
    for (size, expected) in [(limit, 200), (limit + 1, 503)] {
        let server = FaultServer::issuer(&json!({})).await;
        let body = set(&[&key]).to_string();
        let padded = body.clone() + &" ".repeat(size - body.len());
        server.answers(KEYS, Fault::with("application/json", padded));
        assert_eq!(Service::of(&server).status(&key).await, expected, "{size}");
    }
}

#[tokio::test]
async fn one_bad_key_does_not_spoil_a_set_and_is_counted() {
    let (good, private, secret) = (
        key(),
        key(),
        SigningKey::generate(Algorithm::HS256).unwrap(),
    );
    let whole =
        |key: &SigningKey| -> Value { serde_json::from_str(&key.to_jwk().to_json()).unwrap() };
    let encrypting = {
        let mut jwk = public(&key());
        jwk["use"] = json!("enc");
        jwk
    };
    let bad = [
        json!({"kty": "new"}),
        json!(7),
        json!(null),
        json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
        json!({"kty": "EC", "crv": "P-256", "x": "", "y": ""}),
        encrypting,
        whole(&private),
        whole(&secret),
    ];
    let mut keys = bad.to_vec();
    keys.insert(3, public(&good));
    let server = FaultServer::issuer(&json!({ "keys": keys })).await;
    let service = Service::of(&server);
    service.passes(&good).await;
    for key in [&private, &secret] {
        assert_eq!(service.status(key).await, 401);
    }
    let health = service.health();
    assert_eq!((health.usable_keys, health.unusable_keys), (1, bad.len()));
}

#[tokio::test]
async fn two_keys_of_one_name_are_unusable_and_the_rest_works() {
    let twins = [key().with_key_id("1"), key().with_key_id("1")];
    let other = key();
    let server = FaultServer::issuer(&set(&[&twins[0], &other, &twins[1]])).await;
    let service = Service::of(&server);
    service.passes(&other).await;
    for twin in &twins {
        assert_eq!(service.status(twin).await, 401);
    }
}

#[tokio::test]
async fn a_set_without_a_usable_key_is_503_and_replaces_the_one_before_it() {
    let key = key();
    for empty in [json!({"keys": []}), json!({"keys": [{"kty": "new"}]})] {
        let server = FaultServer::issuer(&set(&[&key])).await;
        let service = Service::of(&server);
        service.passes(&key).await;
        server.answers(KEYS, Fault::json(&empty));
        service.time.passes(600);
        assert_eq!(service.status(&key).await, 503, "a removed key is dead");
        assert!(!service.auth.health().is_ready());
        // Whoever has published nothing yet is asked sooner than one who has.
        server.answers(KEYS, Fault::json(&set(&[&key])));
        service.time.passes(29);
        let answer = service.answer(&service.token(&key)).await;
        assert_eq!(
            (answer.status, &answer.headers["retry-after"]),
            (503, &"1".parse().unwrap())
        );
        service.time.passes(1);
        service.passes(&key).await;
    }
}
