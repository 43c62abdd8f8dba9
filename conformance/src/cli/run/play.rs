//! Plays the plan and writes the reports.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use secrecy::ExposeSecret as _;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::Stop;
use super::parties::{self, ACQUIRER_ACCOUNT, Cast, Parties};
use super::prepare::{Prepared, WithDuties};
use super::{database, interrupt};
use crate::adapter::{Adapter, Capability, Timing};
use crate::bdd::{self, Manner};
use crate::builtin::Database;
use crate::cli::args::RunArgs;
use crate::exit_code::Exit;
use crate::expected::{self, Expected, Outcome};
use crate::model::{
    self, Event, ModelWriter, Plan, PlannedScenario, RunFinished, RunStarted, ScenarioFinished,
    ScenarioStatus, Unclaimed,
};
use crate::plan::{Disposition, Scenario};
use crate::report::{self, Console};
use crate::traces::Folders;
use crate::verdict::{self, Cut};
use crate::world::{Board, PartnerPool, RunContext};

/// Starts everybody, plays the scenarios, writes the reports.
pub(super) async fn play(args: &RunArgs, prepared: Prepared, seed: u64) -> Result<Exit, Stop> {
    let began = Instant::now();
    let broken = |error: std::io::Error| {
        Stop::new(
            Exit::Broken,
            format!("the reports cannot be written to {}: {error}", args.reports.display()),
        )
    };
    let stop = interrupt::listen().map_err(|error| Stop::new(Exit::Broken, error.to_string()))?;
    std::fs::create_dir_all(&args.reports).map_err(broken)?;
    let folders = Folders::begin(&args.reports).map_err(broken)?;
    let work_dir = tempfile::tempdir().map_err(broken)?;
    let deadline = args.max_time.and_then(|limit| Some((Instant::now().checked_add(limit)?, limit)));
    let database = database::begin(prepared.database.as_ref()).await?;
    let url = database.as_ref().map(Database::url);
    let cast = Cast {
        adapter: &prepared.adapter,
        defect: prepared.defect,
        authority: prepared.authority.clone(),
        seed,
        work_dir: work_dir.path(),
        log_file: Some(args.reports.join("acquirer.log")),
        database: url,
    };
    let parties = tokio::select! {
        parties = parties::gather(&args.parties, cast) => parties,
        cut = cut(stop.clone(), deadline) => Err(before_anything(cut)),
    };
    let parties = match parties {
        Ok(parties) => parties,
        Err(stop) => {
            database::leave(database).await;
            return Err(stop);
        }
    };
    let model = ModelWriter::create(
        &args.reports.join("run.ndjson"),
        vec![Box::new(Console::new(Box::new(anstream::stdout())))],
    )
    .map_err(broken)?;
    let cut = cut(stop, deadline);
    let (expected, all) = (Arc::clone(&prepared.expected), prepared.all.clone());
    let (simulator, proxy, model, cut) =
        play_plan(args, prepared, seed, parties, (model, folders), cut).await;
    database::leave(database).await;
    let exit = end(args, model, (&expected, &all), cut, began);
    drop(proxy);
    if let Some(simulator) = simulator {
        simulator.shutdown().await;
    }
    exit
}

/// What ends a run before its end: a signal, or the time.
async fn cut(stop: CancellationToken, deadline: Option<(Instant, Duration)>) -> Cut {
    match deadline {
        None => stop.cancelled().await,
        Some((at, limit)) => {
            if tokio::time::timeout_at(at, stop.cancelled()).await.is_err() {
                return Cut::OutOfTime(limit);
            }
        }
    }
    Cut::Interrupted
}

/// A run that was cut before there was anything to report on.
fn before_anything(cut: Cut) -> Stop {
    match cut {
        Cut::Interrupted => Stop::new(Exit::Interrupted, "before anything was run"),
        Cut::OutOfTime(limit) => {
            Stop::new(Exit::Unreachable, format!("they were not ready when --max-time {limit:?} was over"))
        }
    }
}

/// How many scenarios run at once, and why not as many as were asked for.
fn jobs(asked: usize, partners: usize) -> (usize, Option<String>) {
    let jobs = asked.min(partners).max(1);
    let reason = (jobs < asked).then(|| {
        let plural = if partners == 1 { "Partner" } else { "Partners" };
        format!("the adapter has {partners} {plural}")
    });
    (jobs, reason)
}

