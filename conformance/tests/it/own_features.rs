//! Features of one's own: what the steps for them say when it is otherwise.

use tempfile::TempDir;

use crate::suite::{Ran, run};

/// Plays a scenario with these lines; its id is `own/own`.
fn play(tags: &str, lines: &str) -> Ran {
    let folder = TempDir::new().unwrap();
    let feature = folder.path().join("own.feature");
    let lines: Vec<String> = lines.lines().map(|line| format!("    {}\n", line.trim())).collect();
    let text = format!("{tags}\nFeature: Own\n\n  Scenario: Own\n{}", lines.concat());
    std::fs::write(&feature, text).unwrap();
    run(&[&feature.display().to_string(), "--seed", "7"])
}

const APPROVED: &str = "Given a Partner with an order of 459.00 SEK
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the acquirer tells the Partner that the payment is approved\n";

#[test]
fn an_entry_that_should_not_be_there_is_told() {
    let lines = "And Klarna's journal shows no entry with:
        \"\"\"
        operation: authorize
        payment: this
        \"\"\"";
    let ran = play("@AP-16", &format!("{APPROVED}{lines}"));
    ran.must_exit(1).must_say("Klarna's journal shows an entry that should not be there");
    assert_eq!(ran.failing("own/own"), ["journal.shows"], "{}", ran.all());
}

#[test]
fn an_entry_that_does_not_come_is_told_with_what_came_near() {
    let lines = "And Klarna's journal shows an entry with:
        \"\"\"
        operation: authorize
        payment: this
        status: 503
        \"\"\"";
    let ran = play("@AP-16", &format!("{APPROVED}{lines}"));
    ran.must_exit(1).must_say("status");
    assert_eq!(ran.failing("own/own"), ["journal.shows"], "{}", ran.all());
}

#[test]
fn what_is_all_partners_is_changed_alone_only() {
    for (step, why) in [
        ("the acquirer's webhooks get another signing key", "the signing keys of all Partners are rotated"),
        ("Klarna forgets the acquirer's webhooks", "what is lost is lost for all Partners"),
    ] {
        let ran = play("@AP-19", &format!("{APPROVED}When {step}"));
        ran.must_exit(6).must_say(why).must_say("tag it @exclusive");
    }
}
