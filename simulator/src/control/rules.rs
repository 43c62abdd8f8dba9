//! Rules of one sandbox, the rules file, and why a call is decided as it is.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use klarna_schemas::ids::PartnerAccountId;
use klarna_schemas::simulator::control::CallKind;
use klarna_schemas::simulator::rules::{Explain, Explanation, RulesFile, RulesFileView, RulesView, Then};

use super::call::Strict;
use super::problem::Problem;
use super::sandboxes::existing;
use crate::api::supposed_call;
use crate::behaviour::rules::{Occasion, Rules};
use crate::rules_file;
use crate::world::World;

/// The most rules that a sandbox has of its own.
const MAX_RULES: usize = 1_000;

pub(super) async fn put(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
    Strict(body): Strict<RulesFile>,
) -> Result<Json<RulesView>, Problem> {
    let cell = existing(&world, &account)?;
    let rules = usable(&body, &account)?;
    let mut state = cell.lock();
    state.machine.behaviour.lay_down(rules);
    Ok(Json(state.machine.behaviour.view()))
}

/// Makes rules of a body usable for one account.
pub(super) fn usable(body: &RulesFile, account: &PartnerAccountId) -> Result<Rules, Problem> {
    if body.version != 1 {
        return Err(Problem::bad_request("version: there is only 1", "leave it out"));
    }
    if body.rules.len() > MAX_RULES {
        return Err(Problem::bad_request(format!("rules: at most {MAX_RULES}"), "lay down fewer"));
    }
    let rules = rules_file::check(body)?;
    let held = rules.of_account(account.as_str());
    if held.len() < rules.len() {
        let detail = "rules: one is for another account, so it can never match here";
        return Err(Problem::bad_request(detail, "take `when.account` out: these rules hold in one sandbox"));
    }
    Ok(rules)
}

pub(super) async fn read(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
) -> Result<Json<RulesView>, Problem> {
    Ok(Json(existing(&world, &account)?.lock().machine.behaviour.view()))
}

pub(super) async fn explain(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
    Strict(asked): Strict<Explain>,
) -> Result<Json<Explanation>, Problem> {
    let cell = existing(&world, &account)?;
    let now = cell.clock().now();
    let state = cell.lock();
    if asked.operation == "authorize" {
        let command = supposed_call::authorize(&asked, world.settings());
        return Ok(Json(state.machine.explain(&command, now)));
    }
    rules_file::check_operation(&asked.operation)?;
    let headers: Vec<(String, String)> = asked.headers.into_iter().collect();
    let occasion = Occasion {
        operation: &asked.operation,
        on: CallKind::Any,
        headers: &headers,
        body: &asked.body,
        can_step_up: false,
    };
    let (choice, considered) = state.machine.looked_at(&occasion);
    let (decided_by, then) = choice
        .map_or(("default".to_owned(), Then::default()), |choice| (choice.by.into_owned(), choice.then));
    Ok(Json(Explanation { on: CallKind::Any, decided_by, then, refused: None, considered }))
}

pub(super) async fn file(State(world): State<Arc<World>>) -> Json<RulesFileView> {
    Json(world.rules_view())
}

pub(super) async fn reload(State(world): State<Arc<World>>) -> Result<Json<RulesFileView>, Problem> {
    let view = world.reload_rules();
    match &view.mistake {
        Some(mistake) => Err(Problem::conflict(
            format!("the rules file has mistakes, and the rules before it hold on: {mistake}"),
            "klarna-simulator rules check FILE shows each with its line",
        )),
        None => Ok(Json(view)),
    }
}
