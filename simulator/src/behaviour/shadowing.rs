//! Rules that are never reached, because those before them fit every call that they fit.

use klarna_schemas::simulator::control::CallKind;

use super::conditions::Compiled;
use super::rule_check::AUTHORIZE;
use super::rules::{UsableRule, asks_for_step_up};
use crate::pattern::fits;

/// Into how many parts the calls of a rule are cut at most, each for one rule to serve.
const MAX_PARTS: usize = 64;

/// The earlier rules that together serve every call that a later one would, in order; none where some call
/// is left to it.
pub(super) fn shadowers<'a>(earlier: &'a [UsableRule], later: &UsableRule) -> Vec<&'a str> {
    let mut positions = Vec::new();
    for part in parts(later) {
        match earlier.iter().position(|rule| serves_all(rule, later, &part)) {
            Some(position) => positions.push(position),
            None => return Vec::new(),
        }
    }
    positions.sort_unstable();
    positions.dedup();
    positions.into_iter().filter_map(|position| Some(earlier.get(position)?.rule.name.as_str())).collect()
}

/// Some of the calls of a rule.
struct Part {
    on: CallKind,
    conditions: Vec<Compiled>,
}

/// The calls of a rule, cut by what it names: initial and final ones, and each value of a list.
fn parts(rule: &UsableRule) -> Vec<Part> {
    let when = &rule.rule.when;
    let kinds = match when.on {
        CallKind::Any if when.operation == AUTHORIZE => vec![CallKind::Initial, CallKind::Final],
        on => vec![on],
    };
    let mut lists: Vec<Vec<Compiled>> = vec![Vec::new()];
    for condition in &rule.conditions {
        let ways = match condition.only_values() {
            Some(values) if values.len() * lists.len() * kinds.len() <= MAX_PARTS => {
                values.into_iter().map(|value| condition.of_value(value)).collect()
            }
            _ => vec![condition.clone()],
        };
        let with = |way: &Compiled| {
            let way = way.clone();
            lists.iter().map(move |list| list.iter().cloned().chain([way.clone()]).collect())
        };
        lists = ways.iter().flat_map(with).collect();
    }
    let of_kind = |on: &CallKind| {
        let on = *on;
        lists.iter().map(move |conditions| Part { on, conditions: conditions.clone() })
    };
    kinds.iter().flat_map(of_kind).collect()
}

/// Whether an earlier rule serves every call of a part of a later one.
fn serves_all(earlier: &UsableRule, later: &UsableRule, part: &Part) -> bool {
    let (one, other) = (&earlier.rule.when, &later.rule.when);
    let account = match (&one.account, &other.account) {
        (None, _) => true,
        (Some(wide), Some(narrow)) => covers(wide, narrow),
        (Some(_), None) => false,
    };
    // One that asks for a step-up lets calls pass that cannot be stepped up: those go on to the next, unless
    // that asks for one, too.
    let served = !earlier.doings().any(asks_for_step_up) || later.doings().all(asks_for_step_up);
    earlier.rule.times.is_none()
        && served
        && account
        && covers(&one.operation, &other.operation)
        && (one.on == CallKind::Any || one.on == part.on)
        && earlier.conditions.iter().all(|wide| part.conditions.iter().any(|narrow| narrow.implies(wide)))
}

/// Whether a pattern of names takes in all that another does.
fn covers(wide: &str, narrow: &str) -> bool {
    match narrow.strip_suffix('*') {
        Some(start) => wide.strip_suffix('*').is_some_and(|wide| start.starts_with(wide)),
        None => fits(wide, narrow),
    }
}
