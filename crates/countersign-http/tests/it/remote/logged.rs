//! What the log and the health check say of keys that cannot be had: which URL, and why.

use std::io::Write;
use std::sync::Mutex;

use countersign_http::KeysState;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::*;

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
