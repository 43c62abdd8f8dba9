//! What the Partner asks for after the create call: captures, refunds, cancels, and what the acquirer
//! answers to them.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::World;
use super::checks::finding;
use super::failure::Failure;
use super::orders;
use super::payment::Payment;
use crate::adapter::{About, FollowUp, FollowUpAnswer, FollowUpOutcome, Wish};

/// One capture, refund or cancel, and the answers to it: several, where the Partner asked again.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) wish: Wish,
    pub(super) answers: Vec<FollowUpAnswer>,
}

impl Payment {
    /// What the Partner has asked for of this kind, in order.
    pub(super) fn wishes(&self, kind: FollowUp) -> impl DoubleEndedIterator<Item = &Asked> {
        self.follow_ups.iter().filter(move |asked| asked.wish.kind == kind)
    }

    /// What the last answer to a capture gave that gave anything.
    fn last_capture(&self) -> BTreeMap<String, String> {
        let mut answers = self.wishes(FollowUp::Capture).flat_map(|asked| &asked.answers);
        let told = answers.rfind(|answer| !answer.read.is_empty());
        told.map(|answer| answer.read.clone()).unwrap_or_default()
    }
}

impl World {
    /// Asks for a part of the payment, or for all of it where `amount` is none.
    ///
    /// # Errors
    /// When the acquirer gives no answer that the adapter can read.
    pub async fn follow_up(&mut self, kind: FollowUp, amount: Option<(&str, &str)>) -> Result<(), Failure> {
        // What was asked of Klarna for it is found by the payment's name.
        self.payment_name().await?;
        let payment = self.payment()?;
        let order = &payment.order;
        let amount = match amount {
            Some((_, currency)) if currency != order.currency => {
                return Err(Failure::misused("the payment has another currency"));
            }
            Some((number, currency)) => orders::minor_units(number, currency)?,
            None => order.amount,
        };
        let wish = self.wish(kind, (kind != FollowUp::Cancel).then_some(amount))?;
        self.ask(wish).await
    }

    /// Asks for the last such thing again, word for word: the same reference, the same key.
    ///
    /// # Errors
    /// When nothing of the kind was asked, or the acquirer's API can carry neither reference nor key.
    pub async fn follow_up_again(&mut self, kind: FollowUp) -> Result<(), Failure> {
        let same = self.last_wish(kind)?.clone();
        let other = self.wish(kind, same.amount)?;
        let payment = self.payment()?;
        let (told, capture) = (payment.told(), payment.last_capture());
        let about = About { order: &payment.order, payment: &told, capture: &capture };
        let apart = self.run.acquirer.tells_wishes_apart(self.partner(), about, &same, &other);
        if !apart.map_err(|error| Failure::Broken(error.to_string()))? {
            let why = format!(
                "the adapter's operation {kind} carries neither operation.reference nor operation.idempotency_key: the acquirer cannot know a repetition"
            );
            return Err(Failure::NotApplicable(why));
        }
        self.ask(same).await
    }

    async fn ask(&mut self, wish: Wish) -> Result<(), Failure> {
        self.fenced = false;
        let payment = self.payment()?;
        let (told, capture) = (payment.told(), payment.last_capture());
        let about = About { order: &payment.order, payment: &told, capture: &capture };
        let answer = self.run.acquirer.follow_up(self.partner(), about, &wish).await;
        let answer = answer.map_err(|error| self.operation_failed(&error))?;
        let payment = self.payment_mut()?;
        match payment.follow_ups.iter_mut().find(|asked| asked.wish == wish) {
            Some(asked) => asked.answers.push(answer),
            None => payment.follow_ups.push(Asked { wish, answers: vec![answer] }),
        }
        Ok(())
    }

    /// A new wish; its name and key are of this run's seed and of this payment alone.
    fn wish(&self, kind: FollowUp, amount: Option<i64>) -> Result<Wish, Failure> {
        let payment = self.payment()?;
        let number = payment.follow_ups.len() + 1;
        let purpose = format!("{kind} {number} of {}", payment.id());
        let digest =
            Sha256::digest(format!("{} {purpose}", self.run.short_name(&self.scenario.id, &purpose)));
        let key = digest.first_chunk::<16>().copied().unwrap_or_default();
        Ok(Wish {
            kind,
            amount,
            currency: payment.order.currency.clone(),
            reference: format!("{kind}-{}-{number}", self.run.short_name(&self.scenario.id, &purpose)),
            idempotency_key: uuid::Builder::from_random_bytes(key).into_uuid().to_string(),
        })
    }

    /// The last wish of a kind.
    pub(super) fn last_wish(&self, kind: FollowUp) -> Result<&Wish, Failure> {
        let last = self.payment()?.wishes(kind).next_back();
        last.map(|asked| &asked.wish)
            .ok_or_else(|| Failure::misused(&format!("no step before this one asks for a {kind}")))
    }

    /// Asks that the last answer said so. An acquirer that says "pending" is judged by what reaches
    /// Klarna alone.
    ///
    /// # Errors
    /// When it said something else.
    pub async fn must_have_answered_follow_up(
        &mut self,
        kind: FollowUp,
        outcome: FollowUpOutcome,
    ) -> Result<(), Failure> {
        self.last_wish(kind)?;
        if outcome == FollowUpOutcome::Refused {
            let refused = self.refused_calls_of(kind).await?;
            self.asked_too_much.extend(refused);
        }
        let payment = self.payment()?;
        let answer = payment.wishes(kind).next_back().and_then(|asked| asked.answers.last());
        let Some(answer) = answer else {
            return Err(Failure::Broken(format!("the answer to the {kind} was lost")));
        };
        let said = answer.outcome;
        if said == FollowUpOutcome::Pending {
            self.remark("the answer was \"pending\": what came of it is seen at Klarna only");
            return Ok(());
        }
        self.judged("follow-up.answered", 1);
        let not_done = [FollowUpOutcome::Refused, FollowUpOutcome::Failed];
        if said == outcome || (not_done.contains(&said) && not_done.contains(&outcome)) {
            return Ok(());
        }
        let mut finding = finding(
            "follow-up.answered",
            &self.scenario.duties,
            format!("the answer to the Partner's {kind}"),
            format!("it says {said}, and it is {outcome}"),
        );
        finding.expected = Some(outcome.to_string());
        finding.got = Some(said.to_string());
        let exchange = answer.exchange.clone();
        finding.exchanges = self.follow_up_calls(kind).await?.iter().map(|call| call.entry.seq).collect();
        self.weigh(finding, Some(exchange)).await
    }
}
