//! Every exchange is read whole, answered, judged and written down here, once.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, StatusCode, request, response};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use klarna_schemas::ids::{AcquirerAccountId, PartnerAccountId};
use klarna_schemas::klarna::client_certificate::MtlsStatus;
use klarna_schemas::klarna::error::ValidationError;
use klarna_schemas::simulator::control::{CustomerAct, Evolution};
use klarna_schemas::simulator::journal::{Direction, Ending};

use super::course::{Course, Extent, TellingBody, Timing};
use super::error::KlarnaError;
use super::operations::{self, Operation};
use super::seen::seen;
use super::{auth, correlation, faulty, rate_limit};
use crate::behaviour::evolution::{Evolved, NEW_HEADERS};
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
    /// How much of the body came.
    pub(super) extent: Option<Extent>,
}

impl Noted {
    /// How the exchange ends, as far as is known before the answer leaves.
    fn ended(&self) -> Ending {
        match (&self.fault, self.extent) {
            (_, Some(Extent::BrokenOff { .. })) => Ending::Broken,
            (Some(met), _) => faulty::ending(met.fault),
            (None, _) => Ending::Answered,
        }
    }
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

impl Place {
    /// Says in the journal of an exchange there how it has ended after all.
    pub(super) fn amend(&self, world: &World, seq: u64, ended: Ending) {
        match self {
            Self::Sandbox(cell) => cell.amend(seq, ended),
            Self::Account(account) => {
                account.lock().judged.journal.amend(seq, ended);
                account.tell();
            }
            Self::Lobby => world.amend_in_lobby(seq, ended),
        }
    }
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

    /// Whether nobody knows yet where it belongs.
    fn is_nobodys(&self) -> bool {
        matches!(self.0.lock().unwrap_or_else(PoisonError::into_inner).place, Place::Lobby)
    }

