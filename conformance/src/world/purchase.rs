//! Purchase data, field by field: what the Partner gave and what reached Klarna.

use klarna_schemas::simulator::finding::Finding;
use serde_json::{Value, json};

use super::World;
use super::checks::finding;
use super::failure::Failure;
use super::journal::Call;
use crate::adapter::{Address, Order};

/// Where purchase data stands in an authorize.
const DATA: &str = "/supplementary_purchase_data";

/// A field of an order that Klarna wants to know.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// As features name it.
    words: &'static str,
    need: Need,
    /// Places in the purchase data, and what the order makes stand there.
    places: fn(&Order) -> Vec<(String, Value)>,
    /// The order with this field changed and nothing else: what tells whether the acquirer's API has a
    /// place for it.
    change: fn(&mut Order),
}

/// Whether an acquirer's API must have a place for a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Klarna asks acquirers for it (payments.md 2.1, "required" table): an adapter that leaves it out
    /// leaves a duty unjudged.
    Always,
    /// Klarna takes it where the Partner gave it: an API without a place for it cannot lose it.
    WhereThereIsAPlace,
}

/// Older names of fields, under which Klarna still takes them (contract, decisions).
const OLDER_NAMES: &[(&str, &str)] = &[("line_item_reference", "reference")];

/// A value of each order line.
fn of_lines(
    order: &Order,
    name: &str,
    value: impl Fn(&crate::adapter::OrderLine) -> Value,
) -> Vec<(String, Value)> {
    let line = |(index, line)| (format!("line_items/{index}/{name}"), value(line));
    order.lines.iter().enumerate().map(line).collect()
}

fn one(place: &str, value: &str) -> Vec<(String, Value)> {
    vec![(place.to_owned(), json!(value))]
}

fn region(of: &str, address: &Address) -> Vec<(String, Value)> {
    address.region.iter().map(|region| (format!("{of}/address/region"), json!(region))).collect()
}

/// The value at a place of the purchase data, under its name or an older one.
fn came_at<'a>(body: &'a Value, place: &str) -> Option<&'a Value> {
    let at = |place: &str| body.pointer(&format!("{DATA}/{place}"));
    let older = || {
        let (before, name) = place.rsplit_once('/')?;
        let (_, older) = OLDER_NAMES.iter().find(|(current, _)| *current == name)?;
        at(&format!("{before}/{older}"))
    };
    at(place).or_else(older)
}

