//! The Purchase Journey: where the customer decides, as a page without scripts and as JSON.

mod page;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Path, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Json, Response};
use axum::routing::get;
use bytes::Bytes;
use jiff::SignedDuration;
use klarna_schemas::simulator::control::{CustomerAct, CustomerActed};
use serde::Deserialize as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::api::error::KlarnaError;
use crate::api::recording::{Asked, Notes, Place};
use crate::by_name::ByName;
use crate::clock::LONGEST_WAIT;
use crate::engine::{CustomerMove, CustomerRefusal, ShippingChoice};
use crate::world::{After, SandboxCell, World, answer_behind_events};

/// The route of the Purchase Journey.
pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route("/{region}/requests/{uuid}/start", get(open).post(act).head(look))
}

/// The customer opens the journey, or comes back to it.
async fn open(
    State(world): State<Arc<World>>,
    Extension(notes): Extension<Notes>,
    Path((_region, uuid)): Path<(String, Uuid)>,
    headers: HeaderMap,
) -> Result<Response, KlarnaError> {
    let cell = enter(&world, &notes, uuid, CustomerAct::Open)?;
    perform_noted(&cell, &notes, uuid, &CustomerMove::new(CustomerAct::Open))?;
    if wants_json(&headers) {
        return Ok(Json(acted(&cell, uuid)?).into_response());
    }
    let state = cell.lock();
    let record = state.machine.request_by_uuid(uuid).ok_or_else(|| refused(&CustomerRefusal::Unknown))?;
    let page = page::render(record, &state.machine.account).map_err(|error| {
        tracing::error!(%error, "the Purchase Journey cannot be shown");
        KlarnaError::internal()
    })?;
    let mut response = Html(page).into_response();
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; form-action *");
    response.headers_mut().insert("content-security-policy", policy);
    Ok(response)
}

/// A link checker looks whether the page is there: that opens nothing.
async fn look(State(world): State<Arc<World>>, Path((_region, uuid)): Path<(String, Uuid)>) -> StatusCode {
    if world.journey(uuid).is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND }
}

