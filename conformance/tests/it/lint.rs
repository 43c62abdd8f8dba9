//! Broken features: each is refused with its place, what is wrong, and what was perhaps meant.

use klarna_conformance::plan::{Checked, FeatureFile, check};

fn checked(text: &str) -> Checked {
    check(&[FeatureFile::new("features/x.feature".to_owned(), "x.feature", text.to_owned())])
}

/// Asks for exactly these problems: place, part of what, part of the hint.
#[track_caller]
fn refused(text: &str, expected: &[((usize, usize), &str, &str)]) {
    let found = checked(text).problems;
    let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), expected.len(), "{}", shown.join("\n\n"));
    for (problem, (place, what, hint)) in found.iter().zip(expected) {
        assert_eq!((problem.line, problem.column), *place, "{problem}");
        assert!(problem.what.contains(what), "{problem}\nshould say {what}");
        assert!(problem.hint.contains(hint), "{problem}\nshould hint {hint}");
        assert!(problem.to_string().contains(&format!("features/x.feature:{}:{}", place.0, place.1)));
    }
}

#[test]
fn a_sound_feature_has_no_problems() {
    let sound = "@document\nFeature: x\n  The acquirer must forward it. They all do.\n\n  @AP-11\n  Scenario: y\n    Given a Partner with an order of 1.00 SEK\n    When the Partner creates the payment\n    Then the network data reached Klarna byte for byte\n";
    let checked = checked(sound);
    assert!(checked.problems.is_empty(), "{:?}", checked.problems);
    let scenario = checked.scenarios.first().unwrap();
    assert_eq!((scenario.id.as_str(), scenario.line), ("x/y", 6));
    assert_eq!(scenario.duties, ["AP-11"]);
}

#[test]
fn an_undefined_step_names_the_nearest() {
    refused(
        "Feature: x\n  Scenario: y\n    Given a Partner with an order of 459.00 SEK\n    When the Partner creates the paymnet\n",
        &[(
            (4, 5),
            "no step reads \"When the Partner creates the paymnet\"",
            "When the Partner creates the payment",
        )],
    );
}

#[test]
fn a_step_under_the_wrong_keyword_is_told_so() {
    refused(
        "Feature: x\n  Scenario: y\n    Given the Partner creates the payment\n",
        &[((3, 5), "no step reads", "it is a When step, and here stands a Given")],
    );
}

#[test]
fn a_scenario_without_steps_is_refused() {
    refused("Feature: x\n\n  Scenario: y\n", &[((3, 3), "has no steps", "would pass")]);
}

#[test]
fn a_feature_without_scenarios_is_refused() {
    refused("Feature: x\n  Words.\n", &[((1, 1), "holds no scenario", "would pass")]);
}

#[test]
fn a_mistyped_first_keyword_is_not_prose() {
    refused(
        "Feature: x\n  Scenario: y\n    Giben a Partner with an order of 1.00 SEK\n    When the Partner creates the payment\n",
        &[((3, 5), "it begins with \"Giben\"", "did you mean Given?")],
    );
    refused(
        "Feature: x\n  Scenario: y\n    Also the Partner creates the payment\n    When the Partner creates the payment\n",
        &[((3, 5), "it begins with \"Also\"", "begin it with Given, When, Then")],
    );
}

#[test]
fn a_mistyped_later_keyword_is_named() {
    refused(
        "Feature: x\n  Scenario: y\n    Given a Partner with an order of 1.00 SEK\n    Whem the Partner creates the payment\n",
        &[((4, 5), "\"Whem\" is no Gherkin keyword", "did you mean When?")],
    );
}

#[test]
fn stars_are_refused() {
    refused(
        "Feature: x\n  Scenario: y\n    * a Partner with an order of 1.00 SEK\n",
        &[((3, 5), "begins with \"*\"", "write Given")],
    );
}

#[test]
fn media_types_of_doc_strings_are_refused() {
    refused(
        "Feature: x\n  Scenario: y\n    Given the Partner shares this Klarna Network Data:\n      \"\"\"json\n      {}\n      \"\"\"\n",
        &[((4, 7), "names the media type \"json\"", "leave it out")],
    );
}

