//! Settings: embedded defaults < file < environment < flags, and readable complaints.

mod api_key;
mod layers;
mod locate;
mod payment_accounts;
mod settings;

pub use self::api_key::{KeyHash, new_key as new_api_key};
pub use self::layers::{ConfigError, DEFAULTS, Sources, load, process_environment};
pub use self::settings::{
    Backoff, Breaker, Create, Http, Idempotency, Klarna, LogFormat, Logs, Notifications, Outbox,
    PartnerSettings, PaymentAccount, PaymentMethod, RegisteredKey, Registration, Retry, Return, Settings,
    Traces,
};
