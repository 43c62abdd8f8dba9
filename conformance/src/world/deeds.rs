//! What reached Klarna of the captures, refunds and cancels that the Partner asked for, and what Klarna
//! has done.

use klarna_schemas::simulator::control::{ArmFault, Fault, JournalQuery};
use klarna_schemas::simulator::finding::Finding;
use klarna_schemas::simulator::journal::{Direction, JournalEntry};
use serde_json::Value;

use super::World;
use super::checks::finding;
use super::context::PATIENCE;
use super::failure::Failure;
use super::journal::{Call, in_a_line};
use super::orders;
use crate::adapter::FollowUp;

/// The journal's names of the calls by which it can be asked of Klarna (contract `payments.md` 4): a
/// refund goes by transaction or by capture.
fn operations(kind: FollowUp) -> &'static [&'static str] {
    match kind {
        FollowUp::Capture => &["payment_transaction.capture"],
        FollowUp::Refund => &["payment_transaction.refund", "payment_capture.refund"],
        FollowUp::Cancel => &["payment_request.cancel"],
    }
}

/// Names of the amount, and of Klarna's id for what it made.
fn fields(kind: FollowUp) -> (&'static str, &'static str) {
    match kind {
        FollowUp::Capture => ("capture_amount", "payment_capture_id"),
        FollowUp::Refund => ("refund_amount", "payment_refund_id"),
        FollowUp::Cancel => ("amount", "payment_request_id"),
    }
}

/// Something that Klarna has done.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Deed {
    /// Klarna's id; the same in the answer to a repetition.
    id: String,
    /// Minor units.
    amount: i64,
}

/// What calls have brought about, each deed once.
fn deeds(kind: FollowUp, calls: &[Call]) -> Vec<Deed> {
    let (amount, id) = fields(kind);
    let mut done: Vec<Deed> = Vec::new();
    for answer in calls.iter().filter_map(|call| call.entry.response.as_ref()) {
        let Some(made) = answer.json().filter(|_| (200..300).contains(&answer.status)) else { continue };
        let amount = made.get(amount).and_then(Value::as_i64).unwrap_or_default();
        let Some(id) = made.get(id).and_then(Value::as_str) else { continue };
        if done.iter().all(|known| known.id != id) {
            done.push(Deed { id: id.to_owned(), amount });
        }
    }
    done
}

/// Calls that are no repetitions: each with a key of its own, or without any.
fn logical(calls: &[Call]) -> Vec<&Call> {
    let mut kept: Vec<&Call> = Vec::new();
    for call in calls {
        let key = call.idempotency_key();
        if key.is_none() || kept.iter().all(|known| known.idempotency_key() != key) {
            kept.push(call);
        }
    }
    kept
}

fn is_of(kind: FollowUp, entry: &JournalEntry) -> bool {
    entry.direction == Direction::Inbound && operations(kind).contains(&entry.operation.as_str())
}

impl World {
    async fn about_payment(&mut self) -> Result<JournalQuery, Failure> {
        let payment = Some(self.payment_name().await?);
        Ok(JournalQuery { payment, ..JournalQuery::default() })
    }

    /// All such calls of the payment so far.
    pub(super) async fn follow_up_calls(&mut self, kind: FollowUp) -> Result<Vec<Call>, Failure> {
        let query = self.about_payment().await?;
        let entries = self.entries(query).await?.into_iter().filter(|entry| is_of(kind, entry));
        Ok(entries.map(|entry| Call { entry }).collect())
    }

    /// Numbers of those that Klarna has refused.
    pub(super) async fn refused_calls_of(&mut self, kind: FollowUp) -> Result<Vec<u64>, Failure> {
        let refused = |call: &Call| {
            call.entry.response.as_ref().is_some_and(|answer| (400..500).contains(&answer.status))
        };
        Ok(self
            .follow_up_calls(kind)
            .await?
            .iter()
            .filter(|call| refused(call))
            .map(|c| c.entry.seq)
            .collect())
    }

