//! What payment forms show of Klarna (contract `webhooks-and-network-data.md` C).

mod texts;

use std::collections::VecDeque;

use klarna_schemas::klarna::presentation::{
    Icon, MessagePart, PaymentButton, PaymentOption, Presentation, PresentationInstruction,
    PresentationStatus, ShownMessage, ShownText,
};
use klarna_schemas::money::{Currency, MinorUnits};

use super::effect::Refusal;
use super::sandbox::Sandbox;
use super::token::TokenMeaning;
pub(crate) use texts::Interval;
use texts::Texts;

/// Currencies that Klarna knows (contract `payments.md` 6). Here every account has all of them.
const CURRENCIES: [&str; 15] =
    ["AUD", "CAD", "CHF", "CZK", "DKK", "EUR", "GBP", "HUF", "MXN", "NOK", "NZD", "PLN", "RON", "SEK", "USD"];

/// How many payment options a sandbox remembers; forms that are older are no longer open.
const REMEMBERED_OPTIONS: usize = 1_000;

/// Characters of a payment option's id.
const OPTION_ID_LENGTH: usize = 40;

/// For which purchase a form is shown.
#[derive(Debug, Clone)]
pub(crate) struct PresentationQuery {
    pub(crate) currency: Currency,
    /// RFC 5646; its language chooses the texts.
    pub(crate) locale: String,
    /// What the customer is about to do.
    pub(crate) intent: Intent,
    /// Left out where nothing is paid yet.
    pub(crate) amount: Option<MinorUnits>,
    /// The customer token that came.
    pub(crate) customer_token: Option<String>,
    /// The session token that came, under any of its headers.
    pub(crate) token: Option<String>,
}

/// What a customer is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intent {
    /// To pay.
    Pay,
    /// To pay again and again, each so many intervals where that is said.
    Subscribe(Option<(u32, Interval)>),
    /// To be able to pay later.
    AddToWallet,
}

/// What was wished for, and which options were given out.
#[derive(Debug, Clone)]
pub(super) struct Presenting {
    instruction: PresentationInstruction,
    issued: VecDeque<String>,
    /// Whether options were forgotten, to make room.
    forgetful: bool,
}

impl Default for Presenting {
    fn default() -> Self {
        Self { instruction: PresentationInstruction::ShowKlarna, issued: VecDeque::new(), forgetful: false }
    }
}

impl Presenting {
    /// Whether an option was given out here; `None` where it may have been forgotten.
    pub(super) fn has_issued(&self, option: &str) -> Option<bool> {
        let known = self.issued.iter().any(|issued| issued == option);
        (known || !self.forgetful).then_some(known)
    }

    fn remember(&mut self, option: String) {
        if self.issued.len() >= REMEMBERED_OPTIONS {
            self.issued.pop_front();
            self.forgetful = true;
        }
        self.issued.push_back(option);
    }
}

impl Sandbox {
    /// Chooses the instruction of every presentation to come.
    pub(crate) fn instruct(&mut self, instruction: PresentationInstruction) {
        self.presenting.instruction = instruction;
    }

    /// What a form for this purchase shows.
    pub(crate) fn present(&mut self, query: &PresentationQuery) -> Result<Presentation, Refusal> {
        let currency = query.currency.as_str().to_ascii_uppercase();
        if !CURRENCIES.contains(&currency.as_str()) {
            let why = format!("this account has no payment options in {currency}");
            return Err(Refusal::NotFound(why));
        }
        let instruction = self.presenting.instruction.clone();
        if instruction == PresentationInstruction::HideKlarna {
            return Ok(Presentation {
                instruction,
                payment_status: None,
                payment_option: None,
                saved_payment_option: None,
            });
        }
        Ok(Presentation {
            instruction,
            payment_status: Some(self.next_step(query)),
            payment_option: Some(self.draw_option(query)),
            saved_payment_option: self.saved_option(query),
        })
    }

    /// What a customer chose before, where Klarna knows the customer by a token.
    fn saved_option(&mut self, query: &PresentationQuery) -> Option<PaymentOption> {
        let known = query.customer_token.as_ref().is_some_and(|token| self.knows_customer_token(token));
        known.then(|| {
            let saved = Texts::of(&query.locale).saved;
            PaymentOption { subheader: Some(shown(saved)), ..self.draw_option(query) }
        })
    }

    /// Whoever has completed a request already has nothing left to do.
    fn next_step(&self, query: &PresentationQuery) -> PresentationStatus {
        let meaning = query.token.as_ref().and_then(|token| self.tokens.get(token));
        match meaning.map(|record| &record.stands_for) {
            Some(TokenMeaning::Completed(_)) => PresentationStatus::PendingPartnerAuthorization,
            _ => PresentationStatus::RequiresCustomerAction,
        }
    }

    /// The id of a new option, drawn from the seed.
    pub(super) fn draw_option_id(&mut self) -> String {
        let id = self.ids.text("payment-option", OPTION_ID_LENGTH);
        self.presenting.remember(id.clone());
        id
    }

    /// A new option: its texts come from the locale.
    fn draw_option(&mut self, query: &PresentationQuery) -> PaymentOption {
        let id = self.draw_option_id();
        let texts = Texts::of(&query.locale);
        let icon = |name: &str| Some(format!("{}/static/icons/{name}.svg", self.policies.journey_base));
        let (header, subheader) = match query.intent {
            Intent::Pay => (texts.header, texts.subheader),
            Intent::Subscribe(_) => (texts.header, texts.subscribes),
            Intent::AddToWallet => (texts.saves, texts.later),
        };
        let message = texts.message(query).unwrap_or_else(|| subheader.to_owned());
        PaymentOption {
            payment_option_id: id,
            header: Some(shown(header)),
            subheader: Some(shown(subheader)),
            badge: Some(shown(texts.badge)),
            message: Some(plain(&message)),
            terms: Some(linked(texts.terms, &format!("{}/static/terms.txt", self.policies.journey_base))),
            payment_button: Some(PaymentButton {
                text: Some(texts.button.to_owned()),
                image_url: icon("button"),
                image_alignment: Some("LEFT".to_owned()),
            }),
            icon: Some(Icon {
                alt: Some("Klarna".to_owned()),
                badge_image_url: icon("badge"),
                rectangle_image_url: icon("rectangle"),
                square_image_url: icon("square"),
            }),
        }
    }
}

fn shown(text: &str) -> ShownText {
    ShownText { text: Some(text.to_owned()) }
}

fn plain(text: &str) -> ShownMessage {
    let part = MessagePart { r#type: "TEXT".to_owned(), text: text.to_owned(), url: None };
    ShownMessage { text: Some(text.to_owned()), parts: Some(vec![part]) }
}

fn linked(text: &str, url: &str) -> ShownMessage {
    let part = MessagePart { r#type: "LINK".to_owned(), text: text.to_owned(), url: Some(url.to_owned()) };
    ShownMessage { text: Some(text.to_owned()), parts: Some(vec![part]) }
}