type Played =
    (Option<klarna_simulator::Simulator>, Option<crate::mutants::MutantProxy>, ModelWriter, Option<Cut>);

async fn play_plan(
    args: &RunArgs,
    prepared: Prepared,
    seed: u64,
    parties: Parties,
    (mut model, folders): (ModelWriter, Folders),
    cut: impl Future<Output = Cut>,
) -> Played {
    let Prepared { adapter, scenarios, defect, expected, .. } = prepared;
    let Parties { simulator, simulator_url, control, stand_in, proxy, process, acquirer, browser } = parties;
    let jobs_asked = usize::from(args.jobs);
    let (jobs, jobs_reason) = if args.pause_on_failure {
        (1, (jobs_asked > 1).then(|| "it pauses on a failure".to_owned()))
    } else {
        jobs(jobs_asked, adapter.partners().len())
    };
    let rest = arguments(args);
    let repeat =
        [format!(" --seed {seed}")].into_iter().chain(rest.iter().cloned()).collect::<Vec<_>>().join(" ");
    model.write(Event::RunStarted(RunStarted {
        at: model::now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seed,
        jobs,
        jobs_asked,
        jobs_reason,
        acquirer: adapter.name().to_owned(),
        acquirer_url: process.base_url().to_string(),
        partners: adapter.partners().iter().map(|partner| partner.name.clone()).collect(),
        capabilities: claimed(&adapter),
        unclaimed: unclaimed(&adapter),
        simulator: simulator_url.to_string(),
        defect: defect.map(|defect| defect.name.to_owned()),
        arguments: rest,
    }));
    let scenarios: Vec<Arc<Scenario>> = scenarios.into_iter().map(Arc::new).collect();
    let dispositions: Vec<Disposition> = scenarios
        .iter()
        .map(|scenario| {
            let timing = |claim: &str| adapter.timing().claim(claim).is_some();
            scenario.disposition(|capability| adapter.why_not(capability), timing)
        })
        .collect();
    let planned = scenarios.iter().zip(&dispositions);
    model.write(Event::Plan(Plan {
        scenarios: planned.clone().map(|(scenario, fate)| plan_line(scenario, fate, &repeat)).collect(),
    }));
    for (scenario, fate) in planned.clone() {
        if let Disposition::NotApplicable(reason) = fate {
            model.write(Event::ScenarioFinished(not_applicable(scenario, reason)));
        }
    }
    let to_run: Vec<Arc<Scenario>> = planned
        .filter(|(_, fate)| **fate == Disposition::Run)
        .map(|(scenario, _)| Arc::clone(scenario))
        .collect();
    let run = Arc::new(RunContext {
        pool: PartnerPool::new(adapter.partners()),
        adapter,
        acquirer,
        process,
        control,
        acquirer_account: ACQUIRER_ACCOUNT.to_owned(),
        stand_in,
        browser,
        seed,
        scenarios: to_run
            .iter()
            .map(|scenario| (scenario.id.clone(), Arc::clone(scenario)))
            .collect::<HashMap<_, _>>(),
        board: Board::default(),
    });
    let pause_on_failure = args.pause_on_failure;
    let manner = Manner { jobs, repeat, folders, expected, pause_on_failure };
    let (model, cut) = bdd::run(Arc::clone(&run), to_run, manner, model, cut).await;
    if let Some(run) = Arc::into_inner(run) {
        run.process.stop().await;
    }
    (simulator, proxy, model, cut)
}

fn end(
    args: &RunArgs,
    mut model: ModelWriter,
    (expected, all): (&Expected, &WithDuties),
    cut: Option<Cut>,
    began: Instant,
) -> Result<Exit, Stop> {
    let verdicts = verdict::of_duties(model.events());
    let outcomes = expected::outcomes(expected, model.events(), &verdicts, all);
    let conclusion = verdict::conclude(model.events(), &verdicts, &outcomes, cut, args.require_complete);
    for verdict in verdicts {
        model.write(Event::Verdict(verdict));
    }
    model.write(Event::RunFinished(RunFinished {
        at: model::now(),
        overall: conclusion.overall,
        summary: conclusion.summary,
        exit_code: conclusion.exit.code(),
        counts: conclusion.counts,
        expected: outcomes.iter().map(Outcome::as_event).collect(),
        took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    }));
    let unwritable = |path: &Path, why: String| {
        Stop::new(conclusion.exit.or(Exit::Broken), format!("{} cannot be written: {why}", path.display()))
    };
    let (events, failed) = model.finish();
    // One report that cannot be written takes nothing from the others.
    let path = args.reports.join("junit.xml");
    let text = report::junit(&events).map_err(|error| unwritable(&path, error.to_string()))?;
    let written = std::fs::write(&path, text);
    if let Some((path, error)) = failed {
        return Err(unwritable(&path, error.to_string()));
    }
    written.map_err(|error| unwritable(&path, error.to_string()))?;
    Ok(conclusion.exit)
}