    fn follow_up_finding(&self, rule: &str, kind: FollowUp, what: String, calls: &[Call]) -> Finding {
        let mut finding = finding(rule, &self.scenario.duties, operations(kind).join(" or "), what);
        finding.exchanges = calls.iter().map(|call| call.entry.seq).collect();
        finding.payment = calls.first().and_then(|call| call.entry.payment.clone());
        finding
    }

    /// Asks that Klarna has moved this amount, in so many captures or refunds, and was asked for
    /// nothing that the Partner did not ask for; that nothing more follows is proved by order.
    ///
    /// # Errors
    /// When it is not so.
    pub async fn klarna_must_have_moved(
        &mut self,
        kind: FollowUp,
        (number, currency): (&str, &str),
        count: usize,
    ) -> Result<(), Failure> {
        let amount = orders::minor_units(number, currency)?;
        let payment = self.payment()?;
        if payment.order.currency != currency {
            return Err(Failure::misused("the payment has another currency"));
        }
        let wished: Vec<i64> = payment.wishes(kind).filter_map(|asked| asked.wish.amount).collect();
        let since = payment.since;
        self.await_deeds(kind, count).await?;
        self.fence().await?;
        let calls = self.follow_up_calls(kind).await?;
        let done = deeds(kind, &calls);
        self.judged("follow-up.made", 1);
        if calls.is_empty() {
            let what = format!("the Partner asked for a {kind}, and Klarna was not asked for any");
            let mut finding = self.follow_up_finding("follow-up.made", kind, what, &calls);
            finding.expected = Some(format!("{count} {kind}(s) of {number} {currency} in all"));
            finding.got = Some(self.what_came_instead(since).await);
            return self.weigh(finding, None).await;
        }
        self.judged("follow-up.as-asked", 1);
        let (field, _) = fields(kind);
        let asked = |call: &Call| call.body().and_then(|body| body.get(field)?.as_i64());
        if let Some(other) =
            calls.iter().find(|call| asked(call).is_none_or(|asked| !wished.contains(&asked)))
        {
            let what = format!("Klarna was asked for a {kind} of an amount that the Partner did not ask for");
            let calls = std::slice::from_ref(other);
            let mut finding = self.follow_up_finding("follow-up.as-asked", kind, what, calls);
            let all: Vec<String> = wished.iter().map(ToString::to_string).collect();
            finding.expected = Some(format!("{field}: {}, in minor units", all.join(" or ")));
            finding.got = Some(asked(other).map_or("none".to_owned(), |asked| format!("{field}: {asked}")));
            return self.weigh(finding, None).await;
        }
        self.judged("follow-up.once", 1);
        let made = logical(&calls);
        if made.len() > wished.len() || done.len() > count {
            let what = format!(
                "the Partner asked for {} {kind}(s), and Klarna for {}, of which it made {}",
                wished.len(),
                made.len(),
                done.len()
            );
            let mut finding = self.follow_up_finding("follow-up.once", kind, what, &calls);
            finding.expected = Some(format!("{count} {kind}(s) of {number} {currency} in all"));
            finding.got = Some(format!("{} idempotency keys", made.len()));
            return self.weigh(finding, None).await;
        }
        let moved: i64 = done.iter().map(|deed| deed.amount).sum();
        if done.len() == count && moved == amount {
            return Ok(());
        }
        let what = format!("Klarna has made {} {kind}(s) of {moved} in all, in minor units", done.len());
        let mut finding = self.follow_up_finding("follow-up.as-asked", kind, what, &calls);
        finding.expected = Some(format!("{count} {kind}(s) of {amount} in all"));
        finding.got = calls.last().map(|call| in_a_line(&call.entry));
        self.weigh(finding, None).await
    }

    /// Waits until Klarna has done so many, or time runs out: what follows says what is missing.
    async fn await_deeds(&mut self, kind: FollowUp, count: usize) -> Result<(), Failure> {
        let query = self.about_payment().await?;
        let seen = std::cell::RefCell::new(Vec::new());
        let enough = |entry: &JournalEntry| {
            if is_of(kind, entry) {
                seen.borrow_mut().push(Call { entry: entry.clone() });
            }
            deeds(kind, &seen.borrow()).len() >= count
        };
        let patience = self.run.retries_within().unwrap_or(PATIENCE).max(PATIENCE);
        self.await_entry_for(&query, enough, patience).await?;
        Ok(())
    }

