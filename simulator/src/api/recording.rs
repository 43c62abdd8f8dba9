//! Every exchange is read whole, answered, judged and written down here, once.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode, request, response};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use klarna_schemas::ids::AcquirerAccountId;
use klarna_schemas::klarna::client_certificate::MtlsStatus;
use klarna_schemas::klarna::error::ValidationError;
use klarna_schemas::simulator::control::{CustomerAct, Evolution};
use klarna_schemas::simulator::journal::{Direction, Ending};

use super::error::KlarnaError;
use super::operations::{self, Operation};
use super::seen::seen;
use super::{auth, correlation, faulty, rate_limit};
use crate::behaviour::evolution::{Evolved, NEW_HEADERS};
use crate::clock::real_now;
use crate::connection::{self, Secured};
use crate::journal::{Exchange, HeaderPairs, Sent, redacted};
use crate::rulebook::ApiCall;
use crate::world::{AccountCell, Answered, Met, SandboxCell, Standing, World};

/// What a handler says of its exchange, for the journal.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Noted>>);

/// The notes themselves.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    pub(crate) asked: Asked,
    /// The body, as it came.
    pub(crate) body: Bytes,
    /// Who called, once that is known.
    pub(crate) acquirer: Option<AcquirerAccountId>,
    /// Whose journal it belongs in.
    pub(crate) place: Place,
    pub(crate) epoch: Option<u64>,
    pub(crate) payment: Option<String>,
    /// Whether it was an authorize, and how far it came.
    pub(crate) authorize: Option<Authorized>,
    /// What decided.
    pub(crate) rule: Option<String>,
    /// The fault that it met.
    pub(crate) fault: Option<Met>,
    /// How Klarna's quotas stand after it.
    pub(crate) quotas: Option<Standing>,
    /// Told when the answer is out, so that events follow it.
    pub(crate) answered: Option<Answered>,
}

/// What was asked.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Asked {
    /// Nothing that there is.
    #[default]
    Unknown,
    /// An operation of Klarna's API.
    Operation(&'static Operation),
    /// Something that a customer does on the Purchase Journey.
    Journey(CustomerAct),
}

impl Asked {
    /// The journal's name of it.
    fn name(self) -> String {
        match self {
            Self::Unknown => "unknown".to_owned(),
            Self::Operation(operation) => operation.id.to_owned(),
            Self::Journey(act) => format!("journey.{}", act.as_str()),
        }
    }
}

/// How far an authorize came.
#[derive(Debug)]
pub(crate) enum Authorized {
    /// It was decided: which of the payment's calls it was, if it could be tied to one.
    Decided(Option<usize>),
    /// Its body did not validate.
    Invalid(Box<RefusedBody>),
}

/// An authorize's body that did not validate.
#[derive(Debug)]
pub(crate) struct RefusedBody {
    pub(crate) raw: serde_json::Value,
    /// What did not validate, by field.
    pub(crate) fields: Vec<ValidationError>,
    /// Whether only a policy refuses it.
    pub(crate) by_policy: bool,
}

/// Whose journal an exchange belongs in.
#[derive(Debug, Clone, Default)]
pub(crate) enum Place {
    /// Nobody's: unknown paths, refused keys.
    #[default]
    Lobby,
    Account(Arc<AccountCell>),
    Sandbox(Arc<SandboxCell>),
}

impl Notes {
    /// Writes into the notes.
    pub(crate) fn note(&self, write: impl FnOnce(&mut Noted)) {
        write(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Notes who calls: the exchange belongs to that account, unless a sandbox's it is.
    pub(crate) fn came_from(&self, account: &Arc<AccountCell>) {
        self.note(|noted| {
            noted.acquirer = Some(account.id().clone());
            noted.place = Place::Account(account.clone());
        });
    }

    /// The operation of Klarna's API that was asked for, if one was.
    pub(crate) fn operation(&self) -> Option<&'static Operation> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).asked {
            Asked::Operation(operation) => Some(operation),
            Asked::Unknown | Asked::Journey(_) => None,
        }
    }

