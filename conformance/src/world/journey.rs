//! The Customer: in a browser, or on the Partner's page with Klarna's SDK.

use std::borrow::Cow;

use klarna_schemas::ids::PaymentRequestId;
use klarna_schemas::simulator::control::CustomerAct;
use url::Url;

use super::World;
use super::checks::finding;
use super::failure::Failure;
use crate::browser::{Cookies, Followed, HOPS_MAX, Hop, Trail, without_query};

/// How the Customer came into the Purchase Journey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// By a URL, in a browser.
    Url(Url),
    /// By the SDK, with a Payment Request's id.
    Sdk(PaymentRequestId),
}

/// How the Customer fares.
#[derive(Debug, Default)]
pub(super) struct Journey {
    way: Option<Way>,
    sent_to: Option<Url>,
    /// Of the browser in which this payment is made.
    pub(super) cookies: Cookies,
}

impl World {
    /// Opens the URL that the acquirer returned, as a browser does, and follows it to Klarna.
    ///
    /// # Errors
    /// When there is none, or it leads elsewhere than to Klarna's URL.
    pub async fn open_returned_url(&mut self) -> Result<(), Failure> {
        self.ask_while_pending().await?;
        let klarna = self.initial_call().await?.payment_request_url();
        let Some(returned) = self.payment()?.read("redirect_url").map(str::to_owned) else {
            return Err(self.not_handed_over("step-up.url-handed-over", klarna, None));
        };
        let Some(expected) = klarna else {
            return Err(Failure::NothingToJudge("Klarna gave no payment_request_url".to_owned()));
        };
        self.judged("step-up.url-handed-over", 1);
        let Ok(here) = Url::parse(&returned) else {
            return Err(self.not_handed_over("step-up.url-handed-over", Some(expected), Some(returned)));
        };
        let klarnas = Url::parse(&expected).ok();
        let is_klarnas = |hop: &Hop| hop.form().is_none() && klarnas.as_ref() == Some(hop.url());
        let way = self.follow(here, "step-up.url-handed-over", "application/json", is_klarnas).await?;
        match way {
            Followed { trail, arrived: Some(url) } => {
                if trail.len() > 1 {
                    self.remark(format!(
                        "the acquirer wraps Klarna's URL; followed, it leads there: {trail}"
                    ));
                }
                self.payment_mut()?.journey.way = Some(Way::Url(url));
                Ok(())
            }
            Followed { trail, arrived: None } => Err(self.led_astray(expected, returned, &trail)),
        }
    }

    /// That the URL which the Partner got does not lead to Klarna's.
    fn led_astray(&self, expected: String, returned: String, trail: &Trail) -> Failure {
        let last = trail.end().filter(|_| trail.len() > 1);
        let got = last.map_or(returned, |end| format!("{trail} (the last one in full: {end})"));
        let mut failure = self.not_handed_over("step-up.url-handed-over", Some(expected), Some(got));
        if let Failure::Found { finding, .. } = &mut failure {
            if last.is_some() {
                "followed hop by hop, what the Partner got does not lead to Klarna's payment_request_url"
                    .clone_into(&mut finding.what);
            }
            if trail.len() == HOPS_MAX {
                finding.what = format!("{}: {HOPS_MAX} hops do not end there", finding.what);
            }
            "hand payment_request_url on as it is, or lead there by redirects, a refresh, or a form or literal \
             URL that a page's script sends the browser to: the suite runs no scripts"
                .clone_into(&mut finding.mend);
        }
        failure
    }

    /// Opens the SDK on the Partner's page with the id that the acquirer returned.
    ///
    /// # Errors
    /// When there is none, or it is not Klarna's.
    pub async fn open_sdk(&mut self) -> Result<(), Failure> {
        self.ask_while_pending().await?;
        let klarna = self.initial_call().await?.payment_request_id();
        let returned = self.payment()?.read("payment_request_id").map(str::to_owned);
        let Some(expected) = klarna else {
            return Err(Failure::NothingToJudge("Klarna gave no payment_request_id".to_owned()));
        };
        if returned.as_deref() != Some(&expected) {
            return Err(self.not_handed_over("step-up.id-handed-over", Some(expected), returned));
        }
        self.judged("step-up.id-handed-over", 1);
        let id = PaymentRequestId(expected);
        self.run.control.act_as_customer(self.account(), &id, CustomerAct::Open).await?;
        self.payment_mut()?.journey.way = Some(Way::Sdk(id));
        Ok(())
    }

    /// Does what the Customer does in the Purchase Journey.
    ///
    /// # Errors
    /// When no step has opened it, or Klarna refuses the act.
    pub async fn act(&mut self, act: CustomerAct) -> Result<(), Failure> {
        self.fenced = false;
        let way = self.payment()?.journey.way.clone();
        let acted = match way {
            None => return Err(Failure::misused("the Customer has not opened the Purchase Journey")),
            Some(Way::Sdk(id)) => self.run.control.act_as_customer(self.account(), &id, act).await?,
            Some(Way::Url(url)) => {
                let acted = self.run.browser.act(&url, act).await;
                acted.map_err(|why| Failure::Broken(format!("the Purchase Journey at {url}: {why}")))?
            }
        };
        let sent_to = acted.redirect_to.as_deref().and_then(|target| Url::parse(target).ok());
        self.payment_mut()?.journey.sent_to = sent_to;
        Ok(())
    }

