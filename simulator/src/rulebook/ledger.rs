//! What the rules have said in one sandbox and epoch.

use indexmap::IndexMap;
use klarna_schemas::simulator::control::Findings;
use klarna_schemas::simulator::finding::Finding;

use super::{CallContext, DeliveryContext, Judge, Judgement, RefusedContext, Rule, rules};
use crate::engine::Payment;

/// The most findings that one sandbox keeps in an epoch; later ones are counted as judged only.
const MAX_FINDINGS: usize = 1_000;

/// Findings, and how often each rule had something to judge, by payment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    findings: Vec<Finding>,
    judged: IndexMap<Option<String>, IndexMap<&'static str, u64>>,
    /// Whether it is known of any payment what the Partner asked.
    intents_declared: bool,
}

/// Rules that compare with what the Partner was declared to ask.
const INTENDED: [&str; 8] = [
    "network-data.byte-equal",
    "session-token.forwarded",
    "authorize.unasked",
    "amount.as-intended",
    "currency.as-intended",
    "purchase-reference.as-intended",
    "line-items.as-intended",
    "payment-option.as-intended",
];

impl Ledger {
    /// Judges an authorize call. Returns what was found.
    pub(crate) fn call(&mut self, context: &CallContext<'_>) -> Vec<Finding> {
        self.intents_declared |= context.intents_declared;
        self.run(Some(&context.payment.name), |rule| match rule.judge {
            Judge::Call(judge) => judge(context),
            _ => Judgement::NotJudged,
        })
    }

    /// Judges an authorize whose body did not validate. It belongs to no payment.
    pub(crate) fn refused(&mut self, context: &RefusedContext<'_>) -> Vec<Finding> {
        self.run(None, |rule| match rule.judge {
            Judge::Refused(judge) => judge(context),
            _ => Judgement::NotJudged,
        })
    }

    /// Judges that a token died without a final call.
    pub(crate) fn token_died(&mut self, payment: &Payment) -> Vec<Finding> {
        self.run(Some(&payment.name), |rule| match rule.judge {
            Judge::TokenDied(judge) => judge(payment),
            _ => Judgement::NotJudged,
        })
    }

    /// Judges one attempt to deliver an event.
    pub(crate) fn delivery(&mut self, payment: Option<&str>, context: &DeliveryContext<'_>) -> Vec<Finding> {
        self.run(payment, |rule| match rule.judge {
            Judge::Delivery(judge) => judge(context),
            _ => Judgement::NotJudged,
        })
    }

    fn run(&mut self, payment: Option<&str>, judge: impl Fn(&Rule) -> Judgement) -> Vec<Finding> {
        let payment = payment.map(str::to_owned);
        let mut found = Vec::new();
        for rule in rules() {
            let judgement = judge(rule);
            if judgement == Judgement::NotJudged {
                continue;
            }
            *self.judged.entry(payment.clone()).or_default().entry(rule.id).or_default() += 1;
            if let Judgement::Found(draft) = judgement {
                found.push(rule.finding(*draft, payment.clone()));
            }
        }
        for finding in &found {
            tracing::warn!(
                rule = finding.rule,
                duties = finding.duties.join(" "),
                payment = finding.payment.as_deref().unwrap_or("-"),
                at = finding.r#where,
                mend = finding.mend,
                "{}",
                finding.what
            );
        }
        let room = MAX_FINDINGS.saturating_sub(self.findings.len());
        self.findings.extend(found.iter().take(room).cloned());
        found
    }

    /// Forgets how often rules had something to judge in a payment; its findings stay.
    pub(crate) fn forget(&mut self, payment: &str) {
        self.judged.shift_remove(&Some(payment.to_owned()));
    }

    /// Why a rule has judged nothing.
    fn why_not(&self, rule: &Rule) -> &'static str {
        if INTENDED.contains(&rule.id) && !self.intents_declared {
            return "no intent was declared: what the Partner sent is not known here";
        }
        match rule.judge {
            Judge::Call(_) => "no authorize came that it could go by",
            Judge::Refused(_) => "no authorize came whose body does not validate",
            Judge::TokenDied(_) => "no session token died unused",
            Judge::Delivery(_) => "no webhook was sent that it could go by",
        }
    }

    /// Everything, or what is about one payment.
    pub(crate) fn read(&self, payment: Option<&str>) -> Findings {
        let wanted = |of: Option<&str>| payment.is_none() || of == payment;
        let findings =
            self.findings.iter().filter(|finding| wanted(finding.payment.as_deref())).cloned().collect();
        let mut judged = IndexMap::new();
        for counts in self.judged.iter().filter(|(of, _)| wanted(of.as_deref())).map(|(_, counts)| counts) {
            for (rule, count) in counts {
                *judged.entry((*rule).to_owned()).or_default() += count;
            }
        }
        let silent = rules().filter(|rule| !judged.contains_key(rule.id));
        let not_judged = silent.map(|rule| (rule.id.to_owned(), self.why_not(rule).to_owned())).collect();
        Findings { findings, judged, not_judged }
    }
}
