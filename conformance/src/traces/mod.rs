//! What is kept of a scenario that did not hold, for whoever looks into it: a folder with the journal's
//! slice, the exchanges as commands, the acquirer's output and the findings. No secret is in any of it.

mod commands;
mod folder;
mod journal;

use std::time::Duration;

use jiff::Timestamp;
use klarna_schemas::ids::PartnerAccountId;
use klarna_schemas::simulator::control::JournalQuery;
use klarna_schemas::simulator::journal::JournalEntry;

pub use folder::Folders;

use crate::redaction::{Redacted, Redactor};
use crate::world::RunContext;

/// How long reading the journals may take.
const READING: Duration = Duration::from_secs(5);

/// Bytes of the acquirer's output that are kept, its end; the whole is in acquirer.log.
const LOG_BYTES: usize = 256 * 1024;

/// Where a scenario takes place, and since when.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The Partner's account at Klarna.
    pub account: PartnerAccountId,
    /// The epoch of its sandbox.
    pub epoch: u64,
    /// When the scenario began.
    pub began_at: Timestamp,
    /// How many lines the acquirer had written by then.
    pub log_mark: u64,
}

/// What was collected.
#[derive(Debug, Clone)]
pub struct Traces {
    redactor: Redactor,
    journal: Vec<Redacted>,
    commands: Redacted,
    log: Redacted,
}

/// Collects what there is to see of a scenario; `partner_calls` are the Partner's calls as commands.
///
/// # Errors
/// When the journals cannot be read: the reason, for a reader.
pub async fn collect(run: &RunContext, scene: &Scene, partner_calls: &[String]) -> Result<Traces, String> {
    let mut redactor = Redactor::new(run.process.secrets().to_vec());
    let read = tokio::time::timeout(READING, entries(run, scene));
    let (sandbox, account) = read.await.map_err(|_| "the journal could not be read in time".to_owned())??;
    // What an acquirer logs now it may have learned long before.
    for entry in sandbox.iter().chain(&account) {
        redactor.learn(entry);
    }
    let account: Vec<JournalEntry> =
        account.into_iter().filter(|entry| entry.started_at >= scene.began_at).collect();
    let log = match run.process.log_since(scene.log_mark, LOG_BYTES) {
        Some(log) => log,
        None => "The suite attached to this acquirer, and does not see what it writes.\n".to_owned(),
    };
    Ok(Traces {
        journal: journal::lines(&sandbox, &account, &redactor),
        commands: commands::script(&sandbox, partner_calls, &redactor),
        log: redactor.text(&log),
        redactor,
    })
}

/// The scenario's exchanges, and all of the acquirer's account.
async fn entries(run: &RunContext, scene: &Scene) -> Result<(Vec<JournalEntry>, Vec<JournalEntry>), String> {
    let all = JournalQuery::default();
    let unreadable = |error: klarna_simulator::control::client::ControlError| error.to_string();
    let sandbox = run.control.journal(&scene.account, &all).await.map_err(unreadable)?.entries;
    let account = run.control.account_journal(&run.acquirer_account, &all).await.map_err(unreadable)?.entries;
    Ok((sandbox.into_iter().filter(|entry| entry.epoch == scene.epoch).collect(), account))
}
