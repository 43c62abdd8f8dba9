//! Express shipping: the customer chooses in the Purchase Journey where and how the goods travel, which
//! changes the amount (contract `payments.md` 2.6, 3.1, 3.2).

use klarna_schemas::klarna::payment_request::PaymentRequestState::{InProgress, Submitted};
use klarna_schemas::klarna::purchase_data::Shipping;
use klarna_schemas::money::MinorUnits;
use klarna_schemas::simulator::control::CustomerAct;
use uuid::Uuid;

use super::customer::CustomerRefusal;
use super::sandbox::Sandbox;

/// Largest amount of a Payment Request (contract `payments.md` 2.1).
const LARGEST_AMOUNT: i64 = 0x7fff_ffff;

/// What a customer says of the shipping.
#[derive(Debug, Clone, Default)]
pub(crate) struct ShippingChoice {
    /// Where and how.
    pub(crate) shipping: Option<Shipping>,
    /// What that adds to the amount.
    pub(crate) amount: Option<MinorUnits>,
}

impl Sandbox {
    /// Lays what the customer chose over a request that is about to be approved. One that is no longer
    /// open stays as it is: whether it can be approved is for the act itself to say.
    pub(crate) fn choose_shipping(
        &mut self,
        uuid: Uuid,
        act: CustomerAct,
        choice: &ShippingChoice,
    ) -> Result<(), CustomerRefusal> {
        let refuse = |why: String| Err(CustomerRefusal::Shipping(why));
        let shipping = match (&choice.shipping, choice.amount) {
            (None, None) => return Ok(()),
            (None, Some(_)) => return refuse("shipping_amount goes with shipping".to_owned()),
            (Some(shipping), _) => shipping.clone(),
        };
        if act != CustomerAct::Approve {
            return refuse(format!("it is chosen with the act approve, not with {}", act.as_str()));
        }
        let record = self.request_by_uuid_mut(uuid).ok_or(CustomerRefusal::Unknown)?;
        if !matches!(record.state, Submitted | InProgress) {
            return Ok(());
        }
        let config = record.shipping_config.as_ref();
        let Some(config) = config.filter(|config| config.mode.as_deref() == Some("EDITABLE")) else {
            return refuse("the Payment Request has no shipping_config with the mode EDITABLE".to_owned());
        };
        let country = shipping.address.as_ref().and_then(|address| address.country.as_deref());
        if let (Some(supported), Some(country)) = (&config.supported_countries, country)
            && !supported.iter().any(|one| one.eq_ignore_ascii_case(country))
        {
            return refuse(format!("{country} is none of the supported countries {}", supported.join(", ")));
        }
        let added = choice.amount.unwrap_or(MinorUnits(0)).0;
        let amount = record.amount.0.saturating_add(added);
        if added < 0 || amount > LARGEST_AMOUNT {
            return refuse(format!("shipping_amount takes 0 or more, up to {LARGEST_AMOUNT} in all"));
        }
        (record.amount, record.shipping) = (MinorUnits(amount), Some(shipping));
        Ok(())
    }
}
