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
    let entry = format!("$.{list}[?@.{kind} == '{klarna}']");
    let at = |accept: fn(&str) -> bool| place(document, &item, accept).map(|place| format!("{entry}{place}"));
    let instruction = at(|name| name.contains("instruction") || name.contains("directive"));
    let whole = at(|name| name == "paymentoption");
    let id = at(|name| ["paymentoptionid", "optionid", "optionkey"].contains(&name))
        .or_else(|| whole.as_ref().map(|path| format!("{path}.payment_option_id")));
    let mut given = vec![
        (instruction.ok_or_else(|| "where Klarna's instruction is handed on".to_owned()), "/instruction"),
        (
            id.ok_or_else(|| "where the id of Klarna's payment option is handed on".to_owned()),
            "/payment_option/payment_option_id",
        ),
    ];
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

/// Where in an entry a member stands: in it, or in a member of it.
fn place(document: &Document, item: &Shape, accept: fn(&str) -> bool) -> Option<String> {
    if let Some(name) = item.members.keys().find(|name| accept(&bare(name))) {
        return Some(format!(".{name}"));
    }
    item.members.iter().find_map(|(name, schema)| {
        let member = document.shape(schema);
        let inner = member.members.keys().find(|name| accept(&bare(name)))?;
        Some(format!(".{name}.{inner}"))
    })
}
