//! Typed views and schemas say the same, both ways.

use std::collections::BTreeSet;

use klarna_schemas::catalogue::{Catalogue, Disposition, check};
use serde_json::{Value, json};

use crate::filled::{Filled, klarna, simulator};

/// Fields that the schemas know and the typed views do not read yet.
const NOT_TYPED_YET: &[(&str, &[&str])] = &[
    // One form of each at a time.
    (
        "klarna/authorize-request#/$defs/acquiring_config",
        &["payment_account_id", "payment_acquiring_account_id", "payment_account_reference"],
    ),
    ("klarna/authorize-request#/$defs/point_of_checkout", &["store_id", "store_reference", "store"]),
    ("klarna/error", &["doc_url"]),
    ("klarna/payment-request", &["state_expires_at"]),
    ("klarna/payment-request#/$defs/interaction_expiry", &["duration", "timestamp"]),
    ("klarna/payment-request#/$defs/state_context", &["interoperability_token"]),
    ("klarna/payment-request#/$defs/state_context/klarna_customer", &["customer_profile"]),
    ("klarna/payment-request-event/payload", &["payment_transaction_id", "klarna_customer"]),
    (
        "klarna/supplementary-purchase-data",
        &[
            "travel_reservations",
            "lodging_reservations",
            "event_reservations",
            "vouchers",
            "insurances",
            "marketplace_sellers",
            "subscriptions",
            "ondemand_service",
            "additional_data",
        ],
    ),
    (
        "klarna/supplementary-purchase-data#/$defs/customer",
        &[
            "email_last_verified_at",
            "phone_last_verified_at",
            "national_identification",
            "customer_account",
            "customer_device",
        ],
    ),
    (
        "klarna/supplementary-purchase-data#/$defs/line_item",
        &["reference", "shipping_reference", "subscription_reference", "currency", "line_item_metadata"],
    ),
    // Each with one kind only.
    ("simulator/arm-fault", &["status", "body", "ms", "bytes", "every_ms", "after"]),
    ("simulator/fault", &["status", "body", "ms", "bytes", "every_ms", "after"]),
    // One of the three at a time.
    ("simulator/set-clock", &["advance", "set", "freeze"]),
];

#[test]
fn what_the_types_write_fits_the_schemas() {
    for Filled { schema, value, .. } in klarna().into_iter().chain(simulator()) {
        assert_eq!(check(schema, &value).unwrap(), [], "{schema}: {value:#}");
    }
}

#[test]
fn what_the_schemas_name_is_known_to_the_types_or_listed() {
    let mut missing = BTreeSet::new();
    for Filled { schema, value, .. } in klarna().into_iter().chain(simulator()) {
        unknown_to_type(schema, schema, Catalogue::global().schema(schema).unwrap(), &value, &mut missing);
    }
    let listed: BTreeSet<(String, String)> = NOT_TYPED_YET
        .iter()
        .flat_map(|(place, fields)| fields.iter().map(|field| ((*place).to_owned(), (*field).to_owned())))
        .collect();
    let unlisted: Vec<_> = missing.difference(&listed).collect();
    assert!(unlisted.is_empty(), "neither typed nor in NOT_TYPED_YET: {unlisted:#?}");
    let stale: Vec<_> = listed.difference(&missing).collect();
    assert!(stale.is_empty(), "in NOT_TYPED_YET, and typed by now: {stale:#?}");
}

