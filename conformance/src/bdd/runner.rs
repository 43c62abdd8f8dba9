//! Assembles Cucumber and runs it.

use std::cell::RefCell;
use std::collections::HashSet;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use cucumber::runner::basic::ScenarioType;
use cucumber::{Cucumber, cli, runner};
use futures::FutureExt as _;

use super::features::Planned;
use super::pause;
use super::recorder::Recorder;
use super::registry;
use super::world::Stage;
use crate::expected::Expected;
use crate::model::ModelWriter;
use crate::plan::Scenario;
use crate::traces::{self, Folders};
use crate::verdict::Cut;
use crate::world::{Failure, RunContext, World};

/// How many jobs, what a repeated run needs, and where traces go.
#[derive(Debug)]
pub struct Manner {
    /// Scenarios at once.
    pub jobs: usize,
    /// Arguments of a repeated run besides the scenario.
    pub repeat: String,
    /// Where the traces of scenarios that did not hold are kept.
    pub folders: Folders,
    /// What is expected to fail.
    pub expected: Arc<Expected>,
    /// Whether a scenario that fails waits for a person.
    pub pause_on_failure: bool,
}

/// Plays scenarios into the model until all are through or `cut` comes: why, if it came. Scenarios
/// that were not through are then not run.
pub async fn run(
    run: Arc<RunContext>,
    scenarios: Vec<Arc<Scenario>>,
    manner: Manner,
    model: ModelWriter,
    cut: impl Future<Output = Cut>,
) -> (ModelWriter, Option<Cut>) {
    let model = Rc::new(RefCell::new(model));
    let jobs = manner.jobs;
    let pause = manner.pause_on_failure.then(|| Arc::clone(&manner.expected));
    let recorder = Recorder::new(Arc::clone(&run), Rc::clone(&model), manner);
    let playing = play(Arc::clone(&run), scenarios.clone(), (jobs, pause), recorder.clone());
    let cut = tokio::select! {
        () = playing => None,
        cut = cut => Some(cut),
    };
    if let Some(cut) = cut {
        for scenario in scenarios.iter().filter(|scenario| recorder.is_open(&scenario.id)) {
            keep_traces(&run, &scenario.id).await;
        }
        recorder.cut_off(&scenarios, cut);
    }
    drop(recorder);
    let model = Rc::try_unwrap(model).map(RefCell::into_inner);
    match model {
        Ok(model) => (model, cut),
        // The recorders, the other owners, have ended with the future that held one.
        Err(_) => unreachable!("the model has one owner when the run is over"),
    }
}

/// What there is to see of a scenario whose world is gone.
async fn keep_traces(run: &RunContext, id: &str) {
    let Some(scene) = run.board.read(id).scene else { return };
    let collected = traces::collect(run, &scene, &[]).await;
    run.board.update(id, |record| match collected {
        Ok(traces) => record.traces = Some(Arc::new(traces)),
        Err(why) => record.aftermath.push(format!("traces: {why}")),
    });
}

async fn play(
    run: Arc<RunContext>,
    scenarios: Vec<Arc<Scenario>>,
    (jobs, pause): (usize, Option<Arc<Expected>>),
    recorder: Recorder,
) {
    let pausing = Arc::clone(&run);
    let opening = Arc::clone(&run);
    let planned = Arc::clone(&run);
    let wanted: HashSet<String> = scenarios.iter().map(|scenario| scenario.id.clone()).collect();
    let options = cli::Opts {
        re_filter: None,
        tags_filter: None,
        parser: cli::Empty,
        runner: runner::basic::Cli::default(),
        writer: cli::Empty,
        custom: cli::Empty,
    };
    Cucumber::<Stage, _, _, _, _, cli::Empty>::custom(
        Planned,
        runner::Basic::default().steps(registry::collection()),
        recorder,
    )
    .max_concurrent_scenarios(jobs)
    .which_scenario(move |_, _, scenario| {
        let exclusive = planned.scenarios.get(&scenario.name).is_some_and(|known| known.needs.exclusive);
        if exclusive { ScenarioType::Serial } else { ScenarioType::Concurrent }
    })
    .before(move |_, _, scenario, stage| {
        let run = Arc::clone(&opening);
        let id = scenario.name.clone();
        async move { open(run, &id, stage).await }.boxed_local()
    })
    .after(move |_, _, scenario, _, stage| {
        let pause = pause.clone().map(|expected| (Arc::clone(&pausing), scenario.name.clone(), expected));
        async move {
            if let Some(mut world) = stage.and_then(|stage| stage.world.take()) {
                world.conclude().await;
                // Before the teardown, whose own traffic would only be in the way.
                world.keep_traces().await;
                if let Some((run, id, expected)) = pause {
                    pause::on_failure(&run, &id, &expected).await;
                }
                world.tear_down().await;
                // Dropped here, so that its Partner is free before the next scenario asks.
            }
        }
        .boxed_local()
    })
    .with_cli(options)
    // The only filter: everything else was decided by the plan.
    .filter_run(scenarios, move |_, _, scenario| wanted.contains(&scenario.name))
    .await;
}

async fn open(run: Arc<RunContext>, id: &str, stage: &mut Stage) {
    let Some(scenario) = run.scenarios.get(id).map(Arc::clone) else { return };
    let log_mark = run.process.log_lines();
    match World::open(Arc::clone(&run), scenario).await {
        Ok(world) => {
            run.board.update(id, |record| record.scene = Some(world.scene(log_mark)));
            stage.world = Some(world);
        }
        Err(failure) => {
            let why = match failure {
                Failure::Broken(why) => why,
                other => other.to_string(),
            };
            run.board.update(id, |record| record.broken = Some(why));
        }
    }
}
