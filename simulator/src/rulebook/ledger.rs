//! What the rules have said in one sandbox and epoch.

use indexmap::IndexMap;
use jiff::Timestamp;
use klarna_schemas::simulator::control::Findings;
use klarna_schemas::simulator::finding::{Finding, Severity};

use super::api_call::Traffic;
use super::{
    ApiCall, ApiContext, CallContext, DeathContext, DeliveryContext, Judge, Judgement, RefusedContext, Rule,
    rules,
};

/// The most findings that one sandbox keeps in an epoch; others are counted.
const MAX_FINDINGS: usize = 1_000;

/// Findings, and how often each rule had something to judge, by payment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    findings: Vec<Finding>,
    /// How many there was no room for.
    dropped: u64,
    traffic: Traffic,
    judged: IndexMap<Option<String>, IndexMap<&'static str, u64>>,
    /// Whether it is known of any payment what the Partner asked.
    intents_declared: bool,
}

impl Ledger {
    /// Judges an authorize call. Returns what was found.
    pub(crate) fn call(&mut self, context: &CallContext<'_>) -> Vec<Finding> {
        self.intents_declared |= context.intents_declared;
        self.run(Some(&context.payment.name), |judge| match judge {
            Judge::Call(judge) => judge(context),
            _ => Judgement::NotJudged,
        })
    }

    /// Judges a call to Klarna's API, and remembers it.
    pub(crate) fn api(&mut self, call: &ApiCall, seq: u64, answered_at: Timestamp) -> Vec<Finding> {
        let traffic = std::mem::take(&mut self.traffic);
        let context = ApiContext { call, seq, earlier: &traffic };
        let found = self.run(call.payment.as_deref(), |judge| match judge {
            Judge::Api(judge) => judge(&context),
            _ => Judgement::NotJudged,
        });
        self.traffic = traffic;
        self.traffic.remember(call, seq, answered_at);
        found
    }

    /// Judges an authorize whose body did not validate.
    pub(crate) fn refused(&mut self, context: &RefusedContext<'_>) -> Vec<Finding> {
        self.run(context.payment.map(|payment| payment.name.as_str()), |judge| match judge {
            Judge::Refused(judge) => judge(context),
            _ => Judgement::NotJudged,
        })
    }

    /// Judges that a token died without a final call.
    pub(crate) fn token_died(&mut self, context: &DeathContext<'_>) -> Vec<Finding> {
        self.run(Some(&context.payment.name), |judge| match judge {
            Judge::TokenDied(judge) => judge(context),
            _ => Judgement::NotJudged,
        })
    }

    /// Judges one attempt to deliver an event.
    pub(crate) fn delivery(&mut self, payment: Option<&str>, context: &DeliveryContext<'_>) -> Vec<Finding> {
        self.run(payment, |judge| match judge {
            Judge::Delivery(judge) => judge(context),
            _ => Judgement::NotJudged,
        })
    }

    fn run(&mut self, payment: Option<&str>, judge: impl Fn(&Judge) -> Judgement) -> Vec<Finding> {
        let payment = payment.map(str::to_owned);
        let mut found = Vec::new();
        for rule in rules() {
            let judgement = rule.judges().map(&judge).find(|said| *said != Judgement::NotJudged);
            let Some(judgement) = judgement else { continue };
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
        for finding in &found {
            self.keep(finding);
        }
        found
    }

    /// Keeps a finding. Where there is no room, one that fails takes the place of the newest that only
    /// warns; what has no place is counted.
    fn keep(&mut self, finding: &Finding) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding.clone());
            return;
        }
        self.dropped += 1;
        let warns = |kept: &Finding| kept.severity == Severity::Warns;
        if finding.severity == Severity::Fails
            && let Some(given_up) = self.findings.iter().rposition(warns)
        {
            self.findings.remove(given_up);
            self.findings.push(finding.clone());
        }
    }

    /// Forgets how often rules had something to judge in a payment; its findings stay.
    pub(crate) fn forget(&mut self, payment: &str) {
        self.judged.shift_remove(&Some(payment.to_owned()));
    }

    /// Why a rule has judged nothing.
    fn why_not(&self, rule: &Rule) -> &'static str {
        if rule.by_intent && !self.intents_declared {
            return "no intent was declared: what the Partner sent is not known here";
        }
        match rule.judge {
            Judge::Api(_) => "no call came that it could go by",
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
        Findings { findings, judged, not_judged, dropped: self.dropped }
    }
}
