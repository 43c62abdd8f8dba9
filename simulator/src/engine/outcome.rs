//! What decides the outcome of an authorize: what the tester asked for, then tokens, then the default.

use jiff::{SignedDuration, Timestamp};
use klarna_schemas::klarna::authorize::{AuthorizationResult, AuthorizeRequest};
use klarna_schemas::simulator::control::{CallKind, CustomerScript, Fault};
use klarna_schemas::simulator::rules::{Considered, Explanation, Then};

use super::command::AuthorizeCommand;
use super::customer::CustomerMove;
use super::effect::{Decided, Decider, Effect, Reply};
use super::final_call::{TokenRule, departure};
use super::payment_request::RequestRecord;
use super::sandbox::Sandbox;
use crate::behaviour::choosing::Choice;
use crate::behaviour::rules::Occasion;

/// The journal's name of the operation.
const AUTHORIZE: &str = "authorize";

impl Sandbox {
    /// What decides on a call, if anything that the tester asked for does. Nothing changes.
    pub(crate) fn foresee(&self, occasion: &Occasion<'_>) -> Option<Choice> {
        self.behaviour.foresee(occasion, |ordinal, below| self.chance.number("weight", ordinal, below))
    }

    /// The fault by which a call is not served, if what decides on it says so, and what that is. It counts
    /// as served.
    pub(crate) fn kept_from_serving(&mut self, occasion: &Occasion<'_>) -> Option<(Fault, String)> {
        let choice = self.foresee(occasion)?;
        let fault = choice.then.fault.filter(|fault| !fault.lets_serve())?;
        self.behaviour.serve(&choice);
        Some((fault, choice.by.into_owned()))
    }

    /// The fault that befalls a call or its answer, where there are no outcomes to ask for, and which rule
    /// says so.
    pub(crate) fn fault_of_rule(&mut self, occasion: &Occasion<'_>) -> Option<(Fault, String)> {
        let choice = self.foresee(occasion)?;
        let fault = choice.then.fault?;
        self.behaviour.serve(&choice);
        Some((fault, choice.by.into_owned()))
    }

    /// What decides on a call, with all that was looked at.
    pub(crate) fn looked_at(&self, occasion: &Occasion<'_>) -> (Option<Choice>, Vec<Considered>) {
        self.behaviour.explain(occasion, |ordinal, below| self.chance.number("weight", ordinal, below))
    }

    /// What decides on an authorize; it counts as served.
    pub(super) fn choose(
        &mut self,
        command: &AuthorizeCommand,
        on: CallKind,
        can_step_up: bool,
    ) -> Option<Choice> {
        let choice = self.foresee(&Occasion { can_step_up, ..command.occasion(on) })?;
        self.behaviour.serve(&choice);
        Some(choice)
    }

    /// The result of an initial authorize that nobody asked for. The customer must consent to a token, and
    /// has consented to be charged by one (contract `payments.md` 8).
    pub(super) fn unasked_result(
        &self,
        command: &AuthorizeCommand,
        request: &AuthorizeRequest,
    ) -> (AuthorizationResult, Decider) {
        if request.request_customer_token.is_some() {
            return (AuthorizationResult::StepUpRequired, "customer-token".into());
        }
        if command.customer_token.is_some() {
            return (AuthorizationResult::Approved, "customer-token".into());
        }
        (self.policies.default_outcome.clone(), "default".into())
    }

    /// Lets the customer of a new request act by the script. What is to happen at once happens now.
    pub(super) fn follow_script(
        &mut self,
        record: &RequestRecord,
        script: &CustomerScript,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let moves = script
            .0
            .iter()
            .map(|step| (step.after.unwrap_or(SignedDuration::ZERO), CustomerMove::from(step)));
        // Scripts are bounded where they are read, and the request is new: there is room.
        if self.plan_acts(record.uuid, moves, now).is_ok() {
            effects.extend(self.tick(now));
        }
    }

