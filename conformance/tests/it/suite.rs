//! Runs the real program and reads what it leaves behind.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use klarna_conformance::plan::{check, embedded_features};
use serde_json::Value;
use tempfile::TempDir;

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// What a run of the program left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) reports: TempDir,
}

/// The program, in an empty folder, with its reports in `reports` there.
pub(crate) fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_klarna-conformance"));
    command.args(args).current_dir(folder).stdin(Stdio::null());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("KLARNA_")) {
        command.env_remove(name);
    }
    command
}

/// Where scenarios stand, as the program's arguments name them: file and line.
#[track_caller]
pub(crate) fn places(scenarios: &[&str]) -> Vec<String> {
    let known = check(&embedded_features()).scenarios;
    let place = |id: &&str| {
        let found = known.iter().find(|known| known.id == *id);
        let found = found.unwrap_or_else(|| panic!("no scenario {id}"));
        format!("{}:{}", found.file, found.line)
    };
    scenarios.iter().map(place).collect()
}

/// Runs the program to its end.
pub(crate) fn run(args: &[&str]) -> Ran {
    run_with(args, &[])
}

/// The same, with more in its environment.
pub(crate) fn run_with(args: &[&str], environment: &[(&str, &str)]) -> Ran {
    let reports = TempDir::new().unwrap();
    let output = command(reports.path(), args).envs(environment.iter().copied()).output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        reports,
    }
}

impl Ran {
    /// A report's text.
    pub(crate) fn report(&self, name: &str) -> String {
        let path = self.reports.path().join("reports").join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}\n{}", self.all()))
    }

    /// The lines of the run model.
    pub(crate) fn model(&self) -> Vec<Value> {
        self.report("run.ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The lines of one kind.
    pub(crate) fn events(&self, kind: &str) -> Vec<Value> {
        self.model().into_iter().filter(|line| line["event"] == kind).collect()
    }

    /// Scenario ids with how they ended, sorted.
    pub(crate) fn statuses(&self) -> Vec<(String, String)> {
        let mut statuses: Vec<_> = self
            .events("scenario-finished")
            .iter()
            .map(|line| (text(&line["scenario"]), text(&line["status"])))
            .collect();
        statuses.sort();
        statuses
    }

    /// Scenarios that ended so.
    pub(crate) fn ended(&self, status: &str) -> Vec<String> {
        self.statuses().into_iter().filter(|(_, ended)| ended == status).map(|(id, _)| id).collect()
    }

    /// Failing rules of one scenario.
    pub(crate) fn failing(&self, scenario: &str) -> Vec<String> {
        self.found(scenario, "fails")
    }

    /// Warning rules of one scenario.
    pub(crate) fn warning(&self, scenario: &str) -> Vec<String> {
        self.found(scenario, "warns")
    }

    fn found(&self, scenario: &str, severity: &str) -> Vec<String> {
        self.events("finding")
            .iter()
            .filter(|line| line["scenario"] == scenario && line["finding"]["severity"] == severity)
            .map(|line| text(&line["finding"]["rule"]))
            .collect()
    }

    /// Everything that was said.
    pub(crate) fn all(&self) -> String {
        format!("exit {}\n--- stdout\n{}\n--- stderr\n{}", self.code, self.stdout, self.stderr)
    }

    #[track_caller]
    pub(crate) fn must_exit(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{}", self.all());
        self
    }

    #[track_caller]
    pub(crate) fn must_say(&self, what: &str) -> &Self {
        assert!(self.all().contains(what), "\"{what}\" was not said: {}", self.all());
        self
    }
}

/// A JSON string's text.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
