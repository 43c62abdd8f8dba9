//! The way through the proxy: which messages a defect sees, and where each goes.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use indexmap::IndexMap;
use klarna_schemas::signature::SIGNATURE_HEADER;
use serde_json::Value;
use tokio::sync::watch;
use url::Url;

use super::payments::{Name, SteppedUp, account_of};
use super::plan::{Authorize, Further, Plan, Visit};
use super::registration::Disguise;
use super::signing::SigningKeys;
use crate::wire::{Answer, Call, Pass, Unanswered, Wire};

/// Klarna's signing keys.
const SIGNING_KEYS: &str = "/v2/notification/signing-keys";
/// Path at the proxy of a page that a plan has put into the Customer's way.
const PAGES: &str = "/_defect/pages/";
/// How long a browser, or the answer to an event, is kept until the acquirer has acted on an event that
/// it should not have believed.
const BELIEVED_WITHIN: Duration = Duration::from_secs(2);

/// Everything between the acquirer and Klarna.
#[derive(Debug)]
pub(super) struct Passage {
    plan: Box<dyn Plan>,
    klarna: String,
    wire: Wire,
    keys: SigningKeys,
    disguise: Disguise,
    stepped_up: SteppedUp,
    /// How many authorize calls were kept from Klarna.
    swallowed: watch::Sender<u64>,
    /// How many authorize calls about each account were answered.
    answered: watch::Sender<IndexMap<String, u64>>,
}

impl Pass for Passage {
    const NAME: &'static str = "the defect proxy";

    async fn pass(&self, call: Call) -> Result<Answer, Unanswered> {
        self.take(call).await
    }
}

impl Passage {
    pub(super) fn new(plan: Box<dyn Plan>, wire: Wire, klarna: &Url, proxy: &Url) -> Self {
        Self {
            plan,
            klarna: klarna.as_str().trim_end_matches('/').to_owned(),
            wire,
            keys: SigningKeys::default(),
            disguise: Disguise::new(proxy),
            stepped_up: SteppedUp::default(),
            swallowed: watch::Sender::new(0),
            answered: watch::Sender::default(),
        }
    }

    /// Takes a message and gives its answer, from whichever side it came.
    async fn take(&self, mut call: Call) -> Result<Answer, Unanswered> {
        if let Some(acquirer) = self.disguise.acquirer(call.path()) {
            return self.event(acquirer, call).await;
        }
        if let Some(page) = call.path().strip_prefix(PAGES) {
            return Ok(self.visit(page, &call.target).await);
        }
        if call.method == Method::POST && call.path().ends_with("/payment/authorize") {
            let account = account_of(call.path());
            let answer = self.authorize(call).await;
            self.answered.send_modify(|counts| *counts.entry(account).or_default() += 1);
            return answer;
        }
        if self.plan.relays_webhooks() && Disguise::concerns(&call) {
            self.disguise.put_on(&mut call);
            let mut answer = self.to_klarna(&call).await?;
            self.disguise.take_off(&mut answer);
            return Ok(answer);
        }
        let mut answer = self.to_klarna(&call).await?;
        if call.method == Method::POST && call.path() == SIGNING_KEYS {
            self.keys.learn(&answer);
        } else if let Some(id) = read_request(&call) {
            self.plan.request_read(&id, &mut answer);
        }
        Ok(answer)
    }

    async fn to_klarna(&self, call: &Call) -> Result<Answer, Unanswered> {
        self.wire.send(format!("{}{}", self.klarna, call.target), call).await
    }

