//! What is generated is what stands in the repository, and what must stay apart stays apart.

use std::path::Path;

use klarna_conformance::plan::{check, embedded_features};
use klarna_conformance::steps;

use crate::suite::{root, run};

#[test]
fn the_page_of_steps_is_up_to_date() {
    let page = std::fs::read_to_string(root().join("docs/steps.md")).unwrap();
    assert_eq!(
        page.trim_end(),
        steps::markdown().trim_end(),
        "run: klarna-conformance steps --markdown > docs/steps.md"
    );
    run(&["steps"])
        .must_exit(0)
        .must_say("Acquiring Partner")
        .must_say("e.g. Given a Partner with an order of");
    let markdown = run(&["steps", "--markdown"]);
    assert_eq!(markdown.stdout.trim_end(), page.trim_end());
}

#[test]
fn the_embedded_features_have_no_problems() {
    let checked = check(&embedded_features());
    let problems: Vec<String> = checked.problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    run(&["lint"]).must_exit(0).must_say("nothing to complain about");
}

#[test]
fn every_step_is_used_by_a_feature_or_is_known_not_to_be() {
    // For features of the user's own; each is a small turn of one that is used.
    let spare = ["the Partner shares no Klarna Network Data"];
    let used: Vec<String> = check(&embedded_features())
        .scenarios
        .iter()
        .flat_map(|scenario| scenario.steps.iter().map(|step| (step.keyword, step.text.clone())))
        .filter_map(|(keyword, text)| match steps::find(keyword, &text) {
            steps::Found::One { definition, .. } => Some(definition.expression.to_owned()),
            _ => None,
        })
        .collect();
    for step in steps::all() {
        let is_used = used.iter().any(|expression| expression == step.expression);
        assert_ne!(is_used, spare.contains(&step.expression), "{step:?}");
    }
}

/// The arrows of the seed document's sequence diagram, in their order.
const DIAGRAM: [(&str, &[&str]); 5] = [
    (
        "The Partner integrates Klarna's SDK directly for the payment presentation",
        &[
            "C->>P: Visit checkout page",
            "P->>K: Request Klarna payment presentation",
            "P->>P: Display payment selector",
            "C->>P: Select Klarna and click Pay button",
            "P->>AP: Create payment session",
            "AP->>K: Authorize payment (initial)",
            "K->>AP: Payment APPROVED",
            "AP->>P: Respond with approval",
            "P->>C: Redirect to confirmation page",
        ],
    ),
    (
        "The Partner uses the Acquiring Partner's APIs for the payment presentation",
        &[
            "C->>P: Visit checkout page",
            "P->>AP: Request available payment methods",
            "AP->>K: Request Klarna payment presentation",
            "P->>P: Display payment selector",
            "C->>P: Select Klarna and click Pay button",
            "P->>AP: Create payment session",
            "AP->>K: Authorize payment (initial)",
            "K->>AP: Payment APPROVED",
            "AP->>P: Respond with approval",
            "P->>C: Redirect to confirmation page",
        ],
    ),
    (
        "Step-up required",
        &[
            "C->>P: Visit checkout page",
            "P->>P: Display payment selector",
            "C->>P: Select Klarna and click Pay button",
            "P->>AP: Create payment session",
            "AP->>K: Authorize payment (initial)",
            "K->>AP: Return payment request for step-up",
            "AP->>P: Return payment session",
            "P->>P: Launch Klarna purchase journey",
            "C->>K: Complete purchase on Klarna",
            "K->>AP: Webhook notification",
            "AP->>K: Authorize payment (final)",
            "K->>AP: Payment APPROVED",
            "AP->>P: Webhook notification",
            "AP->>C: Redirect to confirmation page",
        ],
    ),
    (
        "Transaction approved",
        &[
            "C->>P: Visit checkout page",
            "P->>P: Display payment selector",
            "C->>P: Select Klarna and click Pay button",
            "P->>AP: Create payment session",
            "AP->>K: Authorize payment (initial)",
            "K->>AP: Payment APPROVED",
            "AP->>P: Respond with approval",
            "P->>C: Redirect to confirmation page",
        ],
    ),
    (
        "Transaction declined",
        &[
            "C->>P: Visit checkout page",
            "P->>P: Display payment selector",
            "C->>P: Select Klarna and click Pay button",
            "P->>AP: Create payment session",
            "AP->>K: Authorize payment (initial)",
            "K->>AP: Payment DECLINED",
            "AP->>P: Respond with decline",
            "P->>C: Redirect to checkout page",
        ],
    ),
];

#[test]
fn the_document_is_walked_arrow_by_arrow() {
    let features = embedded_features();
    let text = &features.first().unwrap().text;
    for (branch, arrows) in DIAGRAM {
        let (_, rest) = text.split_once(&format!("Scenario: {branch}\n")).unwrap();
        let scenario = rest.split("Scenario: ").next().unwrap();
        let walked: Vec<&str> = scenario
            .lines()
            .filter_map(|line| line.trim().strip_prefix("# "))
            .filter(|line| line.contains("->>"))
            .collect();
        assert_eq!(walked, arrows, "{branch}");
    }
}

#[test]
fn export_writes_features_adapters_and_schemas() {
    let ran = run(&["features", "export", "out"]);
    ran.must_exit(0);
    let out = ran.reports.path().join("out");
    for name in [
        "features/the-document.feature",
        "adapters/reference-acquirer.yaml",
        "schemas/conformance/adapter.schema.json",
        "schemas/conformance/run-model.schema.json",
    ] {
        assert!(out.join(name).is_file(), "{name} is missing");
    }
    let exported = std::fs::read(out.join("features/the-document.feature")).unwrap();
    assert_eq!(exported, std::fs::read(root().join("features/the-document.feature")).unwrap());
}

/// Rust files below a folder.
fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root().join("conformance/src")).unwrap().display().to_string();
            found.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn only_builtin_names_the_reference_acquirer_and_only_bdd_names_cucumber() {
    let mut all = Vec::new();
    sources(&root().join("conformance/src"), &mut all);
    let naming = |word: &str| -> Vec<&str> {
        all.iter().filter(|(_, text)| text.contains(word)).map(|(name, _)| name.as_str()).collect()
    };
    assert_eq!(naming("reference_acquirer"), ["builtin.rs"]);
    let cucumber = naming("cucumber::");
    assert!(!cucumber.is_empty() && cucumber.iter().all(|name| name.starts_with("bdd/")), "{cucumber:?}");
}
