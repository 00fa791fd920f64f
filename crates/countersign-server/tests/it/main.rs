//! The whole server behind its real router, on a database of its own for each test, with the clock in the test's hand.

#[cfg(test)]
mod admin;
#[cfg(test)]
mod answers;
#[cfg(test)]
mod app;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod bodies;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod cookies;
#[cfg(test)]
mod copies;
#[cfg(test)]
mod cors;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod elsewhere;
#[cfg(test)]
mod flood;
#[cfg(test)]
mod frame;
#[cfg(test)]
mod inspect;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod life;
#[cfg(test)]
mod log;
#[cfg(test)]
mod login;
#[cfg(test)]
mod logout;
#[cfg(test)]
mod offline;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod password;
#[cfg(test)]
mod profile;
#[cfg(test)]
mod proxies;
#[cfg(test)]
mod reencrypt;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod refresh;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod signup;
#[cfg(test)]
mod starts;
#[cfg(test)]
mod status_lists;
#[cfg(test)]
mod tls;
