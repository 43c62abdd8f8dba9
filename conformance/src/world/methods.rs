//! Payment methods: what the acquirer lists for an order, beside what Klarna presented.

use klarna_schemas::klarna::presentation::PresentationInstruction as Instruction;
use klarna_schemas::simulator::control::{ArmFault, Fault, JournalQuery, PresentationWish};
use klarna_schemas::simulator::journal::{JournalEntry, RecordedResponse};
use serde_json::Value;

use super::World;
use super::checks::finding;
use super::failure::Failure;
use super::journal::TOKEN_HEADER;
use crate::adapter::{INSTRUCTION, MethodsAnswer, OperationError, Order, PAYMENT_OPTION_ID};

/// Journal operation of Klarna's presentation.
const PRESENTATION: &str = "presentation.read";
/// More calls than any acquirer makes for one list.
const ALWAYS: u32 = 20;

/// A list of payment methods that the acquirer gave.
#[derive(Debug, Clone)]
pub(super) struct Listing {
    answer: MethodsAnswer,
    /// What it was asked for.
    order: Order,
    /// Number of the last exchange before it was asked.
    since: u64,
}

impl World {
    /// Lets Klarna tell payment forms so from now on.
    ///
    /// # Errors
    /// When the simulator refuses.
    pub async fn klarna_presents(&mut self, instruction: Instruction) -> Result<(), Failure> {
        self.run.control.set_presentation(self.account(), &PresentationWish { instruction }).await?;
        Ok(())
    }

    /// Lets Klarna's presentation fail until it is well again.
    ///
    /// # Errors
    /// When the simulator refuses.
    pub async fn presentation_fails(&mut self, fault: Fault) -> Result<(), Failure> {
        let fault = ArmFault { times: ALWAYS, ..ArmFault::once(PRESENTATION, fault) };
        self.run.control.arm_fault(self.account(), &fault).await?;
        Ok(())
    }

    /// Asks the acquirer for the payment methods of the order, as the Partner.
    ///
    /// # Errors
    /// When the acquirer gives no list.
    pub async fn list_methods(&mut self) -> Result<(), Failure> {
        let since = self.journal_end().await?;
        let answer = self.run.acquirer.list_payment_methods(self.partner(), &self.order).await;
        self.judged("methods.listed", 1);
        let answer = answer.map_err(|error| self.no_list(&error))?;
        self.listing = Some(Listing { answer, order: self.order.clone(), since });
        Ok(())
    }

    fn no_list(&self, error: &OperationError) -> Failure {
        if matches!(error, OperationError::NotBound { .. } | OperationError::Template { .. }) {
            return Failure::Broken(error.to_string());
        }
        let place = "the answer to the Partner's request for payment methods";
        let finding = finding("methods.listed", &self.scenario.duties, place, error.to_string());
        Failure::found_in(finding, error.exchange().cloned())
    }

    fn listing(&self) -> Result<&Listing, Failure> {
        self.listing
            .as_ref()
            .ok_or_else(|| Failure::misused("no step before this one asks for the payment methods"))
    }

    /// Asks that Klarna is on the list, or is not.
    ///
    /// # Errors
    /// When it is otherwise.
    pub async fn must_list_klarna(&mut self, wanted: bool) -> Result<(), Failure> {
        let answer = self.listing()?.answer.clone();
        self.judged("methods.klarna", 1);
        if answer.lists_klarna() == wanted {
            return Ok(());
        }
        let (expected, what) = if wanted {
            ("Klarna among them", "Klarna is not among the payment methods, though it wants to be shown")
        } else {
            ("Klarna left out", "Klarna is among the payment methods, though it can not be offered")
        };
        let mut finding =
            finding("methods.klarna", &self.scenario.duties, "the list of payment methods", what);
        finding.expected = Some(expected.to_owned());
        finding.got = Some(answer.names.join(", "));
        self.weigh(finding, Some(answer.exchange)).await
    }

