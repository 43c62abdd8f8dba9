//! The built-in acquirer. This file alone names its crate; everything else meets it as a process
//! with an HTTP API.

use std::ffi::OsString;
use std::process::ExitCode;

/// The hidden subcommand by which this program becomes the built-in acquirer.
pub const SUBCOMMAND: &str = "__reference-acquirer";

/// The name that an adapter's `launch.builtin` gives it.
pub const NAME: &str = "reference-acquirer";

/// Runs the built-in acquirer with the arguments that follow [`SUBCOMMAND`]; blocks until it ends.
pub fn run(args: Vec<OsString>) -> ExitCode {
    reference_acquirer::cli::run_from(std::iter::once(OsString::from(NAME)).chain(args))
}
