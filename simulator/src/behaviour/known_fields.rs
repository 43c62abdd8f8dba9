//! Whether a place that a rule names is one that a body of Klarna's API can have.

use klarna_schemas::catalogue::{Catalogue, reports};
use klarna_schemas::nearest::nearest;
use serde_json::Value;

use super::conditions::Unusable;
use super::places::{Place, Step};

/// A part of a schema, and the file that its references are seen from.
pub(super) type Node = (&'static str, &'static Value);

/// What schemas say of a place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Each is a way in which what stands there may be; empty where nothing is said.
    pub(super) nodes: Vec<Node>,
    /// Whether a body that lacks it is refused.
    pub(super) is_always_there: bool,
}

impl Field {
    /// One of which nothing is known.
    fn of_any_kind() -> Self {
        Self { nodes: Vec::new(), is_always_there: false }
    }
}

/// Looks a place up in the schemas of the bodies that it may be looked for in. Of places that are more than
/// names and items nothing is known.
pub(super) fn look_up(place: &Place, schemas: &[&'static str]) -> Result<Field, Unusable> {
    let Some(steps) = place.steps() else { return Ok(Field::of_any_kind()) };
    let mut first = None;
    for schema in schemas {
        match follow(schema, steps) {
            // What one body says holds for its calls alone.
            Ok(_) if schemas.len() > 1 => return Ok(Field::of_any_kind()),
            Ok(field) => return Ok(field),
            Err(unknown) => first = first.or(Some(unknown)),
        }
    }
    match first {
        Some(unknown) => Err(unknown),
        None => Err(Unusable {
            message: format!("{}: calls of this operation have no body that is known", place.written()),
            hint: "look at headers, or name the operation".to_owned(),
        }),
    }
}

fn follow(schema: &'static str, steps: &[Step]) -> Result<Field, Unusable> {
    let catalogue = Catalogue::global();
    let Some(document) = catalogue.schema(schema) else { return Ok(Field::of_any_kind()) };
    let mut nodes: Vec<Node> = vec![(schema, document)];
    let mut is_always_there = true;
    let mut is_free = false;
    let mut so_far = String::from("$");
    for step in steps {
        let open = unfolded(catalogue, &nodes);
        is_free |= nodes.iter().chain(&open).any(only_reports);
        let next: Vec<Node> = match step {
            Step::Name(name) => {
                is_always_there &= open.iter().all(|(_, node)| requires(node, name));
                let of_name = |(from, node): &Node| {
                    let named = node.get("properties").and_then(|fields| fields.get(name));
                    Some((
                        *from,
                        named.or_else(|| node.get("additionalProperties").filter(|any| any.is_object()))?,
                    ))
                };
                open.iter().filter_map(of_name).collect()
            }
            Step::Item(_) | Step::EachItem => {
                is_always_there = false;
                open.iter().filter_map(|(from, node)| Some((*from, node.get("items")?))).collect()
            }
        };
        if next.is_empty() {
            // A schema that says nothing of what is in it allows anything.
            if open.iter().any(|(_, node)| is_silent(node)) {
                return Ok(Field::of_any_kind());
            }
            return Err(unknown(&so_far, step, &open));
        }
        so_far = match step {
            Step::Name(name) => format!("{so_far}.{name}"),
            Step::Item(_) | Step::EachItem => format!("{so_far}[*]"),
        };
        nodes = next;
    }
    let open = unfolded(catalogue, &nodes);
    is_free |= nodes.iter().chain(&open).any(only_reports);
    Ok(if is_free { Field::of_any_kind() } else { Field { nodes: open, is_always_there } })
}

/// Whether what breaks a schema, or what it refers to, may be reported without a word of it there.
fn only_reports((_, node): &Node) -> bool {
    reports(node, "*") || (node.get("$ref").is_some() && node.get("x-report").is_some())
}

/// Whether a body is refused that lacks this member.
fn requires(node: &Value, name: &str) -> bool {
    let names = node.get("required").and_then(Value::as_array);
    !reports(node, "required") && names.is_some_and(|names| names.iter().any(|one| one == name))
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

/// What was likely meant in the place of a name or a word that a schema does not know.
pub(crate) fn meant(schema: &'static str, parameter: &str, document: &Value) -> Option<String> {
    let place = Place::parse(parameter).ok()?;
    let field = match follow(schema, place.steps()?) {
        Ok(field) => field,
        Err(unknown) => return Some(unknown.hint),
    };
    let word = place.values(document).first()?.as_str()?;
    let words = field.nodes.iter().filter_map(|(_, node)| node.get("enum")?.as_array());
    let words: Vec<&str> = words.flatten().filter_map(Value::as_str).collect();
    nearest(word, &words).map(|meant| format!("did you mean {meant}?"))
}

fn unknown(so_far: &str, step: &Step, open: &[Node]) -> Unusable {
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
        let check =
            |place: &str| look_up(&Place::parse(place).unwrap(), &["klarna/authorize-request"]).map(|_| ());
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
        assert!(look_up(&Place::parse("a").unwrap(), &[]).is_err());
    }

    #[test]
    fn what_a_body_must_have_is_always_there() {
        for (place, always) in [
            ("currency", true),
            ("request_payment_transaction", false),
            ("request_payment_transaction.amount", false),
            ("supplementary_purchase_data.line_items[0].name", false),
        ] {
            let found = look_up(&Place::parse(place).unwrap(), &["klarna/authorize-request"]).unwrap();
            assert_eq!(found.is_always_there, always, "{place}");
        }
    }
}
