//! Settings: embedded defaults < file < environment < flags, and readable complaints.

mod layers;
mod locate;
mod settings;

pub use self::layers::{ConfigError, DEFAULTS, Sources, load, process_environment};
pub use self::settings::{
    Backoff, Breaker, Create, Http, Klarna, LogFormat, Logs, Notifications, Outbox, PartnerSettings,
    PaymentMethod, Registration, Retry, Return, Settings,
};
