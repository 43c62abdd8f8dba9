//! The operator's hand on notifications that were given up.
//!
//! It works on the database beside the process that serves it, which takes up what is due again.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::clock;
use crate::config::Settings;
use crate::server::StartError;
use crate::store::{self, DeadLetter, Sealer, Store, StoreError};

/// How many are read at once.
const PAGE: usize = 500;

/// What to do with dead letters.
#[derive(Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// Print them, oldest first, each as a line of JSON.
    List(List),
    /// Have them sent again, under the same `webhook-id`, with all of `notifications.span_ms`
    /// before them.
    Resend(Resend),
}

impl DeadLettersCommand {
    /// The file of settings that was named.
    pub fn config(&self) -> Option<&PathBuf> {
        match self {
            Self::List(list) => list.config.as_ref(),
            Self::Resend(resend) => resend.config.as_ref(),
        }
    }
}

/// Which to print.
#[derive(Debug, Args)]
pub struct List {
    /// The settings that the server has.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Only what this Partner was to be told.
    #[arg(long, value_name = "NAME")]
    partner: Option<String>,
    /// No more than so many.
    #[arg(long, value_name = "COUNT", default_value_t = PAGE)]
    limit: usize,
}

/// Which to send again.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true).args(["ids", "partner", "all"]))]
pub struct Resend {
    /// The settings that the server has.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Their ids, as `list` prints them.
    #[arg(value_name = "WEBHOOK_ID")]
    ids: Vec<String>,
    /// All that this Partner was to be told.
    #[arg(long, value_name = "NAME")]
    partner: Option<String>,
    /// All there are.
    #[arg(long)]
    all: bool,
}

/// What became of a command.
#[derive(Debug, PartialEq, Eq)]
pub struct Done {
    /// The lines to print.
    pub lines: Vec<String>,
    /// Ids that name no dead letter.
    pub unknown: Vec<String>,
}

/// Does it.
pub async fn run(command: &DeadLettersCommand, settings: &Settings) -> Result<Done, StartError> {
    let sealer = Sealer::new(&settings.database_key)?;
    let store = store::open_beside(settings.database.expose_secret(), sealer).await?;
    let done = match command {
        DeadLettersCommand::List(list) => print(store.as_ref(), list).await,
        DeadLettersCommand::Resend(resend) => send_again(store.as_ref(), resend).await,
    };
    store.close().await;
    Ok(done?)
}

async fn print(store: &dyn Store, list: &List) -> Result<Done, StoreError> {
    let letters = store.dead_letters(list.partner.as_deref(), clock::now(), list.limit).await?;
    Ok(Done { lines: letters.iter().map(line).collect(), unknown: Vec::new() })
}

async fn send_again(store: &dyn Store, resend: &Resend) -> Result<Done, StoreError> {
    let (sent, unknown) = if resend.ids.is_empty() {
        (send_all_again(store, resend.partner.as_deref(), clock::now()).await?, Vec::new())
    } else {
        let (mut sent, mut unknown) = (0, Vec::new());
        for id in &resend.ids {
            if store.send_again(id, clock::now()).await? {
                sent += 1;
            } else {
                unknown.push(id.clone());
            }
        }
        (sent, unknown)
    };
    Ok(Done { lines: vec![json!({"sent_again": sent}).to_string()], unknown })
}

/// No more than were there when it began: what is given up anew meanwhile stays.
async fn send_all_again(
    store: &dyn Store,
    partner: Option<&str>,
    began: Timestamp,
) -> Result<u64, StoreError> {
    let mut sent = 0;
    loop {
        let page = store.dead_letters(partner, began, PAGE).await?;
        if page.is_empty() {
            return Ok(sent);
        }
        for letter in page {
            sent += u64::from(store.send_again(&letter.notification_id, clock::now()).await?);
        }
    }
}

fn line(letter: &DeadLetter) -> String {
    json!({
        "webhook_id": letter.notification_id,
        "payment_id": letter.payment_id,
        "partner": letter.partner,
        "attempts": letter.attempts,
        "reason": letter.reason,
        "given_up_at": letter.given_up_at.to_string(),
    })
    .to_string()
}
