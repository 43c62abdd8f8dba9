//! Every operation of Klarna's API that is served: the one table that routes, journal names, faults
//! and documents are made from.

mod table;

use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use axum::routing::MethodRouter;
pub(crate) use table::OPERATIONS;

use super::queries::{self, Query};
use crate::config::CallCategory;
use crate::world::World;

/// The one whose calls are initial or final.
pub(crate) const AUTHORIZE: &str = "authorize";

/// One operation.
#[derive(Debug)]
pub(crate) struct Operation {
    /// The journal's name of it, which faults name, too.
    pub(crate) id: &'static str,
    pub(crate) method: Method,
    /// Its paths: for an account that is named, and for the caller's own where that exists.
    pub(crate) paths: &'static [&'static str],
    /// What it does, in a line.
    pub(crate) summary: &'static str,
    /// Schema of its body, if it takes one.
    pub(crate) request: Option<&'static str>,
    /// Which calls it is counted with.
    pub(crate) category: CallCategory,
    /// Status of success, and the schema of what then comes, if anything does.
    pub(crate) answer: (u16, Option<&'static str>),
    serve: fn() -> MethodRouter<Arc<World>>,
}

impl Operation {
    /// Whether it is about a Partner account: then it meets the faults of that sandbox, else those of the
    /// account that its key opens.
    pub(crate) fn is_of_a_partner(&self) -> bool {
        self.paths.iter().any(|path| path.contains("{account}"))
    }

    /// What may be asked in its query.
    pub(crate) fn queries(&self) -> &'static [Query] {
        queries::of(self.id)
    }

    /// Whether a repeat of it may be told by an idempotency key.
    pub(crate) fn takes_key(&self) -> bool {
        [Method::POST, Method::PATCH, Method::PUT].contains(&self.method)
    }

    /// Whether it is served without a valid client certificate whatever is enforced: or an account that
    /// has lost its certificate could never get another.
    pub(crate) fn is_about_certificates(&self) -> bool {
        self.category == CallCategory::PartnerManagement
    }

    /// The statuses of its refusals. They follow from what it is, so no entry has to list them.
    pub(crate) fn refusals(&self) -> Vec<u16> {
        let changes = self.method != Method::GET;
        // In a Partner account, not in the acquirer's own.
        let of_partner = self.is_of_a_partner();
        let names_something = self.paths.iter().any(|path| path.contains('{')) || self.request.is_some();
        let can_be = [
            // A body, a header or a query that does not validate; or a policy that says so.
            (400, !self.queries().is_empty() || self.takes_key() || (changes && of_partner)),
            (401, true),
            // An account of another acquirer, a state that forbids it, no room for more.
            (403, of_partner || self.takes_key()),
            (404, names_something),
            (409, self.takes_key() || (changes && of_partner)),
            (413, true),
            // These come when the tester asks for them; 500 would be a fault of the simulator, too.
            (429, true),
            (500, true),
            (503, true),
        ];
        can_be.into_iter().filter_map(|(status, can)| can.then_some(status)).collect()
    }
}

/// The routes of all operations.
pub(super) fn routes() -> Router<Arc<World>> {
    OPERATIONS
        .iter()
        .flat_map(|operation| operation.paths.iter().map(move |path| (*path, operation)))
        .fold(Router::new(), |router, (path, operation)| router.route(path, (operation.serve)()))
}

/// The operation that a route serves with a method.
pub(super) fn served_at(method: &Method, path: &str) -> Option<&'static Operation> {
    // The router serves a HEAD as a GET whose body stays here.
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    OPERATIONS.iter().find(|operation| operation.method == *method && operation.paths.contains(&path))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use klarna_schemas::catalogue;
    use serde_json::Value;

    use super::*;

    #[test]
    fn each_operation_has_a_name_and_a_place_of_its_own_and_schemas_that_exist() {
        let mut names = HashSet::new();
        let mut places = HashSet::new();
        for operation in OPERATIONS {
            assert!(names.insert(operation.id), "{} stands twice", operation.id);
            for path in operation.paths {
                assert!(places.insert((operation.method.clone(), *path)), "{path} stands twice");
            }
            for schema in operation.request.iter().chain(&operation.answer.1) {
                assert!(catalogue::check(schema, &Value::Null).is_ok(), "no schema {schema}");
            }
        }
    }
}
