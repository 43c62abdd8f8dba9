//! What a feature asks of Klarna's journal by itself.

use klarna_schemas::simulator::control::{JournalQuery, SetClock};

use super::World;
use super::checks::finding;
use super::failure::Failure;

/// How long entries are awaited, in real milliseconds.
const WAIT_MS: u64 = 10_000;
/// The check of these steps. No duty is its own, so it counts for none.
const SHOWN: &str = "journal.shows";

impl World {
    /// Moves or stops Klarna's clock.
    ///
    /// # Errors
    /// When it cannot be moved so.
    pub async fn set_klarnas_clock(&mut self, clock: SetClock) -> Result<(), Failure> {
        self.fenced = false;
        self.run.control.set_clock(self.account(), &clock).await?;
        Ok(())
    }

    /// Asks that so many entries of the Partner's account, in this scenario, are as a query says; they are
    /// awaited.
    ///
    /// # Errors
    /// When they do not come: with what came near.
    pub async fn journal_must_show(&mut self, query: JournalQuery, count: usize) -> Result<(), Failure> {
        let epoch = Some(self.seat().epoch);
        let asked = JournalQuery { epoch, min: Some(count), wait_ms: Some(WAIT_MS), ..query };
        let page = self.run.control.journal(self.account(), &asked).await?;
        if page.entries.len() >= count {
            return Ok(());
        }
        let what = format!("Klarna's journal shows {} such entries", page.entries.len());
        let mut finding = finding(SHOWN, &self.scenario.duties, "Klarna's journal", what);
        finding.expected = Some(format!("{count}, within {WAIT_MS} ms"));
        let near = page
            .near
            .iter()
            .map(|miss| format!("#{} {}: {}", miss.seq, miss.operation, miss.misses.join("; ")));
        let near: Vec<String> = near.collect();
        finding.got =
            Some(if near.is_empty() { "nothing that came near".to_owned() } else { near.join("\n") });
        finding.exchanges = page.near.iter().map(|miss| miss.seq).collect();
        "see what came near, or read the whole journal in the trace of this scenario"
            .clone_into(&mut finding.mend);
        self.weigh(finding, None).await
    }
}
