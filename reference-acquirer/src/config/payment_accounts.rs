//! Whether Partners' payment accounts can be used as they are written.

use std::collections::BTreeMap;

use super::complaints::Complaint;
use super::partners::PartnerSettings;

/// What every payment account's name has between its colons (contract
/// `webhooks-and-network-data.md` F).
const KIND: &str = "payment-account";

/// What is wrong with them. Two Partners on one account would be paid for each other.
pub(super) fn complaints(partners: &[PartnerSettings]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for (index, partner) in partners.iter().enumerate() {
        let name = partner.name.as_str();
        let for_all = partner.klarna_payment_account.iter().map(|account| (None, account));
        let by_currency =
            partner.klarna_payment_accounts.iter().map(|(currency, account)| (Some(currency), account));
        for (currency, account) in for_all.chain(by_currency) {
            let setting = match currency {
                Some(currency) => format!("partners[{index}].klarna_payment_accounts.{currency}"),
                None => format!("partners[{index}].klarna_payment_account"),
            };
            let mut complain =
                |text: String| complaints.push(Complaint::new(&setting, format!("partner {name:?}: {text}")));
            if let Some(currency) = currency.filter(|currency| !is_currency(currency)) {
                complain(format!("{currency:?} is no currency; three capitals of ISO 4217 are, such as SEK"));
            }
            if !is_payment_account(account) {
                complain(format!(
                    "{account:?} is no payment account; Klarna's look like \
                     krn:partner:global:account:payment-account:…"
                ));
            }
            let owner = *owners.entry(account).or_insert(name);
            if owner != name {
                complain(format!("the payment account {account} is partner {owner:?}'s; each needs its own"));
            }
        }
    }
    complaints
}

fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn is_payment_account(text: &str) -> bool {
    let mut parts = text.split(':');
    parts.next() == Some("krn")
        && parts.clone().any(|part| part == KIND)
        && parts.all(|part| !part.is_empty())
}