    /// Asks that the other methods are listed as they are beside Klarna: a second list, for which
    /// Klarna shows itself, is the sound twin.
    ///
    /// # Errors
    /// When one is missing, or they stand in another order.
    pub async fn must_keep_other_methods(&mut self) -> Result<(), Failure> {
        let first = self.listing()?.answer.clone();
        self.run.control.lift_faults(self.account()).await?;
        self.klarna_presents(Instruction::ShowKlarna).await?;
        self.list_methods().await?;
        self.must_list_klarna(true).await?;
        let twin = self.listing()?.answer.clone();
        if twin.others().is_empty() {
            let what = "the acquirer lists no payment method beside Klarna";
            return Err(Failure::NothingToJudge(what.to_owned()));
        }
        self.judged("methods.others", 1);
        if first.others() == twin.others() {
            return Ok(());
        }
        let mut finding = finding(
            "methods.others",
            &self.scenario.duties,
            "the list of payment methods",
            "without Klarna the other payment methods are not those that stand beside it",
        );
        finding.expected = Some(twin.others().join(", "));
        finding.got = Some(first.others().join(", "));
        self.weigh(finding, Some(first.exchange)).await
    }

    /// Klarna's presentation that the last list was made from.
    async fn presentation(&mut self) -> Result<JournalEntry, Failure> {
        let listing = self.listing()?.clone();
        let query = JournalQuery {
            after: Some(listing.since),
            operation: Some(PRESENTATION.to_owned()),
            ..JournalQuery::default()
        };
        self.judged("presentation.asked", 1);
        // The list was answered, so what was asked for it stands in the journal by now.
        if let Some(entry) = self.entries(query).await?.into_iter().next_back() {
            return Ok(entry);
        }
        let mut finding = finding(
            "presentation.asked",
            &self.scenario.duties,
            "Klarna's presentation",
            "the acquirer listed payment methods without asking Klarna how it wants to be presented",
        );
        finding.expected = Some(format!("GET /v2/accounts/{}/payment/presentation", self.account()));
        finding.got = Some(self.what_came_instead(listing.since).await);
        Err(Failure::found_in(finding, Some(listing.answer.exchange)))
    }

