//! Plays the plan and writes the reports.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use indexmap::IndexMap;
use tokio_util::sync::CancellationToken;

use super::Stop;
use super::interrupt;
use super::parties::{self, ACQUIRER_ACCOUNT, Parties};
use super::prepare::Prepared;
use crate::adapter::{Adapter, Capability};
use crate::bdd;
use crate::cli::args::RunArgs;
use crate::exit_code::Exit;
use crate::model::{
    self, Event, ModelWriter, Plan, PlanStep, PlannedScenario, RunFinished, RunStarted, ScenarioFinished,
    ScenarioStatus,
};
use crate::plan::{Disposition, Scenario};
use crate::report::{self, Console};
use crate::verdict;
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
    let work_dir = tempfile::tempdir().map_err(broken)?;
    let parties = tokio::select! {
        parties = parties::gather(args, &prepared, seed, work_dir.path()) => parties?,
        () = stop.cancelled() => return Err(Stop::new(Exit::Interrupted, "before anything was run")),
    };
    let model = ModelWriter::create(
        &args.reports.join("run.ndjson"),
        vec![Box::new(Console::new(Box::new(anstream::stdout())))],
    )
    .map_err(broken)?;
    let (simulator, proxy, model, was_interrupted) =
        play_plan(args, prepared, seed, parties, model, &stop).await;
    let exit = end(args, model, was_interrupted, began);
    drop(proxy);
    if let Some(simulator) = simulator {
        simulator.shutdown().await;
    }
    exit
}

type Played = (Option<klarna_simulator::Simulator>, Option<crate::mutants::MutantProxy>, ModelWriter, bool);

async fn play_plan(
    args: &RunArgs,
    prepared: Prepared,
    seed: u64,
    parties: Parties,
    mut model: ModelWriter,
    stop: &CancellationToken,
) -> Played {
    let Prepared { adapter, scenarios, defect } = prepared;
    let Parties { simulator, simulator_url, control, stand_in, proxy, process, acquirer, browser } = parties;
    let jobs = adapter.partners().len().min(usize::from(args.jobs)).max(1);
    let rest = arguments(args);
    let repeat =
        [format!(" --seed {seed}")].into_iter().chain(rest.iter().cloned()).collect::<Vec<_>>().join(" ");
    model.write(Event::RunStarted(RunStarted {
        at: model::now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seed,
        jobs,
        acquirer: adapter.name().to_owned(),
        acquirer_url: process.base_url().to_string(),
        partners: adapter.partners().iter().map(|partner| partner.name.clone()).collect(),
        capabilities: claimed(&adapter),
        simulator: simulator_url.to_string(),
        defect: defect.map(|defect| defect.name.to_owned()),
        arguments: rest,
    }));
    let scenarios: Vec<Arc<Scenario>> = scenarios.into_iter().map(Arc::new).collect();
    let dispositions: Vec<Disposition> = scenarios
        .iter()
        .map(|scenario| scenario.disposition(|capability| adapter.claims(capability)))
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
    let (model, was_interrupted) =
        bdd::run(Arc::clone(&run), to_run, jobs, repeat, model, stop.cancelled()).await;
    if let Some(run) = Arc::into_inner(run) {
        run.process.stop().await;
    }
    (simulator, proxy, model, was_interrupted)
}

fn end(args: &RunArgs, mut model: ModelWriter, was_interrupted: bool, began: Instant) -> Result<Exit, Stop> {
    let verdicts = verdict::of_duties(model.events());
    let conclusion = verdict::conclude(model.events(), &verdicts, was_interrupted, args.require_complete);
    for verdict in verdicts {
        model.write(Event::Verdict(verdict));
    }
    model.write(Event::RunFinished(RunFinished {
        at: model::now(),
        overall: conclusion.overall,
        summary: conclusion.summary,
        exit_code: conclusion.exit.code(),
        counts: conclusion.counts,
        took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    }));
    let unwritable = |path: &Path, why: String| {
        Stop::new(conclusion.exit.or(Exit::Broken), format!("{} cannot be written: {why}", path.display()))
    };
    let events =
        model.finish().map_err(|error| unwritable(&args.reports.join("run.ndjson"), error.to_string()))?;
    let path = args.reports.join("junit.xml");
    let text = report::junit(&events).map_err(|error| unwritable(&path, error.to_string()))?;
    std::fs::write(&path, text).map_err(|error| unwritable(&path, error.to_string()))?;
    Ok(conclusion.exit)
}

/// What a repeated run needs besides the scenario and the seed.
fn arguments(args: &RunArgs) -> Vec<String> {
    let mut arguments = Vec::new();
    if let Some(path) = &args.acquirer {
        arguments.push(format!("--acquirer {}", path.display()));
    }
    if let Some(url) = &args.simulator {
        arguments.push(format!("--simulator {url}"));
    }
    if let Some(defect) = &args.defect {
        arguments.push(format!("--defect {defect}"));
    }
    arguments
}

fn claimed(adapter: &Adapter) -> Vec<String> {
    Capability::KNOWN.iter().filter(|name| adapter.claims(name)).map(|name| (*name).to_owned()).collect()
}

fn plan_line(scenario: &Scenario, fate: &Disposition, repeat: &str) -> PlannedScenario {
    PlannedScenario {
        id: scenario.id.clone(),
        feature: scenario.feature.clone(),
        name: scenario.name.clone(),
        file: scenario.file.clone(),
        line: scenario.line,
        tags: scenario.tags.clone(),
        duties: scenario.duties.clone(),
        steps: scenario
            .steps
            .iter()
            .map(|step| PlanStep { line: step.line, keyword: step.written.clone(), text: step.text.clone() })
            .collect(),
        not_applicable: match fate {
            Disposition::Run => None,
            Disposition::NotApplicable(reason) => Some(reason.clone()),
        },
        repeat: scenario.repeat_command(repeat),
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
        took_ms: 0,
    }
}
