//! The Customer at the tester's word: at once, or after a while on the sandbox's clock.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use jiff::SignedDuration;
use klarna_schemas::ids::PartnerAccountId;
use klarna_schemas::simulator::control::{ActAsCustomer, CustomerActed};

use super::call::Strict;
use super::problem::Problem;
use super::requests::no_request;
use super::sandboxes::existing;
use crate::clock::LONGEST_WAIT;
use crate::engine::{CustomerMove, CustomerRefusal, ShippingChoice};
use crate::journey;
use crate::world::{SandboxCell, World, answer_behind_events};

pub(super) async fn act(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
    Strict(body): Strict<ActAsCustomer>,
) -> Result<Json<CustomerActed>, Problem> {
    let cell = existing(&world, &account)?;
    let known = cell.lock().machine.request(&body.payment_request_id).map(|record| record.uuid);
    let uuid = known.ok_or_else(|| no_request(&body.payment_request_id))?;
    let after = body.after.unwrap_or_default();
    if after < SignedDuration::ZERO {
        return Err(Problem::bad_request("after: nobody acts in the past", "leave it out for at once"));
    }
    if after > LONGEST_WAIT {
        return Err(Problem::bad_request("after: at most PT168H, a week", "advance the clock meanwhile"));
    }
    let movement = CustomerMove {
        act: body.act,
        code: body.code,
        payment_option_id: body.payment_option_id,
        shipping: ShippingChoice { shipping: body.shipping, amount: body.shipping_amount },
    };
    let acted = if after.is_zero() {
        act_now(&world, &cell, uuid, &movement).await
    } else {
        journey::plan_by_control(&cell, uuid, after, movement)
    };
    Ok(Json(acted.map_err(|refusal| refused(&refusal))?))
}

/// Does the act, and writes it down as if the customer had.
async fn act_now(
    world: &World,
    cell: &SandboxCell,
    uuid: uuid::Uuid,
    movement: &CustomerMove,
) -> Result<CustomerActed, CustomerRefusal> {
    let (mut answered, after) = answer_behind_events();
    let acted = journey::act_by_control(cell, uuid, movement, after)?;
    let act = movement.meant()?;
    cell.record_act(uuid, act, "control");
    // It tells where the customer is sent, as the journey's own answer does.
    answered.may_leave(world.courier.timeout).await;
    Ok(acted)
}

fn refused(refusal: &CustomerRefusal) -> Problem {
    let why = refusal.to_string();
    match refusal {
        CustomerRefusal::Unknown => Problem::not_found(why, "was the sandbox reset meanwhile?"),
        CustomerRefusal::TooLate(..) => Problem::conflict(why, "make a new payment"),
        CustomerRefusal::NotLeft => Problem::conflict(why, "let the customer leave first"),
        CustomerRefusal::TooMuchPlanned => Problem::conflict(why, "let some of it happen: advance the clock"),
        CustomerRefusal::Code(_) => Problem::bad_request(
            why,
            "send it with approve: any six digits, of which 999999 are wrong, or leave it out",
        ),
        CustomerRefusal::Option => Problem::bad_request(why, "leave it out, or change the act"),
        CustomerRefusal::Shipping(_) => Problem::bad_request(
            why,
            "make or change the Payment Request with shipping_config {\"mode\": \"EDITABLE\"}, and choose with approve",
        ),
    }
}
