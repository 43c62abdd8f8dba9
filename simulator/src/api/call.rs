//! A call as its handler gets it: who calls, which sandbox or account is meant, under what key.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use klarna_schemas::ids::{AcquirerAccountId, PartnerAccountId};
use klarna_schemas::klarna::client_certificate::MtlsStatus;
use klarna_schemas::klarna::error::ValidationError;
use klarna_schemas::klarna::{CUSTOMER_TOKEN_HEADER, IDEMPOTENCY_KEY_HEADER};
use klarna_schemas::simulator::control::CallKind;
use serde_json::Value;

use super::body::header;
use super::error::KlarnaError;
pub(super) use super::operations::AUTHORIZE;
use super::operations::Operation;
use super::recording::{Notes, Place};
use super::{auth, faulty, rate_limit};
use crate::clock::real_now;
use crate::config::{OddityPolicy, OlderNamesPolicy, PolicySettings};
use crate::connection::{self, Secured};
use crate::engine::{
    Acted, Effect, IdempotencyKey, KeyedCall, Outcome, PresentedToken, Sandbox, TokenHeader,
};
use crate::world::{Account, AccountCell, AccountRefusal, SandboxCell, World, answer_and_events};

/// Why a call is refused whose account enforces client certificates.
const NO_CERTIFICATE: &str = "this account enforces client certificates: open the connection by TLS, with one that POST /v2/account/integration/credentials/client-certificate has issued to it";
/// Longest idempotency key, in characters (contract `payments.md` 1.4).
const KEY_LENGTH: usize = 255;
/// Longest customer token, in characters (contract `payments.md` 1.4).
const CUSTOMER_TOKEN_LENGTH: usize = 1024;

/// What every call brings along.
pub(super) struct Call {
    pub(super) world: Arc<World>,
    pub(super) notes: Notes,
    /// Who calls.
    pub(super) account: Arc<AccountCell>,
    pub(super) headers: HeaderMap,
    pub(super) uri: Uri,
    pub(super) operation: &'static Operation,
    method: Method,
    /// Parts of the path, by name, decoded.
    parts: HashMap<String, String>,
}

impl Call {
    async fn read(parts: &mut Parts, world: &Arc<World>) -> Result<Self, Response> {
        let notes = parts.extensions.get::<Notes>().cloned().unwrap_or_default();
        // A path that cannot be decoded is answered as the router answers it: it names nothing.
        let named = Path::<HashMap<String, String>>::from_request_parts(parts, world).await;
        let Path(named) = named.map_err(IntoResponse::into_response)?;
        // Only the routes of the table lead here.
        let operation = notes.operation().ok_or_else(|| KlarnaError::internal().into_response())?;
        let account = acquirer(world, &notes, &parts.headers).map_err(IntoResponse::into_response)?;
        let secured = parts.extensions.get::<Arc<Secured>>().cloned();
        let mtls = connection::mtls_status(secured.as_deref(), Some(account.id()));
        if !operation.is_about_certificates()
            && mtls != MtlsStatus::Valid
            && account.lock().enforces_certificates(real_now())
        {
            return Err(KlarnaError::unauthorized(NO_CERTIFICATE).into_response());
        }
        Ok(Self {
            world: world.clone(),
            notes,
            account,
            headers: parts.headers.clone(),
            uri: parts.uri.clone(),
            operation,
            method: parts.method.clone(),
            parts: named,
        })
    }

    /// Counts it among the calls of this second; fails where it is one too many.
    fn count(&self, partner: Option<&SandboxCell>) -> Result<(), KlarnaError> {
        let (settings, category) = (&self.world.settings().rate_limits, self.operation.category);
        rate_limit::take(settings, category, &self.notes, &self.account, partner)
    }

    /// Notes whose payment the path is about, so that a call which is not served is found with it.
    fn belongs_to(&self, cell: &SandboxCell) {
        let Some(id) = self.parts.get("id") else { return };
        let state = cell.lock();
        let Some(payment) = state.machine.payment_of_id(id).map(str::to_owned) else { return };
        drop(state);
        self.notes.note(|noted| noted.payment = Some(payment));
    }

    /// The id that the path names.
    pub(super) fn id<T: From<String>>(&self) -> T {
        T::from(self.parts.get("id").cloned().unwrap_or_default())
    }

    /// What holds where Klarna is silent.
    pub(super) fn policies(&self) -> &PolicySettings {
        &self.world.settings().policies
    }

    /// `Klarna-Idempotency-Key`, which the policies may ask for.
    pub(super) fn key(&self) -> Result<Option<IdempotencyKey>, KlarnaError> {
        let key = self.key_as_sent()?;
        missing_key(self.policies(), &self.method, key.as_ref())
            .map_or(Ok(key), |missing| Err(KlarnaError::invalid(vec![missing])))
    }

