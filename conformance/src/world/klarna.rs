//! What Klarna answered and sent, and the final authorize that follows.

use klarna_schemas::simulator::control::JournalQuery;

use super::World;
use super::checks::finding;
use super::failure::Failure;
use super::journal::{AUTHORIZE, Call, TOKEN_HEADER, event_operation, in_a_line, token_of_event};
use crate::adapter::{Mode, Outcome};

impl World {
    /// Asks that Klarna's last answer to an authorize of this payment was `result`.
    ///
    /// # Errors
    /// When it was another: the scenario is not the one that it says.
    pub async fn klarna_must_have_answered(&mut self, result: &str) -> Result<(), Failure> {
        let name = self.payment_name().await?;
        let calls = self.calls(&name).await?;
        let last = calls.last().and_then(Call::result);
        if last.as_deref() == Some(result) {
            return Ok(());
        }
        let got = last.unwrap_or_else(|| {
            calls.last().map_or_else(|| "no answer".to_owned(), |call| in_a_line(&call.entry))
        });
        let mut finding = finding(
            "klarna.answer",
            &self.scenario.duties,
            "Klarna's answer to the authorize",
            format!(
                "Klarna did not answer {result}: the call was refused, or another one than the scenario is about"
            ),
        );
        finding.expected = Some(result.to_owned());
        finding.got = Some(got);
        finding.exchanges = calls.last().map(|call| call.entry.seq).into_iter().collect();
        finding.payment = Some(name);
        Err(Failure::found(finding))
    }

    /// Asks that an event about the payment request was delivered and taken.
    ///
    /// # Errors
    /// When it was not sent, or not taken.
    pub async fn must_be_told_by_webhook(&mut self, event: &str) -> Result<(), Failure> {
        let name = self.payment_name().await?;
        let since = self.payment()?.since;
        let delivered = self.await_event(&name, event, true).await?;
        self.judged("webhook.delivered", 1);
        if delivered.is_some() {
            return Ok(());
        }
        let attempts = JournalQuery {
            operation: Some(event_operation(event)),
            payment: Some(name.clone()),
            ..JournalQuery::default()
        };
        let attempts = self.entries(attempts).await?;
        let what = if attempts.is_empty() {
            "Klarna had no webhook of the acquirer to send the event to"
        } else {
            "the acquirer did not take the event"
        };
        let mut finding = finding("webhook.delivered", &self.scenario.duties, event_operation(event), what);
        finding.expected = Some("200, 201, 202 or 204".to_owned());
        finding.got = Some(match attempts.last() {
            Some(last) => in_a_line(last),
            None => self.what_came_instead(since).await,
        });
        finding.exchanges = attempts.iter().map(|entry| entry.seq).collect();
        finding.payment = Some(name);
        Err(Failure::found(finding))
    }

    /// Awaits the final authorize with the token of the completed event.
    ///
    /// # Errors
    /// When none comes, or with another token.
    pub async fn must_finalise(&mut self) -> Result<(), Failure> {
        let name = self.payment_name().await?;
        let since = self.payment()?.since;
        let completed = self.await_event(&name, "completed", false).await?;
        let Some(completed) = completed else {
            // Nothing to finalise with; that is a finding about the subscription, not about the call.
            return self.must_be_told_by_webhook("completed").await;
        };
        let token = token_of_event(&completed);
        let calls = JournalQuery {
            operation: Some(AUTHORIZE.to_owned()),
            payment: Some(name.clone()),
            ..JournalQuery::default()
        };
        let with_token = |entry: &klarna_schemas::simulator::journal::JournalEntry| {
            token.is_some() && entry.request.header(TOKEN_HEADER) == token.as_deref()
        };
        let found = self.await_entry(&calls, with_token).await?;
        self.judged("final.missing", 1);
        if found.is_some() {
            self.judged("final.token-of-webhook", 1);
            return Ok(());
        }
        let later = self.calls_after_the_first(&name).await?;
        let mut finding = if later.is_empty() {
            let mut finding = finding(
                "final.missing",
                &self.scenario.duties,
                "Payment Authorize (final)",
                "the Customer completed the purchase, and no final authorize came",
            );
            finding.got = Some(self.what_came_instead(completed.seq.min(since.max(completed.seq))).await);
            finding
        } else {
            let mut finding = finding(
                "final.token-of-webhook",
                &self.scenario.duties,
                "Payment Authorize (final), header Klarna-Network-Session-Token",
                "a second authorize came without the session token of the completed webhook",
            );
            finding.got = Some(match later.last().and_then(Call::token) {
                Some(other) => format!("another token: {}", crate::model::cut_secret(other)),
                None => "no token".to_owned(),
            });
            finding
        };
        finding.expected = Some("an authorize with the token of the completed webhook".to_owned());
        finding.exchanges =
            std::iter::once(completed.seq).chain(later.iter().map(|call| call.entry.seq)).collect();
        finding.payment = Some(name);
        Err(Failure::found(finding))
    }

