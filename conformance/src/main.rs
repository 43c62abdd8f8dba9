//! The `klarna-conformance` command. Everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    klarna_conformance::cli::main(std::env::args_os().collect())
}