const FIELDS: &[Field] = &[
    Field {
        words: "purchase reference",
        need: Need::Always,
        places: |order| one("purchase_reference", &order.purchase_reference),
        change: |order| order.purchase_reference.push('X'),
    },
    Field {
        words: "name of each line",
        need: Need::Always,
        places: |order| of_lines(order, "name", |line| json!(line.name)),
        change: |order| order.lines.iter_mut().for_each(|line| line.name.push('X')),
    },
    Field {
        words: "quantity of each line",
        need: Need::Always,
        places: |order| of_lines(order, "quantity", |line| json!(line.quantity)),
        change: |order| order.lines.iter_mut().for_each(|line| line.quantity += 1),
    },
    Field {
        words: "price of each line",
        need: Need::WhereThereIsAPlace,
        places: |order| of_lines(order, "unit_price", |line| json!(line.unit_price)),
        change: |order| order.lines.iter_mut().for_each(|line| line.unit_price += 1),
    },
    Field {
        words: "total of each line",
        need: Need::Always,
        places: |order| of_lines(order, "total_amount", |line| json!(line.total_amount)),
        change: |order| order.lines.iter_mut().for_each(|line| line.total_amount += 1),
    },
    Field {
        words: "tax of each line",
        need: Need::WhereThereIsAPlace,
        places: |order| of_lines(order, "total_tax_amount", |line| json!(line.total_tax_amount)),
        change: |order| order.lines.iter_mut().for_each(|line| line.total_tax_amount += 1),
    },
    Field {
        words: "article number of each line",
        need: Need::WhereThereIsAPlace,
        places: |order| of_lines(order, "line_item_reference", |line| json!(line.reference)),
        change: |order| order.lines.iter_mut().for_each(|line| line.reference.push('X')),
    },
    Field {
        words: "given name of the customer",
        need: Need::Always,
        places: |order| one("customer/given_name", &order.customer.given_name),
        change: |order| order.customer.given_name.push('x'),
    },
    Field {
        words: "family name of the customer",
        need: Need::Always,
        places: |order| one("customer/family_name", &order.customer.family_name),
        change: |order| order.customer.family_name.push('x'),
    },
    Field {
        words: "email of the customer",
        need: Need::Always,
        places: |order| one("customer/email", &order.customer.email),
        change: |order| order.customer.email.push('x'),
    },
    Field {
        words: "phone of the customer",
        need: Need::Always,
        places: |order| one("customer/phone", &order.customer.phone),
        change: |order| order.customer.phone.push('1'),
    },
    Field {
        words: "street of the customer",
        need: Need::WhereThereIsAPlace,
        places: |order| one("customer/address/street_address", &order.billing_address.street_address),
        change: |order| order.billing_address.street_address.push('x'),
    },
    Field {
        words: "postal code of the customer",
        need: Need::WhereThereIsAPlace,
        places: |order| one("customer/address/postal_code", &order.billing_address.postal_code),
        change: |order| order.billing_address.postal_code.push('1'),
    },
    Field {
        words: "city of the customer",
        need: Need::WhereThereIsAPlace,
        places: |order| one("customer/address/city", &order.billing_address.city),
        change: |order| order.billing_address.city.push('x'),
    },
    Field {
        words: "region of the customer",
        need: Need::WhereThereIsAPlace,
        places: |order| region("customer", &order.billing_address),
        change: |order| order.billing_address.region = Some("x".to_owned()),
    },
    Field {
        words: "country of the customer",
        need: Need::WhereThereIsAPlace,
        places: |order| one("customer/address/country", &order.billing_address.country),
        change: |order| order.billing_address.country.push('X'),
    },
    Field {
        words: "given name of the recipient",
        need: Need::WhereThereIsAPlace,
        places: |order| one("shipping/0/recipient/given_name", &order.recipient.given_name),
        change: |order| order.recipient.given_name.push('x'),
    },
    Field {
        words: "family name of the recipient",
        need: Need::WhereThereIsAPlace,
        places: |order| one("shipping/0/recipient/family_name", &order.recipient.family_name),
        change: |order| order.recipient.family_name.push('x'),
    },
    Field {
        words: "street to ship to",
        need: Need::Always,
        places: |order| one("shipping/0/address/street_address", &order.shipping_address.street_address),
        change: |order| order.shipping_address.street_address.push('x'),
    },
    Field {
        words: "postal code to ship to",
        need: Need::Always,
        places: |order| one("shipping/0/address/postal_code", &order.shipping_address.postal_code),
        change: |order| order.shipping_address.postal_code.push('1'),
    },
    Field {
        words: "city to ship to",
        need: Need::Always,
        places: |order| one("shipping/0/address/city", &order.shipping_address.city),
        change: |order| order.shipping_address.city.push('x'),
    },
    Field {
        words: "region to ship to",
        need: Need::WhereThereIsAPlace,
        places: |order| region("shipping/0", &order.shipping_address),
        change: |order| order.shipping_address.region = Some("x".to_owned()),
    },
    Field {
        words: "country to ship to",
        need: Need::Always,
        places: |order| one("shipping/0/address/country", &order.shipping_address.country),
        change: |order| order.shipping_address.country.push('X'),
    },
];

impl Field {
    /// A field, from the words of a feature.
    pub fn from_words(words: &str) -> Option<&'static Self> {
        FIELDS.iter().find(|field| field.words == words)
    }
}

