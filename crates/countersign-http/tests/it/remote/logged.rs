//! What the log and the health check say of keys that cannot be had: which URL, and why.

use std::io::Write;
use std::sync::Mutex;

use countersign_http::KeysState;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::*;
use crate::fault_server::RFC_8414;
use crate::harness::listens;

/// What is logged at INFO and above by everything that runs on the thread of a test, until this goes.
struct Log {
    text: Text,
    _watching: DefaultGuard,
}

#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl Write for Text {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn watched() -> Self {
        listens();
        let text = Text::default();
        let writer = text.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_max_level(tracing::Level::INFO)
            .with_writer(move || writer.clone());
        Self {
            text,
            _watching: subscriber.finish().set_default(),
        }
    }

    /// The level and the fields of what was said of keys since the last look; refusals of requests left out.
    fn said(&self) -> Vec<(String, Value)> {
        let text = std::mem::take(&mut *self.text.0.lock().unwrap());
        let text = String::from_utf8(text).unwrap();
        let events = text.lines().map(|line| serde_json::from_str(line).unwrap());
        events
            .filter(|event: &Value| {
                let target = event["target"].as_str().unwrap();
                target.starts_with("countersign_http::jwks")
                    || target == "countersign_http::refresh"
            })
            .map(|event| {
                let level = event["level"].as_str().unwrap().to_owned();
                (level, event["fields"].clone())
            })
            .collect()
    }
}

#[tokio::test]
async fn an_issuer_without_a_usable_key_is_one_warning_that_says_why_and_its_keys_are_counted() {
    let key = key();
    let mut encrypting = public(&key);
    encrypting["use"] = json!("enc");
    encrypting["kid"] = json!("\u{1b}[31m");
    for (unusable, why) in [
        (vec![encrypting], vec!["keys[0]", "\\u{1b}[31m", "`use`"]),
        (
            vec![json!({"kty": "new"}); 9],
            vec!["keys[0]", "and 6 more"],
        ),
        (vec![], vec!["the set has no keys"]),
    ] {
        let log = Log::watched();
        let server = FaultServer::issuer(&json!({ "keys": unusable })).await;
        let service = Service::of(&server);
        for passes in [0, 31, 600, 600] {
            service.time.passes(passes);
            assert_eq!(service.status(&key).await, 503);
        }
        let health = service.health();
        assert_eq!(
            (health.state, health.usable_keys, health.unusable_keys),
            (KeysState::Missing, 0, unusable.len())
        );
        assert!(!service.auth.health().is_ready());
        let said = log.said();
        assert_eq!(said.len(), 1, "{said:?}");
        let (level, fields) = &said[0];
        assert_eq!(level, "WARN");
        assert_eq!(fields["what"], format!("the keys of {}", server.url));
        let reasons = fields["why"].as_str().unwrap();
        for word in &why {
            assert!(reasons.contains(word), "{word} {reasons}");
        }
        assert_eq!(health.detail.as_deref(), Some(reasons));
        // Another set that is of no use is no news; one that is of use is.
        server.answers(KEYS, Fault::json(&json!({"keys": [7]})));
        service.time.passes(600);
        assert_eq!(service.status(&key).await, 503);
        assert_eq!(log.said(), []);
        server.answers(KEYS, Fault::json(&set(&[&key])));
        service.time.passes(600);
        service.passes(&key).await;
        let said = log.said();
        assert_eq!((said.len(), &*said[0].0), (1, "INFO"), "{said:?}");
        let health = service.health();
        assert_eq!((health.state, health.detail), (KeysState::Fresh, None));
        // And it can be lost again.
        server.answers(KEYS, Fault::json(&json!({ "keys": unusable })));
        service.time.passes(600);
        assert_eq!(service.status(&key).await, 503);
        assert_eq!(log.said().len(), 1);
    }
}

