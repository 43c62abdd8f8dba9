//! The command line.

mod adapter;
mod args;
mod chance;
mod features;
mod lint;
mod output;
mod run;
mod steps;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;

pub use adapter::{AdapterCommand, CheckArgs, ExplainArgs, NewArgs};
pub use args::{Cli, Command, FeaturesCommand, LintArgs, PartiesArgs, RunArgs, StepsArgs};

use crate::builtin;
use crate::exit_code::Exit;

/// What `klarna-conformance` does with its command line, the program's name included.
pub fn main(args: Vec<OsString>) -> ExitCode {
    if args.get(1).is_some_and(|first| first == builtin::SUBCOMMAND) {
        return builtin::run(args.into_iter().skip(2).collect());
    }
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let asked_for = !error.use_stderr();
            // Nobody is left to tell when the terminal is gone.
            let _ = error.print();
            return if asked_for { Exit::Held.into() } else { Exit::Usage.into() };
        }
    };
    output::log_to_stderr();
    let exit = match cli.command {
        None => run::run(&cli.run),
        Some(Command::Run(args)) => run::run(&args),
        Some(Command::Lint(args)) => lint::run(&args),
        Some(Command::Steps(args)) => steps::run(&args),
        Some(Command::Adapter(command)) => adapter::run(&command),
        Some(Command::Features(FeaturesCommand::Export { directory })) => features::export(&directory),
    };
    exit.into()
}
