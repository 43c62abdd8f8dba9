//! Names that Klarna and its partners give to things.
//!
//! Every id is opaque: at most 255 characters, of a form that may change (contract `payments.md`
//! 5.6 and 6). The newtypes only keep one kind of id from standing where another belongs; none of
//! them is ever taken apart.

use serde::{Deserialize, Serialize};

macro_rules! opaque_id {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

opaque_id! {
    /// A Partner's account at Klarna, the `{partner_account_id}` of a path.
    PartnerAccountId,
    /// An Acquiring Partner's account at Klarna, `metadata.recipient_account_id` of a webhook.
    AcquirerAccountId,
    /// `krn:payment:eu1:request:<uuid>`.
    PaymentRequestId,
    /// `krn:payment:eu1:transaction:<uuid>`.
    PaymentTransactionId,
    /// `krn:partner:…:identity:customer-token:…`. Secret.
    CustomerTokenId,
    /// `krn:payment:eu1:transaction:<uuid>:capture:<n>`; the form is inferred.
    PaymentCaptureId,
    /// `krn:payment:eu1:transaction:<uuid>:refund:<n>`; the form is inferred.
    PaymentRefundId,
    /// `krn:payment:eu1:transaction:<uuid>:chargeback:<n>`; the form is inferred.
    PaymentChargebackId,
    /// `krn:partner:global:notification:signing-key:<uuid>`.
    SigningKeyId,
    /// `krn:partner:global:notification:webhook:<uuid>`.
    WebhookId,
}
