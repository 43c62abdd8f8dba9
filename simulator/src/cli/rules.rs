//! `klarna-simulator rules`: what is wrong with a rules file, and what it decides.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use klarna_schemas::simulator::control::{CallKind, MintedTokenState};
use klarna_schemas::simulator::rules::{Explain, Explanation};
use serde_json::Value;

use super::{complain, print};
use crate::api::supposed_call;
use crate::clock::real_now;
use crate::config::Settings;
use crate::engine::Sandbox;
use crate::rules_file::{self, RulesError};
use crate::world;

/// The Partner account that is asked about when none is named.
const SOME_ACCOUNT: &str = "krn:partner:global:account:test:SOMEBODY";
/// Characters of a session token.
const TOKEN_LENGTH: usize = 64;

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// Say what is wrong with a rules file; exit code 2 where something is.
    Check {
        /// In TOML (.toml) or YAML (.yaml, .yml).
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Say what Klarna would decide on a call, which rule decides, and why the others do not.
    ///
    /// The sandbox is a new one: no rule has served yet. A running simulator is asked by
    /// POST /_simulator/v1/sandboxes/{account}/explain.
    Explain(ExplainArguments),
}

#[derive(Debug, clap::Args)]
pub(super) struct ExplainArguments {
    /// The rules file; without one, that of the settings or, where they name none, what Klarna decides by
    /// itself.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// A TOML file of settings: policies and defaults decide, too.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A file with the call's body, as JSON.
    #[arg(long, value_name = "FILE")]
    request: PathBuf,
    /// A header of the call, as Name: value. May be given more than once.
    #[arg(long, value_name = "HEADER", value_parser = header)]
    header: Vec<(String, String)>,
    /// The call carries the session token of a COMPLETED request.
    #[arg(long = "final")]
    is_final: bool,
    /// The Partner account that is called.
    #[arg(long, value_name = "ACCOUNT", default_value = SOME_ACCOUNT)]
    account: String,
    /// Seed of what chance decides.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

fn header(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once(':').ok_or("write it as Name: value")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// Runs one of them.
pub(super) fn run(command: RulesCommand) -> ExitCode {
    match command {
        RulesCommand::Check { file } => check(&file),
        RulesCommand::Explain(arguments) => explain(&arguments),
    }
}

fn check(file: &Path) -> ExitCode {
    match rules_file::read(file) {
        Ok(rules) => {
            let word = if rules.len() == 1 { "rule" } else { "rules" };
            print(&format!("{}: {} {word}, nothing wrong\n", file.display(), rules.len()))
        }
        Err(error) => show(&error),
    }
}

/// Each mistake with the line that it is in.
#[expect(clippy::print_stderr, reason = "mistakes are told where errors are told")]
fn show(error: &RulesError) -> ExitCode {
    for report in error.reports() {
        eprintln!("{report:?}");
    }
    ExitCode::from(2)
}

fn explain(arguments: &ExplainArguments) -> ExitCode {
    let settings = match Settings::load(arguments.config.as_deref()) {
        Ok(settings) => settings,
        Err(error) => return complain(&error, ExitCode::from(2)),
    };
    let of_settings = (!settings.rules.file.as_os_str().is_empty()).then_some(&settings.rules.file);
    let file = arguments.file.as_ref().or(of_settings);
    let rules = match file.map(|file| rules_file::read(file)).transpose() {
        Ok(rules) => rules.unwrap_or_default(),
        Err(error) => return show(&error),
    };
    let body = match read_request(&arguments.request) {
        Ok(body) => body,
        Err(error) => return complain(error.as_ref(), ExitCode::from(2)),
    };
    let now = real_now();
    let account = arguments.account.as_str();
    let policies = world::policies(&settings, "http://127.0.0.1");
    let mut sandbox = Sandbox::new(account.into(), arguments.seed, policies);
    sandbox.behaviour.follow_file(rules.of_account(account));
    let mut headers: BTreeMap<String, String> = arguments.header.iter().cloned().collect();
    if arguments.is_final {
        let token = sandbox.mint(TOKEN_LENGTH, MintedTokenState::Completed, now);
        headers.insert(klarna_schemas::klarna::SESSION_TOKEN_HEADER.to_owned(), token);
    }
    let asked = Explain { operation: "authorize".to_owned(), headers, body };
    let explanation = sandbox.explain(&supposed_call::authorize(&asked, &settings), now);
    if arguments.json {
        let json = serde_json::to_string_pretty(&explanation).unwrap_or_default();
        return print(&format!("{json}\n"));
    }
    print(&in_words(&explanation))
}

fn read_request(file: &Path) -> Result<Value, Box<dyn std::error::Error>> {
    let name = file.display();
    let bytes = std::fs::read(file).map_err(|error| format!("{name} cannot be read: {error}"))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("{name} is no JSON: {error}").into())
}

/// One line for each thing that was looked at, and what is decided.
fn in_words(explanation: &Explanation) -> String {
    let Explanation { on, decided_by, then, refused, considered } = explanation;
    let mut text = match on {
        CallKind::Final => "a final authorize\n".to_owned(),
        CallKind::Initial | CallKind::Any => "an initial authorize\n".to_owned(),
    };
    for one in considered {
        let mark = if one.fits { "  decides  " } else { "  passes   " };
        text.extend([mark, &one.by, ": ", &one.why, "\n"]);
    }
    let then = match refused {
        Some(why) => format!("refused, as {why}"),
        None => serde_json::to_string(then).unwrap_or_default(),
    };
    text.extend(["decided by ", decided_by, ": ", &then, "\n"]);
    text
}
