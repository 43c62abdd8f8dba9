//! Tokens that exist before the first authorize (contract `webhooks-and-network-data.md` B.6).

use jiff::{SignedDuration, Timestamp};
use klarna_schemas::klarna::interoperability::{CustomerJourney, InteroperabilityToken, SdkToken};
use klarna_schemas::simulator::control::MintedTokenState;
use serde::Serialize;

use super::effect::Effect;
use super::idempotency::{Acted, shown};
use super::payment_request::TOKEN_LIFE_MINUTES;
use super::sandbox::Sandbox;

/// Characters of a session token that is handed out here.
const TOKEN_LENGTH: usize = 512;
/// Characters of an SDK token.
const SDK_TOKEN_LENGTH: usize = 256;

impl Sandbox {
    /// A session token of a customer who has done this.
    pub(crate) fn hand_out_token(
        &mut self,
        journey: &CustomerJourney,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Acted {
        let state = match journey {
            CustomerJourney::ExpressCheckout => MintedTokenState::Completed,
            _ => MintedTokenState::Unused,
        };
        let token = self.mint(TOKEN_LENGTH, state, now);
        effects.push(Effect::TokenIssued(token.clone()));
        let expires_at = self.tokens.get(&token).and_then(|record| record.expires_at);
        about_no_payment(&InteroperabilityToken {
            interoperability_token: token.clone(),
            klarna_network_session_token: Some(token),
            expires_at,
        })
    }

    /// A token for the Web SDK. Nothing here asks for one: it is opaque, and good for an hour.
    pub(crate) fn hand_out_sdk_token(&mut self, now: Timestamp) -> Acted {
        const PREFIX: &str = "krn:network:eu1:test:sdk-token:";
        let opaque = self.ids.text("sdk-token", SDK_TOKEN_LENGTH - PREFIX.len());
        let expires_at = now.checked_add(SignedDuration::from_mins(TOKEN_LIFE_MINUTES)).ok();
        about_no_payment(&SdkToken { sdk_token: format!("{PREFIX}{opaque}"), expires_at })
    }
}

fn about_no_payment(token: &impl Serialize) -> Acted {
    Acted { outcome: Ok(shown(token)), payment: None }
}