    /// The body, as it came.
    pub(super) fn body(&self) -> Bytes {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).body.clone()
    }

    fn take(&self) -> Noted {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The middleware around Klarna's API and the Purchase Journey.
pub(crate) async fn record(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    let started_at = real_now();
    let (parts, body) = request.into_parts();
    let limit = world.settings().limits.body_bytes;
    let notes = Notes::default();
    let operation = parts.extensions.get::<MatchedPath>();
    let operation = operation.and_then(|path| operations::served_at(&parts.method, path.as_str()));
    notes.note(|noted| noted.asked = operation.map_or(Asked::Unknown, Asked::Operation));
    let (bytes, response) = match Limited::new(body, limit).collect().await {
        Ok(collected) => {
            let bytes = collected.to_bytes();
            notes.note(|noted| noted.body = bytes.clone());
            let mut request = Request::from_parts(parts.clone(), Body::from(bytes.clone()));
            request.extensions_mut().insert(notes.clone());
            (bytes, next.run(request).await)
        }
        Err(error) if error.is::<LengthLimitError>() => {
            place_by_key(&world, &parts, &notes);
            (Bytes::new(), KlarnaError::too_large(limit).into_response())
        }
        // The caller broke off: there is nobody to answer, and nothing was changed.
        Err(_) => (Bytes::new(), KlarnaError::not_json("the body broke off").into_response()),
    };
    finish(&world, &parts, bytes, response, started_at, notes.take()).await
}

/// A refused call still belongs to the account whose key it carries.
fn place_by_key(world: &World, parts: &request::Parts, notes: &Notes) {
    let account = auth::presented(&parts.headers).and_then(|presented| world.account(&presented.key));
    if let Some(account) = account {
        notes.came_from(&account);
    }
}

/// What became of the client certificate of a call, whoever made it.
fn mtls_status(parts: &request::Parts, noted: &Noted) -> MtlsStatus {
    let secured = parts.extensions.get::<Arc<Secured>>();
    connection::mtls_status(secured.map(Arc::as_ref), noted.acquirer.as_ref())
}

/// Renders the answer, writes the exchange down, and lets the answer go.
async fn finish(
    world: &World,
    parts: &request::Parts,
    request_body: Bytes,
    response: Response,
    started_at: jiff::Timestamp,
    noted: Noted,
) -> Response {
    // Of the place's own, so that no other one's calls change it.
    let id = match &noted.place {
        Place::Sandbox(cell) => cell.lock().machine.error_id(),
        Place::Account(account) => account.lock().ids.uuid("error"),
        Place::Lobby => world.error_id(),
    };
    if let Some(met) = noted.fault.clone().filter(|met| !met.fault.lets_serve()) {
        return play(world, parts, request_body, started_at, &noted, met, id).await;
    }
    let (mut head, body) = response.into_parts();
    let refused = head.extensions.remove::<KlarnaError>().or_else(|| unroutable(&mut head, parts));
    let body = match refused {
        Some(error) => {
            head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            let body = error.body_listed(id, world.settings().policies.error_list);
            Bytes::from(serde_json::to_vec(&body).unwrap_or_default())
        }
        // Our own handlers answer from memory: reading such a body does not fail.
        None => body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default(),
    };
    // The Purchase Journey as JSON is the simulator's own.
    let evolved = match (&noted.place, noted.asked) {
        (Place::Sandbox(cell), Asked::Operation(_)) => cell.lock().machine.behaviour.evolved(),
        _ => Evolved::default(),
    };
    let body = evolve(&evolved, &mut head, body);
    let mtls = mtls_status(parts, &noted);
    correlation::stamp(&parts.headers, &mut head.headers, id, &mtls);
    if let Some(quotas) = &noted.quotas {
        rate_limit::stamp(quotas, &mut head.headers);
    }
    let answer = (head.status.as_u16(), redacted(&head.headers, ""), body.clone());
    write_down(world, parts, request_body, Some(answer), started_at, &noted);
    let mut answered = noted.answered;
    if let Some(answered) = &mut answered {
        answered.may_leave(world.courier.timeout).await;
    }
    let response =
        Response::from_parts(head, Body::new(TellingBody { left: Some(body), _answered: answered }));
    match noted.fault {
        Some(met) => faulty::suffer(response, met).await,
        None => response,
    }
}

/// Answers as Klarna gives them once it has evolved. Pages are no part of its API.
fn evolve(evolved: &Evolved, head: &mut response::Parts, body: Bytes) -> Bytes {
    let is_json = head.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes() == b"application/json");
    if evolved.kinds().is_empty() || !(is_json || body.is_empty()) {
        return body;
    }
    head.status = StatusCode::from_u16(evolved.status(head.status.as_u16())).unwrap_or(head.status);
    if evolved.has(Evolution::NewHeaders) {
        for (name, value) in NEW_HEADERS {
            head.headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if !evolved.changes_bodies() {
        return body;
    }
    let changed = serde_json::from_slice(&body).map(|body| serde_json::to_vec(&evolved.body(body)));
    changed.ok().and_then(Result::ok).map_or(body, Bytes::from)
}

/// Writes an exchange that met a fault down, and lets its caller have what the fault leaves.
async fn play(
    world: &World,
    parts: &request::Parts,
    request_body: Bytes,
    started_at: jiff::Timestamp,
    noted: &Noted,
    met: Met,
    id: uuid::Uuid,
) -> Response {
    let mut answer = faulty::answer(met.fault, id);
    if let Some((status, headers, _)) = &mut answer {
        correlation::stamp(&parts.headers, headers, id, &mtls_status(parts, noted));
        rate_limit::stamp_fault(*status, noted, &world.settings().rate_limits, headers);
    }
    let written =
        answer.as_ref().map(|(status, headers, body)| (status.as_u16(), redacted(headers, ""), body.clone()));
    write_down(world, parts, request_body, written, started_at, noted);
    match answer {
        Some((status, headers, body)) => (status, headers, Body::from(body)).into_response(),
        None => faulty::without_answer(met).await,
    }
}

/// A path that the router could not read (a broken escape, a part of another form) names nothing.
fn unroutable(head: &mut response::Parts, request: &request::Parts) -> Option<KlarnaError> {
    let kind = head.headers.get(CONTENT_TYPE)?;
    if !head.status.is_client_error() || !kind.as_bytes().starts_with(b"text/plain") {
        return None;
    }
    head.status = StatusCode::NOT_FOUND;
    Some(KlarnaError::no_route(format!("there is nothing at {}", request.uri.path())))
}

fn write_down(
    world: &World,
    parts: &request::Parts,
    request_body: Bytes,
    answer: Option<(u16, HeaderPairs, Bytes)>,
    started_at: jiff::Timestamp,
    noted: &Noted,
) {
    let target = parts.uri.path_and_query().map_or_else(|| parts.uri.path().to_owned(), ToString::to_string);
    let fault = noted.fault.as_ref().map(|met| met.fault);
    let secured = parts.extensions.get::<Arc<Secured>>();
    let mut exchange = Exchange {
        number: 0,
        epoch: noted.epoch.unwrap_or(1),
        payment: noted.payment.clone(),
        direction: Direction::Inbound,
        operation: noted.asked.name(),
        started_at,
        virtual_at: started_at,
        method: parts.method.to_string(),
        target,
        request_headers: redacted(&parts.headers, &auth::described(&parts.headers)),
        request_body,
        response: answer,
        ended: fault.map_or(Ending::Answered, faulty::ending),
        rule: noted.rule.clone(),
        fault: fault.map(|fault| fault.to_string()),
        sent: Sent::AsKlarnaDoes,
        tls: secured.map(|secured| secured.recorded(mtls_status(parts, noted))),
    };
    let entered = matches!(noted.place, Place::Sandbox(_));
    let of_api = matches!(noted.asked, Asked::Operation(_));
    let judged = of_api.then(|| ApiCall::of(&exchange, seen(world, parts, entered)));
    match &noted.place {
        Place::Sandbox(cell) => {
            exchange.virtual_at = cell.clock().now();
            if noted.epoch.is_none() {
                exchange.epoch = cell.view().epoch;
            }
            // The duties are an acquirer's, not those of a Partner that calls for itself.
            let judged =
                judged.filter(|_| noted.acquirer.as_ref().is_some_and(|caller| !cell.is_the_partner(caller)));
            cell.record_api(exchange, noted.authorize.as_ref(), judged.as_ref());
        }
        Place::Account(account) => {
            let found = account.lock().judged.record(exchange, judged.as_ref());
            world.tally.count(account.id().as_str(), &found);
            account.tell();
        }
        Place::Lobby => world.record_in_lobby(exchange, judged.as_ref()),
    }
}

/// An answer's body that tells, by being dropped, that the answer has been handed on.
struct TellingBody {
    left: Option<Bytes>,
    _answered: Option<Answered>,
}

impl hyper::body::Body for TellingBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        let frame = self.left.take().filter(|bytes| !bytes.is_empty());
        std::task::Poll::Ready(frame.map(|bytes| Ok(hyper::body::Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        hyper::body::SizeHint::with_exact(self.left.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
