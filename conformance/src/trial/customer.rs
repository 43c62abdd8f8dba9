//! The Customer's part of the payment: to Klarna, through the Purchase Journey, and back.

use std::convert::Infallible;

use klarna_schemas::ids::PaymentRequestId;
use klarna_schemas::simulator::control::{CustomerAct, CustomerActed};
use klarna_simulator::control::client::ControlError;
use url::Url;

use super::course::Trial;
use crate::adapter::Mode;
use crate::browser::{self, Hop, Step, Trail};

impl Trial<'_> {
    /// Lets the Customer approve, and come back.
    pub(super) async fn step_up(&mut self) -> Result<(), ControlError> {
        let Some(first) = self.calls().await?.into_iter().next() else { return Ok(()) };
        let (Some(id), Some(url)) = (first.payment_request_id(), first.payment_request_url()) else {
            self.complain("the answer says step_up, and Klarna asked for none");
            return Ok(());
        };
        self.judge_handing_over(&id);
        let handed = self.told.get("redirect_url").cloned().filter(|_| self.order.mode == Mode::Redirect);
        let opened = match handed {
            Some(handed) => self.open(&handed, &url).await,
            None => None,
        };
        let acted = if let Some(journey) = opened {
            self.approve_there(&journey).await
        } else {
            let account = &self.parties.partner.klarna_account;
            let id = PaymentRequestId(id);
            let acted = self.parties.control.act_as_customer(account, &id, CustomerAct::Approve).await?;
            self.say("the Customer approved through Klarna's SDK");
            Some(acted)
        };
        let back = acted.and_then(|acted| acted.redirect_to).and_then(|target| Url::parse(&target).ok());
        if let Some(back) = back {
            self.come_back(back).await;
        }
        self.await_final_call().await
    }

    /// What a step-up's answer must give by what the adapter claims.
    fn judge_handing_over(&mut self, id: &str) {
        let adapter = self.parties.acquirer.adapter();
        let (redirect, sdk) = (adapter.claims("redirect"), adapter.claims("sdk"));
        if redirect && self.order.mode == Mode::Redirect && !self.told.contains_key("redirect_url") {
            self.complain(
                "the file claims redirect, and no redirect_url was read from the answer to a step-up",
            );
        }
        match self.told.get("payment_request_id") {
            Some(read) if read != id => {
                let what = format!("payment_request_id was read as {read}, and Klarna's is {id}");
                self.complain(what);
            }
            // By redirect, an acquirer need not give it.
            None if sdk && self.order.mode == Mode::Sdk => {
                self.complain(
                    "the file claims sdk, and no payment_request_id was read from the answer to a step-up",
                );
            }
            _ => {}
        }
    }

    /// Follows the URL that was handed over to Klarna's own.
    async fn open(&mut self, handed: &str, klarna: &str) -> Option<Url> {
        let wanted = Url::parse(klarna).ok()?;
        let trail = match Url::parse(handed) {
            Ok(start) => self.follow(start, |hop| hop.form().is_none() && *hop.url() == wanted).await,
            Err(_) => Trail::default(),
        };
        if trail.end() == Some(&wanted) {
            let via = if trail.len() > 1 { format!(": {trail}") } else { String::new() };
            self.say(format!("the Customer opened redirect_url and stood at Klarna{via}"));
            return Some(wanted);
        }
        self.complain(format!(
            "redirect_url was read as {handed}, and does not lead to Klarna's {klarna}: {trail}"
        ));
        None
    }

    async fn approve_there(&mut self, journey: &Url) -> Option<CustomerActed> {
        match self.parties.browser.act(journey, CustomerAct::Approve).await {
            Ok(acted) => {
                self.say("the Customer approved");
                Some(acted)
            }
            Err(why) => {
                self.complain(format!("the Customer could not approve: {why}"));
                None
            }
        }
    }

    async fn come_back(&mut self, back: Url) {
        let stand_in = self.parties.stand_in;
        let marker = self.order.reference.clone();
        let trail = self.follow(back, |_| !stand_in.returns(&marker).is_empty()).await;
        if stand_in.returns(&marker).is_empty() {
            self.complain(format!("the Customer did not come back to the Partner's return_url: {trail}"));
        } else {
            self.say("the Customer came back to the Partner's return_url");
        }
    }

    /// Goes where a URL leads by itself, until the browser is there, nothing leads on, or it gives up.
    async fn follow(&self, start: Url, is_there: impl Fn(&Hop) -> bool) -> Trail {
        let followed = browser::follow(start, async |hop| -> Result<Step, Infallible> {
            let visit = self.parties.browser.go(hop, "text/html", &self.cookies).await;
            Ok(match visit {
                Err(_) => Step::Lost,
                Ok(_) if is_there(hop) => Step::Arrived,
                Ok(visit) => Step::Elsewhere(visit),
            })
        });
        let Ok(followed) = followed.await;
        followed.trail
    }
}
