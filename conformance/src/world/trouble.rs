//! A Klarna in trouble: calls that it does not serve, and how the acquirer bears it.

use std::time::Duration;

use klarna_schemas::simulator::control::{ArmFault, CallKind, Fault, JournalQuery};
use klarna_schemas::simulator::journal::JournalEntry;

use super::World;
use super::checks::finding;
use super::context::PATIENCE;
use super::failure::Failure;
use super::journal::{AUTHORIZE, Call, TOKEN_HEADER, in_a_line};

/// More calls than any acquirer makes before it gives up.
const ALWAYS: u32 = 100;

/// Header of a 429: seconds until there is room again.
const RESET_HEADER: &str = "x-ratelimit-reset";

/// Which of a payment's authorize calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The one that the Partner's create call sets off.
    Initial,
    /// The one that the webhook sets off.
    Final,
}

impl Which {
    fn kind(self) -> CallKind {
        match self {
            Self::Initial => CallKind::Initial,
            Self::Final => CallKind::Final,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Final => "final",
        }
    }
}

impl World {
    /// Arms a fault for the next such call, or for all of them.
    ///
    /// # Errors
    /// When the simulator refuses.
    pub async fn trouble(&mut self, which: Which, fault: Fault, always: bool) -> Result<(), Failure> {
        let times = if always { ALWAYS } else { 1 };
        self.meet_calls(&ArmFault { on: which.kind(), times, ..ArmFault::once(AUTHORIZE, fault) }).await
    }

    /// Arms a fault as it stands.
    ///
    /// # Errors
    /// When the simulator refuses.
    pub async fn meet_calls(&mut self, fault: &ArmFault) -> Result<(), Failure> {
        self.silence = fault.fault == Fault::Stall;
        self.run.control.arm_fault(self.account(), fault).await?;
        Ok(())
    }

    /// Lifts all faults; calls that hang are let go.
    ///
    /// # Errors
    /// When the simulator cannot be reached.
    pub async fn recover(&self) -> Result<(), Failure> {
        self.run.control.lift_faults(self.account()).await?;
        Ok(())
    }

    /// Asks that the call which a fault met was made again, with its own key and body, and was then
    /// decided.
    ///
    /// # Errors
    /// When it was not, or was made as another call.
    pub async fn must_repeat(&mut self, which: Which) -> Result<(), Failure> {
        let (first, calls) = self.faulted(which).await?;
        let failed_at = first.entry.seq;
        let later = JournalQuery { after: Some(failed_at), ..calls };
        // The final calls are told from the initial ones by the token of the faulted one.
        let of_this_kind = |entry: &JournalEntry| {
            which == Which::Initial || entry.request.header(TOKEN_HEADER) == first.token()
        };
        let patience = self.run.retries_within().unwrap_or(PATIENCE);
        let again = self.await_entry_for(&later, of_this_kind, patience).await?;
        self.judged("authorize.repeated", 1);
        let Some(again) = again.map(|entry| Call { entry }) else {
            let what =
                format!("the {} authorize met trouble at Klarna, and was not made again", which.as_str());
            return self.repeat_is_wrong(&first, None, what, "the same call again").await;
        };
        self.judged("authorize.repeated-the-same", 1);
        if again.repeats(&first) {
            return Ok(());
        }
        let what = if again.idempotency_key() == first.idempotency_key() {
            "the call was made again with its key, and says something else"
        } else {
            "the call was made again with another idempotency key"
        };
        self.repeat_is_wrong(&first, Some(&again), what.to_owned(), "the same key, token and body").await
    }

    /// The call that a fault has met, and the query for all of this payment's calls.
    async fn faulted(&mut self, which: Which) -> Result<(Call, JournalQuery), Failure> {
        if which == Which::Final {
            let name = self.payment_name().await?;
            self.await_event(&name, "completed", false).await?;
        }
        let since = JournalQuery {
            after: Some(self.payment()?.since),
            operation: Some(AUTHORIZE.to_owned()),
            ..JournalQuery::default()
        };
        // A call that hangs is written down when its caller gives up.
        let patience = self.run.gives_up_within().filter(|_| self.silence).unwrap_or(PATIENCE);
        let met = self.await_entry_for(&since, |entry| entry.fault.is_some(), patience).await?;
        let Some(entry) = met else { return Err(self.not_met(which, patience).await) };
        let calls = JournalQuery { after: None, payment: entry.payment.clone(), ..since };
        Ok((Call { entry }, calls))
    }

    /// Why no call is known to have met the fault.
    async fn not_met(&mut self, which: Which, patience: Duration) -> Failure {
        if self.silence {
            self.judged("authorize.repeated", 1);
            let mut finding = finding(
                "authorize.repeated",
                &self.scenario.duties,
                "Payment Authorize",
                format!("Klarna is silent, and the acquirer hangs on its {} authorize", which.as_str()),
            );
            finding.expected = Some("that it gives the call up and makes it again".to_owned());
            finding.got = Some(format!("nothing within {} ms", patience.as_millis()));
            return Failure::found(finding);
        }
        let made = match which {
            Which::Initial => self.payment_name().await.map(|_| ()),
            Which::Final => self.must_finalise().await,
        };
        let not_met = || Failure::NothingToJudge(format!("no {} authorize met the fault", which.as_str()));
        made.err().unwrap_or_else(not_met)
    }

