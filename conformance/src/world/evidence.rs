//! What proves a finding: the exchanges that it cites, fetched before the sandbox is used again.

use klarna_schemas::simulator::control::JournalQuery;
use klarna_schemas::simulator::finding::{Finding, Severity};

use super::World;
use super::failure::Failure;
use super::journal::AUTHORIZE;
use super::record::FoundHere;
use crate::adapter::PartnerExchange;
use crate::model::Exchange;

/// Lines of the acquirer's log that a report shows.
const LOG_LINES: usize = 20;

/// Authorize calls that a finding at the Partner's side shows.
const MOST_CALLS: usize = 4;

impl World {
    /// Notes why a step did not hold. Says whether the scenario has failed by it.
    pub async fn note_failure(&mut self, line: Option<usize>, failure: &Failure) {
        match failure {
            Failure::Found { finding, exchange } => {
                self.note_finding(line, finding.as_ref().clone(), exchange.as_deref()).await;
            }
            Failure::NothingToJudge(why) => self.run.board.update(&self.scenario.id, |record| {
                record.nothing_to_judge.get_or_insert_with(|| why.clone());
            }),
            Failure::NotApplicable(why) => self.run.board.update(&self.scenario.id, |record| {
                record.not_applicable.get_or_insert_with(|| why.clone());
            }),
            Failure::Broken(why) => self.run.board.update(&self.scenario.id, |record| {
                record.broken.get_or_insert_with(|| why.clone());
            }),
        }
    }

    /// Notes a finding with what proves it, once.
    pub(super) async fn note_finding(
        &mut self,
        line: Option<usize>,
        finding: Finding,
        exchange: Option<&PartnerExchange>,
    ) {
        let known = self.run.board.read(&self.scenario.id).found;
        if known.iter().any(|found| found.finding == finding) {
            return;
        }
        let exchanges = self.cited(&finding).await;
        let curl = exchange
            .or_else(|| self.payment().ok().map(super::Payment::exchange))
            .map(|exchange| self.without_tokens(&exchange.curl))
            .filter(|curl| !curl.is_empty());
        let log_tail =
            self.run.process.has_died().map(|how| format!("{how}\n{}", self.run.process.log_tail(LOG_LINES)));
        self.run.board.update(&self.scenario.id, |record| {
            record.found.push(FoundHere { finding, line, exchanges, curl, log_tail });
        });
    }

    /// Notes a finding that only warns, and goes on; hands back one that fails.
    pub(super) async fn weigh(
        &mut self,
        finding: Finding,
        exchange: Option<PartnerExchange>,
    ) -> Result<(), Failure> {
        if finding.severity == Severity::Warns {
            self.note_finding(None, finding, exchange.as_ref()).await;
            return Ok(());
        }
        Err(Failure::found_in(finding, exchange))
    }

    /// A command without the session tokens that the Partner sends: they are secrets of a session.
    pub(super) fn without_tokens(&self, command: &str) -> String {
        let orders = self.payments.iter().map(|payment| &payment.order).chain([&self.order]);
        let tokens = orders.filter_map(|order| order.session_token.as_deref());
        tokens.fold(command.to_owned(), |command, token| {
            command.replace(token, "'\"$KLARNA_NETWORK_SESSION_TOKEN\"'")
        })
    }

    /// What the acquirer asked Klarna for the payment, as far as it did: the other side of what a
    /// finding at the Partner's side is about.
    async fn asked_of_klarna(&self) -> Vec<Exchange> {
        let Ok(payment) = self.payment() else { return Vec::new() };
        let query = JournalQuery {
            after: Some(payment.since),
            operation: Some(AUTHORIZE.to_owned()),
            payment: payment.name.clone(),
            ..JournalQuery::default()
        };
        let entries = self.entries(query).await.unwrap_or_default();
        entries.iter().take(MOST_CALLS).map(Exchange::from).collect()
    }

    async fn cited(&self, finding: &Finding) -> Vec<Exchange> {
        if finding.exchanges.is_empty() {
            return self.asked_of_klarna().await;
        }
        let Ok(entries) = self.entries(JournalQuery::default()).await else { return Vec::new() };
        entries.iter().filter(|entry| finding.exchanges.contains(&entry.seq)).map(Exchange::from).collect()
    }
}
