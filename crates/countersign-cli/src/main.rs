//! The command `countersign`: run the auth server; sign, verify, decode, lint and explain tokens; make keys and sets of them.
//!
//! Data goes to standard output, talk to standard error. The exit code says who has to act: see [`exit::Exit`].

mod algorithm;
mod answer;
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

use exit::{Exit, Failure};

fn main() -> ExitCode {
    let outcome = match cli::Cli::try_parse() {
        Ok(cli) => commands::run(cli),
        Err(error) => not_a_command_line(&error),
    };
    outcome.map_or_else(
        |failure| {
            output::error(&failure);
            failure.exit().into()
        },
        ExitCode::from,
    )
}

/// Help and the version are no failure; everything else is one, for scripts too.
fn not_a_command_line(error: &clap::Error) -> Result<Exit, Failure> {
    if !error.use_stderr() {
        // The terminal may be gone; there is nobody left to tell then.
        let _ = error.print();
        return Ok(Exit::Done);
    }
    let arguments: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let message = answer::without_tokens(error.render().ansi().to_string(), &arguments);
    output::ready(&message);
    if arguments.iter().any(|argument| argument == "--json") {
        let message = answer::without_tokens(error.to_string(), &arguments);
        answer::misused(&arguments, &message)?;
    }
    Ok(Exit::Usage)
}