/// Collects the properties that `schema` (in the file `file`, known as `place`) names and `value` lacks.
fn unknown_to_type(
    file: &str,
    place: &str,
    schema: &Value,
    value: &Value,
    missing: &mut BTreeSet<(String, String)>,
) {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let (file, schema) = Catalogue::global().resolve(file, reference).unwrap();
        let place = match reference.split_once('#') {
            Some((_, pointer)) => format!("{file}#{pointer}"),
            None => file.to_owned(),
        };
        return unknown_to_type(file, &place, schema, value, missing);
    }
    match value {
        Value::Array(items) => {
            for item in items {
                if let Some(schema) = schema.get("items") {
                    unknown_to_type(file, place, schema, item, missing);
                }
            }
        }
        Value::Object(members) => {
            for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
                match members.get(name) {
                    Some(member) => {
                        unknown_to_type(file, &format!("{place}/{name}"), schema, member, missing);
                    }
                    None => {
                        missing.insert((place.to_owned(), name.clone()));
                    }
                }
            }
        }
        _ => {}
    }
}

/// Every body that can be made of a filled one by a single change, with what was changed.
fn mutations(value: &Value) -> Vec<(String, Value)> {
    let odd = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.0),
        json!(1.5),
        json!(1e30),
        json!(70_000),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(""),
        json!("x"),
        json!("2026-01-31"),
        json!("PT3H"),
        json!("3h"),
        json!("2026-01-31T09:30:00Z"),
        json!("9999-12-31T23:59:59Z"),
        json!([]),
        json!([null]),
        json!(["x"]),
        json!({}),
        json!({ "x": 1 }),
    ];
    let mut found = Vec::new();
    let mut pointers = vec![String::new()];
    while let Some(pointer) = pointers.pop() {
        let here = value.pointer(&pointer).unwrap();
        for replacement in &odd {
            let mut changed = value.clone();
            *changed.pointer_mut(&pointer).unwrap() = replacement.clone();
            found.push((format!("{pointer} = {replacement}"), changed));
        }
        match here {
            Value::Object(members) => {
                for name in members.keys() {
                    let mut changed = value.clone();
                    changed.pointer_mut(&pointer).unwrap().as_object_mut().unwrap().shift_remove(name);
                    found.push((format!("{pointer}/{name} taken out"), changed));
                    pointers.push(format!("{pointer}/{name}"));
                }
                let mut changed = value.clone();
                changed.pointer_mut(&pointer).unwrap()["unheard_of"] = json!(1);
                found.push((format!("{pointer}/unheard_of added"), changed));
            }
            Value::Array(items) => {
                pointers.extend((0..items.len()).map(|index| format!("{pointer}/{index}")));
            }
            _ => {}
        }
    }
    found
}

fn rejected(schema: &str, body: &Value) -> bool {
    check(schema, body).unwrap().iter().any(|violation| violation.disposition == Disposition::Reject)
}

#[test]
fn what_no_schema_rejects_the_types_can_read() {
    let mut judged = 0;
    for Filled { schema, value, read } in klarna().into_iter().chain(simulator()) {
        for (what, body) in mutations(&value) {
            if !rejected(schema, &body) {
                judged += 1;
                if let Err(error) = read(body.clone()) {
                    panic!("{schema} lets pass what its type cannot read ({what}): {error}");
                }
            }
        }
    }
    assert!(judged > 1000, "only {judged} bodies passed a schema");
}

/// The simulator's own shapes are closed: a schema refuses what its type refuses, and the other way
/// round, but for what stands here.
#[test]
fn what_the_simulator_refuses_its_schemas_refuse_for_the_same_fields() {
    let stricter_in_the_schema = [
        // Always written, though a reader would do without.
        ("simulator/customer-acted", "/redirect_to taken out"),
        ("simulator/journal-entry", "/findings taken out"),
        ("simulator/journal-page", "/entries/0/findings taken out"),
    ];
    for Filled { schema, value, read } in simulator() {
        for (what, body) in mutations(&value) {
            let free = value.pointer("/line_items/0").is_some() && what.starts_with("/line_items/0")
                || what.starts_with("/judged");
            if (what.ends_with("taken out") || what.ends_with("added"))
                && !free
                && !stricter_in_the_schema.contains(&(schema, what.as_str()))
            {
                assert_eq!(rejected(schema, &body), read(body.clone()).is_err(), "{schema}: {what}");
            }
        }
    }
}
