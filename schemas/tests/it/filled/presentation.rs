//! How Klarna is shown in a payment form.

use klarna_schemas::klarna::presentation::{
    Icon, MessagePart, PaymentButton, PaymentOption, Presentation, PresentationInstruction,
    PresentationStatus, ShownMessage, ShownText,
};

use super::{Filled, filled, some};

fn payment_option() -> PaymentOption {
    let shown = |text: &str| Some(ShownText { text: some(text) });
    let message = || {
        let parts = vec![MessagePart {
            r#type: "LINK".to_owned(),
            text: "Terms".to_owned(),
            url: some("https://klarna.example/terms"),
        }];
        Some(ShownMessage { text: some("Terms"), parts: Some(parts) })
    };
    PaymentOption {
        payment_option_id: "S0xBUk5B".to_owned(),
        header: shown("Klarna"),
        subheader: shown("Pay later"),
        badge: shown("New"),
        message: message(),
        terms: message(),
        payment_button: Some(PaymentButton {
            text: some("Continue"),
            image_url: some("https://klarna.example/button.svg"),
            image_alignment: some("LEFT"),
        }),
        icon: Some(Icon {
            alt: some("Klarna"),
            badge_image_url: some("https://klarna.example/badge.svg"),
            rectangle_image_url: some("https://klarna.example/rectangle.svg"),
            square_image_url: some("https://klarna.example/square.svg"),
        }),
    }
}

/// A presentation with all that it can have.
pub(super) fn filled_in() -> Vec<Filled> {
    vec![filled(
        "klarna/presentation",
        &Presentation {
            instruction: PresentationInstruction::ShowKlarna,
            payment_status: Some(PresentationStatus::RequiresCustomerAction),
            payment_option: Some(payment_option()),
            saved_payment_option: Some(payment_option()),
        },
    )]
}
