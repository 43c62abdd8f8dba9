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
use super::recorder::{Recorder, finished};
use super::registry;
use super::world::Stage;
use crate::model::{Event, ModelWriter, ScenarioStatus};
use crate::plan::Scenario;
use crate::world::{Failure, RunContext, World};

/// Plays scenarios, at most `jobs` at once, into the model, until all are through or `interrupt`
/// comes. Says whether it came; scenarios that were not through are then not run.
pub async fn run(
    run: Arc<RunContext>,
    scenarios: Vec<Arc<Scenario>>,
    jobs: usize,
    repeat: String,
    model: ModelWriter,
    interrupt: impl Future<Output = ()>,
) -> (ModelWriter, bool) {
    let model = Rc::new(RefCell::new(model));
    let open = Rc::new(RefCell::new(HashSet::new()));
    let recorder = Recorder::new(Arc::clone(&run), Rc::clone(&model), repeat, Rc::clone(&open));
    let playing = play(Arc::clone(&run), scenarios.clone(), jobs, recorder);
    let interrupted = tokio::select! {
        () = playing => false,
        () = interrupt => true,
    };
    if interrupted {
        for scenario in &scenarios {
            if is_finished(&model.borrow(), &scenario.id) {
                continue;
            }
            let record = run.board.read(&scenario.id);
            let reason = if open.borrow().contains(&scenario.id) { "interrupted" } else { "not reached" };
            let finished = finished(scenario, &record, ScenarioStatus::NotRun, Some(reason.to_owned()));
            model.borrow_mut().write(Event::ScenarioFinished(finished));
        }
    }
    let model = Rc::try_unwrap(model).map(RefCell::into_inner);
    match model {
        Ok(model) => (model, interrupted),
        // The recorder, the other owner, has ended with the future that held it.
        Err(_) => unreachable!("the model has one owner when the run is over"),
    }
}

fn is_finished(model: &ModelWriter, id: &str) -> bool {
    model.events().iter().any(|event| matches!(event, Event::ScenarioFinished(done) if done.scenario == id))
}

async fn play(run: Arc<RunContext>, scenarios: Vec<Arc<Scenario>>, jobs: usize, recorder: Recorder) {
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
    .after(|_, _, _, _, stage| {
        async move {
            if let Some(mut world) = stage.and_then(|stage| stage.world.take()) {
                world.conclude().await;
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
    match World::open(Arc::clone(&run), scenario).await {
        Ok(world) => stage.world = Some(world),
        Err(failure) => {
            let why = match failure {
                Failure::Broken(why) => why,
                other => other.to_string(),
            };
            run.board.update(id, |record| record.broken = Some(why));
        }
    }
}