    /// What would be decided on a call, and why, in the order of decision. Nothing changes: the call is
    /// made on a copy, so that what is said here is what would come of it.
    pub(crate) fn explain(&self, command: &AuthorizeCommand, now: Timestamp) -> Explanation {
        let explained = self.walk(command, now);
        if explained.then.fault.is_some_and(|fault| !fault.lets_serve()) {
            return explained;
        }
        let effects = self.clone().authorize(command, now);
        let decided = effects.into_iter().find_map(|effect| match effect {
            Effect::Reply(decided) => Some(*decided),
            _ => None,
        });
        let Some(Decided { reply, by, .. }) = decided else { return explained };
        let refused = match &reply {
            Reply::Authorized(_) => None,
            Reply::Refused(refusal) => Some(refusal.in_words()),
        };
        if let (Reply::Authorized(answer), true) = (&reply, explained.decided_by == by.name) {
            let result = Some(answer.payment_transaction_response.result.clone());
            return Explanation { then: Then { result, ..explained.then }, ..explained };
        }
        // Something that comes before has decided, or has refused the call.
        let why = refused.clone().unwrap_or_else(|| "it comes before what else would decide".to_owned());
        let mut considered = explained.considered;
        considered.retain(|one| !one.fits);
        considered.push(Considered { by: by.name.to_string(), fits: true, why });
        let then = match reply {
            Reply::Authorized(answer) => {
                Then { result: Some(answer.payment_transaction_response.result), ..Then::default() }
            }
            Reply::Refused(_) => Then::default(),
        };
        Explanation { on: explained.on, decided_by: by.name.into_owned(), then, refused, considered }
    }

    /// Whether a call comes as far as outcomes: it is no repeat, validates, and its token can be used.
    pub(crate) fn reaches_outcomes(&self, command: &AuthorizeCommand, now: Timestamp) -> bool {
        let Ok(request) = &command.request else { return false };
        if self.known_answer(command, now).is_some() {
            return false;
        }
        match self.token_rule(command, request, now) {
            TokenRule::Initial => true,
            TokenRule::Final(_, session) => {
                let asked = request.request_payment_transaction.as_ref();
                session.spent.is_none()
                    && asked.is_none_or(|asked| departure(&session, request, asked).is_none())
            }
            TokenRule::Refuse(_) | TokenRule::Decline => false,
        }
    }

    /// The stages of decision, one after the other.
    fn walk(&self, command: &AuthorizeCommand, now: Timestamp) -> Explanation {
        let mut considered = Vec::new();
        let on = self.call_kind(command);
        let mut told = |by: &str, fits: bool, why: String| {
            considered.push(Considered { by: by.to_owned(), fits, why });
        };
        let ended = |considered, by: &str, then| Explanation {
            on,
            decided_by: by.to_owned(),
            then,
            refused: None,
            considered,
        };
        let declined = || Then { result: Some(AuthorizationResult::Declined), ..Then::default() };
        if let Some(replayed) = self.known_answer(command, now) {
            let why = "this idempotency key was used before: the first answer again, or a conflict";
            told(replayed, true, why.to_owned());
            return ended(considered, replayed, Then::default());
        }
        let request = match &command.request {
            Ok(request) => request,
            Err(fields) => {
                let names: Vec<_> =
                    fields.iter().map(|field| format!("{} {}", field.parameter, field.reason)).collect();
                told("body", true, format!("the body does not validate: {}", names.join("; ")));
                return ended(considered, "body", Then::default());
            }
        };
        told("body", false, "the body validates".to_owned());
        let can_step_up = match self.token_rule(command, request, now) {
            TokenRule::Initial => request.step_up_config.is_some(),
            TokenRule::Final(_, session) if session.spent.is_none() => false,
            TokenRule::Final(..) => {
                told("token", true, "the token was used for a final authorize before".to_owned());
                return ended(considered, "token", Then::default());
            }
            TokenRule::Refuse(_) => {
                told("token", true, "the token cannot be used here: the call is refused".to_owned());
                return ended(considered, "token", Then::default());
            }
            TokenRule::Decline => {
                told("token", true, "the token cannot be used here: the call is declined".to_owned());
                return ended(considered, "token", declined());
            }
        };
        let (choice, looked_at) = self.looked_at(&Occasion { can_step_up, ..command.occasion(on) });
        considered.extend(looked_at);
        if let Some(choice) = choice {
            return ended(considered, &choice.by, choice.then);
        }
        let (result, by) = match on {
            CallKind::Final => (AuthorizationResult::Approved, "token".into()),
            CallKind::Initial | CallKind::Any => self.unasked_result(command, request),
        };
        let (result, by) = match result {
            AuthorizationResult::StepUpRequired if !can_step_up => {
                (AuthorizationResult::Declined, "no-step-up-config".into())
            }
            result => (result, by),
        };
        let why = "nothing before it decides".to_owned();
        considered.push(Considered { by: by.name.to_string(), fits: true, why });
        ended(considered, &by.name, Then { result: Some(result), ..Then::default() })
    }
}

impl AuthorizeCommand {
    /// The call as rules see it.
    pub(crate) fn occasion(&self, on: CallKind) -> Occasion<'_> {
        let asks = self.request.as_ref().is_ok_and(|request| request.step_up_config.is_some());
        Occasion {
            operation: AUTHORIZE,
            on,
            headers: &self.headers,
            body: &self.raw,
            can_step_up: on == CallKind::Initial && asks,
        }
    }
}
