//! The Customer's browser on its way, hop by hop.

use reqwest::StatusCode;
use url::Url;

use super::World;
use super::checks::finding;
use super::failure::Failure;
use crate::browser::{Hop, Trail, Visit, without_query};

/// Hops that a browser follows before it gives up: as many as the Fetch standard allows redirects.
pub(super) const HOPS_MAX: usize = 20;

/// A way that was followed to its end.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) trail: Trail,
    /// Where the browser was to arrive, if it has.
    pub(super) arrived: Option<Url>,
}

impl World {
    /// Opens a URL and goes where it leads by itself, until the browser is there, nothing leads on, or it
    /// gives up. What `is_there` is opened, too, in the form that `accept_there` names.
    pub(super) async fn follow(
        &self,
        start: Url,
        rule: &str,
        accept_there: &str,
        is_there: impl Fn(&Hop) -> bool,
    ) -> Result<Followed, Failure> {
        let mut trail = Trail::default();
        let mut next = Some(Hop::to(start));
        while let Some(hop) = next.take().filter(|_| trail.len() < HOPS_MAX) {
            trail.note(&hop);
            let there = is_there(&hop);
            let accept = if there { accept_there } else { "text/html" };
            let visit = self.browse(&hop, accept, rule).await?;
            if there {
                return Ok(Followed { trail, arrived: Some(hop.url().clone()) });
            }
            if visit.next.is_none() {
                trail.ends_with(visit.status);
            }
            next = visit.next;
        }
        Ok(Followed { trail, arrived: None })
    }

    /// One request of the Customer's browser. The rule is the one that is broken where nobody answers.
    pub(super) async fn browse(&self, hop: &Hop, accept: &str, rule: &str) -> Result<Visit, Failure> {
        let here = without_query(hop.url());
        let unreachable = |error: reqwest::Error| {
            let what = format!("{here} cannot be opened: {}", error.without_url());
            let mut finding = finding(rule, &self.scenario.duties, "the Customer's browser", what);
            "see that the URLs which are handed to the Customer can be reached".clone_into(&mut finding.mend);
            Failure::found(finding)
        };
        let cookies = &self.payment()?.journey.cookies;
        let visit = self.run.browser.go(hop, accept, cookies).await.map_err(unreachable)?;
        if visit.status == StatusCode::NOT_FOUND || visit.status.is_server_error() {
            self.remark(format!("{} {here} → {}", hop.method(), visit.status.as_u16()));
        }
        Ok(visit)
    }
}
