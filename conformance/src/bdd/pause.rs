//! `--pause-on-failure`: what a scenario has failed on stays up until a person has looked at it.

use std::io::Write as _;

use klarna_schemas::simulator::finding::Finding;
use tokio::io::AsyncReadExt as _;

use crate::expected::Expected;
use crate::model::ScenarioStatus;
use crate::verdict;
use crate::world::RunContext;

/// Waits for Enter if the scenario has failed, and not as it was expected to. Without anybody at the
/// keyboard, as on a build server, it does not wait.
pub(super) async fn on_failure(run: &RunContext, scenario: &str, expected: &Expected) {
    let record = run.board.read(scenario);
    let Some(planned) = run.scenarios.get(scenario) else { return };
    let (status, _) = verdict::of_scenario(&record, planned.steps.len());
    let findings: Vec<&Finding> = record.found.iter().map(|found| &found.finding).collect();
    let failed = match status {
        ScenarioStatus::Failed => expected.excuses(scenario, &findings).is_empty(),
        ScenarioStatus::Errored => true,
        ScenarioStatus::Passed | ScenarioStatus::NotRun | ScenarioStatus::NotApplicable => false,
    };
    if !failed {
        return;
    }
    let processes = match run.process.ids().as_slice() {
        [] => "attached".to_owned(),
        ids => format!("process {}", ids.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")),
    };
    let sandbox = record.scene.map(|scene| format!(", sandbox {}", scene.account)).unwrap_or_default();
    let why: Vec<String> = match &record.broken {
        Some(why) => vec![why.clone()],
        None => findings.iter().map(|finding| format!("{}: {}", finding.rule, finding.what)).collect(),
    };
    say(&format!(
        "paused: {scenario} failed\n  {}\n  Klarna    {}{sandbox}\n  acquirer  {} ({processes})\n  Partner   {}\n  \
         Enter goes on, Ctrl-C ends the run",
        why.join("\n  "),
        run.control.base(),
        run.process.base_url(),
        run.stand_in.base_url(),
    ));
    if !enter().await {
        say("nobody is there to press Enter: going on");
    }
}

/// Whether there was an Enter; `false` when there is nobody to press it.
async fn enter() -> bool {
    let mut stdin = tokio::io::stdin();
    loop {
        match stdin.read_u8().await {
            Ok(b'\n') => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

fn say(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}