    /// `Klarna-Idempotency-Key`, if it came.
    pub(super) fn key_as_sent(&self) -> Result<Option<IdempotencyKey>, KlarnaError> {
        match header(&self.headers, IDEMPOTENCY_KEY_HEADER) {
            None => Ok(None),
            Some(key) => idempotency_key(key).map(Some).map_err(|wrong| KlarnaError::invalid(vec![wrong])),
        }
    }

    /// `Klarna-Customer-Token`, if one came.
    pub(super) fn customer_token(&self) -> Result<Option<String>, KlarnaError> {
        let token = header(&self.headers, CUSTOMER_TOKEN_HEADER).filter(|token| !token.is_empty());
        if token.as_ref().is_some_and(|token| token.chars().count() > CUSTOMER_TOKEN_LENGTH) {
            let reason = format!("takes up to {CUSTOMER_TOKEN_LENGTH} characters");
            return Err(KlarnaError::invalid_field("Klarna-Customer-Token", reason));
        }
        Ok(token)
    }

    /// The session token, whose older headers the policies may refuse.
    pub(super) fn token(&self) -> Result<Option<PresentedToken>, KlarnaError> {
        let token = token(&self.headers);
        match token.as_ref().and_then(|token| older_header(self.policies(), token)) {
            Some(older) => Err(KlarnaError::invalid(vec![older])),
            None => Ok(token),
        }
    }

    /// The call as repeats are told by it.
    pub(super) fn keyed(&self, body: Value) -> Result<KeyedCall, KlarnaError> {
        let scope = format!("{} {} {}", self.account.id(), self.method, self.uri.path());
        let about = self.parts.get("id").cloned();
        Ok(KeyedCall { scope, key: self.key()?, about, body })
    }
}

/// A key as it came, unless it is none.
pub(super) fn idempotency_key(key: String) -> Result<IdempotencyKey, ValidationError> {
    let length = key.chars().count();
    if length == 0 || length > KEY_LENGTH {
        let reason = format!("takes 1 to {KEY_LENGTH} characters");
        return Err(ValidationError::new("Klarna-Idempotency-Key", reason));
    }
    Ok(IdempotencyKey(key))
}

/// The refusal of a call that should have a key and has none, where the policies are strict.
pub(super) fn missing_key(
    policies: &PolicySettings,
    method: &Method,
    key: Option<&IdempotencyKey>,
) -> Option<ValidationError> {
    let wanted =
        [Method::POST, Method::PATCH].contains(method) && policies.missing_key == OddityPolicy::Invalid;
    (wanted && key.is_none())
        .then(|| ValidationError::new("Klarna-Idempotency-Key", "is required, and missing"))
}

/// The refusal of a token that came under an older header, where the policies are strict.
pub(super) fn older_header(policies: &PolicySettings, token: &PresentedToken) -> Option<ValidationError> {
    let refused = token.header != TokenHeader::Session && policies.older_names == OlderNamesPolicy::Invalid;
    refused.then(|| {
        let why = format!("is an older name of {}", TokenHeader::Session.name());
        ValidationError::new(token.header.name(), why)
    })
}

/// A call to the account that its key opens.
pub(super) struct AccountCall(pub(super) Call);

impl FromRequestParts<Arc<World>> for AccountCall {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, world: &Arc<World>) -> Result<Self, Response> {
        let call = Call::read(parts, world).await?;
        call.count(None).map_err(IntoResponse::into_response)?;
        let met = call.account.lock().faults.take(call.operation.id, CallKind::Any);
        faulty::meet(&call.notes, met).map_err(IntoResponse::into_response)?;
        Ok(Self(call))
    }
}

impl AccountCall {
    /// Does what the call asks for, once for its key.
    pub(super) fn once(
        &self,
        body: Value,
        act: impl FnOnce(&mut Account) -> Outcome,
    ) -> Result<Value, KlarnaError> {
        let keyed = self.0.keyed(body)?;
        let (outcome, by) = self.0.account.lock().once(&keyed, act);
        self.0.notes.note(|noted| noted.rule = by.map(str::to_owned));
        Ok(outcome?)
    }
}

/// A call to a Partner account: the one that the path names or, where it names none, the caller's own.
pub(super) struct SandboxCall {
    pub(super) call: Call,
    pub(super) partner: PartnerAccountId,
    pub(super) cell: Arc<SandboxCell>,
    /// Why it is refused all the same, where it is an authorize: that belongs to its payment first.
    pub(super) over_quota: Option<KlarnaError>,
}

impl FromRequestParts<Arc<World>> for SandboxCall {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, world: &Arc<World>) -> Result<Self, Response> {
        let call = Call::read(parts, world).await?;
        // A Partner with a key of its own calls without naming its account (contract, "What real
        // clients do").
        let own = || call.account.id().0.clone();
        let partner = PartnerAccountId(call.parts.get("account").cloned().unwrap_or_else(own));
        Self::enter(call, partner).map_err(IntoResponse::into_response)
    }
}

