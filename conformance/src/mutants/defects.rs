//! The defects that can be planted, and what must find each.

use url::Url;

use super::plan::Plan;
use super::plans::approved_on_return::ApprovedOnReturn;
use super::plans::final_amount_changed::FinalAmountChanged;
use super::plans::final_call_skipped::FinalCallSkipped;
use super::plans::final_call_twice::FinalCallTwice;
use super::plans::final_token::{AnotherPayments, Without};
use super::plans::network_data::{Dropped, Reserialised};
use super::plans::signature_unchecked::SignatureUnchecked;
use super::plans::step_up_as_approved::StepUpAsApproved;

/// One defect.
#[derive(Debug, Clone, Copy)]
pub struct Defect {
    /// What `--defect` takes.
    pub name: &'static str,
    /// What the proxy does.
    pub plants: &'static str,
    /// The scenario that must turn red.
    pub killed_by: &'static str,
    /// The finding that must say so.
    pub finding: &'static str,
    /// The defect's hand in the passage, given the proxy's own URL.
    pub(super) plan: fn(&Url) -> Box<dyn Plan>,
}

/// Every defect that can be planted.
pub const DEFECTS: &[Defect] = &[
    Defect {
        name: "network-data-dropped",
        plants: "Klarna Network Data is left out of every authorize",
        killed_by: "the-document/transaction-approved",
        finding: "network-data.byte-equal",
        plan: |_| Box::new(Dropped),
    },
    Defect {
        name: "network-data-reserialised",
        plants: "Klarna Network Data is parsed as JSON and written again: keys sorted, spaces, escapes and duplicates gone",
        killed_by: "network-data/byte-for-byte/reaches-klarna-byte-for-byte#1",
        finding: "network-data.byte-equal",
        plan: |_| Box::new(Reserialised),
    },
    Defect {
        name: "final-call-skipped",
        plants: "the final authorize never reaches Klarna and is answered APPROVED",
        killed_by: "final-authorization/driven-by-the-webhook/the-webhook-drives-it-although-the-customer-never-comes-back",
        finding: "final.missing",
        plan: |_| Box::new(FinalCallSkipped),
    },
    Defect {
        name: "final-call-without-token",
        plants: "the final authorize reaches Klarna without its session token",
        killed_by: "final-authorization/content/it-carries-the-webhooks-session-token-not-the-partners",
        finding: "final.token-of-webhook",
        plan: |_| Box::new(Without),
    },
    Defect {
        name: "final-call-with-token-of-another-payment",
        plants: "each final authorize carries the session token of the account's payment before it, if Klarna still knows that one",
        killed_by: "final-authorization/content/each-of-two-payments-is-finalised-with-its-own-session-token",
        finding: "final.token-of-webhook",
        plan: |_| Box::new(AnotherPayments::default()),
    },
    Defect {
        name: "final-call-twice",
        plants: "after the final authorize comes another with its token, under a new reference and key",
        killed_by: "final-authorization/once/it-is-made-once-though-webhook-and-customer-come-together",
        finding: "final.one-logical",
        plan: |_| Box::new(FinalCallTwice),
    },
    Defect {
        name: "final-amount-changed",
        plants: "the final authorize asks for one minor unit more than the customer approved",
        killed_by: "final-authorization/content/amount-currency-and-references-are-those-of-the-initial-call",
        finding: "final.amount-unchanged",
        plan: |_| Box::new(FinalAmountChanged),
    },
    Defect {
        name: "approved-on-return-alone",
        plants: "that the customer comes back is taken for Klarna's approval, and the final authorize is not made",
        killed_by: "final-authorization/driven-by-the-webhook/a-return-of-the-customer-is-no-proof",
        finding: "partner.not-misled",
        plan: |proxy| Box::new(ApprovedOnReturn::new(proxy)),
    },
    Defect {
        name: "step-up-told-as-approved",
        plants: "STEP_UP_REQUIRED is taken for APPROVED: the customer is never asked",
        killed_by: "step-up/purchase-journey/in-redirect-mode-the-customer-opens-the-url-that-the-acquirer-returned",
        finding: "answer.outcome",
        plan: |_| Box::new(StepUpAsApproved),
    },
    Defect {
        name: "webhook-signature-unchecked",
        plants: "every event is believed, whoever signed it: the proxy signs them all rightly",
        killed_by: "webhooks/signatures/a-forged-approval-has-no-effect#1",
        finding: "forged.no-effect",
        plan: |_| Box::new(SignatureUnchecked),
    },
];
