//! The duties of an Acquiring Partner, as `requirements.toml` lists them.
//!
//! Everything else names a duty by its id and looks up here what it weighs: a duty fails a verdict
//! only if it is Required and on confirmed ground; all others warn.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::simulator::finding::Severity;

pub use crate::simulator::finding::Evidence;

/// The embedded file.
const FILE: &str = include_str!("../requirements.toml");

/// How many slips of the pen a wrong id may hold for [`Requirements::nearest`] to know it.
const SLIPS: usize = 2;

/// All duties.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirements {
    #[serde(rename = "requirement")]
    all: Vec<Requirement>,
}

/// One duty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// `AP-01` … of contract `payments.md` 9, or `F15` … of `webhooks-and-network-data.md` F.
    pub id: String,
    /// The duty in one line.
    pub title: String,
    /// What Klarna calls it.
    pub level: Level,
    /// On what ground it stands.
    pub evidence: Evidence,
    /// The contract's names of the sources.
    pub source: String,
    /// Who can see whether it is kept.
    pub verified: Verified,
    /// Ids of the contract's other list that say the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub twins: Vec<String>,
    /// Why it weighs less than its level says, or which part of it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What Klarna calls a duty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Must.
    Required,
    /// Should.
    Recommended,
}

/// Who can see whether a duty is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verified {
    /// The simulator, by what Klarna sees.
    Journal,
    /// The suite, by acting and looking at the Partner's side.
    Partner,
    /// A person, with a checklist.
    Person,
}

impl Requirement {
    /// What breaking it means for a verdict.
    pub fn severity(&self) -> Severity {
        match (self.level, self.evidence) {
            (Level::Required, Evidence::Confirmed) => Severity::Fails,
            _ => Severity::Warns,
        }
    }
}

impl Requirements {
    /// The duties of the embedded file.
    pub fn global() -> &'static Self {
        // A test reads the same text, so the empty list is never seen outside a broken build.
        static GLOBAL: LazyLock<Requirements> =
            LazyLock::new(|| Requirements::parse(FILE).unwrap_or_default());
        &GLOBAL
    }

    /// Reads a text in the form of `requirements.toml`.
    ///
    /// # Errors
    /// When it is no TOML, or not of that form.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// All duties in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Requirement> {
        self.all.iter()
    }

    /// A duty by its exact id.
    pub fn get(&self, id: &str) -> Option<&Requirement> {
        self.all.iter().find(|requirement| requirement.id == id)
    }

    /// What breaking a duty means; an id that nobody knows only warns.
    pub fn severity(&self, id: &str) -> Severity {
        self.get(id).map_or(Severity::Warns, Requirement::severity)
    }

    /// What Klarna calls a duty; an id that nobody knows is only recommended.
    pub fn level(&self, id: &str) -> Level {
        self.get(id).map_or(Level::Recommended, |requirement| requirement.level)
    }

    /// The id that a mistyped one may have meant; for a twin, the duty that says the same.
    pub fn nearest(&self, id: &str) -> Option<&str> {
        let id = id.trim().trim_start_matches('@').to_ascii_uppercase();
        let twin = self.all.iter().find(|requirement| requirement.twins.contains(&id));
        if let Some(requirement) = twin {
            return Some(&requirement.id);
        }
        self.all
            .iter()
            .map(|requirement| (strsim::osa_distance(&requirement.id, &id), requirement.id.as_str()))
            .filter(|(slips, _)| *slips <= SLIPS)
            .min()
            .map(|(_, nearest)| nearest)
    }
}