    async fn repeat_is_wrong(
        &mut self,
        first: &Call,
        again: Option<&Call>,
        what: String,
        expected: &str,
    ) -> Result<(), Failure> {
        let rule = if again.is_some() { "authorize.repeated-the-same" } else { "authorize.repeated" };
        let mut finding = finding(rule, &self.scenario.duties, "Payment Authorize", what);
        finding.expected = Some(expected.to_owned());
        finding.got = Some(match again {
            Some(again) => format!(
                "key {} and then {}",
                first.idempotency_key().unwrap_or("none"),
                again.idempotency_key().unwrap_or("none")
            ),
            None => self.what_came_instead(first.entry.seq).await,
        });
        finding.exchanges = [Some(first), again].into_iter().flatten().map(|call| call.entry.seq).collect();
        finding.payment = first.entry.payment.clone();
        self.weigh(finding, None).await
    }

    /// Asks that the call which Klarna refused was not made again; proved by order, see
    /// [`World::fence`].
    ///
    /// # Errors
    /// When it was.
    pub async fn must_not_repeat(&mut self, which: Which) -> Result<(), Failure> {
        let (first, calls) = self.faulted(which).await?;
        self.fence().await?;
        self.judged("authorize.not-repeated", 1);
        let later = JournalQuery { after: Some(first.entry.seq), ..calls };
        let Some(again) = self.entries(later).await?.into_iter().next() else { return Ok(()) };
        let mut finding = finding(
            "authorize.not-repeated",
            &self.scenario.duties,
            "Payment Authorize",
            "a call that Klarna had refused was made again",
        );
        finding.expected = Some(format!("nothing after {}", in_a_line(&first.entry)));
        finding.got = Some(in_a_line(&again));
        finding.exchanges = vec![first.entry.seq, again.seq];
        finding.payment.clone_from(&first.entry.payment);
        self.weigh(finding, None).await
    }

    /// Asks that the acquirer let the time pass that Klarna had asked for with its 429.
    ///
    /// # Errors
    /// When it called again earlier.
    pub async fn must_have_waited(&mut self, which: Which) -> Result<(), Failure> {
        let (first, calls) = self.faulted(which).await?;
        let asked = first.entry.response.as_ref().and_then(|answer| answer.header(RESET_HEADER));
        let Some(asked) = asked.and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs) else {
            return Err(Failure::NothingToJudge("Klarna's answer names no X-Ratelimit-Reset".to_owned()));
        };
        let later = JournalQuery { after: Some(first.entry.seq), ..calls };
        let patience = self.run.retries_within().unwrap_or(PATIENCE);
        let Some(again) = self.await_entry_for(&later, |_| true, patience).await? else {
            return Err(Failure::NothingToJudge("the call was not made again".to_owned()));
        };
        self.judged("authorize.backed-off", 1);
        let waited = again.started_at.duration_since(first.entry.started_at).unsigned_abs();
        if waited >= asked {
            return Ok(());
        }
        let mut finding = finding(
            "authorize.backed-off",
            &self.scenario.duties,
            "Payment Authorize",
            "Klarna asked for a pause with 429, and the call was made again before it was over",
        );
        finding.expected = Some(format!("at least {} ms", asked.as_millis()));
        finding.got = Some(format!("{} ms", waited.as_millis()));
        finding.exchanges = vec![first.entry.seq, again.seq];
        self.weigh(finding, None).await
    }

    /// Asks that the Partner was answered within the time that the acquirer claims, whatever Klarna did.
    ///
    /// # Errors
    /// When it had to wait longer.
    pub async fn must_have_answered_in_time(&mut self) -> Result<(), Failure> {
        let Some(claimed) = self.run.answers_within() else {
            return Err(Failure::NothingToJudge("the adapter does not claim timing.answer_ms".to_owned()));
        };
        self.judged("answer.in-time", 1);
        let payment = self.payment()?;
        if payment.took <= claimed {
            return Ok(());
        }
        let mut finding = finding(
            "answer.in-time",
            &self.scenario.duties,
            "the answer to the Partner's create call",
            "the Partner had to wait for its answer while Klarna was in trouble",
        );
        finding.expected = Some(format!("within {} ms", claimed.as_millis()));
        finding.got = Some(format!("{} ms", payment.took.as_millis()));
        let exchange = payment.exchange().clone();
        self.weigh(finding, Some(exchange)).await
    }

    /// Asks that the next payment of the Partner is served as if nothing had been; proved by order,
    /// see [`World::fence`].
    ///
    /// # Errors
    /// When it is not approved, which Klarna has done.
    pub async fn must_serve_the_next(&mut self) -> Result<(), Failure> {
        self.fence().await?;
        self.judged("next.served", 1);
        Ok(())
    }
}
