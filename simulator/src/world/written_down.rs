//! What a sandbox writes down of what happens in it, and has judged.

use bytes::Bytes;
use klarna_schemas::simulator::control::CustomerAct;
use klarna_schemas::simulator::finding::Finding;
use klarna_schemas::simulator::journal::{Direction, Ending};
use uuid::Uuid;

use super::sandbox_cell::SandboxCell;
use crate::api::recording::RefusedBody;
use crate::clock::real_now;
use crate::journal::{Exchange, Journal, Sent};
use crate::rulebook::{CallContext, DeliveryContext, RefusedContext};

/// The events whose coverage AP-19 asks for.
const STATE_CHANGES: [&str; 4] = [
    "payment.request.state-change.completed",
    "payment.request.state-change.canceled",
    "payment.request.state-change.declined",
    "payment.request.state-change.expired",
];

impl SandboxCell {
    /// Writes down an authorize and judges it.
    pub(crate) fn record_call(&self, mut exchange: Exchange, call: Option<usize>) {
        let uncovered = self.uncovered_events();
        let mut state = self.lock();
        let state = &mut *state;
        exchange.number = state.machine.number();
        let payment = exchange.payment.clone();
        let seq = state.journal.append(exchange);
        let intents_declared = state.machine.intents_declared;
        let payment = payment.and_then(|name| state.machine.payment_mut(&name));
        if let Some((payment, position)) = payment.zip(call) {
            if let Some(call) = payment.calls.get_mut(position) {
                call.seq = seq;
            }
            let payment = &*payment;
            if let Some((call, earlier)) = payment.calls.get(..=position).and_then(<[_]>::split_last) {
                let found = state.ledger.call(&CallContext {
                    payment,
                    earlier,
                    call,
                    intents_declared,
                    uncovered_events: &uncovered,
                });
                self.cite(&mut state.journal, &found);
            }
        }
        self.tell();
    }

    /// Writes down an authorize whose body did not validate, and judges that.
    pub(crate) fn record_refused(&self, mut exchange: Exchange, refused: &RefusedBody) {
        let RefusedBody { raw, fields, by_policy } = refused;
        let mut state = self.lock();
        let state = &mut *state;
        exchange.number = state.machine.number();
        let seq = state.journal.append(exchange);
        let intent = state.machine.next_intent();
        let found = state.ledger.refused(&RefusedContext { seq, raw, fields, by_policy: *by_policy, intent });
        self.cite(&mut state.journal, &found);
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
            method: "POST".to_owned(),
            target,
            request_headers: Vec::new(),
            request_body: Bytes::new(),
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
            let context = DeliveryContext { event_type: &event_type, seq, ended, status, sent };
            let found = state.ledger.delivery(payment.as_deref(), &context);
            self.cite(&mut state.journal, &found);
        }
        self.tell();
    }

    pub(super) fn judge_token_died(&self, payment: &str) {
        let mut state = self.lock();
        let state = &mut *state;
        if let Some(payment) = state.machine.payment(payment) {
            let found = state.ledger.token_died(payment);
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
            world.tally.count(&self.account, findings);
        }
    }

    fn uncovered_events(&self) -> Vec<&'static str> {
        match self.owners_account() {
            Some(account) => account.lock().subscriptions.uncovered(&STATE_CHANGES),
            None => STATE_CHANGES.to_vec(),
        }
    }
}
