//! The rulebook: what a well-made acquirer's traffic looks like from Klarna's side.
//!
//! A rule judges one occasion (a call, a delivery, a token's death) with the payment's history in
//! view. It says *not judged* where it has nothing to go by; it never guesses. Rules read compact
//! facts, never the journal.

mod access;
mod api_call;
mod final_call;
mod headers;
mod idempotency;
mod ledger;
mod line_totals;
mod network_data;
mod older_names;
mod order;
mod page;
mod payment_option;
mod post_purchase;
mod requests;
mod retry;
mod rule;
mod subscription;
mod survival;
mod transport;
mod webhook;

pub(crate) use api_call::{ApiCall, ApiContext, Seen};
pub(crate) use ledger::Ledger;
pub(crate) use page::markdown;
pub(crate) use rule::{
    CallContext, DeathContext, DeliveryContext, Draft, Judge, Judgement, RefusedContext, Rule,
};

/// All rules, a topic a file.
pub(crate) fn rules() -> impl Iterator<Item = &'static Rule> {
    [
        network_data::RULES,
        order::RULES,
        line_totals::RULES,
        payment_option::RULES,
        final_call::RULES,
        requests::RULES,
        survival::RULES,
        post_purchase::RULES,
        idempotency::RULES,
        retry::RULES,
        headers::RULES,
        access::RULES,
        transport::RULES,
        older_names::RULES,
        subscription::RULES,
        webhook::RULES,
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use klarna_schemas::requirements::Requirements;

    use super::*;

    #[test]
    fn ids_are_unique_and_duties_exist() {
        let mut seen = HashSet::new();
        for rule in rules() {
            assert!(seen.insert(rule.id), "{} stands twice", rule.id);
            assert!(!rule.duties.is_empty(), "{} speaks about no duty", rule.id);
            for duty in rule.duties {
                assert!(Requirements::global().get(duty).is_some(), "{}: no duty {duty}", rule.id);
            }
        }
    }
}
