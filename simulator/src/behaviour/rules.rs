//! Rules as they are looked through: the first that fits a call decides.

use std::sync::Arc;

use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::simulator::control::CallKind;
use klarna_schemas::simulator::rules::{Rule, RuleView, Then};
use serde_json::Value;

use super::conditions::Compiled;
use super::evolution::Evolved;
use crate::pattern::fits;

/// A call as rules see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Occasion<'a> {
    /// The journal's name of the operation.
    pub(crate) operation: &'a str,
    /// Which authorize it is; `Any` for other operations.
    pub(crate) on: CallKind,
    pub(crate) headers: &'a [(String, String)],
    pub(crate) body: &'a Value,
    /// Whether there is a way to ask the customer.
    pub(crate) can_step_up: bool,
}

/// A rule that can be used.
#[derive(Debug, Clone)]
pub(crate) struct UsableRule {
    pub(super) rule: Rule,
    pub(super) conditions: Vec<Compiled>,
}

impl UsableRule {
    /// Everything that it may do.
    pub(super) fn doings(&self) -> impl Iterator<Item = &Then> {
        self.rule.then.iter().chain(self.rule.one_of.iter().map(|chance| &chance.then))
    }

    /// What it does; `draw` gives a number below the one that it is called with.
    fn doing(&self, draw: impl FnOnce(u64) -> u64) -> Then {
        if let Some(then) = &self.rule.then {
            return then.clone();
        }
        let total = self.rule.one_of.iter().map(|chance| u64::from(chance.weight)).sum();
        let mut drawn = draw(total);
        for chance in &self.rule.one_of {
            match drawn.checked_sub(u64::from(chance.weight)) {
                Some(rest) => drawn = rest,
                None => return chance.then.clone(),
            }
        }
        Then::default()
    }

    /// Why a call is not for it; `None` where it is.
    fn misfit(&self, occasion: &Occasion<'_>) -> Option<String> {
        let when = &self.rule.when;
        if !fits(&when.operation, occasion.operation) {
            return Some(format!("it is for {}", when.operation));
        }
        if when.on != CallKind::Any && when.on != occasion.on {
            return Some(format!("it is for {} calls", word(when.on)));
        }
        self.conditions.iter().find_map(|condition| condition.misfit(occasion.headers, occasion.body))
    }
}

/// Whether it asks for a step-up, where Klarna would.
pub(super) fn asks_for_step_up(then: &Then) -> bool {
    then.result == Some(AuthorizationResult::StepUpRequired) && !then.force
}

/// Why Klarna does not do this with a call; `None` where it may.
pub(super) fn illegal(then: &Then, occasion: &Occasion<'_>) -> Option<String> {
    (asks_for_step_up(then) && !occasion.can_step_up).then(|| {
        "Klarna asks for no step-up here: there is no way to the customer, or it was asked".to_owned()
    })
}

fn word(on: CallKind) -> &'static str {
    match on {
        CallKind::Initial => "initial",
        CallKind::Final => "final",
        CallKind::Any => "all",
    }
}

/// Rules in order, and how often each has served in one sandbox and epoch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    in_order: Arc<[UsableRule]>,
    served: Vec<u64>,
    evolved: Evolved,
}

/// A rule that fits a call.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fitting {
    pub(super) position: usize,
    pub(super) name: String,
    pub(super) then: Then,
    /// Whether chance had a part in it.
    pub(super) drawn: bool,
}

impl Rules {
    pub(crate) fn new(rules: impl IntoIterator<Item = UsableRule>) -> Self {
        let in_order: Arc<[UsableRule]> = rules.into_iter().collect();
        Self { served: vec![0; in_order.len()], in_order, evolved: Evolved::default() }
    }

    /// The same rules, of a Klarna that has evolved so.
    #[must_use]
    pub(crate) fn in_a_klarna(self, evolved: Evolved) -> Self {
        Self { evolved, ..self }
    }

    /// In which ways Klarna has evolved, by these.
    pub(super) fn evolved(&self) -> &Evolved {
        &self.evolved
    }

    /// Whether these were read from the same file at the same time as others.
    pub(super) fn is_of_one_reading_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.in_order, &other.in_order)
    }

    /// The same rules, as if none had served yet.
    pub(crate) fn afresh(&self) -> Self {
        Self { served: vec![0; self.in_order.len()], ..self.clone() }
    }

    /// Those for a Partner account.
    pub(crate) fn of_account(&self, account: &str) -> Self {
        let is_for =
            |rule: &&UsableRule| rule.rule.when.account.as_ref().is_none_or(|pattern| fits(pattern, account));
        Self::new(self.in_order.iter().filter(is_for).cloned()).in_a_klarna(self.evolved.clone())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.in_order.len()
    }

    /// The first that fits a call. Those before it are told, with why they do not.
    pub(super) fn first(
        &self,
        occasion: &Occasion<'_>,
        draw: impl Fn(u64) -> u64,
        mut passed_over: impl FnMut(&str, String),
    ) -> Option<Fitting> {
        for (position, (usable, served)) in self.in_order.iter().zip(&self.served).enumerate() {
            let rule = &usable.rule;
            if rule.times.is_some_and(|times| *served >= u64::from(times)) {
                passed_over(&rule.name, "it has served as often as it may".to_owned());
                continue;
            }
            if let Some(why) = usable.misfit(occasion) {
                passed_over(&rule.name, why);
                continue;
            }
            let then = usable.doing(&draw);
            if let Some(why) = illegal(&then, occasion) {
                passed_over(&rule.name, why);
                continue;
            }
            let drawn = rule.then.is_none();
            return Some(Fitting { position, name: rule.name.clone(), then, drawn });
        }
        None
    }

    /// Counts a call that one of them has served.
    pub(super) fn serve(&mut self, position: usize) {
        if let Some(served) = self.served.get_mut(position) {
            *served += 1;
        }
    }

    /// The rules as the control API shows them.
    pub(crate) fn views(&self) -> Vec<RuleView> {
        let view = |(usable, served): (&UsableRule, &u64)| RuleView {
            name: usable.rule.name.clone(),
            served: *served,
            left: usable
                .rule
                .times
                .map(|times| times.saturating_sub(u32::try_from(*served).unwrap_or(u32::MAX))),
        };
        self.in_order.iter().zip(&self.served).map(view).collect()
    }
}