    /// Asks that Klarna was asked for its presentation of this order.
    ///
    /// # Errors
    /// When it was not, or of another one.
    pub async fn must_ask_for_presentation(&mut self) -> Result<(), Failure> {
        let entry = self.presentation().await?;
        let order = self.listing()?.order.clone();
        let asked = |name: &str| -> Option<String> {
            let (_, query) = entry.request.target.split_once('?')?;
            url::form_urlencoded::parse(query.as_bytes())
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        for (name, expected) in
            [("currency", order.currency), ("amount", order.amount.to_string()), ("locale", order.locale)]
        {
            let got = asked(name);
            if got.as_ref() == Some(&expected) {
                continue;
            }
            let mut finding = finding(
                "presentation.asked",
                &self.scenario.duties,
                format!("the request for Klarna's presentation, {name}"),
                "it is not about the Partner's order",
            );
            finding.expected = Some(expected);
            finding.got = Some(got.unwrap_or_else(|| "nothing".to_owned()));
            finding.exchanges = vec![entry.seq];
            return self.weigh(finding, None).await;
        }
        Ok(())
    }

    /// Asks that what the list says of Klarna is what Klarna presented.
    ///
    /// # Errors
    /// When a value differs or is missing.
    pub async fn must_hand_presentation_on(&mut self) -> Result<(), Failure> {
        self.must_list_klarna(true).await?;
        let entry = self.presentation().await?;
        let presented = entry.response.as_ref().and_then(RecordedResponse::json).unwrap_or_default();
        let answer = self.listing()?.answer.clone();
        for given in &answer.given {
            let Some(expected) = presented.pointer(&given.pointer) else { continue };
            self.judged("methods.as-presented", 1);
            if given.is(expected) {
                continue;
            }
            let mut finding = finding(
                "methods.as-presented",
                &self.scenario.duties,
                format!("the list of payment methods, {}", given.path),
                format!("it is not what Klarna's presentation says at {}", given.pointer),
            );
            finding.expected = Some(expected.to_string());
            finding.got = Some(given.value.as_ref().map_or("nothing".to_owned(), Value::to_string));
            finding.exchanges = vec![entry.seq];
            return self.weigh(finding, Some(answer.exchange)).await;
        }
        Ok(())
    }

    /// Asks that Klarna's instruction is handed on, whichever it is.
    ///
    /// # Errors
    /// When it is not, or the acquirer lists none.
    pub async fn must_hand_instruction_on(&mut self, instruction: Instruction) -> Result<(), Failure> {
        self.must_hand_presentation_on().await?;
        let word = serde_json::to_value(&instruction).unwrap_or_default();
        let given = self.listing()?.answer.given_for(INSTRUCTION).cloned();
        if given.is_none_or(|given| given == word) {
            return Ok(());
        }
        Err(Failure::Broken("Klarna presented another instruction than it was told to".to_owned()))
    }

    /// Asks that the Partner's session token came with the request for Klarna's presentation.
    ///
    /// # Errors
    /// When it did not, or changed on the way.
    pub async fn must_forward_token_to_presentation(&mut self) -> Result<(), Failure> {
        let entry = self.presentation().await?;
        let expected = self.listing()?.order.session_token.clone();
        let Some(expected) = expected else {
            return Err(Failure::misused("the Partner has no session token"));
        };
        self.judged("presentation.session-token-forwarded", 1);
        let got = entry.request.header(TOKEN_HEADER);
        if got == Some(expected.as_str()) {
            return Ok(());
        }
        let mut finding = finding(
            "presentation.session-token-forwarded",
            &self.scenario.duties,
            "the request for Klarna's presentation, header Klarna-Network-Session-Token",
            "the Partner's session token did not come with it, or was changed on the way",
        );
        // Tokens are secrets: their lengths tell enough.
        finding.expected = Some(format!("the token of {} characters", expected.chars().count()));
        finding.got = Some(got.map_or("no token".to_owned(), |got| {
            format!("another text of {} characters", got.chars().count())
        }));
        finding.exchanges = vec![entry.seq];
        self.weigh(finding, None).await
    }

    /// Lets the Customer choose the payment option that was offered: by Klarna itself, or by the
    /// acquirer's list.
    ///
    /// # Errors
    /// When none was.
    pub async fn choose_offered_option(&mut self) -> Result<(), Failure> {
        if self.listing.is_none() && self.order.payment_option_id.is_some() {
            return Ok(());
        }
        self.must_hand_presentation_on().await?;
        let answer = &self.listing()?.answer;
        let whole = || match answer.given_for("")? {
            Value::String(text) => serde_json::from_str(text).ok(),
            value => Some(value.clone()),
        };
        let option = answer
            .given_for(PAYMENT_OPTION_ID)
            .cloned()
            .or_else(|| whole()?.pointer(PAYMENT_OPTION_ID).cloned());
        let Some(Value::String(option)) = option else {
            return Err(Failure::NothingToJudge("the list carries no payment option id".to_owned()));
        };
        self.order.payment_option_id = Some(option);
        Ok(())
    }

    /// Asks that the payment option that the Customer chose came with the initial authorize.
    ///
    /// # Errors
    /// When it did not, or the acquirer's API has no place for it.
    pub async fn must_carry_option(&mut self) -> Result<(), Failure> {
        let order = self.payment()?.order.clone();
        let without = Order { payment_option_id: None, ..order.clone() };
        let gave_it = self.run.acquirer.tells_apart(self.partner(), &order, &without);
        if !gave_it.map_err(|error| Failure::Broken(error.to_string()))? {
            let why = "by the adapter, the acquirer's API has no place for a payment option";
            return Err(Failure::NotApplicable(why.to_owned()));
        }
        self.must_hold(&["payment-option.as-intended"]).await
    }
}
