//! The rulebook for people: `docs/rulebook.md`, made of the rules themselves.

use std::fmt::Write as _;

use klarna_schemas::requirements::{Level, Requirement, Requirements, Verified};
use klarna_schemas::simulator::finding::Severity;

use super::{Judge, Rule, rules};

const HEAD: &str = "\
# The rulebook

What the simulator judges of an acquirer's traffic. A **rule** looks at one occasion with the history \
before it in view; what it finds is a **finding**: where, what, how to mend it, the duties it is about, \
the exchanges that prove it. Made by `klarna-simulator rulebook --markdown`; a test compares.

## Where findings are

| where | what |
|---|---|
| log | each at the moment it is found, on standard error |
| [control API](control-api.md) | `GET /sandboxes/{a}/findings`, of one payment with `?payment=`; `GET /accounts/{acquirer}/findings` for calls without a Partner account in their path; `GET /findings` for calls whose key opens no account |
| [journal](journal.md) | on the exchanges that they cite; `?finding=` selects by rule, with `*` for any rest |
| the end | a summary on standard error when the simulator stops |
| exit code | `klarna-simulator serve --fail-on required` ends with 1 if a Required duty on confirmed ground was broken, `--fail-on any` if anything was found, `--fail-on none` (the default) with 0 |

## How they weigh

`level` is what Klarna calls the main duty, `required` or `recommended`. `severity` is what that makes of \
a verdict: a Required duty on confirmed ground `fails`, all else `warns`. Where something in a rule is \
our reading of Klarna's pages rather than their word, `evidence` says `inferred`, `rests_on` says what \
exactly, and it can only warn: [what is known, and what is guessed](evidence.md).

`judged` counts by rule how often it had something to go by. A rule that is not there stands in \
`not_judged` with the reason: *no intent was declared* where it compares with what the Partner sent \
([`PUT /sandboxes/{a}/intent`](control-api.md)), or that nothing of the kind came. A sandbox keeps 1000 \
findings of an epoch; beyond that those that only warn give way to those that fail, and `dropped` counts.

Network data that changed on its way comes with `diff`: the position of the first byte that differs, \
both lengths, both sides around it, and the kind of change: `dropped`, `added`, `re_encoded`, \
`re_ordered`, `truncated`, `type_changed`, `altered`.
";

/// The page.
pub(crate) fn markdown() -> String {
    let mut page = HEAD.to_owned();
    // Writing to a string does not fail.
    let _written = write!(
        page,
        "\n## Rules\n\nThere are {}. *occasion*: on what a rule judges; *intent*: whether it needs one.\n\n\
         | rule | what it wants | duties | weighs | occasion |\n|---|---|---|---|---|\n",
        rules().count()
    );
    for rule in rules() {
        let _written = writeln!(
            page,
            "| `{}` | {} | {} | {} | {} |",
            rule.id,
            rule.about,
            rule.duties.join(", "),
            weight(rule),
            occasions(rule)
        );
    }
    page.push_str(
        "\n## Duties\n\nEach duty, and the rules that speak about it. Those that Klarna's side cannot see \
         are for the conformance suite, which acts as the Partner, or for a person.\n\n\
         | duty | what it asks | rules |\n|---|---|---|\n",
    );
    for duty in Requirements::global().iter() {
        let _written = writeln!(page, "| {} | {} | {} |", duty.id, duty.title, of_duty(duty));
    }
    page
}

fn weight(rule: &Rule) -> String {
    let main = rule.duties.first().copied().unwrap_or_default();
    let all = Requirements::global();
    let level = match all.level(main) {
        Level::Required => "required",
        Level::Recommended => "recommended",
    };
    let fails = all.severity(main) == Severity::Fails && rule.rests_on().is_empty();
    format!("{level}, {}", if fails { "fails" } else { "warns" })
}

fn occasions(rule: &Rule) -> String {
    let words = rule.judges().map(|judge| match judge {
        Judge::Call(_) => "authorize",
        Judge::Refused(_) => "authorize that does not validate",
        Judge::Api(_) => "any call",
        Judge::TokenDied(_) => "a token's death",
        Judge::Delivery(_) => "a webhook",
    });
    let mut words: Vec<&str> = words.collect();
    if rule.by_intent {
        words.push("intent");
    }
    words.join("; ")
}

fn of_duty(duty: &Requirement) -> String {
    let about = rules().filter(|rule| rule.duties.contains(&duty.id.as_str()));
    let named: Vec<String> = about.map(|rule| format!("`{}`", rule.id)).collect();
    match (named.is_empty(), duty.verified) {
        (false, _) => named.join(", "),
        (true, Verified::Journal) => "no trace of it reaches Klarna within a run".to_owned(),
        (true, Verified::Partner) => "the suite, at the Partner's side".to_owned(),
        (true, Verified::Person) => "a person".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_up_to_date() {
        let page = include_str!("../../../docs/rulebook.md");
        assert!(page == markdown(), "run: klarna-simulator rulebook --markdown > docs/rulebook.md");
    }

    /// What Klarna's side can see has a rule. Of the others Klarna sees nothing: which error code an
    /// acquirer branches on, and how long it would have waited.
    #[test]
    fn every_duty_that_klarnas_side_can_see_has_a_rule() {
        let seen = Requirements::global().iter().filter(|duty| duty.verified == Verified::Journal);
        let without: Vec<&str> = seen
            .filter(|duty| !rules().any(|rule| rule.duties.contains(&duty.id.as_str())))
            .map(|duty| duty.id.as_str())
            .collect();
        assert_eq!(without, ["AP-36", "AP-40"]);
    }
}
