//! Reading, awaiting, following and writing out journals; and the findings.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Uri};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::Stream;
use klarna_schemas::ids::{AcquirerAccountId, PartnerAccountId};
use klarna_schemas::simulator::control::{ExportFormat, Findings, JournalExport, JournalQuery};
use klarna_schemas::simulator::journal::JournalPage;
use serde::Deserialize;
use tokio::sync::watch;

use super::call::{StrictQuery, read_query};
use super::faults::known;
use super::follow::follow;
use super::operations::Query;
use super::problem::Problem;
use super::sandboxes::existing;
use crate::journal::export::Secrets;
use crate::journal::{Filter, Journal, Kept, MAX_WAIT, QueryMistake, Reading, export};
use crate::world::{AccountCell, SandboxCell, World};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FindingsQuery {
    payment: Option<String>,
}

/// A journal that can be read.
pub(super) enum Source {
    Sandbox(Arc<SandboxCell>),
    Account(Arc<AccountCell>),
    Lobby(Arc<World>),
}

impl Source {
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        match self {
            Self::Sandbox(cell) => cell.changes(),
            Self::Account(account) => account.changes(),
            Self::Lobby(world) => world.lobby_changes(),
        }
    }

    /// Whether there will be no more entries.
    pub(super) fn is_over(&self) -> bool {
        match self {
            Self::Sandbox(cell) => cell.is_stopped(),
            Self::Account(_) | Self::Lobby(_) => false,
        }
    }

    /// Takes something out of the journal, in a moment: what is taken is judged without holding up the place.
    pub(super) fn take<T>(&self, take: impl FnOnce(&Journal) -> T) -> T {
        match self {
            Self::Sandbox(cell) => take(&cell.lock().journal),
            Self::Account(account) => take(&account.lock().judged.journal),
            Self::Lobby(world) => take(&world.lobby().journal),
        }
    }

    /// The simulator's name of a payment. One that is not there yet may come: it is asked for at each look.
    pub(super) fn payment_named(&self, name: &str) -> Option<String> {
        match self {
            Self::Sandbox(cell) => Some(cell.lock().machine.payment_named(name)?.name.clone()),
            Self::Account(_) | Self::Lobby(_) => None,
        }
    }

    /// Looks at what has come since the last look, and returns what there is.
    fn page(&self, reading: &mut Reading) -> JournalPage {
        reading.resolve(|name| self.payment_named(name));
        let (newer, last_seq) = self.take(|journal| (journal.since(reading.looked_at()), journal.last_seq()));
        reading.look(&newer, last_seq);
        let (kept, dropped) = self.take(|journal| (journal.these(reading.fitting()), journal.dropped()));
        let entries = reading.wanted(&kept);
        let next_after = match entries.last() {
            Some(last) if reading.is_cut(entries.len()) => last.seq,
            _ => last_seq,
        };
        JournalPage { entries, next_after, dropped, timed_out: false, near: Vec::new() }
    }

    /// The same at the end of a wait for so many: where there are fewer, with what came near.
    pub(super) fn last_page(&self, reading: &mut Reading, after: u64, enough: usize) -> JournalPage {
        let mut page = self.page(reading);
        if page.entries.len() < enough.max(1) {
            page.near = reading.near(&self.take(|journal| journal.since(after)));
        }
        page
    }
}

impl From<QueryMistake> for Problem {
    fn from(mistake: QueryMistake) -> Self {
        Self::bad_request(mistake.message, mistake.hint)
    }
}

/// The journal that a path names.
fn of_path(world: &Arc<World>, place: Place) -> Result<Source, Problem> {
    match place {
        Place::Sandbox(account) => existing(world, &account).map(Source::Sandbox),
        Place::Account(acquirer) => known(world, &acquirer).map(Source::Account),
        Place::Lobby => Ok(Source::Lobby(world.clone())),
    }
}

/// Whose journal.
enum Place {
    Sandbox(PartnerAccountId),
    Account(AcquirerAccountId),
    Lobby,
}

pub(super) async fn of_sandbox(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
    StrictQuery(query): StrictQuery<JournalQuery>,
) -> Result<Json<JournalPage>, Problem> {
    wait(&of_path(&world, Place::Sandbox(account))?, &query).await
}

pub(super) async fn of_account(
    State(world): State<Arc<World>>,
    Path(acquirer): Path<AcquirerAccountId>,
    StrictQuery(query): StrictQuery<JournalQuery>,
) -> Result<Json<JournalPage>, Problem> {
    wait(&of_path(&world, Place::Account(acquirer))?, &query).await
}

pub(super) async fn of_nobody(
    State(world): State<Arc<World>>,
    StrictQuery(query): StrictQuery<JournalQuery>,
) -> Result<Json<JournalPage>, Problem> {
    wait(&of_path(&world, Place::Lobby)?, &query).await
}

pub(super) async fn follow_sandbox(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
    headers: HeaderMap,
    StrictQuery(query): StrictQuery<JournalQuery>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    follow(of_path(&world, Place::Sandbox(account))?, &headers, query)
}

pub(super) async fn follow_account(
    State(world): State<Arc<World>>,
    Path(acquirer): Path<AcquirerAccountId>,
    headers: HeaderMap,
    StrictQuery(query): StrictQuery<JournalQuery>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    follow(of_path(&world, Place::Account(acquirer))?, &headers, query)
}

