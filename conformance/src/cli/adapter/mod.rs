//! `adapter new`, `adapter check`, `adapter explain`.

mod answer;
mod args;
mod check;
mod dry;
mod explain;
mod new;
mod trial;

use std::path::PathBuf;

pub use args::{AdapterCommand, CheckArgs, ExplainArgs, NewArgs};

use crate::adapter::AdapterSource;
use crate::builtin;
use crate::exit_code::Exit;

/// Does what the command says.
pub(super) fn run(command: &AdapterCommand) -> Exit {
    match command {
        AdapterCommand::New(args) => new::run(args),
        AdapterCommand::Check(args) => check::run(args),
        AdapterCommand::Explain(args) => explain::run(args),
    }
}

/// The adapter in a file, or the built-in one.
fn source(file: Option<&PathBuf>) -> AdapterSource {
    match file {
        Some(path) => AdapterSource::File(path.clone()),
        None => AdapterSource::Builtin(builtin::NAME.to_owned()),
    }
}