impl SandboxCall {
    fn enter(call: Call, partner: PartnerAccountId) -> Result<Self, KlarnaError> {
        let entered = match call.world.sandbox_for(&partner, call.account.id()) {
            Ok(entered) => entered,
            Err(refusal) => {
                call.count(None)?;
                return Err(not_entered(refusal, &partner));
            }
        };
        call.notes.note(|noted| noted.place = Place::Sandbox(entered.clone()));
        call.belongs_to(&entered);
        let over_quota = call.count(Some(&entered)).err();
        if call.operation.id == AUTHORIZE {
            return Ok(Self { call, partner, cell: entered, over_quota });
        }
        match over_quota {
            Some(refusal) => return Err(refusal),
            None => faulty::meet_in(&entered, &call.notes, call.operation.id, &call.headers)?,
        }
        Ok(Self { call, partner, cell: entered, over_quota: None })
    }

    /// Who calls.
    pub(super) fn acquirer(&self) -> AcquirerAccountId {
        self.call.account.id().clone()
    }

    /// Makes the caller the owner of the sandbox, where nobody is yet. Only a call that validates may:
    /// a stray one must not keep the acquirer out that the sandbox is for.
    pub(super) fn claim(&self) -> Result<(), KlarnaError> {
        if self.cell.claim(self.call.account.id()) { Ok(()) } else { Err(foreign(&self.partner)) }
    }

    /// Does what the call asks for, once for its key, and lets the events follow the answer.
    pub(super) fn once(
        &self,
        body: Value,
        act: impl FnOnce(&mut Sandbox, Timestamp, &mut Vec<Effect>) -> Acted,
    ) -> Result<Value, KlarnaError> {
        let keyed = self.call.keyed(body)?;
        self.claim()?;
        let now = self.cell.clock().now();
        let (answered, after) = answer_and_events();
        let mut state = self.cell.lock();
        let (done, effects) = state.machine.once(&keyed, now, act);
        let journeys = Effect::journeys(&effects, &state.machine);
        drop(state);
        for uuid in journeys {
            self.call.world.know_journey(uuid, &self.partner);
        }
        self.cell.carry_out(effects, Some(after));
        self.cell.tell();
        self.call.notes.note(|noted| {
            noted.epoch = Some(done.epoch);
            noted.payment.clone_from(&done.payment);
            noted.rule = done.by.map(str::to_owned);
            noted.answered = Some(answered);
        });
        Ok(done.outcome?)
    }

    /// Reads something of the sandbox as it stands now.
    pub(super) fn read<T>(
        &self,
        id: &str,
        read: impl FnOnce(&Sandbox) -> Result<(T, Option<String>), KlarnaError>,
    ) -> Result<T, KlarnaError> {
        self.cell.tick();
        let state = self.cell.lock();
        self.call.notes.note(|noted| noted.epoch = Some(state.machine.epoch_of_id(id)));
        let (found, payment) = read(&state.machine)?;
        self.call.notes.note(|noted| noted.payment = payment);
        Ok(found)
    }
}

fn not_entered(refusal: AccountRefusal, partner: &PartnerAccountId) -> KlarnaError {
    match refusal {
        AccountRefusal::Unknown => {
            KlarnaError::forbidden(format!("no Partner account {partner} is known here"))
        }
        AccountRefusal::Foreign => foreign(partner),
        AccountRefusal::Full => KlarnaError::forbidden("this simulator holds as many sandboxes as it may"),
    }
}

fn foreign(account: &PartnerAccountId) -> KlarnaError {
    KlarnaError::forbidden(format!("the Partner account {account} is another acquirer's"))
}

/// Finds out who calls.
fn acquirer(world: &World, notes: &Notes, headers: &HeaderMap) -> Result<Arc<AccountCell>, KlarnaError> {
    let presented = auth::presented(headers)
        .ok_or_else(|| KlarnaError::unauthorized("send the API key as Authorization: Basic <key>"))?;
    let account = world.account(&presented.key).ok_or_else(|| {
        KlarnaError::unauthorized("this API key opens no account; a test key starts with klarna_test_api_, and opens one while there is room (limits.accounts)")
    })?;
    notes.came_from(&account);
    Ok(account)
}

/// The token, under its current or an older header.
pub(super) fn token(headers: &HeaderMap) -> Option<PresentedToken> {
    [
        (klarna_schemas::klarna::SESSION_TOKEN_HEADER, TokenHeader::Session),
        ("klarna-payment-token", TokenHeader::Payment),
        ("klarna-interoperability-token", TokenHeader::Interoperability),
    ]
    .into_iter()
    .find_map(|(name, kind)| {
        let value = header(headers, name).filter(|value| !value.is_empty())?;
        Some(PresentedToken { value, header: kind })
    })
}
