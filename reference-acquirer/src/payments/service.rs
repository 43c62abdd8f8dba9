//! The flow of one payment, top to bottom.
//!
//! 1. [`PaymentService::create`]: a Partner's order becomes a payment. Payment, both Klarna calls
//!    and the open work commit together; only then is Klarna called.
//! 2. [`PaymentService::authorize`]: the initial call. Its answer ends the payment, or asks for a
//!    step-up, and the Partner leads the customer to Klarna.
//! 3. [`PaymentService::act_on_event`]: a verified webhook tells how the customer decided. If they
//!    approved, the final call is due, with the event's session token.
//! 4. [`crate::workers::finalize`]: the final call. Its answer ends the payment.
//! 5. [`crate::workers::notify`]: the Partner is told of the outcome.
//! 6. [`crate::workers::reconcile`]: if no webhook tells how the customer decided, Klarna is asked.
//! 7. [`crate::workers::withdraw`]: if the payment failed, its request at Klarna is canceled.
//!
//! What the Partner does with the payment afterwards, or instead, is [`super::operating`].
//!
//! Every change of a payment goes through [`PaymentService::learn`] (`learning.rs`), but for a Partner's cancel,
//! which ends payment and operation in one commit. The customer's return changes
//! nothing: it only waits for what the others learn.

use std::sync::Arc;
use std::time::{Duration, Instant};

use klarna_schemas::ids::PartnerAccountId;
use klarna_schemas::klarna::payment_request::PaymentRequestState;
use klarna_schemas::klarna::webhook::{PaymentRequestPayload, STATE_CHANGE_PREFIX};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;
use url::Url;

use super::calls::{Asked, Token};
use super::create::CreatePayment;
use super::history::{Cause, is_name};
use super::learning::Source;
use super::payment::{Answer, Fact, Payment, State};
use super::{mapping, view};
use crate::config::{PartnerSettings, PaymentAccount, Settings};
use crate::klarna::client::{KlarnaClient, idempotency_key};
use crate::points::{Point, reach};
use crate::store::{Claim, Created, KlarnaCall, Lease, NewPayment, Notification, Step, Store, StoreError};
use crate::workers::Wake;
use crate::{chance, clock};

/// Decides what happens to payments.
#[derive(Debug)]
pub struct PaymentService {
    /// What survives.
    pub store: Arc<dyn Store>,
    /// The way to Klarna.
    pub klarna: KlarnaClient,
    /// All settings.
    pub settings: Arc<Settings>,
    /// Where customers reach this server.
    pub public_url: Url,
    /// This run's name on the claims it makes.
    pub owner: String,
    /// Wakes the workers when there is new work.
    pub work: Arc<Wake>,
    /// Tells who waits for it that a payment changed.
    pub changes: broadcast::Sender<String>,
    /// What is under way; a stop waits for it.
    pub tasks: TaskTracker,
    /// Told when the server stops.
    pub stop: CancellationToken,
}

/// What a create came to.
#[derive(Debug)]
pub enum CreateOutcome {
    /// A new payment.
    Created(Payment),
    /// The same request came before: the payment that it made.
    Repeated(Payment),
    /// The Partner used the reference for another request.
    ReferenceTaken,
    /// Nobody has said to which of the Partner's payment accounts this currency goes.
    NoPaymentAccount,
}

/// A payment-request event, as far as it is acted on.
#[derive(Deserialize)]
struct Event {
    metadata: EventMetadata,
    payload: PaymentRequestPayload,
}

#[derive(Deserialize)]
struct EventMetadata {
    event_type: String,
    subject_account_id: PartnerAccountId,
    recipient_account_id: Option<String>,
    correlation_id: Option<String>,
}