#[test]
fn doc_strings_stand_where_they_belong() {
    refused(
        "Feature: x\n  Scenario: y\n    Given the Partner shares this Klarna Network Data:\n",
        &[((3, 5), "needs a doc string", "two lines of")],
    );
    refused(
        "Feature: x\n  Scenario: y\n    Given Klarna will approve\n      \"\"\"\n      x\n      \"\"\"\n",
        &[((3, 5), "takes no doc string", "take the text")],
    );
}

#[test]
fn a_doc_string_is_the_text_between_its_quotes() {
    let text = "Feature: x\n  Scenario: y\n    Given the Partner shares this Klarna Network Data:\n      \"\"\"\n      {\"a\": \"\\u00e9\",\n        \"b\": 1.0}\n\n      \"\"\"\n";
    let checked = checked(text);
    assert!(checked.problems.is_empty(), "{:?}", checked.problems);
    let doc = checked.scenarios[0].steps[0].doc_string.clone().unwrap();
    assert_eq!(doc, "{\"a\": \"\\u00e9\",\n  \"b\": 1.0}\n");
}

#[test]
fn outlines_need_examples_and_know_their_columns() {
    refused(
        "Feature: x\n  Scenario Outline: y\n    Given a Partner with an order of <amount> SEK\n",
        &[((2, 3), "has no examples", "add an Examples table"), ((3, 5), "no step reads", "")],
    );
    refused(
        "Feature: x\n  Scenario Outline: y\n    Given a Partner with an order of <amount> SEK\n\n    Examples:\n      | amount |\n",
        &[((2, 3), "no row of examples", "at least one row")],
    );
    refused(
        "Feature: x\n  Scenario Outline: y\n    Given a Partner with an order of <amont> SEK\n\n    Examples:\n      | amount |\n      | 1.00   |\n",
        &[((3, 5), "no column <amont>", "did you mean <amount>?"), ((3, 5), "no step reads", "")],
    );
}

#[test]
fn rows_become_scenarios_with_their_own_lines() {
    let text = "Feature: x\n  Scenario Outline: Buys for <amount>\n    Given a Partner with an order of <amount> SEK\n\n    @AP-11\n    Examples: small\n      | amount |\n      | 1.00   |\n      | 2.00   |\n";
    let checked = checked(text);
    assert!(checked.problems.is_empty(), "{:?}", checked.problems);
    let rows: Vec<_> =
        checked.scenarios.iter().map(|row| (row.id.as_str(), row.line, row.name.as_str())).collect();
    assert_eq!(rows, [("x/buys-for#1", 8, "Buys for 1.00"), ("x/buys-for#2", 9, "Buys for 2.00")]);
    assert_eq!(checked.scenarios[0].duties, ["AP-11"]);
}

#[test]
fn ids_are_unique() {
    refused(
        "Feature: x\n  Scenario: y\n    Given Klarna will approve\n  Scenario: Y!\n    Given Klarna will approve\n",
        &[((4, 1), "the scenario id \"x/y\" is taken", "features/x.feature:2")],
    );
}

#[test]
fn tags_are_known() {
    let with = |tags: &str| format!("Feature: x\n  {tags}\n  Scenario: y\n    Given Klarna will approve\n");
    refused(&with("@AP-11 @AP-99"), &[((2, 10), "knows no duty \"AP-99\"", "")]);
    refused(&with("@AP-111"), &[((2, 3), "knows no duty \"AP-111\"", "did you mean @AP-11?")]);
    refused(&with("@redirct"), &[((2, 3), "@redirct is not known", "did you mean @redirect?")]);
    refused(&with("@retry"), &[((2, 3), "@retry is refused", "mend what is unsteady")]);
    refused(&with("@retry(3)"), &[((2, 3), "is refused", "mend what is unsteady")]);
    refused(&with("@allow.skipped"), &[((2, 3), "a skipped step is never green", "")]);
    refused(
        &with("@timing.retry_within"),
        &[((2, 3), "no adapter can claim \"timing.retry_within\"", "did you mean @timing.retry_within_ms?")],
    );
    refused(&with("@timing.x"), &[((2, 3), "no adapter can claim", "@timing.answer_ms, @timing.klarna")]);
    refused(&with("@serial"), &[((2, 3), "@serial is not known", "@exclusive")]);
}

