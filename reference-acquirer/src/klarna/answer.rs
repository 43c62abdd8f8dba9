//! Reading Klarna's answers: tolerant of all that Klarna may add (AP-41), strict about the money.
//!
//! Only what this acquirer acts on is read, so an unknown field, a new enum value elsewhere or an
//! odd timestamp cannot spoil a payment. A result that is none of the three known ones is never
//! taken for an approval.

use klarna_schemas::ids::{PaymentRequestId, PaymentTransactionId};
use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::klarna::payment_request::PaymentRequestState;
use secrecy::SecretString;
use serde::Deserialize;

use crate::payments::payment::{Answer, Decision};

#[derive(Deserialize)]
struct Envelope {
    payment_transaction_response: TransactionResponse,
    payment_request: Option<Request>,
    klarna_network_response_data: Option<String>,
}

#[derive(Deserialize)]
struct TransactionResponse {
    result: AuthorizationResult,
    payment_transaction: Option<Transaction>,
}

#[derive(Deserialize)]
struct Transaction {
    payment_transaction_id: Option<PaymentTransactionId>,
}

/// A payment request, in an authorize answer or read by itself.
#[derive(Deserialize)]
pub(super) struct Request {
    payment_request_id: Option<PaymentRequestId>,
    payment_request_url: Option<String>,
    state: Option<PaymentRequestState>,
    state_context: Option<StateContext>,
}

/// How a payment request stands, as Klarna shows it when it is read.
#[derive(Debug)]
pub struct RequestStanding {
    /// Its state; absent where Klarna says none.
    pub state: Option<PaymentRequestState>,
    /// The token for the final call, once the customer has approved.
    pub session_token: Option<SecretString>,
}

#[derive(Deserialize)]
struct StateContext {
    customer_interaction: Option<CustomerInteraction>,
    klarna_network_session_token: Option<String>,
}

#[derive(Deserialize)]
struct CustomerInteraction {
    payment_request_id: Option<PaymentRequestId>,
    payment_request_url: Option<String>,
}

impl Request {
    pub(super) fn standing(self) -> RequestStanding {
        let token = self.state_context.and_then(|context| context.klarna_network_session_token);
        RequestStanding { state: self.state, session_token: token.map(SecretString::from) }
    }
}

/// Klarna's decision, or `None` where the text is no authorize answer at all.
pub fn read_authorize(body: &[u8]) -> Option<Answer> {
    let envelope: Envelope = serde_json::from_slice(body).ok()?;
    let response = envelope.payment_transaction_response;
    let decision = match response.result {
        AuthorizationResult::Approved => Decision::Approved(
            response
                .payment_transaction
                .and_then(|transaction| transaction.payment_transaction_id)
                .filter(|id| !id.as_str().contains(char::is_control)),
        ),
        AuthorizationResult::Declined => Decision::Declined,
        AuthorizationResult::StepUpRequired => step_up(envelope.payment_request),
        AuthorizationResult::Unknown(result) => {
            tracing::error!(result, "Klarna answered a result that this release does not know");
            Decision::Unusable
        }
    };
    Some(Answer { decision, response_data: envelope.klarna_network_response_data, correlation_id: None })
}

/// Id and URL stand in the customer interaction, and in older answers in the request itself.
fn step_up(request: Option<Request>) -> Decision {
    let Some(request) = request else {
        tracing::error!("Klarna asked for a step-up without a payment request");
        return Decision::Unusable;
    };
    let (inner_id, inner_url) = request
        .state_context
        .and_then(|context| context.customer_interaction)
        .map(|interaction| (interaction.payment_request_id, interaction.payment_request_url))
        .unwrap_or_default();
    let Some(request_id) = request.payment_request_id.or(inner_id) else {
        tracing::error!("Klarna asked for a step-up without a payment request id");
        return Decision::Unusable;
    };
    let request_url = inner_url.or(request.payment_request_url);
    // What no id and no URL can hold, no database needs to.
    let of_request = [Some(request_id.as_str()), request_url.as_deref()];
    if of_request.into_iter().flatten().any(|text| text.contains(char::is_control)) {
        tracing::error!("Klarna asked for a step-up by an id or a URL with control characters in it");
        return Decision::Unusable;
    }
    Decision::StepUp { request_id, request_url }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn decision(body: &Value) -> Option<Decision> {
        read_authorize(body.to_string().as_bytes()).map(|answer| answer.decision)
    }

    #[test]
    fn the_three_results() {
        let approved = json!({"payment_transaction_response": {"result": "APPROVED",
            "payment_transaction": {"payment_transaction_id": "krn:t"}}});
        assert_eq!(decision(&approved), Some(Decision::Approved(Some(PaymentTransactionId::from("krn:t")))));
        let declined =
            json!({"payment_transaction_response": {"result": "DECLINED", "result_reason": "NEW"}});
        assert_eq!(decision(&declined), Some(Decision::Declined));
        let step_up = json!({"payment_transaction_response": {"result": "STEP_UP_REQUIRED"},
            "payment_request": {"payment_request_id": "krn:r", "state": "NEW_STATE", "created_at": 7,
                "state_context": {"customer_interaction": {"payment_request_url": "https://k/r"}}}});
        let expected = Decision::StepUp {
            request_id: PaymentRequestId::from("krn:r"),
            request_url: Some("https://k/r".into()),
        };
        assert_eq!(decision(&step_up), Some(expected.clone()));
        let outside = json!({"payment_transaction_response": {"result": "STEP_UP_REQUIRED"}, "extra": [],
            "payment_request": {"payment_request_id": "krn:r", "payment_request_url": "https://k/r"}});
        assert_eq!(decision(&outside), Some(expected));
    }

    #[test]
    fn an_unknown_result_is_never_an_approval() {
        for result in ["approved", "APPROVED_PARTIALLY", "", "PENDING"] {
            let body = json!({"payment_transaction_response": {"result": result,
                "payment_transaction": {"payment_transaction_id": "krn:t"}}});
            assert_eq!(decision(&body), Some(Decision::Unusable), "{result}");
        }
    }

    #[test]
    fn a_step_up_without_a_way_to_the_customer_is_unusable() {
        let bare = json!({"payment_transaction_response": {"result": "STEP_UP_REQUIRED"}});
        assert_eq!(decision(&bare), Some(Decision::Unusable));
        let without_id = json!({"payment_transaction_response": {"result": "STEP_UP_REQUIRED"},
            "payment_request": {"payment_request_url": "https://k/r"}});
        assert_eq!(decision(&without_id), Some(Decision::Unusable));
    }

    #[test]
    fn what_is_no_answer_is_none() {
        for body in ["", "<html>", "{}", "[]", r#"{"payment_transaction_response":{}}"#, "{\"payment_tr"] {
            assert_eq!(read_authorize(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn response_data_is_the_same_string() {
        let body = json!({"payment_transaction_response": {"result": "DECLINED"},
            "klarna_network_response_data": "{ \"a\" : 1.0 }\n"});
        let answer = read_authorize(body.to_string().as_bytes()).unwrap();
        assert_eq!(answer.response_data.as_deref(), Some("{ \"a\" : 1.0 }\n"));
    }
}