    pub(super) fn take(&self) -> Noted {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The middleware around Klarna's API and the Purchase Journey.
pub(crate) async fn record(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    let timing = Timing::begin();
    let (parts, body) = request.into_parts();
    let notes = Notes::default();
    let operation = parts.extensions.get::<MatchedPath>();
    let operation = operation.and_then(|path| operations::served_at(&parts.method, path.as_str()));
    notes.note(|noted| noted.asked = operation.map_or(Asked::Unknown, Asked::Operation));
    let mut course = Course::new(world.clone(), parts, notes.clone(), timing);
    let (bytes, extent) = course.read(body).await;
    let response = match extent {
        Extent::Whole => {
            notes.note(|noted| noted.body = bytes.clone());
            let mut request = Request::from_parts(course.parts.clone(), Body::from(bytes.clone()));
            request.extensions_mut().insert(notes.clone());
            next.run(request).await
        }
        Extent::TooLarge | Extent::BrokenOff { is_cut: true } => {
            KlarnaError::too_large(world.settings().limits.body_bytes).into_response()
        }
        // Nothing was changed. Who has only closed his side can still hear of it.
        Extent::BrokenOff { is_cut: false } => KlarnaError::not_json("the body broke off").into_response(),
    };
    if extent != Extent::Whole {
        place_by_key(&world, &course.parts, &notes);
    }
    notes.note(|noted| noted.extent = Some(extent));
    finish(course, bytes, response).await
}

/// A call that was not served still belongs to the account whose key it carries, or to the sandbox that its
/// path names.
pub(super) fn place_by_key(world: &World, parts: &request::Parts, notes: &Notes) {
    let account = auth::presented(&parts.headers).and_then(|presented| world.account(&presented.key));
    let Some(account) = account.filter(|_| notes.is_nobodys()) else { return };
    notes.came_from(&account);
    let named = parts.uri.path().strip_prefix("/v2/accounts/").and_then(|rest| rest.split('/').next());
    let named = named.and_then(|name| percent_encoding::percent_decode_str(name).decode_utf8().ok());
    let cell = named.and_then(|name| world.sandbox(&PartnerAccountId(name.into_owned())));
    if let Some(cell) = cell.filter(|cell| cell.is_open_to(account.id())) {
        notes.note(|noted| noted.place = Place::Sandbox(cell));
    }
}

/// What became of the client certificate of a call, whoever made it.
fn mtls_status(parts: &request::Parts, noted: &Noted) -> MtlsStatus {
    let secured = parts.extensions.get::<Arc<Secured>>();
    connection::mtls_status(secured.map(Arc::as_ref), noted.acquirer.as_ref())
}

/// Renders the answer, writes the exchange down, and lets the answer go.
async fn finish(mut course: Course, request_body: Bytes, response: Response) -> Response {
    let noted = course.notes.take();
    let world = course.world.clone();
    let (world, parts) = (&*world, &course.parts);
    // Of the place's own, so that no other one's calls change it.
    let id = match &noted.place {
        Place::Sandbox(cell) => cell.lock().machine.error_id(),
        Place::Account(account) => account.lock().ids.uuid("error"),
        Place::Lobby => world.error_id(),
    };
    if let Some(met) = noted.fault.clone().filter(|met| !met.fault.lets_serve()) {
        return play(course, request_body, &noted, met, id).await;
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
    // What a HEAD is answered ends with the headers.
    let sent = if parts.method == Method::HEAD { Bytes::new() } else { body.clone() };
    let answer = (head.status.as_u16(), redacted(&head.headers, ""), sent.clone());
    let seq = write_down(world, parts, request_body, Some(answer), &course.timing, &noted);
    match noted.ended() {
        Ending::Answered => course.written(noted.place.clone(), seq),
        Ending::TimedOut | Ending::Broken => course.over(),
    }
    let mut answered = noted.answered;
    if let Some(answered) = &mut answered {
        answered.may_leave(world.courier.timeout).await;
    }
    let mut telling = TellingBody::new(body, course, answered);
    let mut response = Response::from_parts(head, Body::empty());
    if let Some(met) = noted.fault {
        response = faulty::suffer(response, met).await;
    }
    if sent.is_empty() {
        // Nobody will ask for it.
        telling.is_out();
    }
    *response.body_mut() = Body::new(telling);
    response
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
async fn play(mut course: Course, request_body: Bytes, noted: &Noted, met: Met, id: uuid::Uuid) -> Response {
    let (world, parts) = (&*course.world, &course.parts);
    let mut answer = faulty::answer(met.fault, id);
    if let Some((status, headers, _)) = &mut answer {
        correlation::stamp(&parts.headers, headers, id, &mtls_status(parts, noted));
        rate_limit::stamp_fault(*status, noted, &world.settings().rate_limits, headers);
    }
    let written =
        answer.as_ref().map(|(status, headers, body)| (status.as_u16(), redacted(headers, ""), body.clone()));
    write_down(world, parts, request_body, written, &course.timing, noted);
    course.over();
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

/// Writes an exchange down, in the journal that it belongs in; returns its number there.
pub(super) fn write_down(
    world: &World,
    parts: &request::Parts,
    request_body: Bytes,
    answer: Option<(u16, HeaderPairs, Bytes)>,
    timing: &Timing,
    noted: &Noted,
) -> u64 {
    let target = parts.uri.path_and_query().map_or_else(|| parts.uri.path().to_owned(), ToString::to_string);
    let fault = noted.fault.as_ref().map(|met| met.fault);
    let secured = parts.extensions.get::<Arc<Secured>>();
    let mut exchange = Exchange {
        number: 0,
        epoch: noted.epoch.unwrap_or(1),
        payment: noted.payment.clone(),
        direction: Direction::Inbound,
        operation: noted.asked.name(),
        started_at: timing.started_at,
        virtual_at: timing.started_at,
        version: Some(parts.version),
        took: timing.took.clone(),
        method: parts.method.to_string(),
        target,
        request_headers: redacted(&parts.headers, &auth::described(&parts.headers)),
        request_body,
        response: answer,
        truncated: matches!(noted.extent, Some(Extent::TooLarge | Extent::BrokenOff { is_cut: true })),
        ended: noted.ended(),
        rule: noted.rule.clone(),
        fault: fault.map(|fault| fault.to_string()),
        sent: Sent::AsKlarnaDoes,
        tls: secured.map(|secured| secured.recorded(mtls_status(parts, noted))),
    };
    let entered = matches!(noted.place, Place::Sandbox(_));
    // Of what was broken off nobody can say what it would have been.
    let of_api =
        matches!(noted.asked, Asked::Operation(_)) && !matches!(noted.extent, Some(Extent::BrokenOff { .. }));
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
            cell.record_api(exchange, noted.authorize.as_ref(), judged.as_ref())
        }
        Place::Account(account) => {
            let (seq, found) = account.lock().judged.record(exchange, judged.as_ref());
            world.tally.count(account.id().as_str(), &found);
            account.tell();
            seq
        }
        Place::Lobby => world.record_in_lobby(exchange, judged.as_ref()),
    }
}
