//! How much has been written on a connection: a reset of one stream waits for what stands before it.

use std::time::Duration;

use tokio::sync::watch;

use crate::clock::pause;

/// How long a reset waits at most: a caller that takes nothing more would hold it up for ever.
const AT_MOST: Duration = Duration::from_secs(5);

/// How long it waits after that: what other streams write is counted, too, and may be ahead.
const AND_THEN: Duration = Duration::from_millis(20);

/// The bytes that were written on one connection so far, of all its streams.
#[derive(Debug, Clone)]
pub(super) struct Written(watch::Sender<usize>);

impl Default for Written {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Written {
    /// Counts bytes that were written.
    pub(super) fn count(&self, bytes: usize) {
        self.0.send_modify(|written| *written = written.wrapping_add(bytes));
    }

    /// How many there are by now.
    pub(super) fn so_far(&self) -> usize {
        *self.0.borrow()
    }

    /// Returns when more than so many bytes have followed those before: they, and the head of their frame.
    pub(super) async fn passed(&self, before: usize, bytes: usize) {
        let mut written = self.0.subscribe();
        let passed = written.wait_for(|written| written.wrapping_sub(before) > bytes);
        let in_time = tokio::select! {
            passed = passed => passed.is_ok(),
            () = pause(AT_MOST) => false,
        };
        if in_time {
            pause(AND_THEN).await;
        }
    }
}
