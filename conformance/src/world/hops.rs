//! The Customer's browser on its way, hop by hop.

use reqwest::StatusCode;
use url::Url;

use super::World;
use super::checks::finding;
use super::failure::Failure;
use crate::browser::{self, Followed, Hop, Step, Visit, without_query};

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
        browser::follow(start, async |hop| {
            let there = is_there(hop);
            let visit = self.browse(hop, if there { accept_there } else { "text/html" }, rule).await?;
            Ok(if there { Step::Arrived } else { Step::Elsewhere(visit) })
        })
        .await
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
