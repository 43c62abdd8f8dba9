//! Another try after a decline: a new payment for the same purchase.

use klarna_schemas::simulator::control::JournalQuery;

use super::World;
use super::checks::finding;
use super::failure::Failure;
use super::journal::{AUTHORIZE, Call};

impl World {
    /// Asks for the same purchase again, as a new transaction of the Partner's.
    ///
    /// # Errors
    /// As [`World::create_payment`].
    pub async fn try_again(&mut self) -> Result<(), Failure> {
        // Known from here on, so that the two attempts can be told apart later.
        self.payment_name().await?;
        let before = self.payment()?.order.clone();
        self.order.purchase_reference = before.purchase_reference;
        self.order.lines = before.lines;
        self.create_payment(None).await
    }

    /// Asks that the last payment was another attempt than the one before: another idempotency key,
    /// another transaction reference.
    ///
    /// # Errors
    /// When it was not.
    pub async fn must_be_an_attempt_of_its_own(&mut self) -> Result<(), Failure> {
        let name = self.payment_name().await?;
        let since = self.payment()?.since;
        let mut own = self.payments.iter().rev().filter(|payment| !payment.is_fence);
        let Some(before) = own.nth(1).and_then(|payment| payment.name.clone()) else {
            return Err(Failure::misused("there was no attempt before this one"));
        };
        let later = JournalQuery {
            after: Some(since),
            operation: Some(AUTHORIZE.to_owned()),
            payment: Some(name.clone()),
            ..JournalQuery::default()
        };
        let later = self.entries(later).await?.into_iter().map(|entry| Call { entry }).next();
        let (Some(first), Some(second)) = (self.calls(&before).await?.into_iter().next(), later) else {
            return Err(Failure::Broken("the journal lost one of the two attempts".to_owned()));
        };
        self.judged("attempt.of-its-own", 1);
        let mut same = Vec::new();
        if first.idempotency_key() == second.idempotency_key() {
            same.push("idempotency key");
        }
        if first.reference() == second.reference() {
            same.push("transaction reference");
        }
        if same.is_empty() {
            return Ok(());
        }
        let mut finding = finding(
            "attempt.of-its-own",
            &self.scenario.duties,
            "authorize request",
            format!("the new attempt has the {} of the one that was declined", same.join(" and the ")),
        );
        finding.exchanges = vec![first.entry.seq, second.entry.seq];
        finding.payment = Some(name);
        self.weigh(finding, None).await
    }
}
