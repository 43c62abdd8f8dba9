//! What the payment has shown, once it is over.

use klarna_schemas::simulator::finding::Severity;
use klarna_simulator::control::client::ControlError;
use serde_json::Value;

use super::canary::{self, Canary};
use super::course::{Trial, TrialParties};
use super::find::{self, Form, Found};
use super::report::{CameOut, Report, WasRead};
use super::sureness::Sureness;
use crate::world::Call;

/// Values of an order that no canary stands for.
const NOT_TRIED: &[(&str, &str)] = &[
    ("app_return_url", "a browser cannot come back to an app"),
    ("session_token", "Klarna takes its own only"),
    ("payment_option_id", "Klarna takes its own only"),
];

impl Trial<'_> {
    pub(super) async fn conclude(mut self) -> Result<Report, ControlError> {
        let calls = self.calls().await?;
        let results: Vec<String> =
            calls.iter().map(|call| call.result().unwrap_or_else(|| "no decision".to_owned())).collect();
        self.say(format!("Klarna got {} authorize calls: {}", calls.len(), results.join(", ")));
        if calls.is_empty() {
            let account = &self.parties.partner.klarna_account;
            self.complain(format!(
                "no authorize came for the account {account}: is it the Partner's at the acquirer?"
            ));
        }
        for canary in canary::of_order(&self.order) {
            let came_out = self.came_out(canary, &calls);
            self.report.came_out.push(came_out);
        }
        self.report.came_out.extend(NOT_TRIED.iter().map(|(name, why)| CameOut {
            canary: Canary { name: (*name).to_owned(), value: Value::Null },
            places: Vec::new(),
            form: None,
            sure: Sureness::NotSeen(format!("not tried, for {why}")),
            sent: false,
        }));
        let network_data = self.parties.acquirer.adapter().claims("network_data").then_some("network_data");
        for name in ["amount", "currency"].into_iter().chain(network_data) {
            let found = self.report.came_out.iter().find(|one| one.canary.name == name);
            let whole = found.is_some_and(|one| one.sure.is_seen() && one.form == Some(Form::ByteForByte));
            if !whole && !calls.is_empty() {
                let how = found.map_or_else(String::new, |one| {
                    one.form.map_or_else(|| one.sure.to_string(), |form| form.to_string())
                });
                self.complain(format!("{name} did not reach Klarna as the Partner gave it: {how}"));
            }
        }
        self.report.was_read = self.answers.was_read();
        // What a call before gave stands in no answer that was kept.
        for (name, value) in &self.told {
            if !self.report.was_read.iter().any(|read| read.name == *name) {
                let read =
                    WasRead { name: name.clone(), value: Some(value.clone()), sure: Sureness::SeenOnce };
                self.report.was_read.push(read);
            }
        }
        if !self.told.contains_key("payment_id") {
            self.complain("no payment_id was read from any answer");
        }
        let account = &self.parties.partner.klarna_account;
        let found = self.parties.control.findings(account, None).await?.findings;
        self.report.findings = found
            .into_iter()
            .filter(|finding| finding.severity == Severity::Fails)
            .map(|finding| format!("{}: {} ({})", finding.rule, finding.what, finding.r#where))
            .collect();
        Ok(self.report)
    }

    /// Where a canary came out.
    fn came_out(&self, canary: Canary, calls: &[Call]) -> CameOut {
        let TrialParties { acquirer, partner, stand_in, .. } = self.parties;
        // A template that fails was told already; a value within the network data is sent with it.
        let sent = match canary::changed(&self.order, &canary) {
            Some(changed) => acquirer.tells_apart(partner, &self.order, &changed).unwrap_or(true),
            None => true,
        };
        let found: Vec<Vec<Found>> =
            calls.iter().map(|call| find::in_call(call, &canary.value, &self.order.currency)).collect();
        let times = found.iter().filter(|places| !places.is_empty()).count();
        let mut places: Vec<String> = Vec::new();
        for place in found.iter().flatten() {
            if !places.contains(&place.place) {
                places.push(place.place.clone());
            }
        }
        let mut form = found.iter().flatten().map(|place| place.form).max();
        let mut sure = Sureness::of(times, calls.len(), || match (sent, calls) {
            (false, _) => "create_payment does not send it".to_owned(),
            (true, []) => "no call came".to_owned(),
            (true, _) => "it went to the acquirer and did not come out".to_owned(),
        });
        let came_home = canary.name == "return_url" && !stand_in.returns(&self.order.reference).is_empty();
        if came_home && !sure.is_seen() {
            places = vec!["the Customer came back there".to_owned()];
            (form, sure) = (Some(Form::ByteForByte), Sureness::SeenOnce);
        }
        CameOut { canary, places, form, sure, sent }
    }
}