    /// Authorize calls after the first that are this payment's: by the simulator's word or, where
    /// another payment's token has led a call astray, by their transaction reference.
    async fn calls_after_the_first(&self, name: &str) -> Result<Vec<Call>, Failure> {
        let own = self.calls(name).await?;
        let reference = own.first().and_then(Call::reference);
        let all = JournalQuery { operation: Some(AUTHORIZE.to_owned()), ..JournalQuery::default() };
        let all = self.entries(all).await?.into_iter().map(|entry| Call { entry });
        let is_astray = |call: &Call| {
            call.entry.payment.as_deref() != Some(name)
                && reference.is_some()
                && call.reference() == reference
        };
        Ok(own.into_iter().skip(1).chain(all.filter(is_astray)).collect())
    }

    /// Asks that the answer carries what the mode needs for a step-up, unmodified.
    ///
    /// # Errors
    /// When it does not.
    pub async fn must_hand_over(&mut self) -> Result<(), Failure> {
        self.must_have_answered(Outcome::StepUp).await?;
        let call = self.initial_call().await?;
        let payment = self.payment()?;
        let id = payment.read("payment_request_id").map(str::to_owned);
        let url = payment.read("redirect_url").map(str::to_owned);
        let mode = payment.order.mode;
        let expected = call.payment_request_id();
        if mode == Mode::Sdk || id.is_some() {
            self.judged("step-up.id-handed-over", 1);
            if id != expected {
                return Err(self.not_handed_over("step-up.id-handed-over", expected, id));
            }
        }
        let expected = call.payment_request_url();
        if mode == Mode::Redirect && url.is_none() {
            self.judged("step-up.url-handed-over", 1);
            return Err(self.not_handed_over("step-up.url-handed-over", expected, url));
        }
        if url.is_some() && url != expected {
            // The acquirer may wrap it; whether it leads to Klarna is seen when it is opened.
            self.remark("the URL is not Klarna's own; opening it will show whether it leads there");
        } else if url.is_some() {
            self.judged("step-up.url-handed-over", 1);
        }
        Ok(())
    }

    /// Asks that the final authorize has another idempotency key than the initial one.
    ///
    /// # Errors
    /// When it has the same.
    pub async fn must_use_new_keys(&mut self) -> Result<(), Failure> {
        let name = self.payment_name().await?;
        let calls = self.calls(&name).await?;
        let (Some(first), Some(last)) = (calls.first(), calls.last()) else {
            return Err(Failure::NothingToJudge("no authorize was made".to_owned()));
        };
        if calls.len() < 2 {
            return Err(Failure::NothingToJudge("only one authorize was made".to_owned()));
        }
        self.judged("idempotency-key.new-for-new", 1);
        let (one, other) = (first.idempotency_key(), last.idempotency_key());
        if one != other {
            return Ok(());
        }
        let mut finding = finding(
            "idempotency-key.new-for-new",
            &self.scenario.duties,
            "authorize request, header Klarna-Idempotency-Key",
            "initial and final authorize carry the same idempotency key",
        );
        finding.got = one.map(str::to_owned);
        finding.exchanges = vec![first.entry.seq, last.entry.seq];
        finding.payment = Some(name);
        self.weigh(finding, None).await
    }

    /// Asks that the answer carries no way into a Purchase Journey.
    ///
    /// # Errors
    /// When it does.
    pub async fn must_not_hand_over(&mut self) -> Result<(), Failure> {
        self.judged("step-up.not-handed-over", 1);
        let payment = self.payment()?;
        let handed: Vec<&str> = ["redirect_url", "payment_request_id"]
            .into_iter()
            .filter(|name| payment.read(name).is_some())
            .collect();
        if handed.is_empty() {
            return Ok(());
        }
        let mut finding = finding(
            "step-up.not-handed-over",
            &self.scenario.duties,
            "the answer to the Partner's create call",
            "it hands over a Purchase Journey though Klarna asked for no step-up",
        );
        finding.got = Some(handed.join(", "));
        let exchange = payment.exchange().clone();
        self.weigh(finding, Some(exchange)).await
    }
}
