//! The way of a browser, hop by hop, to where it was to arrive or to where nothing leads on.

use std::ops::AsyncFnMut;

use url::Url;

use super::{Hop, Trail, Visit};

/// Hops that a browser follows before it gives up: as many as the Fetch standard allows redirects.
pub const HOPS_MAX: usize = 20;

/// A way that was followed to its end.
#[derive(Debug)]
pub struct Followed {
    /// Every hop of it.
    pub trail: Trail,
    /// Where the browser was to arrive, if it has.
    pub arrived: Option<Url>,
}

/// What came of one hop.
#[derive(Debug)]
pub enum Step {
    /// The browser is where it was to arrive.
    Arrived,
    /// It is elsewhere, and this is what it saw.
    Elsewhere(Visit),
    /// Nobody answered it.
    Lost,
}

/// Opens a URL and goes where it leads by itself, as `go` makes each hop.
///
/// # Errors
/// What `go` fails with.
pub async fn follow<E>(start: Url, mut go: impl AsyncFnMut(&Hop) -> Result<Step, E>) -> Result<Followed, E> {
    let mut trail = Trail::default();
    let mut next = Some(Hop::to(start));
    while let Some(hop) = next.take().filter(|_| trail.len() < HOPS_MAX) {
        trail.note(&hop);
        match go(&hop).await? {
            Step::Arrived => return Ok(Followed { trail, arrived: Some(hop.url().clone()) }),
            Step::Lost => break,
            Step::Elsewhere(visit) => {
                if visit.next.is_none() {
                    trail.ends_with(visit.status);
                }
                next = visit.next;
            }
        }
    }
    Ok(Followed { trail, arrived: None })
}
