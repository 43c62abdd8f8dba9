//! The `reference-acquirer` binary: a thin shell around the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    reference_acquirer::cli::run_from(std::env::args_os())
}
