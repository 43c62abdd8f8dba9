//! Whether a place that a rule names is one that a body of Klarna's API can have.

use klarna_schemas::catalogue::Catalogue;
use klarna_schemas::nearest::nearest;
use serde_json::Value;

use super::conditions::{Unusable, path_of};

/// A part of a schema, and the file that its references are seen from.
type Node = (&'static str, &'static Value);

/// One step of a plain path.
#[derive(Debug, PartialEq, Eq)]
enum Step<'a> {
    Name(&'a str),
    /// One item of a list, or all.
    Item,
}

/// Looks a place up in the schemas of the bodies that it may be looked for in. Places that are more than
/// names and items are not looked up.
pub(super) fn check(place: &str, schemas: &[&'static str]) -> Result<(), Unusable> {
    let path = path_of(place);
    let Some(steps) = plain(&path) else { return Ok(()) };
    let mut first = None;
    for schema in schemas {
        match follow(schema, &steps) {
            Ok(()) => return Ok(()),
            Err(unknown) => first = first.or(Some(unknown)),
        }
    }
    match first {
        Some(unknown) => Err(unknown),
        None => Err(Unusable {
            message: format!("{place}: calls of this operation have no body that is known"),
            hint: "look at headers, or name the operation".to_owned(),
        }),
    }
}

/// The steps of a path without filters, slices and descents.
fn plain(path: &str) -> Option<Vec<Step<'_>>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, left) = after.split_at(end);
            if name.is_empty() || name == "*" {
                return None;
            }
            steps.push(Step::Name(name));
            rest = left;
        } else {
            let (inner, left) = rest.strip_prefix('[')?.split_once(']')?;
            steps.push(
                match inner.strip_prefix(['\'', '"']).and_then(|name| name.strip_suffix(['\'', '"'])) {
                    Some(name) => Step::Name(name),
                    None if inner == "*" || inner.parse::<i64>().is_ok() => Step::Item,
                    None => return None,
                },
            );
            rest = left;
        }
    }
    Some(steps)
}

fn follow(schema: &'static str, steps: &[Step<'_>]) -> Result<(), Unusable> {
    let catalogue = Catalogue::global();
    let Some(document) = catalogue.schema(schema) else { return Ok(()) };
    let mut nodes: Vec<Node> = vec![(schema, document)];
    let mut so_far = String::from("$");
    for step in steps {
        let open = unfolded(catalogue, &nodes);
        let next: Vec<Node> = match step {
            Step::Name(name) => {
                let of_name = |(from, node): &Node| Some((*from, node.get("properties")?.get(*name)?));
                open.iter().filter_map(of_name).collect()
            }
            Step::Item => open.iter().filter_map(|(from, node)| Some((*from, node.get("items")?))).collect(),
        };
        if next.is_empty() {
            // A schema that says nothing of what is in it allows anything.
            if open.iter().any(|(_, node)| is_silent(node)) {
                return Ok(());
            }
            return Err(unknown(&so_far, step, &open));
        }
        so_far = match step {
            Step::Name(name) => format!("{so_far}.{name}"),
            Step::Item => format!("{so_far}[*]"),
        };
        nodes = next;
    }
    Ok(())
}

/// Whether there can be something in it of which the schema does not say what.
fn is_silent(node: &Value) -> bool {
    if node.get("properties").is_some() || node.get("items").is_some() {
        return false;
    }
    let holds = |kind: &Value| kind == "object" || kind == "array";
    match node.get("type") {
        None => node.get("enum").is_none() && node.get("const").is_none(),
        Some(Value::Array(kinds)) => kinds.iter().any(holds),
        Some(kind) => holds(kind),
    }
}

/// Whether a schema says what can be in a value.
fn tells_of_members(node: &Value) -> bool {
    ["$ref", "type", "properties", "items", "anyOf", "oneOf", "allOf"]
        .into_iter()
        .any(|word| node.get(word).is_some())
}

/// Schemas with what they refer to, and the branches that they offer.
fn unfolded(catalogue: &'static Catalogue, nodes: &[Node]) -> Vec<Node> {
    let mut open: Vec<Node> = Vec::new();
    let mut todo = nodes.to_vec();
    while let Some((from, node)) = todo.pop() {
        let target = node.get("$ref").and_then(Value::as_str);
        let branches = ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|word| node.get(word)?.as_array());
        // One that only says what must be there tells nothing new.
        let branches: Vec<&'static Value> =
            branches.flatten().filter(|branch| tells_of_members(branch)).collect();
        let leads_on = target.is_some() || !branches.is_empty();
        todo.extend(target.and_then(|target| catalogue.resolve(from, target)));
        todo.extend(branches.into_iter().map(|branch| (from, branch)));
        if !leads_on || node.get("properties").is_some() || node.get("items").is_some() {
            open.push((from, node));
        }
    }
    open
}

fn unknown(so_far: &str, step: &Step<'_>, open: &[Node]) -> Unusable {
    let known = open.iter().filter_map(|(_, node)| node.get("properties")?.as_object());
    let known: Vec<&str> = known.flatten().map(|(name, _)| name.as_str()).collect();
    let Step::Name(name) = step else {
        return Unusable { message: format!("{so_far} is no list"), hint: "take [ ] out".to_owned() };
    };
    let message = format!("there is no field {name} in {so_far}, so this rule can never match");
    let hint = match nearest(name, &known) {
        _ if known.is_empty() => format!("{so_far} has no fields"),
        Some(meant) => format!("did you mean {meant}? Known there: {}", known.join(", ")),
        None => format!("known there: {}", known.join(", ")),
    };
    Unusable { message, hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_looked_up_through_references_and_lists() {
        let check = |place: &str| check(place, &["klarna/authorize-request"]);
        for known in [
            "currency",
            "$.currency",
            "request_payment_transaction.amount",
            "supplementary_purchase_data.customer.email",
            "supplementary_purchase_data.line_items[0].name",
            "$.supplementary_purchase_data.line_items[*]['quantity']",
            "step_up_config.customer_interaction_config.return_url",
            "$..email",
            "$.supplementary_purchase_data.line_items[?@.quantity > 1]",
        ] {
            assert_eq!(check(known), Ok(()), "{known}");
        }
        let unknown = check("supplementary_purchase_data.costumer.email").unwrap_err();
        assert!(unknown.hint.contains("did you mean customer?"), "{unknown:?}");
        assert!(check("currency.code").is_err());
        assert!(check("currency[0]").is_err());
        assert!(super::check("a", &[]).is_err());
    }
}