    /// An event on its way to the acquirer. Where the plan has made one believable that was not, Klarna
    /// has the answer only when the acquirer has acted on it, so that no event can overtake it.
    async fn event(&self, acquirer: String, mut event: Call) -> Result<Answer, Unanswered> {
        let signature = event.header(SIGNATURE_HEADER).map(str::to_owned);
        self.plan.event(&mut event, &self.keys);
        let is_as_sent = event.header(SIGNATURE_HEADER) == signature.as_deref();
        let about = event.json().unwrap_or_default();
        let account =
            about.pointer("/metadata/subject_account_id").and_then(Value::as_str).unwrap_or_default();
        let count = |counts: &IndexMap<String, u64>| counts.get(account).copied().unwrap_or_default();
        let mut answered = self.answered.subscribe();
        let before = count(&answered.borrow_and_update());
        let answer = self.wire.send(acquirer, &event).await?;
        if !is_as_sent && answer.status.is_success() {
            let acted = answered.wait_for(|counts| count(counts) > before);
            let _acted = tokio::time::timeout(BELIEVED_WITHIN, acted).await;
        }
        Ok(answer)
    }

    async fn authorize(&self, call: Call) -> Result<Answer, Unanswered> {
        let name = Name::of(&call);
        let mut authorize = Authorize { call, name, is_final: false };
        authorize.is_final = authorize.token().is_some()
            && authorize.name.as_ref().is_some_and(|name| self.stepped_up.is_ended_by(name, &authorize.call));
        let asked = authorize.call.clone();
        if let Some(answer) = self.plan.authorize(&mut authorize) {
            self.swallowed.send_modify(|count| *count += 1);
            return Ok(answer);
        }
        let mut answer = self.to_klarna(&authorize.call).await?;
        if let Some(name) = authorize.name.clone().filter(|_| !authorize.is_final) {
            self.stepped_up.note(name, &asked, &answer);
        }
        match self.plan.authorized(&authorize, &mut answer) {
            Further::Nothing => {}
            Further::Besides(call) => {
                if let Err(error) = self.to_klarna(&call).await {
                    tracing::warn!(%error, "a call that the defect proxy made of its own");
                }
            }
            Further::Instead(call) => return self.to_klarna(&call).await,
        }
        Ok(answer)
    }

    /// The Customer's browser at a page of the plan's. The page keeps it until the acquirer has
    /// acted on what was played to it, so that what follows sees the defect done.
    async fn visit(&self, page: &str, target: &str) -> Answer {
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let visit = Visit { page: page.to_owned(), query };
        let Some(onward) = self.plan.visit(&visit, &self.keys) else {
            return text(StatusCode::NOT_FOUND, "the defect proxy has no such page\n");
        };
        if let Some(event) = onward.event {
            let mut swallowed = self.swallowed.subscribe();
            swallowed.mark_unchanged();
            self.play(&event).await;
            let _acted = tokio::time::timeout(BELIEVED_WITHIN, swallowed.changed()).await;
        }
        let mut answer = text(StatusCode::SEE_OTHER, "");
        match HeaderValue::from_str(&onward.location) {
            Ok(location) => {
                answer.headers.insert(http::header::LOCATION, location);
                answer
            }
            Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "the return_url cannot stand in a header\n"),
        }
    }

    async fn play(&self, event: &Call) {
        let Some(acquirer) = self.disguise.newest() else {
            tracing::warn!(
                "the acquirer has registered no webhook through the defect proxy: nothing can be played"
            );
            return;
        };
        match self.wire.send(acquirer, event).await {
            Ok(answer) if answer.status.is_success() => {}
            Ok(answer) => {
                tracing::warn!(status = %answer.status, "the acquirer did not take what was played");
            }
            Err(error) => tracing::warn!(%error, "the acquirer did not take what was played"),
        }
    }
}

/// URL at the proxy of a page that a plan calls `page`.
pub(super) fn page_url(proxy: &Url, page: &str) -> String {
    format!("{}{PAGES}{page}", proxy.as_str().trim_end_matches('/'))
}

/// The Payment Request that a call reads.
fn read_request(call: &Call) -> Option<String> {
    let (_, id) = call.path().rsplit_once("/payment/requests/")?;
    let id = percent_encoding::percent_decode_str(id).decode_utf8().ok()?;
    (call.method == Method::GET).then(|| id.into_owned())
}

fn text(status: StatusCode, body: &'static str) -> Answer {
    Answer { status, headers: HeaderMap::new(), body: body.into() }
}