#[test]
fn exclusive_and_claims_are_understood() {
    let tags = "@exclusive @timing.answer_ms @redirect";
    let text = format!("Feature: x\n  {tags}\n  Scenario: y\n    Given Klarna will approve the payment\n");
    let checked = checked(&text);
    assert!(checked.problems.is_empty(), "{:?}", checked.problems);
    let needs = &checked.scenarios[0].needs;
    assert!(needs.exclusive);
    assert_eq!(
        (&needs.timing[..], &needs.capabilities[..]),
        (&["answer_ms".to_owned()][..], &["redirect".to_owned()][..])
    );
}

#[test]
fn backgrounds_join_each_scenario() {
    let text = "Feature: x\n  Background:\n    Given a Partner with an order of 1.00 SEK\n\n  Scenario: y\n    When the Partner creates the payment\n";
    let checked = checked(text);
    assert!(checked.problems.is_empty(), "{:?}", checked.problems);
    assert_eq!(checked.scenarios[0].steps.len(), 2);
}

#[test]
fn what_is_no_gherkin_is_told_so() {
    refused("", &[((1, 1), "holds no feature", "begin it with")]);
    refused(
        "Featur: x\n  Scenario: y\n",
        &[((1, 1), "\"Featur\" is no Gherkin keyword", "did you mean Feature?")],
    );
    refused(
        "Feature: x\n  Scenario Outline: y\n    Given a Partner with an order of <a> SEK\n    Examples:\n      | a |\n      | \\u |\n",
        &[((6, 7), "this table cannot be read", "in a cell")],
    );
}

#[test]
fn a_word_that_a_parameter_does_not_take_is_told_with_what_it_takes() {
    for (step, hint) in [
        (
            "Given Klarna will aprove the payment",
            "{decision} does not take \"aprove\": did you mean \"approve\"?",
        ),
        (
            "Given Klarna will meet the initial authorize with a broken conection",
            "did you mean \"a broken connection\"?",
        ),
        ("Given the customer will sing 3 minutes after the step-up", "but: open the purchase, approve"),
        ("When Klarna's clock goes 3 days forward", "{duration} does not take \"3 days\""),
    ] {
        let feature = format!("Feature: F\n  Scenario: S\n    {step}\n");
        refused(&feature, &[((3, 5), "no step reads", hint)]);
    }
}

#[test]
fn a_slip_in_a_doc_string_is_told_before_anything_is_started() {
    let below = |step: &str, text: &str| {
        format!("Feature: F\n  Scenario: S\n    {step}\n      \"\"\"\n      {text}\n      \"\"\"\n")
    };
    for (step, text, column, what, page) in [
        (
            "Given Klarna decides by these rules:",
            "rulez: []",
            7,
            "unknown field `rulez`",
            "see docs/rules.md",
        ),
        (
            "Given Klarna will meet calls with this fault:",
            "{operation: authorize, kind: statu}",
            36,
            "unknown variant `statu`, expected one of status",
            "see docs/faults.md",
        ),
        (
            "Given the customer will do this after the step-up:",
            "- {act: aprove}",
            15,
            "unknown variant `aprove`",
            "see docs/rules.md",
        ),
        (
            "Then Klarna's journal shows an entry with:",
            "method: GET",
            7,
            "unknown field `method`",
            "docs/journal.md",
        ),
        ("Then Klarna's journal shows no entry with:", "limit: 1", 7, "leave limit out", "docs/journal.md"),
    ] {
        refused(&below(step, text), &[((5, column), what, page)]);
    }
}