/// The customer decides: a form field or a JSON field `act`, with `code` and `payment_option_id` beside it.
/// In JSON, `shipping` and `shipping_amount` may go with it, as in the control API.
async fn act(
    State(world): State<Arc<World>>,
    Extension(notes): Extension<Notes>,
    Path((_region, uuid)): Path<(String, Uuid)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, KlarnaError> {
    let is_json = essence(&headers) == "application/json";
    let (movement, after) = read_move(is_json, &body)?;
    let act = movement.meant().map_err(|refusal| refused(&refusal))?;
    let cell = enter(&world, &notes, uuid, act)?;
    let acted = match after {
        None => {
            perform_noted(&cell, &notes, uuid, &movement)?;
            acted(&cell, uuid)?
        }
        Some(after) => plan_by_control(&cell, uuid, after, movement).map_err(|refusal| refused(&refusal))?,
    };
    if is_json || wants_json(&headers) {
        return Ok(Json(acted).into_response());
    }
    // Nowhere to go: back to the page, which says how it stands.
    let target = acted.redirect_to.unwrap_or_else(|| "start".to_owned());
    let location = HeaderValue::from_str(&target)
        .map_err(|_| KlarnaError::invalid_field("return_url", "cannot stand in a Location header"))?;
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

fn essence(headers: &HeaderMap) -> String {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.contains("application/json") && !accept.contains("text/html")
}

/// What may be said of a move, in JSON and in a form.
const OF_A_MOVE: [&str; 6] = ["act", "after", "code", "payment_option_id", "shipping", "shipping_amount"];

/// What the customer does, and how long from now, if not at once.
fn read_move(is_json: bool, body: &[u8]) -> Result<(CustomerMove, Option<SignedDuration>), KlarnaError> {
    let body: Value = if is_json {
        serde_json::from_slice(body)
            .map_err(|error| KlarnaError::not_json(format!("the body is no JSON: {error}")))?
    } else {
        // A field of a form that was left empty was not filled in.
        let fields = url::form_urlencoded::parse(body).filter(|(_, value)| !value.is_empty());
        fields.map(|(name, value)| (name.into_owned(), Value::from(value.into_owned()))).collect()
    };
    let unknown =
        body.as_object().and_then(|fields| fields.keys().find(|name| !OF_A_MOVE.contains(&name.as_str())));
    if let Some(name) = unknown {
        return Err(KlarnaError::invalid_field(
            name,
            format!("is not known; there are {}", OF_A_MOVE.join(", ")),
        ));
    }
    let act = body.get("act").cloned().unwrap_or_default();
    let act = serde_json::from_value(act).map_err(|_| {
        let acts = CustomerAct::ALL.map(CustomerAct::as_str).join(", ");
        KlarnaError::invalid_field("act", format!("takes one of {acts}"))
    })?;
    let shipping = ShippingChoice {
        shipping: read_optional(&body, "shipping")?,
        amount: read_optional(&body, "shipping_amount")?,
    };
    let movement = CustomerMove {
        code: read_optional(&body, "code")?,
        payment_option_id: read_optional(&body, "payment_option_id")?,
        shipping,
        ..CustomerMove::new(act)
    };
    let after: Option<SignedDuration> = read_optional(&body, "after")?;
    if after.is_some_and(|after| after.is_negative()) {
        return Err(KlarnaError::invalid_field("after", "lies in the past"));
    }
    if after.is_some_and(|after| after > LONGEST_WAIT) {
        return Err(KlarnaError::invalid_field("after", "is at most PT168H, a week"));
    }
    Ok((movement, after))
}

/// A field that may be left out.
fn read_optional<T: DeserializeOwned>(body: &Value, name: &str) -> Result<Option<T>, KlarnaError> {
    let field = body.get(name).cloned().unwrap_or_default();
    Option::deserialize(ByName(field)).map_err(|error| KlarnaError::invalid_field(name, error.to_string()))
}

fn enter(
    world: &World,
    notes: &Notes,
    uuid: Uuid,
    act: CustomerAct,
) -> Result<Arc<SandboxCell>, KlarnaError> {
    notes.note(|noted| noted.asked = Asked::Journey(act));
    let cell = world.journey(uuid).ok_or_else(|| refused(&CustomerRefusal::Unknown))?;
    let payment = cell.lock().machine.request_by_uuid(uuid).map(|record| record.payment.clone());
    notes.note(|noted| {
        noted.place = Place::Sandbox(cell.clone());
        noted.payment = payment;
    });
    Ok(cell)
}

/// Does what the customer does; the answer waits for events that shall arrive before it.
fn perform_noted(
    cell: &SandboxCell,
    notes: &Notes,
    uuid: Uuid,
    movement: &CustomerMove,
) -> Result<(), KlarnaError> {
    let (answered, after) = answer_behind_events();
    perform(cell, uuid, movement, after).map_err(|refusal| refused(&refusal))?;
    notes.note(|noted| noted.answered = Some(answered));
    Ok(())
}

/// Does what the customer does, and lets its events go out.
fn perform(
    cell: &SandboxCell,
    uuid: Uuid,
    movement: &CustomerMove,
    after: After,
) -> Result<(), CustomerRefusal> {
    cell.tick();
    let mut state = cell.lock();
    let effects = state.machine.act(uuid, movement, cell.clock().now())?;
    drop(state);
    cell.carry_out(effects, Some(after));
    cell.tell();
    Ok(())
}

/// Where the request stands now, and where the customer goes from here.
fn acted(cell: &SandboxCell, uuid: Uuid) -> Result<CustomerActed, KlarnaError> {
    use klarna_schemas::klarna::payment_request::PaymentRequestState::InProgress;
    let state = cell.lock();
    let record = state.machine.request_by_uuid(uuid).ok_or_else(|| refused(&CustomerRefusal::Unknown))?;
    let redirect_to = if record.state == InProgress { None } else { record.return_target() };
    Ok(CustomerActed { state: record.state.clone(), redirect_to })
}

/// Lets the customer act later, and says how the request stands until then.
pub(crate) fn plan_by_control(
    cell: &SandboxCell,
    uuid: Uuid,
    after: SignedDuration,
    movement: CustomerMove,
) -> Result<CustomerActed, CustomerRefusal> {
    cell.tick();
    cell.lock().machine.plan_acts(uuid, [(after, movement)], cell.clock().now())?;
    cell.tell();
    acted(cell, uuid).map_err(|_| CustomerRefusal::Unknown)
}

/// Does an act for the control API, and says where it led.
pub(crate) fn act_by_control(
    cell: &SandboxCell,
    uuid: Uuid,
    movement: &CustomerMove,
    after: After,
) -> Result<CustomerActed, CustomerRefusal> {
    perform(cell, uuid, movement, after)?;
    acted(cell, uuid).map_err(|_| CustomerRefusal::Unknown)
}

fn refused(refusal: &CustomerRefusal) -> KlarnaError {
    match refusal {
        CustomerRefusal::Unknown => KlarnaError::not_found(refusal.to_string()),
        CustomerRefusal::TooLate(..) => KlarnaError::conflict(refusal.to_string()),
        CustomerRefusal::NotLeft | CustomerRefusal::TooMuchPlanned => {
            KlarnaError::conflict(refusal.to_string())
        }
        CustomerRefusal::Code(why) => KlarnaError::invalid_field("code", *why),
        CustomerRefusal::Option => {
            KlarnaError::invalid_field("payment_option_id", "goes with the act choose_option")
        }
        CustomerRefusal::Shipping(why) => KlarnaError::invalid_field("shipping", why.clone()),
    }
}
