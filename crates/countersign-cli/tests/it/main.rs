//! The built command, driven from outside: what it prints where, and how it ends.

#[cfg(test)]
mod backup;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod decode;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod inspect;
#[cfg(test)]
mod json_answers;
#[cfg(test)]
mod jwks;
#[cfg(test)]
mod jws;
#[cfg(test)]
mod key;
#[cfg(test)]
mod key_forms;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod lint;
#[cfg(test)]
mod remote;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod shell;
#[cfg(test)]
mod sign;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tour;
#[cfg(test)]
mod user;
#[cfg(test)]
mod verify;
