//! Hands the planned scenarios to Cucumber: expanded, linted, and named by their ids.

use std::sync::Arc;

use cucumber::{Parser, cli, parser};
use futures::stream;
use gherkin::{Feature, LineCol, Span, Step, StepType};

use crate::plan::Scenario;
use crate::steps::Keyword;

/// A parser that has nothing left to parse.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planned;

impl Parser<Vec<Arc<Scenario>>> for Planned {
    type Cli = cli::Empty;
    type Output = stream::Iter<std::vec::IntoIter<parser::Result<Feature>>>;

    fn parse(self, input: Vec<Arc<Scenario>>, _: Self::Cli) -> Self::Output {
        let mut features: Vec<Feature> = Vec::new();
        for scenario in &input {
            let planned = gherkin_scenario(scenario);
            match features.iter_mut().find(|feature| feature.name == scenario.file) {
                Some(feature) => feature.scenarios.push(planned),
                None => features.push(gherkin_feature(&scenario.file, features.len(), planned)),
            }
        }
        let features: Vec<_> = features.into_iter().map(Ok).collect();
        stream::iter(features)
    }
}

fn gherkin_feature(name: &str, number: usize, first: gherkin::Scenario) -> Feature {
    Feature {
        keyword: "Feature".to_owned(),
        name: name.to_owned(),
        description: None,
        background: None,
        scenarios: vec![first],
        rules: Vec::new(),
        tags: Vec::new(),
        span: Span::default(),
        position: LineCol { line: number + 1, col: 1 },
        path: None,
    }
}

fn gherkin_scenario(scenario: &Scenario) -> gherkin::Scenario {
    gherkin::Scenario {
        keyword: "Scenario".to_owned(),
        name: scenario.id.clone(),
        description: None,
        steps: scenario
            .steps
            .iter()
            .map(|step| Step {
                keyword: step.written.clone(),
                ty: match step.keyword {
                    Keyword::Given => StepType::Given,
                    Keyword::When => StepType::When,
                    Keyword::Then => StepType::Then,
                },
                value: step.text.clone(),
                docstring: step.doc_string.clone(),
                table: None,
                span: Span::default(),
                position: LineCol { line: step.line, col: 1 },
            })
            .collect(),
        examples: Vec::new(),
        // Cucumber gives meanings of its own to some tags; ours are in the plan.
        tags: Vec::new(),
        span: Span::default(),
        position: LineCol { line: scenario.line, col: 1 },
    }
}
