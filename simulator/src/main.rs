//! `klarna-simulator`: a local Klarna.

fn main() -> std::process::ExitCode {
    klarna_simulator::cli::run()
}