/// A database as it can be shown.
fn without_password(database: &str) -> String {
    match Url::parse(database) {
        Ok(mut url) if url.password().is_some() => {
            let _cannot_fail_where_there_is_one = url.set_password(None);
            url.to_string()
        }
        _ => database.to_owned(),
    }
}

/// What a repeated run needs besides the scenario and the seed.
fn arguments(args: &RunArgs) -> Vec<String> {
    let mut arguments = Vec::new();
    if let Some(path) = &args.acquirer {
        arguments.push(format!("--acquirer {}", path.display()));
    }
    if let Some(database) = &args.parties.acquirer_database {
        arguments.push(format!("--acquirer-database {}", without_password(database.expose_secret())));
    }
    if args.parties.acquirer_replicas > 1 {
        arguments.push(format!("--acquirer-replicas {}", args.parties.acquirer_replicas));
    }
    if let Some(url) = &args.parties.simulator {
        arguments.push(format!("--simulator {url}"));
    }
    if let Some(path) = &args.parties.simulator_ca_file {
        arguments.push(format!("--simulator-ca-file {}", path.display()));
    }
    if args.parties.tls {
        arguments.push("--tls".to_owned());
    }
    if let Some(url) = &args.parties.simulator_public_url {
        arguments.push(format!("--simulator-public-url {url}"));
    }
    if let Some(url) = &args.parties.partner_public_url {
        arguments.push(format!("--partner-public-url {url}"));
    }
    for host in &args.parties.allow_http_webhooks {
        arguments.push(format!("--allow-http-webhooks {host}"));
    }
    if let Some(defect) = &args.defect {
        arguments.push(format!("--defect {defect}"));
    }
    arguments
}

fn claimed(adapter: &Adapter) -> Vec<String> {
    let capabilities = Capability::names().into_iter().filter(|name| adapter.claims(name));
    let timing = Timing::CLAIMS
        .iter()
        .filter_map(|name| Some(format!("timing.{name}={}", adapter.timing().claim(name)?)));
    capabilities.map(str::to_owned).chain(timing).collect()
}

fn unclaimed(adapter: &Adapter) -> Vec<Unclaimed> {
    let lacking = Capability::ALL.iter().filter_map(|capability| {
        let carried = capability.or.is_some_and(|or| adapter.claims(or));
        let duties = if carried { &[][..] } else { capability.duties };
        Some(Unclaimed {
            capability: capability.name.to_owned(),
            reason: adapter.why_not(capability.name)?,
            duties: duties.iter().map(|duty| (*duty).to_owned()).collect(),
        })
    });
    lacking.collect()
}

fn plan_line(scenario: &Scenario, fate: &Disposition, repeat: &str) -> PlannedScenario {
    PlannedScenario {
        not_applicable: match fate {
            Disposition::Run => None,
            Disposition::NotApplicable(reason) => Some(reason.clone()),
        },
        repeat: scenario.repeat_command(repeat),
        ..report::planned(scenario)
    }
}

fn not_applicable(scenario: &Scenario, reason: &str) -> ScenarioFinished {
    ScenarioFinished {
        scenario: scenario.id.clone(),
        status: ScenarioStatus::NotApplicable,
        reason: Some(reason.to_owned()),
        partner: None,
        account: None,
        judged: IndexMap::new(),
        expected: Vec::new(),
        took_ms: 0,
        evidence: None,
        remarks: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::jobs;

    #[test]
    fn jobs_are_never_more_than_partners_and_it_is_said() {
        assert_eq!(jobs(4, 4), (4, None));
        assert_eq!(jobs(8, 2), (2, Some("the adapter has 2 Partners".to_owned())));
        assert_eq!(jobs(2, 1), (1, Some("the adapter has 1 Partner".to_owned())));
        assert_eq!(jobs(1, 4), (1, None));
    }
}
