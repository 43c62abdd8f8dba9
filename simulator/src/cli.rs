//! The command line.

mod ctl;
mod rules;
mod summary;

use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use url::Url;

use self::summary::FailOn;
use crate::config::{DEFAULTS, DefaultOutcome, Settings};
use crate::evidence::grounds;
use crate::rulebook;
use crate::{Simulator, StartError};

/// A local Klarna for acquirers.
///
/// It speaks the part of Klarna's Network API that an Acquiring Partner uses in the server-side-only
/// integration: Payment Authorize, Payment Requests, signing keys and webhooks; it shows the Purchase
/// Journey, sends signed webhooks, and writes down every exchange for you to read under
/// /_simulator/v1.
#[derive(Debug, Parser)]
#[command(name = "klarna-simulator", version, about, long_about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run it.
    ///
    /// The first line on standard output is {"listening":"http://…"}, beside it the authority's file where
    /// it listens by TLS; nothing else goes there. The log goes to standard error.
    #[command(after_long_help = "Examples:\n  \
        klarna-simulator serve\n  \
        klarna-simulator serve --listen 127.0.0.1:0 --outcome approve\n  \
        klarna-simulator serve --rules rules.yaml\n  \
        KLARNA_SIMULATOR_ACCOUNTS__UNKNOWN=refuse klarna-simulator serve --config simulator.toml\n\n\
        The API key klarna_test_api_local opens the account krn:partner:global:account:test:LOCALACQ.")]
    Serve(Serve),
    /// Use the control API of a running simulator.
    #[command(after_long_help = ctl::operations())]
    Ctl(ctl::Ctl),
    /// Look at a rules file.
    #[command(subcommand)]
    Rules(rules::RulesCommand),
    /// Print every setting with its default and its meaning.
    Config,
    /// Print the rules by which the calls of acquirers are judged.
    Rulebook {
        /// As docs/rulebook.md has it; so far the only form.
        #[arg(long)]
        markdown: bool,
    },
    /// Print what of each operation and each policy is confirmed, and what is inferred.
    Evidence {
        /// As docs/evidence.md has it; so far the only form.
        #[arg(long)]
        markdown: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Serve {
    /// Where to listen; port 0 takes a free one [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// What customers' browsers reach it by, if not the listening address.
    #[arg(long, value_name = "URL")]
    public_url: Option<Url>,
    /// What an initial authorize gets when nothing else decides [default: step-up].
    #[arg(long, value_enum)]
    outcome: Option<DefaultOutcome>,
    /// Seed of every id and token [default: 1].
    #[arg(long)]
    seed: Option<u64>,
    /// What Klarna shall do with calls that are so and so: a file in TOML or YAML (docs/rules.md), read
    /// again when it changes.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Let webhooks go to this host by plain http, as to loopback. May be given more than once.
    #[arg(long, value_name = "HOST")]
    allow_http_webhooks: Vec<String>,
    /// Exit with 1 at the end if the rulebook has found such things in the calls of acquirers. What it found is
    /// told on standard error in any case.
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL")]
    fail_on: FailOn,
    /// Listen by TLS, with an authority of its own; the first line on standard output names its file.
    #[arg(long)]
    tls: bool,
    /// A TOML file of settings; `klarna-simulator config` prints them all.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match cli.command {
        Command::Serve(arguments) => serve(arguments),
        Command::Ctl(arguments) => ctl::run(&arguments),
        Command::Rules(command) => rules::run(command),
        Command::Config => print(DEFAULTS),
        Command::Rulebook { markdown: _ } => print(&rulebook::markdown()),
        Command::Evidence { markdown: _ } => print(&grounds::markdown()),
    }
}

fn print(text: &str) -> ExitCode {
    // A reader that has gone away wants no more of it.
    let _printed = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn serve(arguments: Serve) -> ExitCode {
    log_to_stderr();
    let settings = match Settings::load(arguments.config.as_deref()) {
        Ok(settings) => settings,
        Err(error) => return complain(&error, ExitCode::from(2)),
    };
    let mut builder =
        Simulator::builder().settings(settings).allow_http_webhooks(arguments.allow_http_webhooks);
    if let Some(listen) = arguments.listen {
        builder = builder.listen(listen);
    }
    if let Some(url) = arguments.public_url {
        builder = builder.public_url(url);
    }
    if arguments.tls {
        builder = builder.tls();
    }
    if let Some(seed) = arguments.seed {
        builder = builder.seed(seed);
    }
    if let Some(file) = arguments.rules {
        builder = builder.rules(file);
    }
    if let Some(outcome) = arguments.outcome {
        builder = builder.default_outcome(outcome.result());
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error, ExitCode::from(5)),
    };
    runtime.block_on(async {
        match builder.start().await {
            Ok(simulator) => until_stopped(simulator, arguments.fail_on).await,
            Err(error @ StartError::Config(_)) => complain(&error, ExitCode::from(2)),
            Err(error) => complain(&error, ExitCode::from(5)),
        }
    })
}

async fn until_stopped(simulator: Simulator, fail_on: FailOn) -> ExitCode {
    let listening = simulator.base_url().as_str().trim_end_matches('/').to_owned();
    let ready = match simulator.ca_file() {
        Some(file) => serde_json::json!({ "listening": listening, "ca_file": file.display().to_string() }),
        None => serde_json::json!({ "listening": listening }),
    };
    let mut out = std::io::stdout();
    if writeln!(out, "{ready}").and_then(|()| out.flush()).is_err() {
        tracing::warn!("nobody reads standard output");
    }
    tracing::info!(listening, "Klarna is here");
    stop_signal().await;
    tracing::info!("stopping");
    let tally = simulator.tally();
    simulator.shutdown().await;
    summary::tell(&tally.all(), fail_on)
}

/// Returns on Ctrl-C or SIGTERM.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupted = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminated) => {
            tokio::select! { _ = interrupted => {}, _ = terminated.recv() => {} }
        }
        Err(error) => {
            tracing::warn!(%error, "SIGTERM cannot be awaited");
            let _interrupted = interrupted.await;
        }
    }
}

fn log_to_stderr() {
    let filter = EnvFilter::builder()
        .with_default_directive(tracing::level_filters::LevelFilter::INFO.into())
        .from_env_lossy();
    let ansi = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(ansi).with_env_filter(filter).init();
}

#[expect(clippy::print_stderr, reason = "the one place that tells a person why the program ends")]
fn complain(error: &dyn std::error::Error, code: ExitCode) -> ExitCode {
    eprintln!("error: {error}");
    code
}
