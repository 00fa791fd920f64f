//! The command `countersign`: run the auth server; sign, verify, decode, lint and explain tokens; make keys and sets of them.
//!
//! Data goes to standard output, talk to standard error. The exit code says who has to act: see [`exit::Exit`].

mod algorithm;
mod claims_file;
mod cli;
mod commands;
mod exact_number;
mod exit;
mod input;
mod key_password;
mod key_spec;
mod named_value;
mod output;
mod password;
mod private_file;
mod time;
mod token_input;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match commands::run(cli::Cli::parse()) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output::error(&failure);
            failure.exit().into()
        }
    }
}
