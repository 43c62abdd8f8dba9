//! What the Customer does in the Purchase Journey: at once, later, or as a script.

use std::fmt;

use jiff::SignedDuration;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::ids::PaymentRequestId;
use crate::klarna::payment_request::PaymentRequestState;
use crate::klarna::purchase_data::Shipping;
use crate::money::MinorUnits;

/// `POST /sandboxes/{a}/customer`: do what the customer does.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActAsCustomer {
    /// Which request.
    pub payment_request_id: PaymentRequestId,
    /// What.
    pub act: CustomerAct,
    /// How long after now, on the sandbox's clock; at once when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<SignedDuration>,
    /// The one-time code that the customer enters with approve: six digits. `999999` is a wrong one
    /// (contract `webhooks-and-network-data.md` D).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// With `choose_option`: which; another one than before when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_option_id: Option<String>,
    /// With approve, where the request's `shipping_config` is EDITABLE: where and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<Shipping>,
    /// With shipping: what it adds to the amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_amount: Option<MinorUnits>,
}

impl ActAsCustomer {
    /// An act at once, with nothing beside it.
    pub fn new(payment_request_id: PaymentRequestId, act: CustomerAct) -> Self {
        Self {
            payment_request_id,
            act,
            after: None,
            code: None,
            payment_option_id: None,
            shipping: None,
            shipping_amount: None,
        }
    }
}

/// What a customer can do in the Purchase Journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerAct {
    /// Open it, or look at it again.
    Open,
    /// Approve the purchase.
    Approve,
    /// Refuse it for good.
    Refuse,
    /// Leave without deciding.
    Leave,
    /// Come back after having left.
    ComeBack,
    /// Enter a one-time code that is wrong (999999): nothing is decided.
    WrongCode,
    /// Choose another payment option than the one of the checkout.
    ChooseOption,
    /// Open it, read, and change nothing.
    ChangeNothing,
}

impl CustomerAct {
    /// All, in the order in which they are documented.
    pub const ALL: [Self; 8] = [
        Self::Open,
        Self::Approve,
        Self::Refuse,
        Self::Leave,
        Self::ComeBack,
        Self::WrongCode,
        Self::ChooseOption,
        Self::ChangeNothing,
    ];

    /// The act as it stands in a body, a form or a journal operation.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approve => "approve",
            Self::Refuse => "refuse",
            Self::Leave => "leave",
            Self::ComeBack => "come_back",
            Self::WrongCode => "wrong_code",
            Self::ChooseOption => "choose_option",
            Self::ChangeNothing => "change_nothing",
        }
    }
}

/// One step of a script that the customer follows once a step-up has been asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomerStep {
    /// What.
    pub act: CustomerAct,
    /// How long after the step before it, or after the step-up, on the sandbox's clock; at once when
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<SignedDuration>,
    /// With `choose_option`: which; another one than before when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_option_id: Option<String>,
}

impl CustomerStep {
    /// An act as soon as its turn comes.
    pub fn at_once(act: CustomerAct) -> Self {
        Self { act, after: None, payment_option_id: None }
    }

    /// The same, a while after the step before it.
    pub fn after(act: CustomerAct, after: SignedDuration) -> Self {
        Self { after: Some(after), ..Self::at_once(act) }
    }
}

/// What the customer does by itself: one step, or several in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct CustomerScript(pub Vec<CustomerStep>);

impl CustomerScript {
    /// Whether the customer is left to the tester.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> Deserialize<'de> for CustomerScript {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMore)
    }
}

/// Reads one step as a script of one.
struct OneOrMore;

impl<'de> Visitor<'de> for OneOrMore {
    type Value = CustomerScript;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a step such as {\"act\": \"approve\"}, or a list of steps")
    }

    fn visit_map<A: MapAccess<'de>>(self, step: A) -> Result<CustomerScript, A::Error> {
        CustomerStep::deserialize(MapAccessDeserializer::new(step)).map(|step| CustomerScript(vec![step]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, steps: A) -> Result<CustomerScript, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(steps)).map(CustomerScript)
    }
}

/// Where an act led; also the JSON answer of the Purchase Journey itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomerActed {
    /// State of the request after the act; as it was, where the act is to follow later.
    pub state: PaymentRequestState,
    /// Where the customer is sent; `null` while the journey goes on.
    pub redirect_to: Option<String>,
}
