//! Payment Presentation: what a payment form shows of Klarna (contract
//! `webhooks-and-network-data.md` C).

use serde::{Deserialize, Serialize};

use crate::open_enum;

open_enum! {
    /// Where Klarna stands in the payment form.
    pub enum PresentationInstruction {
        /// Among the other methods; the default.
        ShowKlarna = "SHOW_KLARNA",
        /// Among the others, and chosen already.
        PreselectKlarna = "PRESELECT_KLARNA",
        /// Nothing but Klarna: the customer has committed to it.
        ShowOnlyKlarna = "SHOW_ONLY_KLARNA",
        /// Not at all.
        HideKlarna = "HIDE_KLARNA",
    }
}

open_enum! {
    /// What is to be done next (inferred).
    pub enum PresentationStatus {
        /// The customer has done it all: authorize at once.
        PendingPartnerAuthorization = "PENDING_PARTNER_AUTHORIZATION",
        /// A Purchase Journey is to come.
        RequiresCustomerAction = "REQUIRES_CUSTOMER_ACTION",
    }
}

/// Answer to `GET /v2/accounts/{partner_account_id}/payment/presentation`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presentation {
    /// Where Klarna stands.
    pub instruction: PresentationInstruction,
    /// What is to be done next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_status: Option<PresentationStatus>,
    /// What to show; absent with `HIDE_KLARNA`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_option: Option<PaymentOption>,
    /// What the customer used before, to be shown beside the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_payment_option: Option<PaymentOption>,
}

/// One way to pay with Klarna.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentOption {
    /// Opaque; goes back as `request_payment_transaction.payment_option_id`.
    pub payment_option_id: String,
    /// First line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<ShownText>,
    /// Second line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subheader: Option<ShownText>,
    /// A word beside the header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub badge: Option<ShownText>,
    /// What is shown once Klarna is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<ShownMessage>,
    /// The small print.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<ShownMessage>,
    /// The button that starts the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_button: Option<PaymentButton>,
    /// The mark of Klarna.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<Icon>,
}

/// A text in the customer's language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownText {
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// A text, and the same in parts, some of them links.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownMessage {
    /// The whole text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its parts, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<Vec<MessagePart>>,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessagePart {
    /// `TEXT` or `LINK`.
    pub r#type: String,
    /// What is read.
    pub text: String,
    /// Where a `LINK` leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// The button that starts the payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentButton {
    /// What stands on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The picture on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// `LEFT` or `RIGHT` of the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_alignment: Option<String>,
}

/// The mark of Klarna, in three shapes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Icon {
    /// What is read where no picture is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt: Option<String>,
    /// Rounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub badge_image_url: Option<String>,
    /// Wider than high.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rectangle_image_url: Option<String>,
    /// As wide as high.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub square_image_url: Option<String>,
}
