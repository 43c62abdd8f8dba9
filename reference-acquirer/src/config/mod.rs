//! Settings: embedded defaults < file < environment < flags, and readable complaints.

mod api_key;
mod complaints;
mod layers;
mod locate;
mod partners;
mod pauses;
mod payment_accounts;
mod reading;
mod settings;

pub use self::api_key::{KeyHash, new_key as new_api_key};
pub use self::layers::{ConfigError, DEFAULTS, Sources, load, process_environment};
pub use self::partners::{PartnerSettings, PaymentAccount, PaymentMethod};
pub use self::pauses::{Backoff, Retry};
pub use self::settings::{
    Breaker, Create, Http, Idempotency, Klarna, LogFormat, Logs, Notifications, Outbox, RegisteredKey,
    Registration, Return, Settings, Traces,
};
