//! Klarna Network Data of a given size, and whether all of it arrives.

use super::World;
use super::checks::finding;
use super::failure::Failure;
use crate::adapter::Outcome;

/// The longest that Klarna takes, in characters. Bytes or characters is not said; characters are
/// inferred (contract, decisions).
pub(super) const LIMIT: usize = 10_240;

/// What the bulk of generated data is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letters {
    /// One byte each.
    Ascii,
    /// Two to four bytes each.
    Beyond,
}

/// A JSON text of exactly this many characters.
pub(super) fn network_data(characters: usize, letters: Letters) -> String {
    let alphabet: &[char] = match letters {
        Letters::Ascii => &['a', 'b', 'c', 'd', 'e'],
        Letters::Beyond => &['å', 'ø', '東', '京', '🧥'],
    };
    let (before, after) = (r#"{"content": ""#, r#""}"#);
    let bulk = characters.saturating_sub(before.len() + after.len());
    before.chars().chain(alphabet.iter().copied().cycle().take(bulk)).chain(after.chars()).collect()
}

impl World {
    /// Gives the order Klarna Network Data of this size.
    ///
    /// # Errors
    /// As [`World::share_network_data`].
    pub fn share_network_data_of(&mut self, characters: usize, letters: Letters) -> Result<(), Failure> {
        self.share_network_data(Some(network_data(characters, letters)))
    }

    /// Asks that data of full length was taken and reached Klarna whole.
    ///
    /// # Errors
    /// When it was refused, or came otherwise.
    pub async fn must_forward_full_length(&mut self) -> Result<(), Failure> {
        self.judged("network-data.full-length", 1);
        if !self.answered(Outcome::Invalid)? {
            return self.must_hold(&["network-data.byte-equal"]).await;
        }
        let payment = self.payment()?;
        let data = payment.order.network_data.as_deref().unwrap_or_default();
        let (characters, bytes) = (data.chars().count(), data.len());
        let mut finding = finding(
            "network-data.full-length",
            &self.scenario.duties,
            "the answer to the Partner's create call",
            format!("Klarna Network Data of {characters} characters, {bytes} bytes, was refused"),
        );
        finding.expected = Some(format!("up to {LIMIT} characters are taken"));
        if bytes > LIMIT {
            finding.rest_on("That the limit counts characters, and not bytes.");
        }
        let exchange = payment.exchange().clone();
        self.weigh(finding, Some(exchange)).await
    }

    /// Asks that data which an acquirer may refuse was refused, and then left no authorize, or was
    /// taken, and then reached Klarna unchanged.
    ///
    /// # Errors
    /// When it was taken and changed, or refused and sent all the same.
    pub async fn must_refuse_or_forward(&mut self) -> Result<(), Failure> {
        if !self.answered(Outcome::Invalid)? {
            self.remark("the acquirer took it, so it must arrive unchanged");
            return self.must_hold(&["network-data.byte-equal"]).await;
        }
        self.remark("the acquirer refused it, which is its good right");
        // The sound twin: the same order with plain network data.
        self.create_payment(None).await?;
        self.must_have_left_no_authorize().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_exact_and_the_text_is_json() {
        for letters in [Letters::Ascii, Letters::Beyond] {
            let text = network_data(LIMIT, letters);
            assert_eq!(text.chars().count(), LIMIT);
            assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
        }
        assert_eq!(network_data(LIMIT, Letters::Ascii).len(), LIMIT);
        assert!(network_data(LIMIT, Letters::Beyond).len() > LIMIT);
    }
}
