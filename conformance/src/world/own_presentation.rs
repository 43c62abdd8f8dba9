//! The Partner that asks Klarna itself how Klarna is to be shown: no acquirer takes part in that.

use reqwest::header::AUTHORIZATION;
use serde_json::Value;

use super::World;
use super::failure::Failure;
use crate::adapter::PAYMENT_OPTION_ID;

/// Presentation for the Partner's own key: the path names no account (contract README, "What real
/// clients do").
const PRESENTATION: &str = "/v2/payment/presentation";

impl World {
    /// Asks Klarna, as the Partner with a key of its own, how to show Klarna; the Customer chooses what
    /// it offers.
    ///
    /// # Errors
    /// When the simulator does not answer with a payment option.
    pub async fn ask_klarna_itself(&mut self) -> Result<(), Failure> {
        let broken = |what: String| Failure::Broken(format!("Klarna's presentation for the Partner: {what}"));
        let key = self.run.control.make_partner_key(self.account()).await?.api_key;
        let mut url = self.run.control.base().clone();
        url.set_path(PRESENTATION);
        url.query_pairs_mut()
            .append_pair("currency", &self.order.currency)
            .append_pair("locale", &self.order.locale)
            .append_pair("amount", &self.order.amount.to_string())
            .append_pair("intents[]", "PAY");
        let request = self.run.browser.get(url).header(AUTHORIZATION, format!("Basic {key}"));
        let answer = request.send().await.map_err(|error| broken(error.to_string()))?;
        let status = answer.status();
        let shown: Value = answer.json().await.map_err(|error| broken(error.to_string()))?;
        let option = shown.pointer(PAYMENT_OPTION_ID).and_then(Value::as_str);
        let option = option.ok_or_else(|| broken(format!("{status}: it offers no payment option")))?;
        self.order.payment_option_id = Some(option.to_owned());
        Ok(())
    }
}
