//! Which calls create, read and list.

use klarna_schemas::nearest::nearest;
use serde_json::Value;

use super::super::words::bare;
use super::super::{Body, Content, Draft, Field, Operation, Sure, Variable, Wishes, by_hand};
use super::document::Document;
use super::{body, likely};

/// A call of the document.
#[derive(Debug, Clone)]
pub(super) struct Call<'a> {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) operation: &'a Value,
    pub(super) sure: Sure,
}

/// The calls that were found.
#[derive(Debug)]
pub(super) struct Chosen<'a> {
    pub(super) create: Option<Call<'a>>,
    pub(super) read: Option<Call<'a>>,
    pub(super) list: Option<Call<'a>>,
}

/// Last words of a path that payments are created at.
const PAYMENTS: &[&str] = &[
    "payments",
    "payment",
    "charges",
    "charge",
    "transactions",
    "orders",
    "paymentintents",
    "checkouts",
    "sessions",
    "authorizations",
];

/// Chooses.
pub(super) fn choose<'a>(document: &'a Document, wishes: &Wishes) -> Result<Chosen<'a>, String> {
    let create = match &wishes.create {
        Some(wish) => Some(wished(document, "--create", wish)?),
        None => best(document, |method, path, operation| creates(document, method, path, operation)),
    };
    let read = match &wishes.read {
        Some(wish) => Some(wished(document, "--read", wish)?),
        None => create
            .as_ref()
            .and_then(|create| best(document, |method, path, _| reads(method, path, &create.path))),
    };
    let list = match &wishes.list {
        Some(wish) => Some(wished(document, "--list", wish)?),
        None => best(document, lists),
    };
    Ok(Chosen { create, read, list })
}

fn wished<'a>(document: &'a Document, flag: &str, wish: &str) -> Result<Call<'a>, String> {
    let (method, path) = by_hand::call(flag, wish)?;
    let operations = document.operations();
    let found = operations.iter().find(|(known, at, _)| *known == method && *at == path);
    let Some((method, path, operation)) = found else {
        let known: Vec<String> =
            operations.iter().map(|(method, path, _)| format!("{method} {path}")).collect();
        let names: Vec<&str> = known.iter().map(String::as_str).collect();
        let hint =
            nearest(wish, &names).map(|name| format!("\n  hint: did you mean '{name}'?")).unwrap_or_default();
        return Err(format!("{flag}: the document has no call {wish}{hint}"));
    };
    Ok(Call { method: method.clone(), path: (*path).to_owned(), operation, sure: Sure::Sure })
}

/// The call with the most points; one of several with as many is a guess.
fn best(document: &Document, points: impl Fn(&str, &str, &Value) -> i32) -> Option<Call<'_>> {
    let mut scored: Vec<(i32, (String, &str, &Value))> = document
        .operations()
        .into_iter()
        .map(|call| (points(&call.0, call.1, call.2), call))
        .filter(|(points, _)| *points > 0)
        .collect();
    // Stable: of equals, the one that the document names first.
    scored.sort_by_key(|(points, _)| -points);
    let others: Vec<String> =
        scored.iter().skip(1).take(2).map(|(_, (method, path, _))| format!("{method} {path}")).collect();
    let rival = scored.get(1).map_or(0, |(points, _)| *points);
    let (points, (method, path, operation)) = scored.into_iter().next()?;
    let sure = if rival + 2 > points && !others.is_empty() {
        likely(format!("it may be {} instead", others.join(" or ")))
    } else {
        Sure::Sure
    };
    Some(Call { method, path: path.to_owned(), operation, sure })
}

fn last_word(path: &str) -> String {
    bare(path.rsplit('/').find(|part| !part.is_empty()).unwrap_or_default())
}

fn creates(document: &Document, method: &str, path: &str, operation: &Value) -> i32 {
    let Some((_, schema)) = operation.get("requestBody").and_then(|body| document.body_schema(body)) else {
        return 0;
    };
    if method != "POST" {
        return 0;
    }
    let named = |variable: &str| i32::from(body::names(document, schema, variable));
    let money = named("order.amount") + named("order.currency");
    if money < 2 {
        return 0;
    }
    let about_payments = i32::from(PAYMENTS.contains(&last_word(path).as_str()));
    let parameters = i32::try_from(path.matches('{').count()).unwrap_or(i32::MAX / 8);
    4 * money
        + 4 * about_payments
        + 5 * named("order.network_data")
        + 2 * named("order.return_url")
        + 2 * named("order.reference")
        + named("order.customer.email")
        - 3 * parameters
}