pub(super) async fn follow_nobody(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    StrictQuery(query): StrictQuery<JournalQuery>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    follow(of_path(&world, Place::Lobby)?, &headers, query)
}

pub(super) async fn export_nobody(State(world): State<Arc<World>>, uri: Uri) -> Result<Response, Problem> {
    write_out(&world, &of_path(&world, Place::Lobby)?, &uri)
}

pub(super) async fn export_sandbox(
    State(world): State<Arc<World>>,
    Path(account): Path<PartnerAccountId>,
    uri: Uri,
) -> Result<Response, Problem> {
    write_out(&world, &of_path(&world, Place::Sandbox(account))?, &uri)
}

pub(super) async fn export_account(
    State(world): State<Arc<World>>,
    Path(acquirer): Path<AcquirerAccountId>,
    uri: Uri,
) -> Result<Response, Problem> {
    write_out(&world, &of_path(&world, Place::Account(acquirer))?, &uri)
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

pub(super) async fn findings_of_account(
    State(world): State<Arc<World>>,
    Path(acquirer): Path<AcquirerAccountId>,
) -> Result<Json<Findings>, Problem> {
    let account = known(&world, &acquirer)?;
    let findings = account.lock().judged.ledger.read(None);
    Ok(Json(findings))
}

pub(super) async fn findings_of_nobody(State(world): State<Arc<World>>) -> Json<Findings> {
    Json(world.lobby().ledger.read(None))
}

/// How long a query waits, in real time; not at all where it does not say.
pub(super) fn patience(query: &JournalQuery) -> Result<Duration, Problem> {
    let wait = Duration::from_millis(query.wait_ms.unwrap_or(0));
    if wait > MAX_WAIT {
        return Err(Problem::bad_request(
            format!("wait_ms: at most {}", MAX_WAIT.as_millis()),
            "read again with after=next_after",
        ));
    }
    Ok(wait)
}

/// Reads, and reads again on each change, until enough entries match or the time is up.
async fn wait(source: &Source, query: &JournalQuery) -> Result<Json<JournalPage>, Problem> {
    let wait = patience(query)?;
    let enough = query.min.unwrap_or(usize::from(query.wait_ms.is_some()));
    if query.limit.is_some_and(|limit| limit < enough) {
        return Err(Problem::bad_request(
            "min: more than limit allows",
            "leave limit out, or wait for fewer",
        ));
    }
    let after = query.after.unwrap_or(0);
    let mut reading = Reading::new(Filter::new(query)?);
    let mut changes = source.changes();
    let found = tokio::time::timeout(wait, async {
        loop {
            changes.mark_unchanged();
            // Whatever comes after this look tells of itself.
            if enough == 0 || source.is_over() {
                return source.last_page(&mut reading, after, enough);
            }
            let page = source.page(&mut reading);
            if page.entries.len() >= enough || changes.changed().await.is_err() {
                return page;
            }
        }
    })
    .await;
    match found {
        Ok(page) => Ok(Json(page)),
        Err(_) => Ok(Json(JournalPage { timed_out: true, ..source.last_page(&mut reading, after, enough) })),
    }
}

/// Writes a journal out as a file.
fn write_out(world: &World, source: &Source, uri: &Uri) -> Result<Response, Problem> {
    // The query is the journal's and the export's: each reads its own members of it.
    let pairs: Vec<(String, String)> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let (own, rest): (Vec<_>, Vec<_>) =
        pairs.into_iter().partition(|(name, _)| name == "format" || name == "redact");
    let export: JournalExport = read_query(&with_query(&own), Query::Export).map_err(|_| {
        Problem::bad_request(
            "format: har, curl, ndjson or stable; redact: true or false",
            Query::Export.told(),
        )
    })?;
    let query: JournalQuery = read_query(&with_query(&rest), Query::Export)?;
    let is_stable = export.format == ExportFormat::Stable;
    let mut filter = Filter::new(&query)?;
    filter.resolve(|name| source.payment_named(name));
    let kept = filter.of(source.take(|journal| journal.since(query.after.unwrap_or(0))));
    let mut entries = if is_stable { export::in_order(kept) } else { kept.iter().map(Kept::entry).collect() };
    entries.truncate(query.limit.unwrap_or(usize::MAX));
    let sizes: Vec<_> = match export.format {
        ExportFormat::Har => entries.iter().map(export::Sizes::of).collect(),
        _ => Vec::new(),
    };
    if export.redact.unwrap_or(!is_stable) {
        let secrets = Secrets::of(world.settings().secrets(), &entries);
        for entry in &mut entries {
            export::blacken(entry, &secrets);
        }
    }
    let base = world.settings().public_url.clone();
    let (kind, text) = match export.format {
        ExportFormat::Har => ("application/json", export::har(&entries, &sizes, &base)),
        ExportFormat::Curl => ("text/x-shellscript; charset=utf-8", export::curl(&entries)),
        ExportFormat::Ndjson => ("application/x-ndjson", export::ndjson(&entries)),
        ExportFormat::Stable => ("application/x-ndjson", export::stable(&entries)),
    };
    Ok(([(CONTENT_TYPE, kind)], text).into_response())
}

fn with_query(pairs: &[(String, String)]) -> Uri {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("/?{query}").parse().unwrap_or_default()
}
