//! What a sandbox writes down of what happens in it, and has judged.

use bytes::Bytes;
use klarna_schemas::simulator::control::CustomerAct;
use klarna_schemas::simulator::finding::Finding;
use klarna_schemas::simulator::journal::{Direction, Ending};
use uuid::Uuid;

use super::sandbox_cell::{SandboxCell, State};
use crate::api::recording::{Authorized, RefusedBody};
use crate::clock::real_now;
use crate::journal::{Exchange, Journal, Sent, Took};
use crate::rulebook::{ApiCall, CallContext, DeathContext, DeliveryContext, RefusedContext};

/// Tells the acquirer of the customer's approval.
const COMPLETED: &str = "payment.request.state-change.completed";

/// The events whose coverage AP-19 asks for.
const STATE_CHANGES: [&str; 4] = [
    COMPLETED,
    "payment.request.state-change.canceled",
    "payment.request.state-change.declined",
    "payment.request.state-change.expired",
];

impl SandboxCell {
    /// Writes down a call to Klarna's API and judges it: by what it is and, if it was an authorize, in its
    /// payment. Returns its number.
    pub(crate) fn record_api(
        &self,
        mut exchange: Exchange,
        authorized: Option<&Authorized>,
        call: Option<&ApiCall>,
    ) -> u64 {
        let uncovered = self.uncovered_events();
        let mut state = self.lock();
        let state = &mut *state;
        exchange.number = state.machine.number();
        let (payment, epoch) = (exchange.payment.clone(), exchange.epoch);
        let seq = state.journal.append(exchange);
        if let Some(call) = call.filter(|_| epoch == state.machine.epoch) {
            let found = state.ledger.api(call, seq, real_now());
            self.cite(&mut state.journal, &found);
        }
        let found = match authorized {
            Some(Authorized::Decided(Some(position))) => {
                state.judge_call(payment.as_deref(), *position, seq, &uncovered)
            }
            Some(Authorized::Invalid(refused)) => state.judge_refused(payment.as_deref(), refused, seq),
            Some(Authorized::Decided(None)) | None => Vec::new(),
        };
        self.cite(&mut state.journal, &found);
        self.tell();
        seq
    }

    /// Says of what was written down how it has ended after all.
    pub(crate) fn amend(&self, seq: u64, ended: Ending) {
        self.lock().journal.amend(seq, ended);
        self.tell();
    }

    /// Writes down what the customer did at the tester's word, as if it had come by the page.
    pub(crate) fn record_act(&self, uuid: Uuid, act: CustomerAct, by: &str) {
        let state = self.lock();
        let Some(record) = state.machine.request_by_uuid(uuid) else { return };
        let (payment, target, epoch) = (record.payment.clone(), record.url.clone(), state.machine.epoch);
        drop(state);
        self.record(Exchange {
            number: 0,
            epoch,
            payment: Some(payment),
            direction: Direction::Inbound,
            operation: format!("journey.{}", act.as_str()),
            started_at: real_now(),
            virtual_at: self.clock().now(),
            version: None,
            took: Took::default(),
            method: "POST".to_owned(),
            target,
            request_headers: Vec::new(),
            request_body: Bytes::new(),
            truncated: false,
            response: None,
            ended: Ending::Answered,
            rule: Some(by.to_owned()),
            fault: None,
            sent: Sent::AsKlarnaDoes,
            tls: None,
        });
    }

    /// Writes down an exchange that no rule judges.
    pub(crate) fn record(&self, mut exchange: Exchange) -> u64 {
        let mut state = self.lock();
        exchange.number = state.machine.number();
        let seq = state.journal.append(exchange);
        drop(state);
        self.tell();
        seq
    }

    /// Writes down an attempt to deliver an event and judges it.
    pub(crate) fn record_delivery(&self, exchange: Exchange) {
        let mut state = self.lock();
        let state = &mut *state;
        let (payment, epoch, ended) = (exchange.payment.clone(), exchange.epoch, exchange.ended);
        let sent = exchange.sent;
        let event_type = exchange.operation.trim_start_matches("event:").to_owned();
        let status = exchange.response.as_ref().map(|(status, _, _)| *status);
        let seq = state.journal.append(exchange);
        if epoch == state.machine.epoch {
            let told = event_type == COMPLETED && sent == Sent::AsKlarnaDoes;
            if let Some(payment) =
                payment.as_deref().filter(|_| told).and_then(|name| state.machine.payment_mut(name))
            {
                payment.completed_event = Some(seq);
            }
            let context = DeliveryContext { event_type: &event_type, seq, ended, status, sent };
            let found = state.ledger.delivery(payment.as_deref(), &context);
            self.cite(&mut state.journal, &found);
        }
        self.tell();
    }

    pub(super) fn judge_token_died(&self, payment: &str) {
        let mut state = self.lock();
        let state = &mut *state;
        let evolved = state.has_evolved();
        if let Some(payment) = state.machine.payment(payment) {
            let found = state.ledger.token_died(&DeathContext { payment, evolved });
            self.cite(&mut state.journal, &found);
        }
        self.tell();
    }

    /// Marks the exchanges that findings cite, and counts the findings.
    fn cite(&self, journal: &mut Journal, findings: &[Finding]) {
        for finding in findings {
            journal.cite(&finding.exchanges, &finding.rule);
        }
        if let Some(world) = self.world.upgrade() {
            world.tally.count(self.account.as_str(), findings);
        }
    }

    fn uncovered_events(&self) -> Vec<&'static str> {
        match self.owners_account() {
            Some(account) => account.lock().subscriptions.uncovered(&STATE_CHANGES),
            None => STATE_CHANGES.to_vec(),
        }
    }
}

impl State {
    /// Judges an authorize in its payment.
    fn judge_call(
        &mut self,
        payment: Option<&str>,
        position: usize,
        seq: u64,
        uncovered_events: &[&'static str],
    ) -> Vec<Finding> {
        let (intents_declared, evolved) = (self.machine.intents_declared, self.has_evolved());
        let Some(payment) = payment.and_then(|name| self.machine.payment_mut(name)) else {
            return Vec::new();
        };
        if let Some(call) = payment.calls.get_mut(position) {
            call.seq = seq;
        }
        let payment = &*payment;
        let Some((call, earlier)) = payment.calls.get(..=position).and_then(<[_]>::split_last) else {
            return Vec::new();
        };
        self.ledger.call(&CallContext { payment, earlier, call, intents_declared, uncovered_events, evolved })
    }

    /// Judges an authorize whose body did not validate.
    fn judge_refused(&mut self, payment: Option<&str>, refused: &RefusedBody, seq: u64) -> Vec<Finding> {
        let RefusedBody { raw, fields, by_policy } = refused;
        let payment = payment.and_then(|name| self.machine.payment(name));
        let intent = self.machine.next_intent();
        let context = RefusedContext { seq, payment, raw, fields, by_policy: *by_policy, intent };
        self.ledger.refused(&context)
    }

    fn has_evolved(&self) -> bool {
        !self.machine.behaviour.evolved().kinds().is_empty()
    }
}