/// What is said of a service whose issuer answers like this, with the URL of the issuer left out.
async fn said_of(server: &FaultServer, service: &Service) -> [String; 2] {
    let log = Log::watched();
    assert_eq!(service.status(&key()).await, 503);
    let said = log.said();
    assert_eq!(said.len(), 1, "{said:?}");
    let error = said[0].1["error"].as_str().unwrap();
    let detail = service.health().detail.unwrap();
    [error, &detail].map(|text| text.replace(&server.url, "ISSUER"))
}

#[tokio::test]
async fn a_failure_names_the_url_that_was_asked_and_of_the_metadata_both_places() {
    const NOT_FOUND: &str = "the answer has status 404, not 200";
    let metadata = |server: &FaultServer, url: &str| {
        Fault::json(&json!({"issuer": server.url, "jwks_uri": url}))
    };
    let server = FaultServer::start().await;
    let both = format!("ISSUER{OIDC} and ISSUER{RFC_8414}: {NOT_FOUND}");
    assert_eq!(
        said_of(&server, &Service::of(&server)).await,
        [&*both, &*both]
    );
    server.answers(RFC_8414, Fault::Status(500));
    let second = format!("ISSUER{RFC_8414}: the answer has status 500, not 200");
    assert_eq!(
        said_of(&server, &Service::of(&server)).await,
        [&*second, &*second]
    );
    let long = format!("/{}", "k".repeat(1_000));
    for (path, fault, expected) in [
        (
            KEYS,
            Fault::Status(404),
            format!("ISSUER{KEYS}: {NOT_FOUND}"),
        ),
        (
            KEYS,
            Fault::json(&json!([])),
            format!("ISSUER{KEYS}: what was fetched cannot be used: "),
        ),
        // What may be a secret is not shown.
        (
            "/keys?secret=1",
            Fault::Status(404),
            format!("ISSUER{KEYS}?…: {NOT_FOUND}"),
        ),
        (&*long, Fault::Status(404), "kkk: the answer".to_owned()),
    ] {
        server.answers(OIDC, Fault::json(&server.metadata(path)));
        server.answers(path, fault);
        for said in said_of(&server, &Service::of(&server)).await {
            assert!(said.contains(&expected), "{said}");
            assert!(!said.contains("secret") && said.len() < 400, "{said}");
        }
    }
    for (url, expected) in [
        (
            "http://id.example/keys?secret=1",
            "http://id.example/keys?…: only https is fetched".to_owned(),
        ),
        (
            "https://169.254.169.254/keys",
            "https://169.254.169.254/keys: a URL on another host".to_owned(),
        ),
        (
            "https://ada:secret@id.example/keys",
            format!("the `jwks_uri` in ISSUER{OIDC}: this is no URL to fetch"),
        ),
        (
            "file:///etc/secret",
            format!("the `jwks_uri` in ISSUER{OIDC}: only https is fetched"),
        ),
    ] {
        server.answers(OIDC, metadata(&server, url));
        for said in said_of(&server, &Service::of(&server)).await {
            assert!(said.starts_with(&expected), "{said}");
            assert!(!said.contains("secret"), "{said}");
        }
    }
    server.answers(OIDC, Fault::json(&json!({"issuer": server.url})));
    for said in said_of(&server, &Service::of(&server)).await {
        let expected = format!("ISSUER{OIDC}: the issuer's metadata has no `jwks_uri`");
        assert!(said.starts_with(&expected), "{said}");
    }
}

#[tokio::test]
async fn a_failure_names_the_url_of_a_key_set_that_was_configured() {
    let server = FaultServer::start().await;
    let url = format!("{}{KEYS}?secret=1", server.url);
    let service = Service::with(&server, &RemoteKeys::at(&url).unwrap());
    let log = Log::watched();
    assert_eq!(service.status(&key()).await, 503);
    let shown = format!("{}{KEYS}?…", server.url);
    let (_, fields) = log.said().remove(0);
    assert_eq!(fields["what"], format!("the keys of {shown}"));
    assert_eq!(fields["error"], "the answer has status 404, not 200");
    let detail = service.health().detail.unwrap();
    assert_eq!(
        detail,
        format!("{shown}: the answer has status 404, not 200")
    );
}
