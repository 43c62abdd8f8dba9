//! How answers and events change when Klarna evolves (contract `payments.md` 5.6).

use std::collections::BTreeSet;

use klarna_schemas::simulator::control::Evolution;
use serde_json::{Map, Value};

/// A value and a field that nobody knows yet.
const NEW_VALUE: &str = "INTRODUCED_LATER";
const NEW_FIELD: &str = "introduced_later";
/// The type of an event that nobody knows yet.
pub(crate) const NEW_EVENT: &str = "payment.request.introduced-later";
/// Headers that nobody knows yet.
pub(crate) const NEW_HEADERS: [(&str, &str); 2] =
    [("klarna-introduced-later", "yes"), ("x-introduced-later", "1; note=\"nobody knows it\"")];
/// Members that say why something is as it is, and decide nothing.
const REASONS: [&str; 3] = ["state_reason", "result_reason", "error_type"];

/// The ways in which Klarna has evolved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Evolved(BTreeSet<Evolution>);

impl Evolved {
    pub(crate) fn new(kinds: BTreeSet<Evolution>) -> Self {
        Self(kinds)
    }

    /// In which ways.
    pub(crate) fn kinds(&self) -> &BTreeSet<Evolution> {
        &self.0
    }

    pub(crate) fn has(&self, kind: Evolution) -> bool {
        self.0.contains(&kind)
    }

    /// In these ways and those of another.
    #[must_use]
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).copied().collect())
    }

    /// Whether bodies change at all.
    pub(crate) fn changes_bodies(&self) -> bool {
        [Evolution::ExtraFields, Evolution::UnknownEnumValues, Evolution::ReorderedKeys]
            .into_iter()
            .any(|kind| self.has(kind))
    }

    /// A body as it is by now.
    pub(crate) fn body(&self, mut body: Value) -> Value {
        if self.has(Evolution::UnknownEnumValues) {
            unknown_values(&mut body);
        }
        if self.has(Evolution::ExtraFields) {
            extra_fields(&mut body);
        }
        if self.has(Evolution::ReorderedKeys) {
            reorder(&mut body);
        }
        body
    }

    /// A status as it is by now.
    pub(crate) fn status(&self, status: u16) -> u16 {
        match status {
            200 if self.has(Evolution::Another2xx) => 201,
            201..=299 if self.has(Evolution::Another2xx) => 200,
            status => status,
        }
    }
}

/// Does something to every object in a value, innermost first.
fn each_object(value: &mut Value, change: &mut dyn FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| each_object(item, change)),
        Value::Object(members) => {
            members.values_mut().for_each(|member| each_object(member, change));
            change(members);
        }
        _ => {}
    }
}

fn unknown_values(body: &mut Value) {
    each_object(body, &mut |members| {
        for reason in REASONS {
            if let Some(known) = members.get_mut(reason).filter(|known| known.is_string()) {
                *known = Value::from(NEW_VALUE);
            }
        }
        // Whoever is in a state, or has a result, may always say why.
        for (about, reason) in [("state", "state_reason"), ("result", "result_reason")] {
            if members.get(about).is_some_and(Value::is_string) && !members.contains_key(reason) {
                members.insert(reason.to_owned(), Value::from(NEW_VALUE));
            }
        }
    });
}

fn extra_fields(body: &mut Value) {
    each_object(body, &mut |members| {
        members.insert(NEW_FIELD.to_owned(), serde_json::json!({ "value": NEW_VALUE, "since": [2027, 1] }));
    });
}

fn reorder(body: &mut Value) {
    each_object(body, &mut |members| {
        *members = std::mem::take(members).into_iter().rev().collect();
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn evolved(kind: Evolution) -> Evolved {
        Evolved::new(BTreeSet::from([kind]))
    }

    fn body() -> Value {
        json!({"state": "COMPLETED", "list": [{"a": 1, "b": "x"}], "error_type": "INPUT_ERROR"})
    }

    #[test]
    fn each_kind_changes_what_it_says_and_nothing_else() {
        let unknown = evolved(Evolution::UnknownEnumValues).body(body());
        assert_eq!(
            unknown,
            json!({"state": "COMPLETED", "list": [{"a": 1, "b": "x"}], "error_type": NEW_VALUE, "state_reason": NEW_VALUE})
        );
        let mut extra = evolved(Evolution::ExtraFields).body(body());
        each_object(&mut extra, &mut |members| {
            let new = members.get("since").is_some();
            assert!(new || members.shift_remove(NEW_FIELD).is_some());
        });
        assert_eq!(extra, body());
        let reordered = evolved(Evolution::ReorderedKeys).body(body());
        assert_eq!(reordered, body(), "objects are equal whatever their order");
        assert!(reordered.to_string().starts_with("{\"error_type\""));
        for kind in
            [Evolution::Another2xx, Evolution::LongerIds, Evolution::NewHeaders, Evolution::NewEventTypes]
        {
            assert!(!evolved(kind).changes_bodies());
        }
    }

    #[test]
    fn only_a_success_gets_another_status() {
        let evolved = evolved(Evolution::Another2xx);
        let statuses = [200, 201, 204, 302, 400, 503].map(|status| evolved.status(status));
        assert_eq!(statuses, [201, 200, 200, 302, 400, 503]);
        assert_eq!(Evolved::default().status(200), 200);
    }
}
