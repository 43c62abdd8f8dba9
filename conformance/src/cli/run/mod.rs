//! `run`.

pub(super) mod database;
pub(super) mod interrupt;
mod klarna;
pub(super) mod parties;
mod play;
pub(super) mod prepare;

use std::fmt::Write as _;

use super::args::RunArgs;
use super::chance;
use super::output::{complain, say};
use crate::exit_code::Exit;
use crate::mutants::DEFECTS;

/// Why a run does not come to a verdict.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) exit: Exit,
    why: String,
}

impl Stop {
    /// Says why; nothing, where it was said already.
    pub(super) fn say(&self) {
        if !self.why.is_empty() {
            complain(&format!("{}: {}", self.exit.meaning(), self.why));
        }
    }

    pub(super) fn new(exit: Exit, why: impl Into<String>) -> Self {
        Self { exit, why: why.into() }
    }
}

/// Runs the features against an acquirer.
pub(super) fn run(args: &RunArgs) -> Exit {
    if args.list_defects {
        say(list_defects().trim_end());
        return Exit::Held;
    }
    match judged(args) {
        Ok(exit) => exit,
        Err(stop) => {
            stop.say();
            stop.exit
        }
    }
}

fn judged(args: &RunArgs) -> Result<Exit, Stop> {
    let prepared = prepare::prepare(args)?;
    let seed = args.seed.unwrap_or_else(chance::new_seed);
    on_a_runtime(play::play(args, prepared, seed))
}

/// Runs to its end what comes to a verdict.
pub(super) fn on_a_runtime<T>(run: impl Future<Output = Result<T, Stop>>) -> Result<T, Stop> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Stop::new(Exit::Broken, error.to_string()))?;
    let ended = runtime.block_on(run);
    // What still listens has nobody left to serve.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    ended
}

fn list_defects() -> String {
    let mut text = String::new();
    for defect in DEFECTS {
        let _ = writeln!(text, "{}", defect.name);
        let _ = writeln!(text, "  plants       {}", defect.plants);
        let _ = writeln!(text, "  turns red    {}", defect.killed_by);
        let _ = writeln!(text, "  by finding   {}", defect.finding);
    }
    text
}