impl PaymentService {
    /// Makes a payment of a Partner's order and asks Klarna to authorize it.
    ///
    /// `request_fingerprint` tells a repetition of the same request from another one that uses the
    /// same reference.
    pub async fn create(
        self: &Arc<Self>,
        partner: &PartnerSettings,
        order: &CreatePayment,
        request_fingerprint: String,
    ) -> Result<CreateOutcome, StoreError> {
        if partner.payment_account(&order.currency) == PaymentAccount::Missing {
            return Ok(CreateOutcome::NoPaymentAccount);
        }
        // Written down first: whatever happens from here on, the payment goes on.
        let new = self.new_payment(partner, order, request_fingerprint);
        reach(Point::PaymentAsked);
        let claim = match self.store.create_payment(&new).await? {
            Created::Stored(claim) => claim,
            Created::ReferenceTaken { payment, request_fingerprint } => {
                return Ok(if request_fingerprint == new.request_fingerprint {
                    CreateOutcome::Repeated(*payment)
                } else {
                    CreateOutcome::ReferenceTaken
                });
            }
        };

        reach(Point::PaymentStored);
        // The initial call, in a task of its own: it goes on when the Partner hangs up, and when
        // it takes longer than the Partner can be kept waiting.
        let service = Arc::clone(self);
        let changes = self.changes.subscribe();
        let (payment, call) = (new.payment.clone(), new.initial);
        let calling = async move {
            if let Err(error) = service.ask_initially(&claim, payment, Some(&call)).await {
                tracing::error!(%error, payment_id = claim.subject, "an initial call could not be settled");
            }
        };
        let call_made = self.tasks.spawn(calling.in_current_span());

        // The Partner waits for the decision, while calls fail and are repeated too, but only so
        // long. Answered is what is durable, not what was hoped for.
        let look = || self.store.payment(&new.payment.id);
        let decided = |payment: &Payment| payment.state.status() != State::Authorizing.status();
        // Nor is anybody kept waiting for a Klarna that is not called.
        let patience = if self.klarna.holds_back() { Duration::ZERO } else { self.settings.create.answer };
        let began = Instant::now();
        tokio::select! {
            _ = tokio::time::timeout(patience, call_made) => {}
            () = self.stop.cancelled() => {}
        }
        let patience = patience.saturating_sub(began.elapsed());
        let payment = self.await_change(changes, patience, look, decided).await?;
        let payment = payment.unwrap_or(new.payment);
        if !decided(&payment) {
            tracing::warn!(payment_id = payment.id, "Klarna takes its time; the Partner is told `pending`");
        }
        reach(Point::CreateAnswer);
        Ok(CreateOutcome::Created(payment))
    }

    /// The initial call, after a failure or a restart: as it was written down.
    pub async fn authorize(&self, claim: &Claim) -> Result<(), StoreError> {
        let payment = self.store.payment(&claim.subject).await?;
        let Some(payment) = payment.filter(|payment| payment.state == State::Authorizing) else {
            return self.store.finish(claim, clock::now()).await;
        };
        let call = self.written_call(&payment, Step::Initial).await?;
        self.ask_initially(claim, payment, call.as_ref()).await
    }

    async fn ask_initially(
        &self,
        claim: &Claim,
        payment: Payment,
        call: Option<&KlarnaCall>,
    ) -> Result<(), StoreError> {
        let (answer, cause) = match self.ask_klarna(claim, &payment, call).await? {
            Asked::Answered(answer) => (answer, None),
            Asked::Postponed => return Ok(()),
            // Whether Klarna made something of it is not known. To ask once more could make it
            // now; if there is a request, an event will tell (see `act_on_event`).
            Asked::GaveUp => (Answer::unusable(), Some(Cause::Unanswered)),
        };
        self.learn(claim, payment, &Fact::Initial(answer), Source { cause, ..Source::default() }).await
    }

    /// Acts on a verified event, once.
    pub async fn act_on_event(&self, claim: &Claim) -> Result<(), StoreError> {
        reach(Point::EventTaken);
        let body = self.store.event(&claim.subject).await?;
        let event = body.and_then(|body| match serde_json::from_str::<Event>(body.expose_secret()) {
            Ok(event) => Some(event),
            Err(error) => {
                tracing::error!(event_id = claim.subject, %error, "an event cannot be read");
                None
            }
        });
        let Some(Event { metadata, payload }) = event else {
            return self.store.finish(claim, clock::now()).await;
        };
        // An event whose name and state disagree is believed in neither.
        if metadata.event_type != format!("{STATE_CHANGE_PREFIX}{}", payload.state.event_suffix()) {
            tracing::error!(event_id = claim.subject, metadata.event_type, state = %payload.state, "a contradictory event");
            return self.store.finish(claim, clock::now()).await;
        }
        let ours = self.settings.klarna.acquirer_account.as_deref();
        if let (Some(ours), Some(recipient)) = (ours, metadata.recipient_account_id.as_deref())
            && ours != recipient
        {
            tracing::error!(event_id = claim.subject, recipient, "an event for another acquirer account");
            return self.store.finish(claim, clock::now()).await;
        }
        // What no id can hold is asked of no database: PostgreSQL takes no NUL.
        let names = [metadata.subject_account_id.as_str(), payload.payment_request_id.as_str()];
        let reference = payload.payment_request_reference.as_deref().unwrap_or_default();
        if names.into_iter().chain([reference]).any(|name| name.contains(char::is_control)) {
            tracing::error!(event_id = claim.subject, "an event whose ids hold control characters");
            return self.store.finish(claim, clock::now()).await;
        }
        let payment = self
            .store
            .payment_of_request(
                &metadata.subject_account_id,
                &payload.payment_request_id,
                payload.payment_request_reference.as_deref(),
            )
            .await?;
        let Some(payment) = payment else {
            tracing::warn!(event_id = claim.subject, "an event about a payment that is not ours");
            return self.store.finish(claim, clock::now()).await;
        };

        let source = Source {
            event_id: Some(claim.subject.clone()),
            correlation_id: metadata.correlation_id.filter(|id| is_name(id)),
            ..Source::default()
        };
        // A payment that was given up, and a request that is alive: nobody will pay by it.
        let alive = matches!(
            payload.state,
            PaymentRequestState::Submitted | PaymentRequestState::InProgress | PaymentRequestState::Completed
        );
        if payment.state == State::Failed && payment.request_id.is_none() && alive {
            let fact = Fact::RequestFound(payload.payment_request_id);
            return self.learn(claim, payment, &fact, source).await;
        }
        // The token is of no use to a payment that has its outcome.
        if payment.state.is_outcome() {
            tracing::info!(
                payment_id = payment.id,
                state = payment.state.as_str(),
                "old news about a payment"
            );
            return self.store.finish(claim, clock::now()).await;
        }

        match payload.state {
            PaymentRequestState::Completed => match self.session_token(claim, &payment, &payload).await? {
                Token::Known(token) => {
                    let fact = Fact::CustomerApproved(payload.payment_request_id);
                    self.learn(claim, payment, &fact, Source { token: Some(token), ..source }).await
                }
                Token::Postponed => Ok(()),
                Token::Lost => {
                    let fact = Fact::TokenLost(payload.payment_request_id);
                    self.learn(claim, payment, &fact, source).await
                }
            },
            PaymentRequestState::Declined => self.learn(claim, payment, &Fact::RequestDeclined, source).await,
            PaymentRequestState::Canceled => self.learn(claim, payment, &Fact::RequestCanceled, source).await,
            PaymentRequestState::Expired => self.learn(claim, payment, &Fact::RequestExpired, source).await,
            // The customer is on the way, or left and may come back; or Klarna has news.
            PaymentRequestState::Submitted
            | PaymentRequestState::InProgress
            | PaymentRequestState::Unknown(_) => self.store.finish(claim, clock::now()).await,
        }
    }

