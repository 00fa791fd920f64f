//! The middleware as its users meet it: a real axum router, real tokens, the whole answer.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod build;
#[cfg(test)]
mod cached;
mod checks;
#[cfg(test)]
mod claims;
#[cfg(test)]
mod cookies;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod events;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod fault_server;
#[cfg(test)]
mod foreign_issuer;
#[cfg(test)]
mod grpc;
#[cfg(test)]
mod guards;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod optional;
#[cfg(test)]
mod plain_tower;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod remote;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod status;
#[cfg(test)]
mod testing;
