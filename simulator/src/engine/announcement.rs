//! Events out of turn: about a request as it stands, under a name that the tester chooses.

use jiff::Timestamp;
use klarna_schemas::ids::PaymentRequestId;

use super::effect::EventDraft;
use super::sandbox::Sandbox;

impl Sandbox {
    /// An event of this type about a request, of which nothing has happened.
    pub(crate) fn announce_anew(
        &mut self,
        request: &PaymentRequestId,
        event_type: &str,
        now: Timestamp,
    ) -> Option<EventDraft> {
        let record = self.requests.get(request)?.clone();
        let event = self.announce(&record, now);
        Some(EventDraft { event_type: event_type.to_owned(), ..event })
    }
}
