//! What `serve` prints once it accepts connections.

use std::fmt::Write;

use countersign_server::{Facts, VERSION};

/// The banner, without a final newline. The one-time code stands in it only while there is no administrator.
pub(super) fn banner(facts: &Facts) -> String {
    let mode = if facts.development {
        "development"
    } else {
        "production"
    };
    let mut text = format!(
        "countersign {VERSION} · {mode} mode · SQLite {} (durability: {})\n  issuer    {}",
        facts.database.display(),
        facts.durability,
        facts.issuer
    );
    // Writing to a String does not fail.
    let scheme = if facts.tls { "https" } else { "http" };
    let bound = format!("{scheme}://{}", facts.address);
    if bound != facts.issuer {
        let _ = write!(text, "\n  listen    {bound}");
    }
    let _ = write!(
        text,
        "\n  keys      {}        {}",
        facts.jwks_uri, facts.keys
    );
    if let Some(metrics) = facts.metrics {
        let _ = write!(text, "\n  metrics   http://{metrics}/metrics");
    }
    let _ = write!(text, "\n  console   {}/", facts.issuer);
    if let Some(setup) = &facts.setup {
        let _ = write!(
            text,
            "\n  first administrator, once, for an hour: {}  code {}",
            setup.url, setup.code
        );
    }
    text
}