fn reads(method: &str, path: &str, create: &str) -> i32 {
    if method != "GET" || !path.ends_with('}') {
        return 0;
    }
    let Some((before, _)) = path.rsplit_once('/') else { return 0 };
    if before == create.trim_end_matches('/') {
        return 10;
    }
    // `/payments/create` and `/payments/{id}` have a word in common.
    let words = |path: &str| path.split('/').map(bare).filter(|word| !word.is_empty()).collect::<Vec<_>>();
    let known = words(create);
    i32::from(
        words(before).last().is_some_and(|word| PAYMENTS.contains(&word.as_str()) && known.contains(word)),
    )
}

fn lists(method: &str, path: &str, operation: &Value) -> i32 {
    let id = operation.get("operationId").and_then(Value::as_str).map(bare).unwrap_or_default();
    let names = last_word(path).contains("paymentmethods") || id.contains("paymentmethods");
    if !names || path.ends_with('}') || !["GET", "POST"].contains(&method) { 0 } else { 5 }
}

/// The request that creates.
pub(super) fn create(
    document: &Document,
    call: &Call<'_>,
    wishes: &Wishes,
    draft: &mut Draft,
) -> Result<Operation, String> {
    let name = draft.name.clone();
    let mut operation = request(document, call, &name, draft, None);
    operation.body = body::of(document, call.operation);
    let body = &mut operation.body;
    for (path, template) in by_hand::fields(&wishes.fields)? {
        let body =
            body.get_or_insert_with(|| Body { kind: "json", fields: Vec::new(), left_out: Vec::new() });
        by_hand::place(&mut body.fields, &path, template);
    }
    if let Some(body) = &operation.body
        && body::uses(&body.fields, "partner.vars.merchant_id")
    {
        draft.needs(Variable::new(&name, "merchant_id"));
    }
    Ok(operation)
}

/// The request that reads.
pub(super) fn read(call: &Call<'_>, draft: &mut Draft) -> Operation {
    let name = draft.name.clone();
    let path = by_hand::path_template(&call.path, &name, draft, Some("payment.payment_id"));
    Operation {
        method: call.method.clone(),
        path: format!("{}{path}", draft.base_path),
        choice: Some(call.sure.clone()),
        ..Operation::default()
    }
}

/// Method, path, and what else the call needs beside a body.
pub(super) fn request(
    document: &Document,
    call: &Call<'_>,
    name: &str,
    draft: &mut Draft,
    last: Option<&str>,
) -> Operation {
    let base = document.base_path();
    draft.base_path.clone_from(&base);
    let path = format!("{base}{}", by_hand::path_template(&call.path, name, draft, last));
    let (headers, query) = parameters(document, call.operation);
    Operation {
        method: call.method.clone(),
        path,
        choice: Some(call.sure.clone()),
        headers,
        query,
        ..Operation::default()
    }
}

/// Headers and parameters of the query without which the call is refused.
fn parameters(document: &Document, operation: &Value) -> (Vec<Field>, Vec<Field>) {
    let (mut headers, mut query) = (Vec::new(), Vec::new());
    for parameter in operation.get("parameters").and_then(Value::as_array).into_iter().flatten() {
        let parameter = document.followed(parameter);
        let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
        if parameter.get("required") != Some(&Value::Bool(true)) {
            continue;
        }
        let name = text("name").to_owned();
        let content = if bare(&name).contains("idempotency") {
            Content::Template("{{ request.nonce }}".to_owned(), likely("a new key for each call"))
        } else {
            Content::Todo(format!("{} needs it", text("in")))
        };
        match text("in") {
            "header" => headers.push(Field { name, content }),
            "query" => query.push(Field { name, content }),
            _ => {}
        }
    }
    (headers, query)
}
