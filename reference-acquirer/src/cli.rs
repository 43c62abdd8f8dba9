//! The command line.
//!
//! Exit codes: 0 stopped when told to, 2 wrong usage or settings, 5 could not start.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use secrecy::ExposeSecret as _;
use serde_json::json;
use url::Url;

use crate::config::{self, KeyHash, Settings, Sources};
use crate::dead_letters::{self, DeadLettersCommand};
use crate::server::Server;
use crate::store::Sealer;
use crate::telemetry;
use crate::workers::notify::new_secret;

/// Wrong usage or settings.
const USAGE: u8 = 2;
/// It could not start, or broke.
const CANNOT_START: u8 = 5;

/// An Acquiring Partner that offers Klarna to its Partners.
///
/// Partners create payments with POST /v1/payments; this server authorizes them at Klarna, takes
/// Klarna's webhooks, finalises what customers approved and tells the Partners.
#[derive(Debug, Parser)]
#[command(name = "reference-acquirer", version, after_help = EXAMPLES, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  # Beside a simulator on its default port, with the two example Partners:
  reference-acquirer serve --config acquirer.example.toml

  # On a free port; the first line on standard output tells which:
  reference-acquirer serve --listen 127.0.0.1:0 --config acquirer.toml

  # Create a payment:
  curl -s http://127.0.0.1:8081/v1/payments -H 'Authorization: Bearer alpha-test-key' \\
    -H 'Content-Type: application/json' -d @order.json

Exit codes: 0 stopped when told to (SIGTERM, Ctrl-C), 2 wrong usage or settings, 5 could not start.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the Partner API, the webhook listener and the return endpoint.
    ///
    /// Prints one line of JSON on standard output when it is ready, {"listening":"http://…"}, and
    /// logs to standard error. SIGTERM and Ctrl-C stop it; what is unfinished goes on at the next
    /// start with the same database.
    Serve(Serve),
    /// Check the settings and say what is wrong with them.
    CheckConfig(Serve),
    /// Print every setting with its default and what it means.
    Defaults,
    /// Print a new API key for a Partner, and the setting that lets it in.
    ///
    /// The key goes to the Partner and is kept nowhere here; its hash goes into the file.
    NewApiKey,
    /// Print a new secret that signs what a Partner is told: for the Partner and for its table.
    NewNotificationSecret,
    /// Notifications that a Partner never took: print them, have them sent again.
    ///
    /// Works on the database beside the server, which looks every `outbox.poll_ms` for what is due.
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand),
    /// Print a new key for `database_key`, with which secrets in the database are encrypted.
    NewDatabaseKey,
}

#[derive(Debug, Args)]
struct Serve {
    /// Address to listen on; port 0 takes a free port [default: 127.0.0.1:8081].
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Klarna, without /v2 [default: the local simulator at 127.0.0.1:8080].
    #[arg(long, value_name = "URL")]
    klarna_url: Option<String>,
    /// Where Klarna and customers reach this server [default: http:// and the listening address].
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Database: `sqlite://FILE`, created if absent, or `postgres://USER@HOST/NAME`
    /// [default: `sqlite://acquirer.db`].
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Settings in TOML: Klarna's API key and the Partners; see acquirer.example.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Serve {
    fn settings(self) -> Result<Settings, config::ConfigError> {
        let flags = [
            (vec!["listen"], self.listen),
            (vec!["klarna", "base_url"], self.klarna_url),
            (vec!["public_url"], self.public_url),
            (vec!["database"], self.database),
        ];
        config::load(&Sources {
            file: self.config,
            environment: config::process_environment(),
            flags: flags.into_iter().filter_map(|(setting, value)| Some((setting, value?))).collect(),
        })
    }
}

/// Runs the program; `args[0]` is its name. Blocks, with a runtime of its own.
pub fn run_from(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come by this way too, with exit code 0.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(USAGE));
        }
    };
    match cli.command {
        Command::Defaults => {
            print(config::DEFAULTS.trim_end());
            ExitCode::SUCCESS
        }
        Command::NewApiKey => {
            let key = config::new_api_key();
            print(&format!("api_key = \"{}\"", key.expose_secret()));
            print(&format!("api_key_sha256 = \"{}\"", KeyHash::of(&key).to_hex()));
            ExitCode::SUCCESS
        }
        Command::NewNotificationSecret => {
            print(new_secret().expose_secret());
            ExitCode::SUCCESS
        }
        Command::DeadLetters(command) => {
            let sources = Sources {
                file: command.config().cloned(),
                environment: config::process_environment(),
                flags: Vec::new(),
            };
            match config::load(&sources) {
                Ok(settings) => look_after_dead_letters(&command, &settings),
                Err(error) => fail(&error, USAGE),
            }
        }
        Command::NewDatabaseKey => {
            print(Sealer::new_key().expose_secret());
            ExitCode::SUCCESS
        }
        Command::CheckConfig(serve) => match serve.settings() {
            Ok(settings) => {
                for warning in settings.warnings() {
                    let _ = writeln!(std::io::stderr(), "warning: {warning}");
                }
                print("the settings can be used");
                ExitCode::SUCCESS
            }
            Err(error) => fail(&error, USAGE),
        },
        Command::Serve(arguments) => match arguments.settings() {
            Ok(settings) => serve(settings),
            Err(error) => fail(&error, USAGE),
        },
    }
}

fn look_after_dead_letters(command: &DeadLettersCommand, settings: &Settings) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error, CANNOT_START),
    };
    match runtime.block_on(dead_letters::run(command, settings)) {
        Ok(done) => {
            done.lines.iter().for_each(|line| print(line));
            if done.unknown.is_empty() {
                return ExitCode::SUCCESS;
            }
            let unknown = done.unknown.join(", ");
            fail(&format!("no dead letter is called {unknown}; `dead-letters list` prints them all"), USAGE)
        }
        Err(error) => fail(&error, CANNOT_START),
    }
}

fn serve(settings: Settings) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error, CANNOT_START),
    };
    runtime.block_on(async {
        let telemetry = match telemetry::start(&settings.logs, &settings.traces) {
            Ok(telemetry) => telemetry,
            Err(error) => return fail(&error, USAGE),
        };
        // Listened for before the ready line, so that nobody's signal comes too early.
        let stop = match stop_signal() {
            Ok(stop) => stop,
            Err(error) => return fail(&error, CANNOT_START),
        };
        let server = match Server::start(settings).await {
            Ok(server) => server,
            Err(error) => return fail(&error, CANNOT_START),
        };
        print(&ready_line(server.base_url()));
        stop.await;
        tracing::info!("stopping");
        server.stop().await;
        telemetry.stop().await;
        ExitCode::SUCCESS
    })
}

fn ready_line(base_url: &Url) -> String {
    json!({"listening": base_url.as_str().trim_end_matches('/')}).to_string()
}

#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// One line on standard output. Whoever closed it does not want to read it.
fn print(text: &str) {
    let mut stdout = std::io::stdout();
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}

fn fail(error: &dyn std::fmt::Display, code: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "error: {error}");
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_ready_line_is_one_json_object() {
        let url = Url::parse("http://127.0.0.1:41234").unwrap();
        assert_eq!(ready_line(&url), r#"{"listening":"http://127.0.0.1:41234"}"#);
    }
}
