//! Calls that a fault keeps from being decided: they belong to their payment all the same.

use jiff::Timestamp;
use klarna_schemas::simulator::control::{CallKind, Fault};

use super::command::AuthorizeCommand;
use super::effect::Effect;
use super::payment::CallRole;
use super::sandbox::Sandbox;
use super::token::TokenMeaning;

/// Where a call that met a fault belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Undecided {
    /// The simulator's name of the payment, if the call could be tied to one.
    pub(crate) payment: Option<String>,
    /// Which of the payment's calls this was.
    pub(crate) call: Option<usize>,
    /// The epoch that the call belongs to.
    pub(crate) epoch: u64,
}

impl Sandbox {
    /// Whether a call carries the token of a COMPLETED request.
    pub(crate) fn call_kind(&self, command: &AuthorizeCommand) -> CallKind {
        let meaning = command.token.as_ref().and_then(|token| self.resolve_token(&token.value).1);
        match meaning.map(|record| &record.stands_for) {
            Some(TokenMeaning::Completed(_)) => CallKind::Final,
            _ => CallKind::Initial,
        }
    }

    /// Notes a call that met a fault. Nothing is decided and nothing changes, but that a payment
    /// begins with its first call, whatever befell that.
    pub(crate) fn meet_fault(
        &mut self,
        command: &AuthorizeCommand,
        fault: Fault,
        now: Timestamp,
    ) -> (Undecided, Vec<Effect>) {
        let mut effects = self.tick(now);
        let epoch = self.epoch_of_call(command);
        let request = command.request.as_ref().ok();
        let transaction = request.and_then(|request| request.request_payment_transaction.as_ref());
        let Some(transaction) = transaction.filter(|_| epoch == self.epoch) else {
            return (Undecided { payment: None, call: None, epoch }, effects);
        };
        let known = self.attribute(command, transaction);
        let replays = command
            .key
            .as_ref()
            .and_then(|key| self.idempotency.get(key))
            .is_some_and(|known| known.answers(command));
        let role = match self.call_kind(command) {
            _ if replays => CallRole::Replay,
            CallKind::Final => CallRole::Final,
            CallKind::Initial | CallKind::Any => self.role_of_initial(known.as_deref()),
        };
        let name = known.unwrap_or_else(|| self.open_payment(command, transaction));
        self.note_fault(command, role, &name, fault);
        let call = self.newest_call(Some(&name));
        self.make_room(&mut effects);
        (Undecided { payment: Some(name), call, epoch }, effects)
    }

    /// Whether a call without the token of a COMPLETED request is the first that Klarna decides.
    pub(super) fn role_of_initial(&self, known: Option<&str>) -> CallRole {
        let decided = known
            .and_then(|name| self.payment(name))
            .is_some_and(|payment| payment.calls.iter().any(|call| call.fault.is_none()));
        if decided { CallRole::Further } else { CallRole::Initial }
    }
}
