//! What decides on a call, in order: the queue, the sandbox's rules, the rules file, magic values.

use std::borrow::Cow;

use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::simulator::control::{CallKind, QueuedOutcome};
use klarna_schemas::simulator::rules::{Considered, RulesView, Then};

use super::evolution::Evolved;
use super::magic_values;
use super::plan::{Plan, TooManyOutcomes};
use super::rules::{Occasion, Rules};

/// The operation that outcomes are queued for.
const AUTHORIZE: &str = "authorize";

/// What a tester asked of one sandbox.
#[derive(Debug, Clone, Default)]
pub(crate) struct Behaviour {
    queue: Plan,
    own: Rules,
    file: Rules,
    /// Whether documented test customers are known.
    magic_values: bool,
    /// How often chance has decided.
    draws: u64,
    /// In which ways Klarna has evolved, by the tester's word; by that of rules where there is none.
    evolved: Option<Evolved>,
}

/// What decides on a call, before it does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Choice {
    source: Source,
    drawn: bool,
    /// As the journal names it.
    pub(crate) by: Cow<'static, str>,
    pub(crate) then: Then,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Queue(usize),
    Own(usize),
    File(usize),
    MagicValue,
}

impl Behaviour {
    /// Of a new sandbox.
    pub(crate) fn new(magic_values: bool) -> Self {
        Self { magic_values, ..Self::default() }
    }

    /// Of the sandbox after a reset: the file's rules hold on.
    pub(crate) fn after_reset(&self) -> Self {
        Self { file: self.file.afresh(), ..Self::new(self.magic_values) }
    }

    pub(crate) fn queue(&mut self, outcomes: Vec<QueuedOutcome>) -> Result<(), TooManyOutcomes> {
        self.queue.queue(outcomes)
    }

    /// Lays the sandbox's own rules down, in the place of those before. The later word on evolution holds.
    pub(crate) fn lay_down(&mut self, rules: Rules) {
        if !rules.evolved().kinds().is_empty() {
            self.evolved = None;
        }
        self.own = rules;
    }

    /// Takes the file's rules, in the place of those before.
    pub(crate) fn follow_file(&mut self, rules: Rules) {
        self.file = rules;
    }

    /// Lets Klarna evolve in these ways and in no others, whatever rules say, until a reset.
    pub(crate) fn evolve(&mut self, evolved: Evolved) {
        self.evolved = Some(evolved);
    }

    /// In which ways Klarna has evolved: by the tester's word or, without one, by the sandbox's rules and the
    /// file.
    pub(crate) fn evolved(&self) -> Evolved {
        self.evolved.clone().unwrap_or_else(|| self.own.evolved().and(self.file.evolved()))
    }

    /// Follows the file as it is by now, where it was read again since this was put aside.
    pub(crate) fn keep_file_of(&mut self, current: &Self) {
        if !self.file.is_of_one_reading_with(&current.file) {
            self.file = current.file.afresh();
        }
    }

    /// Whether there are any rules.
    pub(crate) fn has_rules(&self) -> bool {
        self.own.len() + self.file.len() > 0
    }

    pub(crate) fn view(&self) -> RulesView {
        RulesView { rules: self.own.views(), file: self.file.views() }
    }

    /// What decides on a call, if anything that the tester asked for does. `draw` makes a number below
    /// its second argument of the ordinal of the draw. Nothing changes until it is served.
    pub(crate) fn foresee(&self, occasion: &Occasion<'_>, draw: impl Fn(u64, u64) -> u64) -> Option<Choice> {
        self.look_through(occasion, draw, &mut |_| {})
    }

    /// The same, with all that was looked at.
    pub(crate) fn explain(
        &self,
        occasion: &Occasion<'_>,
        draw: impl Fn(u64, u64) -> u64,
    ) -> (Option<Choice>, Vec<Considered>) {
        let mut considered = Vec::new();
        let choice = self.look_through(occasion, draw, &mut |one| considered.push(one));
        (choice, considered)
    }

    /// Counts a choice as served.
    pub(crate) fn serve(&mut self, choice: &Choice) {
        match choice.source {
            Source::Queue(position) => self.queue.serve(position),
            Source::Own(position) => self.own.serve(position),
            Source::File(position) => self.file.serve(position),
            Source::MagicValue => {}
        }
        self.draws += u64::from(choice.drawn);
    }

    fn look_through(
        &self,
        occasion: &Occasion<'_>,
        draw: impl Fn(u64, u64) -> u64,
        tell: &mut dyn FnMut(Considered),
    ) -> Option<Choice> {
        if occasion.operation == AUTHORIZE {
            let queued = self.queue.first(occasion);
            tell(considered("queued", queued.is_some(), self.queue.why(queued.is_some())));
            if let Some((position, then)) = queued {
                let by = Cow::Borrowed("queued");
                return Some(Choice { source: Source::Queue(position), drawn: false, by, then });
            }
        }
        let draw = |below| draw(self.draws + 1, below);
        for (rules, prefix) in [(&self.own, "rule"), (&self.file, "file-rule")] {
            let name = |name: &str| format!("{prefix}:{name}");
            let fitting = rules.first(occasion, draw, |passed, why| {
                tell(considered(name(passed), false, why));
            });
            let Some(fitting) = fitting else { continue };
            let by = name(&fitting.name);
            tell(considered(by.clone(), true, "the call meets all its conditions".to_owned()));
            let position = fitting.position;
            let source = if prefix == "rule" { Source::Own(position) } else { Source::File(position) };
            return Some(Choice { source, drawn: fitting.drawn, by: by.into(), then: fitting.then });
        }
        self.magic(occasion, tell)
    }

    /// Documented customers whom Klarna declines at the first call.
    fn magic(&self, occasion: &Occasion<'_>, tell: &mut dyn FnMut(Considered)) -> Option<Choice> {
        if occasion.operation != AUTHORIZE || occasion.on != CallKind::Initial {
            return None;
        }
        let denied = magic_values::denied(occasion.body);
        let why = match (&denied, self.magic_values) {
            (_, false) => "magic values are switched off (rules.magic_values)".to_owned(),
            (None, true) => "neither email nor phone is one of a test customer who is declined".to_owned(),
            (Some(why), true) => why.clone(),
        };
        let decides = denied.is_some() && self.magic_values;
        tell(considered("magic-value", decides, why));
        let then = Then { result: Some(AuthorizationResult::Declined), ..Then::default() };
        let by = Cow::Borrowed("magic-value");
        decides.then_some(Choice { source: Source::MagicValue, drawn: false, by, then })
    }
}

fn considered(by: impl Into<String>, fits: bool, why: String) -> Considered {
    Considered { by: by.into(), fits, why }
}