    /// Follows where Klarna sent the Customer, to the Partner's page.
    ///
    /// # Errors
    /// When the way ends elsewhere.
    pub async fn come_back(&mut self) -> Result<(), Failure> {
        self.fenced = false;
        let payment = self.payment()?;
        let home = self.home()?;
        let by_sdk = matches!(payment.journey.way, Some(Way::Sdk(_)));
        let Some(sent_to) = payment.journey.sent_to.clone() else {
            if by_sdk {
                self.remark("the SDK kept the Customer on the Partner's page: there is no way back to judge");
                return Ok(());
            }
            return Err(Failure::misused("Klarna has not sent the Customer anywhere"));
        };
        let is_home = |hop: &Hop| without_query(hop.url()) == without_query(&home);
        let way = self.follow(sent_to, "customer.comes-home", "text/html", is_home).await?;
        if way.arrived.is_some() {
            self.judged("customer.comes-home", 1);
            return Ok(());
        }
        let mut finding = finding(
            "customer.comes-home",
            &self.scenario.duties,
            "the way back of the Customer",
            "the Customer does not come back to the Partner's return_url",
        );
        finding.expected = Some(home.to_string());
        finding.got = Some(way.trail.to_string());
        self.weigh(finding, None).await
    }

    /// Asks that the Customer was seen on the Partner's return page.
    ///
    /// # Errors
    /// When not.
    pub async fn is_home(&mut self) -> Result<(), Failure> {
        let payment = self.payment()?;
        if matches!(payment.journey.way, Some(Way::Sdk(_))) && payment.journey.sent_to.is_none() {
            self.remark("the SDK kept the Customer on the Partner's page");
            return Ok(());
        }
        let marker = payment.order.reference.clone();
        let home = self.home()?;
        let visit = self.run.stand_in.await_return(&marker, super::context::PATIENCE).await;
        self.judged("customer.comes-home", 1);
        let Some(visit) = visit else {
            let mut finding = finding(
                "customer.comes-home",
                &self.scenario.duties,
                "the Partner's return page",
                "the Customer was not seen on the Partner's return page",
            );
            finding.expected = Some(home.to_string());
            return self.weigh(finding, None).await;
        };
        let lost = |(name, value): &(Cow<'_, str>, Cow<'_, str>)| {
            !visit.query.iter().any(|(key, came)| key == name && came == value)
        };
        if let Some((name, value)) = home.query_pairs().find(lost) {
            let mut finding = finding(
                "customer.comes-home",
                &self.scenario.duties,
                "the URL that brings the Customer back",
                "a parameter that the Partner had put into its return_url is missing or changed",
            );
            finding.expected = Some(format!("{name}={value}"));
            // Names only: a value can be a secret.
            let names: Vec<&str> = visit.query.iter().map(|(name, _)| name.as_str()).collect();
            finding.got = Some(format!("parameters: {}", names.join(", ")));
            return self.weigh(finding, None).await;
        }
        if let Some((name, _)) = visit.query.iter().find(|(name, _)| name.to_lowercase().contains("token")) {
            let mut finding = finding(
                "secret.in-url",
                &self.scenario.duties,
                "the URL that brings the Customer back",
                format!("it carries the query parameter {name}"),
            );
            "leave session tokens out of URLs".clone_into(&mut finding.mend);
            return self.weigh(finding, None).await;
        }
        Ok(())
    }

    /// The Partner's `return_url`.
    fn home(&self) -> Result<Url, Failure> {
        let home = &self.payment()?.order.return_url;
        Url::parse(home).map_err(|error| Failure::Broken(format!("the return_url {home}: {error}")))
    }

    /// Whether Klarna has sent the browser somewhere: in SDK mode it may never leave the Partner's page,
    /// and a Customer who is told nothing is sent nowhere.
    pub(super) fn was_sent_somewhere(&self) -> Result<bool, Failure> {
        Ok(self.payment()?.journey.sent_to.is_some())
    }

    pub(super) fn not_handed_over(
        &self,
        rule: &str,
        expected: Option<String>,
        got: Option<String>,
    ) -> Failure {
        let name =
            if rule == "step-up.url-handed-over" { "payment_request_url" } else { "payment_request_id" };
        let what = match &got {
            None => format!("the answer to the Partner carries no {name}"),
            Some(_) => format!("what the Partner got is not Klarna's {name}"),
        };
        let mut finding =
            finding(rule, &self.scenario.duties, "the answer to the Partner's create call", what);
        finding.expected = Some(expected.unwrap_or_else(|| "Klarna's own".to_owned()));
        finding.got = Some(got.unwrap_or_else(|| "nothing".to_owned()));
        Failure::found_in(finding, self.payment().ok().map(|payment| payment.exchange().clone()))
    }
}
