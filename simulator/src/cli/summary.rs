//! What a run has found, told at its end.

use std::process::ExitCode;

use clap::ValueEnum;
use klarna_schemas::simulator::finding::Severity;

use crate::world::Tallied;

/// Which findings make a run fail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// None: the exit code is 0 whatever was found.
    #[default]
    None,
    /// Those about Required duties on confirmed ground.
    Required,
    /// All.
    Any,
}

impl FailOn {
    fn counts(self, tallied: &Tallied) -> bool {
        match self {
            Self::None => false,
            Self::Required => tallied.severity == Severity::Fails,
            Self::Any => true,
        }
    }
}

/// Tells what was found, on standard error, and what the exit code is.
#[expect(clippy::print_stderr, reason = "a person, or a log of the continuous integration, reads this")]
pub(super) fn tell(found: &[Tallied], fail_on: FailOn) -> ExitCode {
    eprint!("{}", in_words(found));
    if found.iter().any(|tallied| fail_on.counts(tallied)) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn in_words(found: &[Tallied]) -> String {
    if found.is_empty() {
        return "findings: none\n".to_owned();
    }
    let of = |severity| {
        found.iter().filter(|tallied| tallied.severity == severity).map(|one| one.count).sum::<u64>()
    };
    let mut text = format!("findings: {} required, {} others\n", of(Severity::Fails), of(Severity::Warns));
    for Tallied { rule, severity, count, first, place } in found {
        let word = match severity {
            Severity::Fails => "required",
            Severity::Warns => "other   ",
        };
        text.extend([
            "  ",
            word,
            "  ",
            rule,
            ", ",
            &count.to_string(),
            if *count == 1 { " time" } else { " times" },
        ]);
        text.extend(["; first in ", place, ": ", first, "\n"]);
    }
    text
}
