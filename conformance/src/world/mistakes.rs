//! Orders that an acquirer must refuse: one field is wrong, on purpose.
//!
//! The field is spoiled in the order itself, before the adapter puts it into the acquirer's words, so
//! it is spoiled through any API.

use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::simulator::control::JournalQuery;

use super::World;
use super::checks::finding;
use super::failure::Failure;
use super::journal::{AUTHORIZE, in_a_line};
use super::size::{self, Letters};
use crate::adapter::{Order, Outcome};

/// What is wrong with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// The amount is below zero.
    NegativeAmount,
    /// The amount is nothing.
    ZeroAmount,
    /// The currency is empty.
    NoCurrency,
    /// The currency is no ISO 4217 code.
    UnknownCurrency,
    /// The return URL is no URL.
    NoReturnUrl,
    /// The Klarna Network Data is a character longer than Klarna takes.
    TooMuchNetworkData,
}

impl Mistake {
    /// A mistake, from the words of a feature.
    pub fn from_words(words: &str) -> Option<Self> {
        match words {
            "a negative amount" => Some(Self::NegativeAmount),
            "an amount of zero" => Some(Self::ZeroAmount),
            "no currency" => Some(Self::NoCurrency),
            "a currency that is none" => Some(Self::UnknownCurrency),
            "a return URL that is none" => Some(Self::NoReturnUrl),
            "Klarna Network Data of 10241 characters" => Some(Self::TooMuchNetworkData),
            _ => None,
        }
    }

    /// Spoils this one field of an order.
    pub(super) fn make(self, order: &mut Order) {
        match self {
            Self::NegativeAmount => order.amount = -order.amount,
            Self::ZeroAmount => order.amount = 0,
            Self::NoCurrency => order.currency.clear(),
            Self::UnknownCurrency => "kronor".clone_into(&mut order.currency),
            Self::NoReturnUrl => "the shop's front door".clone_into(&mut order.return_url),
            Self::TooMuchNetworkData => {
                order.network_data = Some(size::network_data(size::LIMIT + 1, Letters::Ascii));
            }
        }
    }
}

impl World {
    /// Spoils the next order.
    ///
    /// # Errors
    /// When it would be spoiled by what the acquirer does not claim to take.
    pub fn spoil_order(&mut self, mistake: Mistake) -> Result<(), Failure> {
        if mistake == Mistake::TooMuchNetworkData {
            self.needs("network_data")?;
        }
        self.mistake = Some(mistake);
        Ok(())
    }

    /// Creates the payment again, with the mistake mended: the sound twin of the refused one.
    ///
    /// # Errors
    /// As [`World::create_payment`].
    pub async fn mend_and_create(&mut self) -> Result<(), Failure> {
        if self.mistake.take().is_none() {
            return Err(Failure::misused("nothing is wrong with the order that is to be mended"));
        }
        // What Klarna was to answer may have been spent on the order that it should not have seen.
        self.klarna_will(AuthorizationResult::Approved).await?;
        self.create_payment(None).await
    }

    /// Asks that the acquirer refused the create call itself.
    ///
    /// # Errors
    /// When it answered otherwise.
    pub async fn must_have_refused(&mut self) -> Result<(), Failure> {
        self.judged("answer.refused", 1);
        let payment = self.payment()?;
        let outcome = payment.answer.outcome;
        if outcome == Outcome::Invalid {
            return Ok(());
        }
        let mut finding = finding(
            "answer.refused",
            &self.scenario.duties,
            "the answer to the Partner's create call",
            format!("an order that cannot be paid is answered with {outcome} and not refused"),
        );
        finding.expected = Some(Outcome::Invalid.to_string());
        finding.got = Some(outcome.to_string());
        let exchange = payment.exchange().clone();
        self.weigh(finding, Some(exchange)).await
    }

    /// Asks that no authorize stands at Klarna but those of the last payment, which was sound and
    /// made after the refused one: what the refused one had set off came before.
    ///
    /// # Errors
    /// When another one does.
    pub async fn must_have_left_no_authorize(&mut self) -> Result<(), Failure> {
        let twin = self.payment_name().await?;
        let quiet = self.quiet().await?;
        self.remark(format!("an absence, proved by order: the mended twin reached Klarna after it{quiet}"));
        self.judged("refused.not-forwarded", 1);
        let calls = JournalQuery { operation: Some(AUTHORIZE.to_owned()), ..JournalQuery::default() };
        let calls = self.entries(calls).await?;
        let Some(stray) = calls.iter().find(|entry| entry.payment.as_deref() != Some(&twin)) else {
            return Ok(());
        };
        let mut finding = finding(
            "refused.not-forwarded",
            &self.scenario.duties,
            "Payment Authorize",
            "an order that the acquirer had to refuse was sent to Klarna",
        );
        finding.expected = Some("no authorize but that of the mended order".to_owned());
        finding.got = Some(in_a_line(stray));
        finding.exchanges = vec![stray.seq];
        self.weigh(finding, None).await
    }
}
