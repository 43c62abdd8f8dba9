//! Klarna Network Response Data: what Klarna has for the Partner, handed back by the acquirer.

use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::simulator::control::{CallKind, QueuedOutcome};

use super::World;
use super::checks::finding;
use super::failure::Failure;
use crate::adapter::{Outcome, RESPONSE_DATA};

impl World {
    /// Queues Klarna's decision on the next initial authorize, with data for the Partner.
    ///
    /// # Errors
    /// When the simulator refuses.
    pub async fn klarna_will_with(&self, result: AuthorizationResult, data: &str) -> Result<(), Failure> {
        let outcome = QueuedOutcome {
            response_data: Some(data.to_owned()),
            ..QueuedOutcome::once(CallKind::Initial, result)
        };
        self.run.control.queue_outcomes(self.account(), &[outcome]).await?;
        Ok(())
    }

    /// Asks that the Partner got Klarna's data as it was: in the answer to its create call or, where the
    /// acquirer hands it out there, by reading the payment.
    ///
    /// # Errors
    /// When it did not, or the adapter does not say where it stands.
    pub async fn must_hand_response_data_back(&mut self) -> Result<(), Failure> {
        let (in_answer, by_reading) = self.run.adapter.reads(RESPONSE_DATA);
        if !in_answer && !by_reading {
            let why = format!("the adapter reads no {RESPONSE_DATA} from the acquirer's answers");
            return Err(Failure::NotApplicable(why));
        }
        let sent = self.initial_call().await?.answered("/klarna_network_response_data");
        let Some(sent) = sent else {
            return Err(Failure::NothingToJudge("Klarna's answer carries no response data".to_owned()));
        };
        let payment = self.payment()?;
        let mut got = payment.read(RESPONSE_DATA).map(str::to_owned);
        let mut exchange = payment.exchange().clone();
        if got.is_none() && by_reading {
            let told = payment.told();
            let outcome = payment.answer.outcome;
            let read = if outcome == Outcome::Pending {
                self.await_shown(&told, Outcome::StepUp).await?
            } else {
                self.read_payment(&told).await?
            };
            got = read.read.get(RESPONSE_DATA).cloned();
            exchange = read.exchange;
        }
        self.judged("response-data.byte-equal", 1);
        if got.as_deref() == Some(&sent) {
            return Ok(());
        }
        let what = match &got {
            None => "Klarna has data for the Partner, and the Partner does not get it",
            Some(_) => "the Partner gets other data than Klarna has for it",
        };
        let place = "what the acquirer tells the Partner";
        let mut finding = finding("response-data.byte-equal", &self.scenario.duties, place, what);
        finding.expected = Some(sent);
        finding.got = Some(got.unwrap_or_else(|| "nothing".to_owned()));
        self.weigh(finding, Some(exchange)).await
    }
}
