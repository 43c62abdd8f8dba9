//! What Klarna has not published, and the tester may choose (contract README, table of decisions, and
//! `payments.md` 2.6 and 3.3).

use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::klarna::error::ValidationError;
use serde::{Deserialize, Serialize};

use super::effect::Refusal;

/// What holds for every sandbox of a simulator.
#[derive(Debug, Clone)]
pub(crate) struct Policies {
    /// What an initial authorize gets when nothing else decides.
    pub(crate) default_outcome: AuthorizationResult,
    /// What stands in front of `/eu/requests/{uuid}/start` and of `/static/icons`.
    pub(crate) journey_base: String,
    /// Whether documented test customers are known.
    pub(crate) magic_values: bool,
    /// How many payments a sandbox remembers in an epoch.
    pub(crate) payments: usize,
    /// What the tester chose.
    pub(crate) chosen: PolicySettings,
}

/// What happens where the sources are silent or disagree. `defaults.toml` says what each means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicySettings {
    /// An authorize has neither a token nor a `step_up_config`.
    pub no_way_to_the_customer: DecidingPolicy,
    /// A token without a `step_up_config` names nothing that is known.
    pub unknown_token: RefusalPolicy,
    /// A final call comes when its token has expired.
    pub expired_token: DecidingPolicy,
    /// A token was issued to another Partner account.
    pub foreign_token: RefusalPolicy,
    /// A final call is about another amount or currency than the customer approved.
    pub other_amount: DecidingPolicy,
    /// A token comes again with another final call.
    pub token_reused: ReusePolicy,
    /// A Payment Request is changed that is not SUBMITTED.
    pub update_out_of_turn: RefusalPolicy,
    /// A Payment Request is canceled that has ended.
    pub cancel_out_of_turn: RefusalPolicy,
    /// A Payment Request is read that has expired.
    pub expired_request: ExpiredRequestPolicy,
    /// Where the session token stands in a completed event.
    pub token_in_events: TokenPlaces,
    /// A body has what no source describes, or what is described elsewhere.
    pub undocumented_fields: OddityPolicy,
    /// Order lines do not add up to the amount.
    pub line_totals: OddityPolicy,
    /// A `POST` or `PATCH` has no idempotency key.
    pub missing_key: OddityPolicy,
    /// A header, a field, a value or a placeholder comes under a name of an older revision.
    pub older_names: OlderNamesPolicy,
    /// Under which name a refusal lists the fields that do not validate.
    pub error_list: ErrorListPolicy,
}

/// How a call is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalPolicy {
    /// 400 `VALIDATION_ERROR`.
    Invalid,
    /// 403 `OPERATION_FORBIDDEN`.
    Forbidden,
    /// 404 `RESOURCE_NOT_FOUND`.
    NotFound,
    /// 409 `RESOURCE_CONFLICT`.
    Conflict,
}

/// How an authorize is refused, or decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecidingPolicy {
    /// 400 `VALIDATION_ERROR`.
    Invalid,
    /// 404 `RESOURCE_NOT_FOUND`.
    NotFound,
    /// 409 `RESOURCE_CONFLICT`.
    Conflict,
    /// 200 DECLINED.
    Declined,
}

/// What a token gets that comes again with another final call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReusePolicy {
    /// 409 `RESOURCE_CONFLICT`.
    Conflict,
    /// The first answer again.
    Replay,
}

/// What becomes of a call that is odd, and that Klarna is not known to refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OddityPolicy {
    /// It is accepted; of an authorize, a finding tells.
    Report,
    /// 400 `VALIDATION_ERROR`.
    Invalid,
}

/// What becomes of names of older revisions (contract `payments.md` 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OlderNamesPolicy {
    /// They still work; of an authorize, a finding tells.
    Accept,
    /// 400 `VALIDATION_ERROR`.
    Invalid,
}

/// Under which name a refusal lists the fields that do not validate (contract `payments.md` 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorListPolicy {
    /// `validation_errors[{parameter, reason}]`.
    ValidationErrors,
    /// `errors[{parameter, error_message}]`, as an older sample has it.
    Errors,
}

/// What reading an expired Payment Request gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExpiredRequestPolicy {
    /// 200, EXPIRED.
    Readable,
    /// 404 `RESOURCE_NOT_FOUND`.
    NotFound,
}

/// Where the session token stands in a completed event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenPlaces {
    /// In both places.
    Both,
    /// In `payload` alone.
    Payload,
    /// In `payload.state_context` alone.
    StateContext,
}

impl RefusalPolicy {
    /// The refusal; `parameter` is to blame where a field is.
    pub(crate) fn refuse(self, parameter: &str, why: &str) -> Refusal {
        match self {
            Self::Invalid => Refusal::Invalid(vec![ValidationError::new(parameter, why)]),
            Self::Forbidden => Refusal::Forbidden(format!("{parameter} {why}")),
            Self::NotFound => Refusal::NotFound(format!("{parameter} {why}")),
            Self::Conflict => Refusal::Conflict(format!("{parameter} {why}")),
        }
    }
}

impl DecidingPolicy {
    /// The refusal, if it is one; else the call is declined.
    pub(crate) fn refusal(self, parameter: &str, why: &str) -> Option<Refusal> {
        let refusing = match self {
            Self::Declined => return None,
            Self::Invalid => RefusalPolicy::Invalid,
            Self::NotFound => RefusalPolicy::NotFound,
            Self::Conflict => RefusalPolicy::Conflict,
        };
        Some(refusing.refuse(parameter, why))
    }
}

#[cfg(test)]
impl Policies {
    /// The defaults, as [`crate::config::DEFAULTS`] has them.
    pub(crate) fn defaults() -> Self {
        let settings = crate::config::Settings::defaults().unwrap();
        Self {
            default_outcome: settings.outcome.result(),
            journey_base: "http://127.0.0.1:1".to_owned(),
            magic_values: true,
            payments: settings.limits.payments,
            chosen: settings.policies,
        }
    }
}