    /// A Partner's payment; another Partner's is not found.
    pub async fn payment(&self, partner: &PartnerSettings, id: &str) -> Result<Option<Payment>, StoreError> {
        Ok(self.store.payment(id).await?.filter(|payment| payment.partner == partner.name))
    }

    /// The payment behind a return URL, as soon as it has its outcome or the time is up. Reads
    /// only: that the customer came back proves nothing (AP-28).
    pub async fn await_outcome(
        &self,
        return_key: &str,
        wait: Duration,
    ) -> Result<Option<Payment>, StoreError> {
        // Subscribed before the first look, so that no change falls between.
        let changes = self.changes.subscribe();
        let look = || self.store.payment_by_return_key(return_key);
        self.await_change(changes, wait, look, |payment| payment.state.is_outcome()).await
    }

    fn new_payment(
        &self,
        partner: &PartnerSettings,
        order: &CreatePayment,
        request_fingerprint: String,
    ) -> NewPayment {
        let now = clock::now();
        let id = chance::new_id("pay");
        let return_key = chance::unguessable();
        let return_url = format!("{}/return/{return_key}", self.public_url.as_str().trim_end_matches('/'));
        let account = match partner.payment_account(&order.currency) {
            PaymentAccount::Named(account) => Some(account),
            PaymentAccount::Only | PaymentAccount::Missing => None,
        };
        let initial = mapping::initial_authorize(order, &id, account, &return_url);
        let r#final = mapping::final_authorize(&initial);
        let call = |step, body, session_token| KlarnaCall {
            payment_id: id.clone(),
            step,
            idempotency_key: idempotency_key(&id, step),
            session_token,
            body: SecretString::from(body),
        };
        NewPayment {
            // The Partner's own token rides on the initial call only; the final one has the event's.
            initial: call(
                Step::Initial,
                mapping::to_json(&initial),
                order.klarna_network_session_token.clone(),
            ),
            r#final: call(Step::Final, mapping::to_json(&r#final), None),
            request_fingerprint,
            lease: Lease { owner: self.owner.clone(), until: clock::after(self.settings.outbox.lease) },
            payment: Payment {
                id,
                version: 1,
                partner: partner.name.clone(),
                reference: order.reference.clone(),
                account: partner.klarna_partner_account.clone(),
                amount: order.amount,
                currency: order.currency.clone(),
                mode: order.mode,
                return_url: order.return_url.clone(),
                return_key,
                state: State::Authorizing,
                request_id: None,
                request_url: None,
                transaction_id: None,
                response_data: None,
                created_at: now,
                updated_at: now,
            },
        }
    }

    /// What the Partner is told, if it has ears.
    pub(super) fn notification(&self, payment: &Payment) -> Option<Notification> {
        self.told(&payment.partner, &payment.id, || view::notification_body(payment, clock::now()))
    }
}
