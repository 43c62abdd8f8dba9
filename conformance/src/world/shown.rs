//! What a feature asks of Klarna's journal by itself.

use klarna_schemas::simulator::control::{JournalQuery, SetClock};

use super::World;
use super::checks::finding;
use super::failure::Failure;
use super::journal::in_a_line;

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

    /// Asks that no exchange meets the conditions; proved by order, see [`World::fence`].
    ///
    /// # Errors
    /// When one does.
    pub async fn journal_must_not_show(&mut self, query: JournalQuery) -> Result<(), Failure> {
        self.fence().await?;
        let entries = self.entries(query).await?;
        let Some(first) = entries.first() else { return Ok(()) };
        let what = "Klarna's journal shows an entry that should not be there";
        let mut finding = finding(SHOWN, &self.scenario.duties, "Klarna's journal", what);
        finding.expected = Some("none".to_owned());
        finding.got = Some(format!("{}, the first is {}", entries.len(), in_a_line(first)));
        finding.exchanges = entries.iter().map(|entry| entry.seq).collect();
        "read the exchange, or the whole journal in the trace of this scenario".clone_into(&mut finding.mend);
        self.weigh(finding, None).await
    }
}
