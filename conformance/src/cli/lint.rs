//! `lint`.

use super::args::LintArgs;
use super::output::{complain, say};
use crate::exit_code::Exit;
use crate::plan::{self, FeatureFile, Problem};

/// Checks features and runs nothing.
pub(super) fn run(args: &LintArgs) -> Exit {
    let files = match FeatureFile::load(&args.paths) {
        Ok(files) => files,
        Err(error) => {
            complain(&error.to_string());
            return Exit::Invalid;
        }
    };
    let checked = plan::check(&files);
    if checked.problems.is_empty() {
        say(&format!(
            "{} scenarios in {} files, nothing to complain about",
            checked.scenarios.len(),
            files.len()
        ));
        return Exit::Held;
    }
    report(&checked.problems);
    Exit::Invalid
}

/// All problems, and how many they are.
pub(super) fn report(problems: &[Problem]) {
    for problem in problems {
        complain(&format!("{problem}\n"));
    }
    let plural = if problems.len() == 1 { "problem" } else { "problems" };
    complain(&format!("{} {plural} in the features; nothing was started", problems.len()));
}
