//! Webhooks out of turn: repeated, held back, forged, or with nonsense in them.

use std::pin::pin;
use std::time::Duration;

use jiff::SignedDuration;
use klarna_schemas::simulator::control::{
    JournalQuery, MintSessionToken, MintedTokenState, Misbehaviour, ReleaseWebhooks, SendWebhook, SendWhen,
    SetClock,
};
use klarna_schemas::simulator::journal::JournalEntry;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::World;
use super::checks::finding;
use super::context::PATIENCE;
use super::failure::Failure;
use super::journal::{AUTHORIZE, TOKEN_HEADER, event_type, in_a_line};
use crate::adapter::Outcome;

/// How long the Customer's browser is ahead of the webhook, if the acquirer does not let it go earlier.
const HEAD_START: Duration = Duration::from_millis(200);

/// How often is looked whether an event that must have no effect has one.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A payment request that no acquirer has heard of.
const UNKNOWN_REQUEST: &str = "krn:payment:eu1:request:00000000-0000-4000-8000-000000000000";

/// An account of no Partner.
const UNKNOWN_ACCOUNT: &str = "krn:partner:global:account:test:NOBODY00";

/// What makes no sense about an event of Klarna's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    /// It is about a request that no acquirer has heard of.
    UnknownRequest,
    /// It is about the account of no Partner.
    AnothersAccount,
    /// Its state is an object.
    NoTextAsState,
    /// Its state is a word that nobody knows.
    UnknownState,
    /// Its JSON ends in the middle.
    BrokenOff,
    /// It is two megabytes long.
    Oversized,
}

impl Oddity {
    /// The word of the simulator's for it, where a patch does not do.
    pub fn misbehaviour(self) -> Option<Misbehaviour> {
        match self {
            Self::BrokenOff => Some(Misbehaviour::Malformed),
            Self::Oversized => Some(Misbehaviour::Oversized),
            Self::UnknownRequest | Self::AnothersAccount | Self::NoTextAsState | Self::UnknownState => None,
        }
    }
}

impl World {
    async fn send(
        &mut self,
        event: &str,
        misbehaviour: Option<Misbehaviour>,
        payload_patch: Option<Map<String, Value>>,
        when: SendWhen,
    ) -> Result<(), Failure> {
        let webhook = SendWebhook {
            payment_request_id: Some(self.request_id().await?),
            event_type: event_type(event),
            misbehaviour: misbehaviour.into_iter().collect(),
            payload_patch,
            metadata_patch: None,
            delay: None,
            when,
            times: None,
        };
        self.send_webhook(webhook).await
    }

    async fn send_webhook(&mut self, webhook: SendWebhook) -> Result<(), Failure> {
        self.fenced = false;
        self.run.control.send_webhook(self.account(), &webhook).await?;
        Ok(())
    }

    /// Lets Klarna send the last event of this kind again: the same bytes.
    ///
    /// # Errors
    /// When none was sent.
    pub async fn klarna_repeats(&mut self, event: &str) -> Result<(), Failure> {
        // It can only be sent again when it has been sent.
        let name = self.payment_name().await?;
        self.await_event(&name, event, true).await?;
        self.send(event, Some(Misbehaviour::Duplicate), None, SendWhen::Now).await
    }

    /// Lets Klarna keep the next event of this kind until it is released.
    ///
    /// # Errors
    /// When the simulator refuses.
    pub async fn klarna_holds_back(&mut self, event: &str) -> Result<(), Failure> {
        self.send(event, Some(Misbehaviour::Held), None, SendWhen::Next).await
    }

    /// Lets something befall the next event of this kind, whatever payment it is of.
    ///
    /// # Errors
    /// When the simulator refuses.
    pub async fn klarna_will_send(
        &mut self,
        event: &str,
        misbehaviour: Misbehaviour,
        delay: Option<SignedDuration>,
    ) -> Result<(), Failure> {
        let webhook = SendWebhook {
            // There may be none yet.
            payment_request_id: None,
            event_type: event_type(event),
            misbehaviour: vec![misbehaviour],
            payload_patch: None,
            metadata_patch: None,
            delay,
            when: SendWhen::Next,
            times: None,
        };
        self.send_webhook(webhook).await
    }

    /// Lets Klarna's clock go on.
    ///
    /// # Errors
    /// When the simulator refuses.
    pub async fn let_time_pass_at_klarna(&mut self, span: SignedDuration) -> Result<(), Failure> {
        self.set_klarnas_clock(SetClock::Advance(span)).await
    }

    /// Lets the Customer come back while the webhook that was held back is on its way: the browser
    /// sets out first, and the webhook follows while the acquirer may still make the Customer wait.
    ///
    /// # Errors
    /// When either goes wrong.
    pub async fn come_back_as_the_webhook_arrives(&mut self) -> Result<(), Failure> {
        let (run, account) = (std::sync::Arc::clone(&self.run), self.account().clone());
        let released = {
            let mut coming = pin!(self.come_back());
            let arrived = tokio::time::timeout(HEAD_START, &mut coming).await;
            let release = async { run.control.release_webhooks(&account, &ReleaseWebhooks::default()).await };
            if let Ok(came) = arrived {
                came?;
                release.await?
            } else {
                let (came, released) = tokio::join!(coming, release);
                came?;
                released?
            }
        };
        if released.deliveries == 0 {
            return Err(Failure::misused("no webhook was held back"));
        }
        Ok(())
    }

