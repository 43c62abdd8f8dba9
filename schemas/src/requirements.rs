//! The duties of an acquirer, read from `requirements.toml`.
