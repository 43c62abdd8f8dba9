//! What is known to fail for now, so that a gate can be taken into use before all of it holds.
//!
//! A file lists duties and scenarios with the reason, the date and who owns the mending. What fails as
//! listed does not fail the run, but nothing gets better by it: it stays failed in every report, the
//! verdict names it, and once it holds the run fails until it is taken off the list.

mod load;
mod outcome;

use jiff::civil::Date;
use klarna_schemas::simulator::finding::{Finding, Severity};

pub use self::load::load;
pub use self::outcome::{Outcome, outcomes};

/// The entries of a file.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// In the order of the file.
    pub entries: Vec<Entry>,
    /// The day of the run: an entry that ends before it excuses nothing.
    today: Date,
}

/// One thing that is expected to fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What.
    pub subject: Subject,
    /// The one finding that is expected, by its rule; any when absent.
    pub finding: Option<String>,
    /// Why.
    pub reason: String,
    /// Since when.
    pub date: Date,
    /// The last day on which it is expected; open when absent.
    pub until: Option<Date>,
    /// Who mends it.
    pub owner: String,
}

/// What an entry is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A duty, by its id: whatever is found against it, in whichever scenario.
    Requirement(String),
    /// A scenario, by its id.
    Scenario(String),
}

impl Subject {
    /// The id.
    pub fn id(&self) -> &str {
        match self {
            Self::Requirement(id) | Self::Scenario(id) => id,
        }
    }
}

impl Entry {
    /// Whether a finding of a scenario is what this entry is about.
    pub fn is_about(&self, scenario: &str, finding: &Finding) -> bool {
        let meant = match &self.subject {
            Subject::Requirement(id) => finding.duties.contains(id),
            Subject::Scenario(id) => id == scenario,
        };
        meant && self.finding.as_ref().is_none_or(|rule| *rule == finding.rule)
    }
}

impl Expected {
    /// Entries, on a day.
    pub fn new(entries: Vec<Entry>, today: Date) -> Self {
        Self { entries, today }
    }

    /// Whether an entry is still to be reckoned with.
    pub fn is_in_force(&self, entry: &Entry) -> bool {
        entry.until.is_none_or(|until| self.today <= until)
    }

    /// The ids of the entries by which a scenario was expected to fail as it did; none where some of
    /// what was found is not listed.
    pub fn excuses(&self, scenario: &str, found: &[&Finding]) -> Vec<String> {
        let mut ids: Vec<String> = Vec::new();
        for finding in found.iter().filter(|finding| finding.severity == Severity::Fails) {
            let mut entries = self.entries.iter().filter(|entry| self.is_in_force(entry));
            let Some(entry) = entries.find(|entry| entry.is_about(scenario, finding)) else {
                return Vec::new();
            };
            if !ids.iter().any(|id| id == entry.subject.id()) {
                ids.push(entry.subject.id().to_owned());
            }
        }
        ids
    }
}
