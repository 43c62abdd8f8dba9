//! On what ground each operation and each policy stands: what Klarna has published, and what is
//! concluded. The OpenAPI document, its page and `docs/evidence.md` are made from the one table.

mod credentials;
mod policies;
mod rules;
mod table;
mod transactions;

use std::fmt::Write as _;

use serde_json::{Value, json};

/// What something rests on.
pub(crate) struct Ground {
    /// Of what.
    pub(crate) of: Subject,
    /// What a source says.
    pub(crate) confirmed: &'static [Fact],
    /// What is concluded, chosen, or said by sources that contradict each other.
    pub(crate) inferred: &'static [Fact],
}

/// What a ground is the ground of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// An operation, by its name in the table of operations.
    Operation(&'static str),
    /// A policy, by its name in the settings.
    Policy(&'static str),
    /// A rule of the rulebook that rests on more than its duty says, by its id.
    Rule(&'static str),
}

/// A section of the wire contract, and what stands there in our words.
pub(crate) struct Fact(pub(crate) &'static str, pub(crate) &'static str);

/// Every ground.
pub(crate) fn all() -> impl Iterator<Item = &'static Ground> {
    let operations = table::GROUNDS.iter().chain(transactions::GROUNDS).chain(credentials::GROUNDS);
    operations.chain(policies::GROUNDS).chain(rules::GROUNDS)
}

/// What something rests on.
pub(crate) fn of(subject: &Subject) -> Option<&'static Ground> {
    all().find(|ground| ground.of == *subject)
}

impl Ground {
    /// As a document shows it.
    pub(crate) fn to_json(&self) -> Value {
        let facts = |facts: &[Fact]| -> Value {
            facts.iter().map(|Fact(section, fact)| json!({ "fact": fact, "section": section })).collect()
        };
        json!({ "confirmed": facts(self.confirmed), "inferred": facts(self.inferred) })
    }

    /// What is inferred, a fact a line.
    pub(crate) fn inferred_facts(&self) -> Vec<String> {
        self.inferred.iter().map(|Fact(section, fact)| format!("{fact} ({section})")).collect()
    }
}

impl Subject {
    /// The chapter that it stands in.
    fn chapter(self) -> &'static str {
        match self {
            Self::Operation(_) => "Operations",
            Self::Policy(_) => "Policies",
            Self::Rule(_) => "Rules",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Operation(name) | Self::Policy(name) | Self::Rule(name) => name,
        }
    }
}

/// The page `docs/evidence.md`.
pub(crate) fn markdown() -> String {
    let mut page = String::from(
        "# What is known, and what is guessed\n\n\
         Of each operation of the simulator, each policy in its settings, and each rule that rests on more \
         than the duty it is about (such a rule can only warn, and its findings say why): what Klarna has published \
         (*confirmed*), and what is our reading of it or our choice (*inferred*). Behind each fact stands \
         the section of the wire contract. Made by `klarna-simulator evidence --markdown`; a test \
         compares. The running simulator shows the same at `/docs`, and has it as `x-evidence` in \
         `/openapi.json`.\n",
    );
    for title in ["Operations", "Policies", "Rules"] {
        // Writing to a string does not fail.
        let _written = write!(page, "\n## {title}\n");
        for ground in all().filter(|ground| ground.of.chapter() == title) {
            let _written = write!(page, "\n### `{}`\n\n", ground.of.name());
            for (word, facts) in [("confirmed", ground.confirmed), ("inferred", ground.inferred)] {
                for Fact(section, fact) in facts {
                    let _written = writeln!(page, "- *{word}*: {fact} ({section})");
                }
            }
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::api::operations::OPERATIONS;

    /// Fields of `PolicySettings`: all are required and no other is allowed, so they are the keys of
    /// the defaults.
    fn policies() -> BTreeSet<String> {
        let defaults: toml::Table = toml::from_str(crate::config::DEFAULTS).unwrap();
        defaults["policies"].as_table().unwrap().keys().cloned().collect()
    }

    #[test]
    fn every_operation_and_every_policy_has_one_ground_and_none_is_stale() {
        let of = |chapter| -> Vec<String> {
            let wanted = |ground: &&Ground| ground.of.chapter() == chapter;
            all().filter(wanted).map(|ground| ground.of.name().to_owned()).collect()
        };
        let operations: BTreeSet<String> = OPERATIONS.iter().map(|it| it.id.to_owned()).collect();
        for (listed, wanted) in [(of("Operations"), operations), (of("Policies"), policies())] {
            let once: BTreeSet<String> = listed.iter().cloned().collect();
            assert_eq!(once.len(), listed.len(), "one stands twice: {listed:?}");
            let without: Vec<_> = wanted.difference(&once).collect();
            let stale: Vec<_> = once.difference(&wanted).collect();
            assert!(
                without.is_empty() && stale.is_empty(),
                "src/evidence/grounds: nothing on {without:?}, stale {stale:?}"
            );
        }
    }

    #[test]
    fn the_rules_of_the_table_are_rules_of_the_rulebook() {
        for ground in all() {
            if let Subject::Rule(id) = ground.of {
                assert!(crate::rulebook::rules().any(|rule| rule.id == id), "{id} is no rule");
            }
        }
    }

    #[test]
    fn each_ground_says_something_and_names_its_sections() {
        for ground in all() {
            let facts = ground.confirmed.iter().chain(ground.inferred);
            assert!(facts.clone().count() > 0, "{:?} rests on nothing", ground.of);
            for Fact(section, fact) in facts {
                let file = section.split([' ', ',']).next().unwrap();
                let known = ["README", "payments.md", "webhooks-and-network-data.md"].contains(&file);
                assert!(known && section.len() > file.len(), "{:?} names {section}", ground.of);
                assert!(fact.ends_with('.'), "{fact}");
            }
        }
        // A policy is there because something is not published, and so is what a rule adds to its duty.
        let unfounded = all().find(|it| !matches!(it.of, Subject::Operation(_)) && it.inferred.is_empty());
        assert!(unfounded.is_none());
    }

    #[test]
    fn the_page_in_the_repository_is_the_generated_one() {
        let page = include_str!("../../../docs/evidence.md");
        assert!(page == markdown(), "run: klarna-simulator evidence --markdown > docs/evidence.md");
    }
}
