//! Klarna's operations, by the names that the journal and the faults know them by.

/// An operation of Klarna's API. The routes note these, so a name that is not here is no operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Authorize,
    ReadPaymentRequest,
    CancelPaymentRequest,
    ReadPresentation,
    CreateSigningKey,
    ListSigningKeys,
    ReadSigningKey,
    DeleteSigningKey,
    CreateWebhook,
    ListWebhooks,
    ReadWebhook,
    DeleteWebhook,
}

impl Operation {
    /// Those with a Partner account in their path: they meet the faults of its sandbox.
    pub(crate) const OF_SANDBOXES: &[Self] =
        &[Self::Authorize, Self::ReadPaymentRequest, Self::CancelPaymentRequest, Self::ReadPresentation];

    /// Those without: they meet the faults of the acquirer account that calls.
    pub(crate) const OF_ACCOUNTS: &[Self] = &[
        Self::CreateSigningKey,
        Self::ListSigningKeys,
        Self::ReadSigningKey,
        Self::DeleteSigningKey,
        Self::CreateWebhook,
        Self::ListWebhooks,
        Self::ReadWebhook,
        Self::DeleteWebhook,
    ];

    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::ReadPaymentRequest => "payment_request.read",
            Self::CancelPaymentRequest => "payment_request.cancel",
            Self::ReadPresentation => "presentation.read",
            Self::CreateSigningKey => "signing_key.create",
            Self::ListSigningKeys => "signing_key.list",
            Self::ReadSigningKey => "signing_key.read",
            Self::DeleteSigningKey => "signing_key.delete",
            Self::CreateWebhook => "webhook.create",
            Self::ListWebhooks => "webhook.list",
            Self::ReadWebhook => "webhook.read",
            Self::DeleteWebhook => "webhook.delete",
        }
    }
}
