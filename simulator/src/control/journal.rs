//! Reading and awaiting journals and findings.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use klarna_schemas::ids::{AcquirerAccountId, PartnerAccountId};
use klarna_schemas::simulator::control::{Findings, JournalQuery};
use klarna_schemas::simulator::journal::JournalPage;
use serde::Deserialize;
use tokio::sync::watch;

use super::faults::known;
use super::problem::Problem;
use super::sandboxes::existing;
use crate::journal::{Filter, Journal, MAX_WAIT};
use crate::world::World;

/// A query string, with every unknown name refused.
pub(super) struct StrictQuery<T>(T);

impl<T: serde::de::DeserializeOwned, S: Send + Sync> FromRequestParts<S> for StrictQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|Query(query)| Self(query)).map_err(|rejection| {
            Problem::bad_request(
                rejection.body_text(),
                "the query takes after, direction, operation, payment, min, wait_ms",
            )
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FindingsQuery {
    payment: Option<String>,
}

pub(super) async fn of_sandbox(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
    StrictQuery(query): StrictQuery<JournalQuery>,
) -> Result<Json<JournalPage>, Problem> {
    let cell = existing(&world, &account)?;
    let changes = cell.changes();
    let read = |query: &JournalQuery| {
        let state = cell.lock();
        // A payment that is not there yet may come while we wait: resolve it at each look.
        let filter = Filter::new(query, |name| Some(state.machine.payment_named(name)?.name.clone()));
        look(&state.journal, &filter)
    };
    Ok(Json(wait(&query, changes, read).await?))
}

pub(super) async fn of_account(
    State(world): State<Arc<World>>,
    Path(acquirer): Path<AcquirerAccountId>,
    StrictQuery(query): StrictQuery<JournalQuery>,
) -> Result<Json<JournalPage>, Problem> {
    let account = known(&world, &acquirer)?;
    let changes = account.changes();
    let read = |query: &JournalQuery| look(&account.lock().journal, &Filter::new(query, |_| None));
    Ok(Json(wait(&query, changes, read).await?))
}

pub(super) async fn findings(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
    StrictQuery(query): StrictQuery<FindingsQuery>,
) -> Result<Json<Findings>, Problem> {
    let cell = existing(&world, &account)?;
    cell.tick();
    let state = cell.lock();
    let payment = match &query.payment {
        None => None,
        Some(name) => Some(state.machine.payment_named(name).ok_or_else(|| {
            Problem::not_found(
                format!("no payment {name} in this epoch"),
                "name it by the journal's payment, its payment request id or its transaction reference",
            )
        })?),
    };
    Ok(Json(state.ledger.read(payment.map(|payment| payment.name.as_str()))))
}

fn look(journal: &Journal, filter: &Filter) -> JournalPage {
    JournalPage {
        entries: journal.read(filter),
        next_after: journal.last_seq(),
        dropped: journal.dropped(),
        timed_out: false,
    }
}

/// Reads, and reads again on each change, until enough entries match or the time is up.
async fn wait(
    query: &JournalQuery,
    mut changes: watch::Receiver<u64>,
    read: impl Fn(&JournalQuery) -> JournalPage,
) -> Result<JournalPage, Problem> {
    let wait = Duration::from_millis(query.wait_ms.unwrap_or(0));
    if wait > MAX_WAIT {
        return Err(Problem::bad_request(
            format!("wait_ms: at most {}", MAX_WAIT.as_millis()),
            "read again with after=next_after",
        ));
    }
    let enough = query.min.unwrap_or(usize::from(query.wait_ms.is_some()));
    let found = tokio::time::timeout(wait, async {
        loop {
            changes.mark_unchanged();
            let page = read(query);
            if page.entries.len() >= enough || changes.changed().await.is_err() {
                return page;
            }
        }
    })
    .await;
    Ok(found.unwrap_or_else(|_| JournalPage { timed_out: true, ..read(query) }))
}
