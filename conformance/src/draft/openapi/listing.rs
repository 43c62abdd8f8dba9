//! The call that lists payment methods.

use serde_json::Value;

use super::super::words::bare;
use super::super::{Draft, Listing, Operation};
use super::body;
use super::document::{Document, Shape};
use super::operations::{self, Call};

/// The proposal; none where no list of the answer has a name that is Klarna's.
pub(super) fn of(document: &Document, call: &Call<'_>) -> Option<Listing> {
    let schema = document.answer_schema(call.operation)?;
    let shape = document.shape(schema);
    let (list, item) = shape.members.iter().find_map(|(name, schema)| {
        let item = document.shape(document.shape(schema).items.as_ref()?);
        item.is_object().then(|| (name.clone(), item))
    })?;
    let (kind, klarna) = klarna(document, &item)?;
    let mut given = vec![(
        place(
            document,
            &item,
            &list,
            &kind,
            &klarna,
            |name| name.contains("instruction") || name.contains("directive"),
            "",
        )
        .ok_or_else(|| "where Klarna's instruction is handed on".to_owned()),
        "/instruction",
    )];
    let is_id = |name: &str| ["paymentoptionid", "optionid", "optionkey"].contains(&name);
    let whole = place(document, &item, &list, &kind, &klarna, |name| name == "paymentoption", "");
    let id = place(document, &item, &list, &kind, &klarna, is_id, "")
        .or_else(|| whole.as_ref().map(|path| format!("{path}.payment_option_id")));
    given.push((
        id.ok_or_else(|| "where the id of Klarna's payment option is handed on".to_owned()),
        "/payment_option/payment_option_id",
    ));
    given.extend(whole.map(|path| (Ok(path), "/payment_option")));
    let mut draft = Draft::default();
    let request = operations::request(document, call, "", &mut draft, None);
    let request = Operation { body: body::of(document, call.operation), ..request };
    Some(Listing { call: request, methods: format!("$.{list}[*].{kind}"), klarna, given })
}

/// The member that names a method, and the name that is Klarna's.
fn klarna(document: &Document, item: &Shape) -> Option<(String, String)> {
    item.members.iter().find_map(|(name, schema)| {
        let words = document.shape(schema).words;
        let klarna = words.iter().filter_map(Value::as_str).find(|word| bare(word).contains("klarna"))?;
        Some((name.clone(), klarna.to_owned()))
    })
}

/// The JSONPath of a member of Klarna's entry.
fn place(
    document: &Document,
    item: &Shape,
    list: &str,
    kind: &str,
    klarna: &str,
    accept: impl Fn(&str) -> bool,
    within: &str,
) -> Option<String> {
    let here = item.members.iter().find(|(name, _)| accept(&bare(name)));
    if let Some((name, _)) = here {
        return Some(format!("$.{list}[?@.{kind} == '{klarna}']{within}.{name}"));
    }
    item.members.iter().find_map(|(name, schema)| {
        let member = document.shape(schema);
        let inner = member.members.keys().find(|name| accept(&bare(name)))?;
        Some(format!("$.{list}[?@.{kind} == '{klarna}']{within}.{name}.{inner}"))
    })
}
