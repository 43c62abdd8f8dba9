//! What the customer does, and what Klarna's side does by itself.

use klarna_schemas::ids::{PartnerAccountId, PaymentRequestId, PaymentTransactionId};
use klarna_schemas::klarna::transaction::PaymentChargeback;
use klarna_schemas::money::MinorUnits;
use klarna_schemas::simulator::control::{
    ActAsCustomer, ChargeBack, CustomerAct, CustomerActed, EndPaymentRequest, PaymentRequestEnded, RequestEnd,
};
use reqwest::Method;

use super::{ControlClient, ControlError, PATIENCE, encode, sandbox};

impl ControlClient {
    /// Do what the customer does.
    pub async fn act_as_customer(
        &self,
        account: &PartnerAccountId,
        payment_request_id: &PaymentRequestId,
        act: CustomerAct,
    ) -> Result<CustomerActed, ControlError> {
        let payment_request_id = payment_request_id.clone();
        let body = ActAsCustomer::new(payment_request_id, act);
        self.act(account, &body).await
    }

    /// The same, with all that the customer may say.
    pub async fn act(
        &self,
        account: &PartnerAccountId,
        body: &ActAsCustomer,
    ) -> Result<CustomerActed, ControlError> {
        self.send(Method::POST, &sandbox(account, "/customer"), Some(body), PATIENCE).await
    }

    /// End a Payment Request from Klarna's side.
    pub async fn end_payment_request(
        &self,
        account: &PartnerAccountId,
        payment_request_id: &PaymentRequestId,
        act: RequestEnd,
    ) -> Result<PaymentRequestEnded, ControlError> {
        let body = EndPaymentRequest { payment_request_id: payment_request_id.clone(), act };
        self.send(Method::POST, &sandbox(account, "/payment-requests"), Some(&body), PATIENCE).await
    }

    /// Take money of a transaction back for the customer.
    pub async fn charge_back(
        &self,
        account: &PartnerAccountId,
        payment_transaction_id: &PaymentTransactionId,
        amount: MinorUnits,
    ) -> Result<PaymentChargeback, ControlError> {
        let path = sandbox(
            account,
            &format!("/transactions/{}/chargeback", encode(payment_transaction_id.as_str())),
        );
        self.send(Method::POST, &path, Some(&ChargeBack { amount }), PATIENCE).await
    }
}