    /// Sends the acquirer an event that it must not believe. What it says would do harm: it names a
    /// final state, and carries a session token with which Klarna would approve.
    ///
    /// # Errors
    /// When the simulator refuses.
    pub async fn forge(&mut self, event: &str, forgery: Misbehaviour) -> Result<(), Failure> {
        if forgery == Misbehaviour::WrongKey {
            self.have_another_signing_key().await?;
        }
        let canary = self.draw_canary().await?;
        let patch = harmful(&event.to_uppercase(), &canary);
        self.send(event, Some(forgery), Some(patch), SendWhen::Now).await?;
        // Whoever works on events side by side might let the sound one overtake this one.
        self.quiet().await?;
        Ok(())
    }

    /// Sends the acquirer an event of Klarna's own that makes no sense.
    ///
    /// # Errors
    /// When the simulator refuses.
    pub async fn send_nonsense(&mut self, oddity: Oddity) -> Result<(), Failure> {
        let canary = self.draw_canary().await?;
        let mut patch = harmful("COMPLETED", &canary);
        let mut webhook = SendWebhook {
            payment_request_id: Some(self.request_id().await?),
            event_type: event_type("completed"),
            misbehaviour: oddity.misbehaviour().into_iter().collect(),
            payload_patch: None,
            metadata_patch: None,
            delay: None,
            when: SendWhen::Now,
            times: None,
        };
        let unknown = ("payment_request_id", json!(UNKNOWN_REQUEST));
        let change = match oddity {
            Oddity::NoTextAsState => Some(("state", json!({"was": 7}))),
            Oddity::UnknownState => Some(("state", json!("PERHAPS_COMPLETED"))),
            Oddity::AnothersAccount => {
                let metadata = json!({"subject_account_id": UNKNOWN_ACCOUNT});
                webhook.metadata_patch = metadata.as_object().cloned();
                None
            }
            Oddity::BrokenOff => None,
            // It is too large to be read, and were it read, nobody would know the request.
            Oddity::Oversized | Oddity::UnknownRequest => Some(unknown),
        };
        if let Some((name, value)) = change {
            patch.insert(name.to_owned(), value);
        }
        webhook.payload_patch = Some(patch);
        self.send_webhook(webhook).await
    }

    async fn draw_canary(&mut self) -> Result<String, Failure> {
        let wish = MintSessionToken { length: None, state: MintedTokenState::Completed };
        let minted = self.run.control.mint_session_token(self.account(), &wish).await?;
        self.canary = Some(minted.klarna_network_session_token.clone());
        Ok(minted.klarna_network_session_token)
    }

    /// Whether an exchange carries the token that only a false event has carried.
    pub(super) fn carries_canary(&self, entry: &JournalEntry) -> bool {
        let Some(canary) = &self.canary else { return false };
        entry.request.header(TOKEN_HEADER) == Some(canary)
            || String::from_utf8_lossy(&entry.request.body()).contains(canary.as_str())
    }

    /// Asks that the false event changed nothing, while the sound one that came after it did: the
    /// Partner is told of an approval, and no call carries the false event's token.
    ///
    /// # Errors
    /// When the false event had an effect, or the sound one had none.
    pub async fn must_have_had_no_effect(&mut self, rule: &str) -> Result<(), Failure> {
        self.judged(rule, 1);
        let deadline = Instant::now() + PATIENCE;
        let mut beat = tokio::time::interval(LOOK_EVERY);
        loop {
            beat.tick().await;
            if let Some(call) = self.call_with_canary().await? {
                return self
                    .believed(rule, "the acquirer called Klarna with its session token", Some(call))
                    .await;
            }
            match self.told_so_far().await? {
                Some(Outcome::Approved) => break,
                Some(other) if other.is_final() => {
                    let what = format!("the Partner was told that the payment is {other}");
                    return self.believed(rule, &what, None).await;
                }
                _ if Instant::now() >= deadline => return self.must_tell(Outcome::Approved).await,
                _ => {}
            }
        }
        let quiet = self.quiet().await?;
        self.remark(format!("an absence, proved by order: the sound event had its effect after it{quiet}"));
        match self.call_with_canary().await? {
            Some(call) => {
                self.believed(rule, "the acquirer called Klarna with its session token", Some(call)).await
            }
            None => Ok(()),
        }
    }

    async fn call_with_canary(&self) -> Result<Option<JournalEntry>, Failure> {
        let calls = JournalQuery { operation: Some(AUTHORIZE.to_owned()), ..JournalQuery::default() };
        Ok(self.entries(calls).await?.into_iter().find(|entry| self.carries_canary(entry)))
    }

    async fn believed(
        &mut self,
        rule: &str,
        effect: &str,
        call: Option<JournalEntry>,
    ) -> Result<(), Failure> {
        let mut finding = finding(
            rule,
            &self.scenario.duties,
            "the acquirer's handling of a webhook",
            format!("an event that it must not believe had an effect: {effect}"),
        );
        finding.expected = Some("no effect, while the sound event after it has one".to_owned());
        finding.got = Some(call.as_ref().map_or_else(|| effect.to_owned(), in_a_line));
        finding.exchanges = call.iter().map(|call| call.seq).collect();
        self.weigh(finding, None).await
    }
}

/// What the payload of a false event is made to say.
fn harmful(state: &str, canary: &str) -> Map<String, Value> {
    let said = json!({
        "state": state,
        "klarna_network_session_token": canary,
        "state_context": {"klarna_network_session_token": canary},
    });
    said.as_object().cloned().unwrap_or_default()
}
