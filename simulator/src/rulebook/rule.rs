//! What a rule is.

use klarna_schemas::klarna::error::ValidationError;
use klarna_schemas::requirements::Requirements;
use klarna_schemas::simulator::control::Intent;
use klarna_schemas::simulator::finding::{ByteDiff, Evidence, Finding};
use klarna_schemas::simulator::journal::Ending;
use serde_json::Value;

use super::api_call::ApiContext;
use crate::engine::{AuthorizeCall, CallRole, Payment};
use crate::evidence::grounds::{self, Ground, Subject};
use crate::journal::Sent;

/// One rule.
pub(crate) struct Rule {
    /// Stable: mutants, expectations and reports name it.
    pub(crate) id: &'static str,
    /// Duties it speaks about, the main one first.
    pub(crate) duties: &'static [&'static str],
    /// What it wants, in a line: `docs/rulebook.md` is made of it.
    pub(crate) about: &'static str,
    pub(crate) judge: Judge,
    /// Another occasion on which it judges.
    pub(crate) also: Option<Judge>,
    /// Whether it compares with what the Partner was declared to ask.
    pub(crate) by_intent: bool,
}

/// What a rule looks at.
pub(crate) enum Judge {
    /// Every authorize call.
    Call(fn(&CallContext<'_>) -> Judgement),
    /// An authorize whose body did not validate: no payment came of it.
    Refused(fn(&RefusedContext<'_>) -> Judgement),
    /// Every call to Klarna's API, whatever its operation.
    Api(fn(&ApiContext<'_>) -> Judgement),
    /// A session token that died without a final call.
    TokenDied(fn(&DeathContext<'_>) -> Judgement),
    /// Every attempt to deliver an event.
    Delivery(fn(&DeliveryContext<'_>) -> Judgement),
}

/// An authorize call in its payment.
pub(crate) struct CallContext<'a> {
    pub(crate) payment: &'a Payment,
    /// The calls before this one.
    pub(crate) earlier: &'a [AuthorizeCall],
    pub(crate) call: &'a AuthorizeCall,
    /// Whether this sandbox works with declared intents.
    pub(crate) intents_declared: bool,
    /// Which state changes of a payment request no enabled webhook of the acquirer covers.
    pub(crate) uncovered_events: &'a [&'static str],
    /// Whether Klarna has evolved in this sandbox.
    pub(crate) evolved: bool,
}

impl CallContext<'_> {
    /// Whether the payment begins with this call, whatever token came with it: no call before it was
    /// decided.
    pub(crate) fn is_first(&self) -> bool {
        self.initial().is_none() && self.call.role != CallRole::Replay
    }

    /// The earlier call that this one makes again, if it does.
    pub(crate) fn first_attempt(&self) -> Option<&AuthorizeCall> {
        self.earlier.iter().find(|earlier| self.call.repeats(earlier))
    }

    /// The payment's first call that Klarna decided, unless this is it.
    pub(crate) fn initial(&self) -> Option<&AuthorizeCall> {
        self.earlier.iter().find(|call| call.fault.is_none())
    }
}

/// A session token that died without a final call.
pub(crate) struct DeathContext<'a> {
    pub(crate) payment: &'a Payment,
    /// Whether Klarna has evolved in this sandbox.
    pub(crate) evolved: bool,
}

/// An authorize whose body did not validate.
pub(crate) struct RefusedContext<'a> {
    pub(crate) seq: u64,
    /// The payment whose token or reference it carries, if it is one's.
    pub(crate) payment: Option<&'a Payment>,
    pub(crate) raw: &'a Value,
    /// What did not validate, by field.
    pub(crate) fields: &'a [ValidationError],
    /// Whether only a policy of the tester's refuses it, and no known rule of Klarna's.
    pub(crate) by_policy: bool,
    /// What the Partner was declared to ask; it stays declared.
    pub(crate) intent: Option<&'a Intent>,
}

/// One attempt to deliver an event.
pub(crate) struct DeliveryContext<'a> {
    pub(crate) event_type: &'a str,
    pub(crate) seq: u64,
    pub(crate) ended: Ending,
    pub(crate) status: Option<u16>,
    /// How it compares with what Klarna sends by itself.
    pub(crate) sent: Sent,
}

/// What a rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// Nothing to go by.
    NotJudged,
    /// As it should be.
    Holds,
    /// Not as it should be.
    Found(Box<Draft>),
}

/// A finding before it has its rule's id, duties and severity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) r#where: String,
    pub(crate) what: String,
    pub(crate) mend: String,
    pub(crate) expected: Option<String>,
    pub(crate) got: Option<String>,
    pub(crate) diff: Option<ByteDiff>,
    pub(crate) exchanges: Vec<u64>,
}

impl Judgement {
    /// A finding where, what, how to mend; on the exchanges that prove it.
    pub(crate) fn found(r#where: &str, what: impl Into<String>, mend: &str, exchanges: Vec<u64>) -> Self {
        Self::Found(Box::new(Draft {
            r#where: r#where.to_owned(),
            what: what.into(),
            mend: mend.to_owned(),
            exchanges,
            ..Draft::default()
        }))
    }

    /// Holds, or a finding that shows both sides.
    pub(crate) fn equal(
        r#where: &str,
        what: &str,
        mend: &str,
        expected: Option<String>,
        got: Option<String>,
        exchanges: Vec<u64>,
    ) -> Self {
        if expected == got {
            return Self::Holds;
        }
        Self::Found(Box::new(Draft {
            r#where: r#where.to_owned(),
            what: what.to_owned(),
            mend: mend.to_owned(),
            expected: Some(expected.unwrap_or_else(|| "nothing".to_owned())),
            got: Some(got.unwrap_or_else(|| "nothing".to_owned())),
            diff: None,
            exchanges,
        }))
    }
}

impl Rule {
    /// A rule that judges on one kind of occasion.
    pub(crate) const fn of(
        id: &'static str,
        duties: &'static [&'static str],
        about: &'static str,
        judge: Judge,
    ) -> Self {
        Self { id, duties, about, judge, also: None, by_intent: false }
    }

    /// A rule over every authorize call.
    pub(crate) const fn of_calls(
        id: &'static str,
        duties: &'static [&'static str],
        about: &'static str,
        judge: fn(&CallContext<'_>) -> Judgement,
    ) -> Self {
        Self::of(id, duties, about, Judge::Call(judge))
    }

    /// A rule over every call to Klarna's API.
    pub(crate) const fn of_api(
        id: &'static str,
        duties: &'static [&'static str],
        about: &'static str,
        judge: fn(&ApiContext<'_>) -> Judgement,
    ) -> Self {
        Self::of(id, duties, about, Judge::Api(judge))
    }

    /// It judges on another occasion, too.
    pub(crate) const fn also(self, judge: Judge) -> Self {
        Self { also: Some(judge), ..self }
    }

    /// It compares with what the Partner was declared to ask.
    pub(crate) const fn by_intent(self) -> Self {
        Self { by_intent: true, ..self }
    }

    /// The occasions on which it judges.
    pub(crate) fn judges(&self) -> impl Iterator<Item = &Judge> {
        std::iter::once(&self.judge).chain(&self.also)
    }

    /// What in it is inferred, by the table of grounds, or in its duty.
    pub(crate) fn rests_on(&self) -> Vec<String> {
        let own = grounds::of(&Subject::Rule(self.id)).map(Ground::inferred_facts).unwrap_or_default();
        let duty = self.duties.first().and_then(|main| Requirements::global().get(main));
        let of_duty = duty.filter(|duty| duty.evidence == Evidence::Inferred).map(|duty| match &duty.note {
            Some(note) => format!("{}: {note}", duty.id),
            None => format!("{}: {}", duty.id, duty.title),
        });
        own.into_iter().chain(of_duty).collect()
    }

    /// The finding that a draft of this rule makes.
    pub(crate) fn finding(&self, draft: Draft, payment: Option<String>) -> Finding {
        let main = self.duties.first().copied().unwrap_or_default();
        let mut finding = Finding {
            rule: self.id.to_owned(),
            duties: self.duties.iter().map(|&duty| duty.to_owned()).collect(),
            level: Requirements::global().level(main),
            severity: Requirements::global().severity(main),
            evidence: Evidence::Confirmed,
            rests_on: Vec::new(),
            r#where: draft.r#where,
            what: draft.what,
            mend: draft.mend,
            expected: draft.expected,
            got: draft.got,
            diff: draft.diff,
            payment,
            exchanges: draft.exchanges,
        };
        for fact in self.rests_on() {
            finding.rest_on(fact);
        }
        finding
    }
}
