//! How long the parts of an exchange took, in real time.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use klarna_schemas::simulator::journal::RecordedTimings;

/// How long the parts of an exchange took, as far as anybody knows. An exchange stands in the journal before
/// its answer leaves: so its wait becomes known afterwards, in every copy at once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Took {
    /// From its beginning until the request had come whole.
    pub(crate) send: Option<Duration>,
    wait: Arc<OnceLock<Duration>>,
    /// From the answer's head to its end.
    pub(crate) receive: Option<Duration>,
}

impl Took {
    /// So long passed until the answer left or came, or until it was clear that there is none. What was said
    /// first holds.
    pub(crate) fn waited(&self, wait: Duration) {
        self.wait.get_or_init(|| wait);
    }

    /// As the journal shows it; nothing where nothing is known.
    pub(super) fn recorded(&self) -> Option<RecordedTimings> {
        let micros = |took: Duration| u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let recorded = RecordedTimings {
            send_us: self.send.map(micros),
            wait_us: self.wait.get().copied().map(micros),
            receive_us: self.receive.map(micros),
        };
        (recorded != RecordedTimings::default()).then_some(recorded)
    }
}
