//! Customer tokens: asked for, consented to, and charged (contract `payments.md` 8).

use jiff::Timestamp;
use klarna_schemas::klarna::authorize::{
    AuthorizationResult, AuthorizeRequest, AuthorizeResponse, CustomerToken, CustomerTokenResponse,
    RequestCustomerToken,
};

use super::authorization::answer;
use super::command::AuthorizeCommand;
use super::effect::{Decider, Effect, Refusal, Reply};
use super::initial_call::StepUp;
use super::payment_request::RequestRecord;
use super::sandbox::Sandbox;

/// How many customer tokens a sandbox remembers; the oldest makes room.
const REMEMBERED_TOKENS: usize = 10_000;

impl Sandbox {
    /// Decides a call that asks for a customer token and for no transaction: the customer must be asked,
    /// and no final call follows.
    pub(super) fn ask_for_token_alone(
        &mut self,
        command: &AuthorizeCommand,
        request: &AuthorizeRequest,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> (Reply, Decider, Option<String>) {
        let step_up = match StepUp::asked(command, request, now) {
            Ok(Some(step_up)) => step_up,
            Ok(None) => {
                let why = "is required: the customer must consent to a token";
                let refusal = self.policies.chosen.no_way_to_the_customer.refusal("step_up_config", why);
                let declined = Reply::Authorized(Box::new(both(AuthorizationResult::Declined)));
                return (refusal.map_or(declined, Reply::Refused), "no-step-up-config".into(), None);
            }
            Err(refusal) => return (Reply::Refused(refusal), "body".into(), None),
        };
        let wish = request.request_customer_token.clone();
        let reference = wish.as_ref().and_then(|wish| wish.customer_token_reference.clone());
        let payment = self.open_payment_for(reference);
        let blank = self.blank_request(command.acquirer.clone(), &payment, now);
        let record = self.add_request(RequestRecord {
            currency: request.currency.clone(),
            token_wish: wish,
            tokenises_only: true,
            ..step_up.laid_over(blank)
        });
        effects.push(Effect::Emit(Box::new(self.announce(&record, now))));
        let mut answer = both(AuthorizationResult::StepUpRequired);
        answer.payment_request = Some(record.view());
        (Reply::Authorized(Box::new(answer)), "customer-token".into(), Some(payment))
    }

    /// Makes a customer token.
    pub(super) fn issue_customer_token(&mut self, wish: &RequestCustomerToken) -> CustomerToken {
        let id =
            format!("krn:partner:eu1:test:identity:customer-token:{}", self.ids.text("customer-token", 86));
        if self.customer_tokens.len() >= REMEMBERED_TOKENS {
            self.customer_tokens.shift_remove_index(0);
        }
        self.customer_tokens.insert(id.clone());
        CustomerToken {
            customer_token_id: id.into(),
            customer_token_reference: wish.customer_token_reference.clone(),
        }
    }

    /// Whether a customer token was issued here.
    pub(super) fn knows_customer_token(&self, token: &str) -> bool {
        self.customer_tokens.contains(token)
    }

    /// The refusal of a customer token that was not issued here, as of any token that names nothing.
    pub(crate) fn refuse_customer_token(&self, token: &str) -> Option<Refusal> {
        let why = "names no customer token of this account";
        let refuse = || self.policies.chosen.unknown_token.refuse("Klarna-Customer-Token", why);
        (!self.knows_customer_token(token)).then(refuse)
    }

    /// What is answered to the wish for a token beside a transaction that was decided so.
    pub(super) fn answer_to_wish(
        &mut self,
        wish: &RequestCustomerToken,
        result: &AuthorizationResult,
        made: Option<CustomerToken>,
    ) -> CustomerTokenResponse {
        let approved = *result == AuthorizationResult::Approved;
        let customer_token = approved.then(|| made.unwrap_or_else(|| self.issue_customer_token(wish)));
        CustomerTokenResponse { result: result.clone(), result_reason: None, customer_token }
    }
}

/// The same result for the transaction, which nobody asked for, and for the token (contract, "What real
/// clients do").
fn both(result: AuthorizationResult) -> AuthorizeResponse {
    let token = CustomerTokenResponse { result: result.clone(), result_reason: None, customer_token: None };
    AuthorizeResponse { customer_token_response: Some(token), ..answer(result, None, None) }
}
