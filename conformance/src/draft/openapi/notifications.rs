//! What the acquirer tells its Partners, where the document says so.

use serde_json::Value;

use super::super::Notifications;
use super::super::words::bare;
use super::answer;
use super::document::Document;
use crate::adapter::Outcome;

/// Notifications about payments: OpenAPI 3.1's `webhooks`, the create call's `callbacks`, or a schema that is
/// called so.
pub(super) fn of(document: &Document, create: &Value) -> Option<Notifications> {
    let webhooks = document.at("/webhooks").and_then(Value::as_object).into_iter().flatten();
    let webhooks = webhooks.map(|(name, item)| (format!("the webhook {name}"), document.followed(item)));
    let callbacks = create.get("callbacks").and_then(Value::as_object).into_iter().flatten();
    let callbacks = callbacks.flat_map(|(name, callback)| {
        let items = document.followed(callback).as_object().into_iter().flatten();
        items.map(move |(_, item)| (format!("the callback {name}"), document.followed(item)))
    });
    let posted = |(found, item): (String, &Value)| {
        let body = item.get("post")?.get("requestBody")?;
        let (_, schema) = document.body_schema(body)?;
        about_payments(document, found, schema)
    };
    webhooks.chain(callbacks).find_map(posted).or_else(|| by_name(document))
}

/// A schema of this name, where it tells of a payment.
fn by_name(document: &Document) -> Option<Notifications> {
    let called = |name: &str| ["notification", "webhook"].iter().any(|word| bare(name).contains(word));
    let mut named = document.schemas().filter(|(name, _)| called(name));
    named.find_map(|(name, schema)| {
        let found = format!("the schema {name}: that it is sent to Partners is likely, and no more");
        about_payments(document, found, schema)
    })
}

fn about_payments(document: &Document, found: String, schema: &Value) -> Option<Notifications> {
    let members = answer::all_in_lists(document, schema);
    let payment_id = answer::id_of_payment(&members);
    let mut outcome = answer::outcome(&members, None);
    answer::must_say(
        &mut outcome,
        Outcome::Approved,
        None,
        "which notification says that the payment is approved",
    );
    let says_how = outcome.iter().filter(|rule| rule.is.is_ok()).count() >= 2;
    (payment_id.is_ok() || says_how).then_some(Notifications { found, payment_id, outcome })
}
