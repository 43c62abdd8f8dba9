//! What a defect may do to the messages that pass.

use std::fmt::Debug;

use super::payments::Name;
use super::signing::SigningKeys;
use crate::wire::{Answer, Call};

/// An authorize on its way to Klarna.
#[derive(Debug, Clone)]
pub(super) struct Authorize {
    /// The call itself.
    pub(super) call: Call,
    /// Which payment it is about; `None` where its body does not say.
    pub(super) name: Option<Name>,
    /// Whether it ends a step-up: another call than the one that led to it, with a session token.
    pub(super) is_final: bool,
}

impl Authorize {
    /// The session token in its header, under Klarna's name.
    pub(super) fn token(&self) -> Option<&str> {
        self.call.header(klarna_schemas::klarna::SESSION_TOKEN_HEADER)
    }
}

/// A visit of the Customer's browser to a page that a plan has put in the way.
#[derive(Debug)]
pub(super) struct Visit {
    /// What the plan called the page.
    pub(super) page: String,
    /// The query, decoded.
    pub(super) query: Vec<(String, String)>,
}

/// What becomes of a visit.
#[derive(Debug)]
pub(super) struct Onward {
    /// An event that is played to the acquirer first.
    pub(super) event: Option<Call>,
    /// Where the browser goes.
    pub(super) location: String,
}

/// What a plan calls of its own, once Klarna has answered an authorize.
#[derive(Debug)]
pub(super) enum Further {
    /// Nothing.
    Nothing,
    /// This too; the acquirer has the first answer.
    Besides(Call),
    /// This too; the acquirer has its answer.
    Instead(Call),
}

/// One defect's hand in the passage. Everything that a plan does not name passes unchanged.
pub(super) trait Plan: Debug + Send + Sync {
    /// Whether the webhooks must come by the proxy.
    fn relays_webhooks(&self) -> bool {
        false
    }

    /// An authorize on its way to Klarna. With an answer, Klarna never sees it.
    fn authorize(&self, _authorize: &mut Authorize) -> Option<Answer> {
        None
    }

    /// Klarna's answer to it on its way back, and what is called before the acquirer has it.
    fn authorized(&self, _authorize: &Authorize, _answer: &mut Answer) -> Further {
        Further::Nothing
    }

    /// Klarna's answer to a read of a Payment Request, by its id as it stands in the path.
    fn request_read(&self, _id: &str, _answer: &mut Answer) {}

    /// An event on its way to the acquirer.
    fn event(&self, _event: &mut Call, _keys: &SigningKeys) {}

    /// The browser at a page of the plan's.
    fn visit(&self, _visit: &Visit, _keys: &SigningKeys) -> Option<Onward> {
        None
    }
}