impl World {
    /// Asks that one field of the order stands in the initial authorize as the Partner gave it.
    ///
    /// # Errors
    /// When it does not, or the acquirer's API has no place for it.
    pub async fn must_carry(&mut self, field: &Field) -> Result<(), Failure> {
        let call = self.initial_call().await?;
        let order = &self.payment()?.order;
        let mut changed = order.clone();
        (field.change)(&mut changed);
        let gave_it = self.run.acquirer.tells_apart(self.partner(), order, &changed);
        if !gave_it.map_err(|error| Failure::Broken(error.to_string()))? {
            let why = format!("by the adapter, the acquirer's API has no place for the {}", field.words);
            return Err(match field.need {
                Need::Always => Failure::NothingToJudge(why),
                Need::WhereThereIsAPlace => Failure::NotApplicable(why),
            });
        }
        for (place, expected) in (field.places)(order) {
            self.judged("purchase-data.field", 1);
            let body = call.body().unwrap_or_default();
            let came = came_at(&body, &place);
            if came == Some(&expected) {
                continue;
            }
            let finding = self.field_is_wrong(field, &place, &expected, came, &call);
            return self.weigh(finding, None).await;
        }
        Ok(())
    }

    fn field_is_wrong(
        &self,
        field: &Field,
        place: &str,
        expected: &Value,
        came: Option<&Value>,
        call: &Call,
    ) -> Finding {
        let what = match came {
            None => format!("the {} is missing, and the Partner gave it", field.words),
            Some(_) => format!("the {} is not as the Partner gave it", field.words),
        };
        let place = format!("authorize request, supplementary_purchase_data, {place}");
        let mut finding = finding("purchase-data.field", &self.scenario.duties, place, what);
        finding.expected = Some(expected.to_string());
        finding.got = Some(came.map_or_else(|| "nothing".to_owned(), Value::to_string));
        finding.exchanges = vec![call.entry.seq];
        finding.payment.clone_from(&call.entry.payment);
        finding
    }

    /// Asks that the order lines which reached Klarna add up to the amount.
    ///
    /// # Errors
    /// When they do not.
    pub async fn must_add_up(&mut self) -> Result<(), Failure> {
        let call = self.initial_call().await?;
        let body = call.body().unwrap_or_default();
        let lines = body.pointer(&format!("{DATA}/line_items")).and_then(Value::as_array);
        let amount = body.pointer("/request_payment_transaction/amount").and_then(Value::as_i64);
        let (Some(lines), Some(amount)) = (lines, amount) else {
            return Err(Failure::NothingToJudge("the authorize has no order lines or no amount".to_owned()));
        };
        let total = |line: &Value| line.get("total_amount").and_then(Value::as_i64).unwrap_or(0);
        let sum: i64 = lines.iter().map(total).sum();
        self.judged("line-items.add-up", 1);
        if sum == amount {
            return Ok(());
        }
        let mut finding = finding(
            "line-items.add-up",
            &self.scenario.duties,
            "authorize request, supplementary_purchase_data.line_items",
            "the order lines do not add up to the amount",
        );
        finding.expected = Some(amount.to_string());
        finding.got = Some(sum.to_string());
        finding.exchanges = vec![call.entry.seq];
        self.weigh(finding, None).await
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::adapter::sample_order;

    #[test]
    fn an_older_name_of_a_field_is_the_same_field() {
        let body = json!({"supplementary_purchase_data": {"line_items": [{"reference": "C"}]}});
        assert_eq!(came_at(&body, "line_items/0/line_item_reference"), Some(&json!("C")));
        assert_eq!(came_at(&body, "line_items/0/name"), None);
    }

    #[test]
    fn each_field_changes_itself_and_nothing_else() {
        let all = |order: &Order| -> Vec<Vec<(String, Value)>> {
            FIELDS.iter().map(|field| (field.places)(order)).collect()
        };
        let before = all(&sample_order());
        for (index, field) in FIELDS.iter().enumerate() {
            let mut changed = sample_order();
            (field.change)(&mut changed);
            let after = all(&changed);
            let differing: HashSet<usize> =
                (0..FIELDS.len()).filter(|at| before[*at] != after[*at]).collect();
            assert_eq!(differing, HashSet::from([index]), "{}", field.words);
        }
    }
}
