//! The Countersign auth server, as a library: sign-up, log-in, sessions that survive races and restarts, roles, and
//! signing keys, on an embedded database in one folder.
//!
//! ```no_run
//! # async fn serve() -> Result<(), countersign_server::Error> {
//! use countersign_server::{Flags, Settings, start};
//!
//! let settings = Settings::load(Flags { data: Some("./data".into()), ..Flags::default() }, std::env::vars())?;
//! let server = start(settings).await?;
//! println!("{}", server.facts().issuer);
//! server.run(std::future::pending()).await
//! # }
//! ```
//!
//! Three layers point down only: routes (HTTP), rules (decisions), store (SQL).

mod app;
mod body;
mod config;
mod cookies;
mod embedded;
mod error;
mod inspector;
pub mod lint;
mod metrics;
pub mod offline;
pub mod pasted;
mod router;
mod routes;
mod rules;
mod seldom;
mod store;

pub use app::{Clock, Facts, Server, SetupLink, start};
pub use config::{Flags, Settings};
pub use embedded::Embedded;
pub use error::Error;
pub use inspector::{LoneInspector, start_inspector};
pub use rules::setup::SetupCode;

/// The version of this crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
