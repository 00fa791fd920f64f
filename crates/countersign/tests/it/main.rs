//! The library as its users see it.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test stops loudly where something is not as it should be"
)]

mod cache;
mod cookbook;
mod explain;
mod formats;
mod imports;
mod issuers;
mod jws;
mod keys;
mod one_verdict;
mod primitives;
mod profiles;
mod refusals;
mod status_lists;
mod support;
mod threats;
mod vectors;
