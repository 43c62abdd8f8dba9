//! What the commands say beside the reports: errors and logs on standard error.

use std::io::Write as _;

use tracing_subscriber::EnvFilter;

/// What the simulator finds is in the report, and which certificate is not trusted in the message that ends
/// the run; a log would say it twice.
const DEFAULT_FILTER: &str = "warn,klarna_simulator::rulebook=off,rustls_platform_verifier=off";

/// One line (or more) on standard error.
pub(super) fn complain(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Text on standard output.
pub(super) fn say(text: &str) {
    let _ = writeln!(anstream::stdout(), "{text}");
}

/// Sends the suite's own logs to standard error; `RUST_LOG` chooses, warnings by default.
pub(super) fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    // A second call in one process (tests) changes nothing.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .try_init();
}
