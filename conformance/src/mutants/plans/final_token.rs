//! Acquirers that finalise without the webhook's session token, or with one that is not this
//! payment's.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use indexmap::IndexMap;
use klarna_schemas::klarna::SESSION_TOKEN_HEADER;

use crate::mutants::payments::{Name, remember};
use crate::mutants::plan::{Authorize, Further, Plan};
use crate::wire::Answer;

/// The final authorize carries no token.
#[derive(Debug)]
pub(in crate::mutants) struct Without;

impl Plan for Without {
    fn authorize(&self, authorize: &mut Authorize) -> Option<Answer> {
        if authorize.is_final {
            authorize.call.headers.remove(SESSION_TOKEN_HEADER);
        }
        None
    }
}

/// The final authorize carries the token of the account's payment before it. Where Klarna does not
/// know that token any more, or there is none, the right one is taken: the defect shows where two
/// payments could be mixed up, and nowhere else.
#[derive(Debug, Default)]
pub(in crate::mutants) struct AnotherPayments {
    /// Payments in the order of their first final call, with their tokens.
    finals: Mutex<IndexMap<Name, String>>,
}

impl AnotherPayments {
    fn finals(&self) -> MutexGuard<'_, IndexMap<Name, String>> {
        self.finals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token of the payment that was finalised before this one.
    fn before(&self, name: &Name, token: &str) -> Option<String> {
        let mut finals = self.finals();
        if !finals.contains_key(name) {
            remember(&mut finals, name.clone(), token.to_owned());
        }
        let at = finals.get_index_of(name)?;
        let earlier = finals.iter().take(at).rev().find(|(other, _)| other.path == name.path);
        earlier.map(|(_, token)| token.clone())
    }
}

impl Plan for AnotherPayments {
    fn authorize(&self, authorize: &mut Authorize) -> Option<Answer> {
        if let (true, Some(name), Some(token)) = (authorize.is_final, &authorize.name, authorize.token())
            && let Some(other) = self.before(name, token)
        {
            authorize.call.set_header(SESSION_TOKEN_HEADER, &other);
        }
        None
    }

    fn authorized(&self, authorize: &Authorize, answer: &mut Answer) -> Further {
        let own = authorize.name.as_ref().and_then(|name| self.finals().get(name).cloned());
        let Some(own) = own.filter(|_| authorize.is_final) else { return Further::Nothing };
        if answer.status != StatusCode::NOT_FOUND || authorize.token() == Some(&own) {
            return Further::Nothing;
        }
        let mut right = authorize.call.clone();
        right.set_header(SESSION_TOKEN_HEADER, &own);
        Further::Instead(right)
    }
}