    /// Asks that the acquirer has canceled the Payment Request at Klarna.
    ///
    /// # Errors
    /// When it has not.
    pub async fn klarna_must_have_canceled(&mut self) -> Result<(), Failure> {
        let kind = FollowUp::Cancel;
        self.last_wish(kind)?;
        let since = self.payment()?.since;
        self.await_deeds(kind, 1).await?;
        let calls = self.follow_up_calls(kind).await?;
        self.judged("follow-up.made", 1);
        let canceled = calls.iter().any(|call| call.answered("/state").as_deref() == Some("CANCELED"));
        if canceled {
            return Ok(());
        }
        let what = "the Partner canceled the payment, and its payment request is not canceled at Klarna";
        let mut finding = self.follow_up_finding("follow-up.made", kind, what.to_owned(), &calls);
        finding.expected = Some("DELETE of the payment request, answered with the state CANCELED".to_owned());
        finding.got = Some(match calls.last() {
            Some(last) => in_a_line(&last.entry),
            None => self.what_came_instead(since).await,
        });
        self.weigh(finding, None).await
    }

    /// Arms a fault for the next such call.
    ///
    /// # Errors
    /// When the simulator refuses.
    pub async fn trouble_follow_up(&mut self, kind: FollowUp, fault: Fault) -> Result<(), Failure> {
        // Whichever way the acquirer goes; what meets nobody is lifted at the end.
        for operation in operations(kind) {
            self.meet_calls(&ArmFault::once(*operation, fault)).await?;
        }
        Ok(())
    }

    /// Asks that the call which a fault met was made again as the same call.
    ///
    /// # Errors
    /// When it was not, or as another one.
    pub async fn must_repeat_follow_up(&mut self, kind: FollowUp) -> Result<(), Failure> {
        let query = self.about_payment().await?;
        let met = |entry: &JournalEntry| is_of(kind, entry) && entry.fault.is_some();
        let Some(first) = self.await_entry(&query, met).await? else {
            return Err(Failure::NothingToJudge(format!("no {kind} met the fault")));
        };
        let later = JournalQuery { after: Some(first.seq), ..query };
        let patience = self.run.retries_within().unwrap_or(PATIENCE);
        let again = self.await_entry_for(&later, |entry| is_of(kind, entry), patience).await?;
        let first = Call { entry: first };
        self.judged("follow-up.repeated", 1);
        let Some(again) = again.map(|entry| Call { entry }) else {
            let what = format!("the {kind} met trouble at Klarna, and was not made again");
            let since = first.entry.seq;
            let mut finding = self.follow_up_finding("follow-up.repeated", kind, what, &[first]);
            finding.expected = Some("the same call again".to_owned());
            finding.got = Some(self.what_came_instead(since).await);
            return self.weigh(finding, None).await;
        };
        self.judged("follow-up.repeated-the-same", 1);
        let same_place = again.entry.request.target == first.entry.request.target;
        // A DELETE needs no key: to cancel twice is to cancel once.
        let same = if kind == FollowUp::Cancel { again.says_the_same(&first) } else { again.repeats(&first) };
        if same && same_place {
            return Ok(());
        }
        let mut finding = self.follow_up_finding(
            "follow-up.repeated-the-same",
            kind,
            format!("the {kind} was made again as another call"),
            &[first.clone(), again.clone()],
        );
        finding.expected = Some("the same path, key and body".to_owned());
        finding.got = Some(format!(
            "key {} and then {}",
            first.idempotency_key().unwrap_or("none"),
            again.idempotency_key().unwrap_or("none")
        ));
        self.weigh(finding, None).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_calls_of_its_own() {
        for kind in FollowUp::ALL {
            let others = FollowUp::ALL.into_iter().filter(|other| *other != kind);
            let others: Vec<&str> = others.flat_map(|other| operations(other).to_vec()).collect();
            assert!(operations(kind).iter().all(|operation| !others.contains(operation)), "{kind}");
        }
    }
}
