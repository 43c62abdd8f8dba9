//! `step_up_config` of the initial authorize: the way in that was asked for, and the way back.

use serde_json::Value;

use super::World;
use super::checks::finding;
use super::failure::Failure;
use super::journal::Call;
use crate::adapter::Mode;

/// Where it stands in an authorize.
const INTERACTION: &str = "/step_up_config/customer_interaction_config";

/// A field of the interaction that the initial authorize asked for.
fn asked(call: &Call, name: &str) -> Option<String> {
    let body = call.body()?;
    body.pointer(&format!("{INTERACTION}/{name}")).and_then(Value::as_str).map(str::to_owned)
}

/// What Klarna calls the way in (payments.md 2.3).
fn method(mode: Mode) -> &'static str {
    match mode {
        Mode::Redirect => "HANDOVER",
        Mode::Sdk => "SDK",
    }
}

impl World {
    /// Asks that the initial authorize asked for the way in that the Partner wants. That Klarna would
    /// not serve an SDK from a request made for a handover is inferred, so it only warns.
    ///
    /// # Errors
    /// When no initial authorize came.
    pub async fn must_ask_for(&mut self, mode: Mode) -> Result<(), Failure> {
        let call = self.initial_call().await?;
        self.judged("step-up-config.method", 1);
        // A method that is left out means HANDOVER (contract, "What real clients do").
        let came = asked(&call, "method").unwrap_or_else(|| method(Mode::Redirect).to_owned());
        if came == method(mode) {
            return Ok(());
        }
        let mut finding = finding(
            "step-up-config.method",
            &self.scenario.duties,
            "authorize request, step_up_config.customer_interaction_config.method",
            format!("the Partner wants {} mode, and Klarna is asked for another way in", mode.as_str()),
        );
        finding.rest_on("That Klarna would not serve this way in from a request that was made for another.");
        finding.expected = Some(method(mode).to_owned());
        finding.got = Some(came);
        finding.exchanges = vec![call.entry.seq];
        self.weigh(finding, None).await
    }

    /// Asks that the way back to the Partner's app reached Klarna. An acquirer may put an address of
    /// its own in front of it; whether that leads to the app, no browser of the suite can see.
    ///
    /// # Errors
    /// When it did not, or the acquirer's API has no place for it.
    pub async fn must_lead_back_to_app(&mut self) -> Result<(), Failure> {
        let call = self.initial_call().await?;
        let order = &self.payment()?.order;
        let Some(wanted) = order.app_return_url.clone() else {
            return Err(Failure::misused("no step gives the address of the Partner's app"));
        };
        let mut without = order.clone();
        without.app_return_url = None;
        let gave_it = self.run.acquirer.tells_apart(self.partner(), order, &without);
        if !gave_it.map_err(|error| Failure::Broken(error.to_string()))? {
            let why = "by the adapter, the acquirer's API has no place for the address of a Partner's app";
            return Err(Failure::NotApplicable(why.to_owned()));
        }
        self.judged("step-up-config.app-return-url", 1);
        let came = asked(&call, "app_return_url");
        if came.as_deref() == Some(&wanted) {
            return Ok(());
        }
        if came.is_some() {
            self.remark(
                "the acquirer names another address than the Partner's; an app must be tried by hand",
            );
            return Ok(());
        }
        let mut finding = finding(
            "step-up-config.app-return-url",
            &self.scenario.duties,
            "authorize request, step_up_config.customer_interaction_config.app_return_url",
            "the Partner gave the address of its app, and Klarna does not know it",
        );
        finding.expected = Some(wanted);
        finding.got = Some("nothing".to_owned());
        finding.exchanges = vec![call.entry.seq];
        self.weigh(finding, None).await
    }
}
