//! Faults: calls that Klarna does not serve as it should.

use serde::{Deserialize, Serialize};

use super::{CallKind, once};

/// `POST /sandboxes/{a}/faults` and `POST /accounts/{acquirer}/faults`: what befalls calls to come.
///
/// A fault meets a call after its authentication and before anything is decided or changed. Armed
/// faults are served first come first served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "FaultWish", try_from = "FaultWish")]
pub struct ArmFault {
    /// Which calls, by their journal operation; a `*` at the end matches any rest.
    pub operation: String,
    /// Which authorize calls it is for; other operations know no difference.
    pub on: CallKind,
    /// How many calls it meets.
    pub times: u32,
    /// What befalls them.
    pub fault: Fault,
}

impl ArmFault {
    /// A fault that meets every kind of call of this operation once.
    pub fn once(operation: impl Into<String>, fault: Fault) -> Self {
        Self { operation: operation.into(), on: CallKind::Any, times: 1, fault }
    }
}

/// What befalls a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// It is answered with this status, 400 to 599, whatever it asked.
    Status {
        /// HTTP status.
        status: u16,
        /// What stands in the answer.
        body: FaultBody,
    },
    /// It is never answered: the connection stays open until the caller goes, or the fault is lifted.
    Stall,
    /// The connection is closed without a byte of an answer.
    Reset,
}

/// What stands in the answer of a faulty call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultBody {
    /// Klarna's error body, as the status has it (contract `payments.md` 5.3).
    #[default]
    Klarna,
    /// Nothing, as behind Klarna's protection against floods.
    None,
    /// A page in HTML, as from a proxy in between.
    Html,
}

/// The body as it comes.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultWish {
    operation: String,
    #[serde(default)]
    on: CallKind,
    #[serde(default = "once")]
    times: u32,
    kind: FaultKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<FaultBody>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FaultKind {
    Status,
    Stall,
    Reset,
}

impl TryFrom<FaultWish> for ArmFault {
    type Error = &'static str;

    fn try_from(wish: FaultWish) -> Result<Self, Self::Error> {
        let FaultWish { operation, on, times, kind, status, body } = wish;
        if kind != FaultKind::Status && (status.is_some() || body.is_some()) {
            return Err("status and body go with the kind status only");
        }
        let status = status.unwrap_or(500);
        if !(400..=599).contains(&status) {
            return Err("status: a fault answers 400 to 599");
        }
        if times == 0 {
            return Err("times: must be at least 1");
        }
        if operation.is_empty() {
            return Err("operation: name one, such as authorize, or * for all");
        }
        let fault = match kind {
            FaultKind::Status => Fault::Status { status, body: body.unwrap_or_default() },
            FaultKind::Stall => Fault::Stall,
            FaultKind::Reset => Fault::Reset,
        };
        Ok(Self { operation, on, times, fault })
    }
}

impl From<ArmFault> for FaultWish {
    fn from(armed: ArmFault) -> Self {
        let (kind, status, body) = match armed.fault {
            Fault::Status { status, body } => (FaultKind::Status, Some(status), Some(body)),
            Fault::Stall => (FaultKind::Stall, None, None),
            Fault::Reset => (FaultKind::Reset, None, None),
        };
        Self { operation: armed.operation, on: armed.on, times: armed.times, kind, status, body }
    }
}

impl std::fmt::Display for Fault {
    /// As the journal names it: `status 500`, `stall`, `reset`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Status { status, .. } => write!(f, "status {status}"),
            Self::Stall => f.write_str("stall"),
            Self::Reset => f.write_str("reset"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(body: serde_json::Value) -> String {
        serde_json::from_value::<ArmFault>(body).unwrap_err().to_string()
    }

    #[test]
    fn a_fault_with_what_does_not_belong_to_it_is_refused() {
        assert!(
            refused(json!({"operation": "authorize", "kind": "stall", "status": 500})).contains("status")
        );
        assert!(refused(json!({"operation": "authorize", "kind": "status", "status": 200})).contains("400"));
        assert!(refused(json!({"operation": "authorize", "kind": "reset", "times": 0})).contains("times"));
        assert!(refused(json!({"operation": "", "kind": "reset"})).contains("operation"));
    }

    #[test]
    fn a_status_is_500_with_klarnas_body_unless_it_says_otherwise() {
        let armed: ArmFault =
            serde_json::from_value(json!({"operation": "authorize", "kind": "status"})).unwrap();
        let fault = Fault::Status { status: 500, body: FaultBody::Klarna };
        assert_eq!(armed, ArmFault::once("authorize", fault));
    }
}
