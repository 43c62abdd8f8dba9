//! The end of a scenario, after everything was judged: nothing of it reaches into the next one.
//!
//! What goes wrong here says nothing about the acquirer, so it changes no verdict; but it is said.

use std::time::Duration;

use jiff::SignedDuration;
use klarna_schemas::ids::PaymentRequestId;
use klarna_schemas::simulator::control::{JournalQuery, RequestEnd, SetClock};
use klarna_simulator::control::client::ControlError;

use super::World;
use super::journal::{AUTHORIZE, Call};
use crate::traces::{self, Scene};
use crate::verdict;

/// How long all of it may take: an acquirer that takes no webhook holds a delivery for 10 s.
const BUDGET: Duration = Duration::from_secs(12);

/// Status with which the control API refuses to end what has ended.
const CONFLICT: u16 = 409;

impl World {
    /// Where the scenario takes place, with the acquirer's output at `log_mark` lines.
    pub(crate) fn scene(&self, log_mark: u64) -> Scene {
        Scene { account: self.account().clone(), epoch: self.seat().epoch, began_at: self.began_at, log_mark }
    }

    /// Lifts Klarna's faults, ends the payments that are open, and awaits the deliveries under way.
    pub(crate) async fn tear_down(&mut self) {
        let mut trouble = Vec::new();
        for seat in 0..self.seats.len() {
            self.turn = seat;
            match tokio::time::timeout(BUDGET, self.end_everything()).await {
                Ok(met) => trouble.extend(met),
                Err(_) => {
                    trouble.push(format!("Klarna's deliveries had not ended after {} s", BUDGET.as_secs()));
                }
            }
        }
        if let Err(failure) = self.give_keys_back().await {
            trouble.push(format!("the webhooks' signing keys could not be given back: {failure}"));
        }
        self.run.board.update(&self.scenario.id, |record| {
            record.aftermath.extend(trouble.into_iter().map(|what| format!("teardown: {what}")));
        });
    }

    async fn end_everything(&self) -> Vec<String> {
        let mut trouble = Vec::new();
        if let Err(error) = self.run.control.lift_faults(self.account()).await {
            trouble.push(format!("faults could not be lifted: {error}"));
        }
        match self.open_requests().await {
            Ok(requests) => {
                for request in requests {
                    let ended =
                        self.run.control.end_payment_request(self.account(), &request, RequestEnd::Cancel);
                    match ended.await {
                        Ok(_) | Err(ControlError::Refused { status: CONFLICT, .. }) => {}
                        Err(error) => trouble.push(format!("{request} could not be canceled: {error}")),
                    }
                }
            }
            Err(error) => trouble.push(format!("open payments could not be found: {error}")),
        }
        // The clock goes nowhere, and answers when the deliveries under way have ended.
        let at_once = SetClock::Advance(SignedDuration::ZERO);
        if let Err(error) = self.run.control.set_clock(self.account(), &at_once).await {
            trouble.push(format!("deliveries could not be awaited: {error}"));
        }
        trouble
    }

    /// Payment Requests that this scenario has brought about, ended or not.
    async fn open_requests(&self) -> Result<Vec<PaymentRequestId>, String> {
        let query = JournalQuery { operation: Some(AUTHORIZE.to_owned()), ..JournalQuery::default() };
        let entries = self.entries(query).await.map_err(|failure| failure.to_string())?;
        let mut ids: Vec<String> = Vec::new();
        for id in entries.into_iter().filter_map(|entry| Call { entry }.payment_request_id()) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Ok(ids.into_iter().map(PaymentRequestId).collect())
    }

    /// Keeps what there is to see of a scenario that did not hold, before its sandbox is used again.
    pub(crate) async fn keep_traces(&self) {
        let record = self.run.board.read(&self.scenario.id);
        let (status, _) = verdict::of_scenario(&record, self.scenario.steps.len());
        let Some(scene) = record.scene.filter(|_| !status.is_green()) else { return };
        let calls: Vec<String> =
            self.payments.iter().map(|payment| self.without_tokens(&payment.exchange().curl)).collect();
        let collected = traces::collect(&self.run, &scene, &calls).await;
        self.run.board.update(&self.scenario.id, |record| match collected {
            Ok(traces) => record.traces = Some(std::sync::Arc::new(traces)),
            Err(why) => record.aftermath.push(format!("traces: {why}")),
        });
    }
}
